package oauth

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The examples of RFC 9396 §2.
const (
	customerInformation = `[{"type": "customer_information", "locations": ["https://example.com/customers"], "actions": ["read", "write"],
		"datatypes": ["contacts", "photos"]}]`
	paymentInitiation = `[{"type": "payment_initiation", "actions": ["initiate", "status", "cancel"], "locations": ["https://example.com/payments"],
		"instructedAmount": {"currency": "EUR", "amount": "123.50"}, "creditorName": "Merchant A", "creditorAccount": {"iban": "DE02100100109307118603"},
		"remittanceInformationUnstructured": "Ref Number Merchant"}]`
)

func TestParseDetails(t *testing.T) {
	for _, tt := range []struct {
		rule, sent string
		n          int // elements; -1: refused
	}{
		{"one of a standard's example", customerInformation, 1},
		{"with members of its own", paymentInitiation, 1},
		{"none", `[]`, 0},
		{"two of a type", `[{"type":"a"},{"type":"a"}]`, 2},
		{"no array", `{"type":"a"}`, -1},
		{"null", `null`, -1},
		{"no JSON", `[{"type":"a"}`, -1},
		{"something behind it", `[{"type":"a"}] []`, -1},
		{"an element that is no object", `["a"]`, -1},
		{"an element that is null", `[null]`, -1},
		{"no type", `[{"actions":["a"]}]`, -1},
		{"an empty type", `[{"type":""}]`, -1},
		{"a type that is no string", `[{"type":1}]`, -1},
		{"a type in other letters", `[{"Type":"a"}]`, -1},
		{"a member twice", `[{"type":"a","type":"b"}]`, -1},
		{"a member twice inside", `[{"type":"a","x":{"y":1,"y":2}}]`, -1},
		{"actions that are no array", `[{"type":"a","actions":"read"}]`, -1},
		{"locations of numbers", `[{"type":"a","locations":[1]}]`, -1},
		{"privileges that are null", `[{"type":"a","privileges":null}]`, -1},
		{"datatypes of null", `[{"type":"a","datatypes":[null]}]`, -1},
		{"an identifier that is no string", `[{"type":"a","identifier":{}}]`, -1},
		{"too many", "[" + strings.Repeat(`{"type":"a"},`, 16) + `{"type":"a"}]`, -1},
		{"too long", `[{"type":"a","x":"` + strings.Repeat("x", MaxDetails) + `"}]`, -1},
		{"too long for what is blank", strings.Repeat(" ", 4*MaxDetails) + "[]", -1},
		{"too deep", `[{"type":"a","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}]`, -1},
	} {
		d, err := ParseDetails(tt.sent)
		if tt.n < 0 {
			if !errors.Is(err, InvalidAuthorizationDetails("")) {
				t.Errorf("%s: %v, %v", tt.rule, d, err)
			}
			continue
		}
		if err != nil || len(d) != tt.n {
			t.Errorf("%s: %s, %v", tt.rule, d, err)
		}
	}
}

func TestDetailsWithin(t *testing.T) {
	for _, tt := range []struct {
		rule, asked, granted string
		want                 bool
	}{
		{"the same", paymentInitiation, paymentInitiation, true},
		{"in another order", `[{"b":{"x":1,"y":2},"type":"a"}]`, `[{"type":"a","b":{"y":2,"x":1}}]`, true},
		{"fewer actions", `[{"type":"a","actions":["read"]}]`, `[{"type":"a","actions":["read","write"]}]`, true},
		{"one of two", `[{"type":"b"}]`, `[{"type":"a"},{"type":"b"}]`, true},
		{"more actions", `[{"type":"a","actions":["read","write"]}]`, `[{"type":"a","actions":["read"]}]`, false},
		{"no actions, which could mean all", `[{"type":"a"}]`, `[{"type":"a","actions":["read"]}]`, false},
		{"an empty list, which could too", `[{"type":"a","actions":[]}]`, `[{"type":"a","actions":["read"]}]`, false},
		{"another type", `[{"type":"b"}]`, `[{"type":"a"}]`, false},
		{"another amount", `[{"type":"a","amount":"2"}]`, `[{"type":"a","amount":"1"}]`, false},
		{"less of an array that only its type knows", `[{"type":"a","ids":[1]}]`, `[{"type":"a","ids":[1,2]}]`, false},
		{"a member beside", `[{"type":"a","x":1}]`, `[{"type":"a"}]`, false},
		{"a number that rounds to the same", `[{"type":"a","x":10000000000000001}]`, `[{"type":"a","x":10000000000000000}]`, false},
		{"anything of nothing", `[{"type":"a"}]`, `[]`, false},
		{"nothing of anything", `[]`, `[{"type":"a"}]`, true},
	} {
		asked, err1 := ParseDetails(tt.asked)
		granted, err2 := ParseDetails(tt.granted)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := asked.Within(granted); got != tt.want {
			t.Errorf("%s: %v", tt.rule, got)
		}
	}
}

// What is read can be stored, read back, and is within itself.
func FuzzParseDetails(f *testing.F) {
	for _, s := range []string{customerInformation, paymentInitiation, `[{"type":"\u0000"}]`, `[{"type":"a","x":[[[]]]}]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDetails(s)
		if err != nil {
			return
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if d == nil {
			b = []byte("[]")
		}
		again, err := ParseDetails(string(b))
		if err != nil || len(again) != len(d) || !again.Within(d) || !d.Within(again) {
			t.Errorf("%s became %s: %v", s, b, err)
		}
	})
}

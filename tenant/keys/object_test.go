package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want string // the names, or
		err  error
	}{
		{`{}`, "", nil},
		{" {\t} \r\n", "", nil},
		{`{"b":1,"a":2}`, "a b", nil},
		{`{ "b" : "x" , "a" : [ 1 , { "b" : 2 } ] }`, "a b", nil},
		{`{"a":"}","b":"\"}","c":"\\"}`, "a b c", nil},
		{`{"a":{"x":1,"x":2}}`, "a", nil},
		{`{"\u0061\"\n":1}`, "a\"\n", nil},
		{`{"":1}`, "", nil},
		{`{"a":-1.5e+3,"b":true,"c":null}`, "a b c", nil},
		{`{"a":1,"a":1}`, "", errDuplicate},
		{`{"a":1,"b":2,"a":1}`, "", errDuplicate},
		{`{"a":1,"\u0061":1}`, "", errDuplicate},
		{`{"":1,"":1}`, "", errDuplicate},
		{`{"\ud800":1,"\udfff":1}`, "", errDuplicate}, // both are read as U+FFFD
		{``, "", errNotObject},
		{` `, "", errNotObject},
		{`{`, "", errNotObject},
		{`[]`, "", errNotObject},
		{`1`, "", errNotObject},
		{`{}{}`, "", errNotObject},
		{`{},`, "", errNotObject},
		{`{"a":1,}`, "", errNotObject},
		{`{a:1}`, "", errNotObject},
		{`{'a':1}`, "", errNotObject},
		{`{"a":NaN}`, "", errNotObject},
		{`{"a":1/**/}`, "", errNotObject},
		{"{\"a\":\"\x00\"}", "", errNotObject},
		{"{\"a\xff\":1}", "", errNotObject},
		{"\u00a0{}", "", errNotObject},
		{strings.Repeat(`{"a":`, 20000), "", errNotObject},
	} {
		got, err := names([]byte(c.doc))
		if !errors.Is(err, c.err) || string(bytes.Join(got, []byte(" "))) != c.want {
			t.Errorf("names of %.40s = %q, %v; want %q, %v", c.doc, got, err, c.want, c.err)
		}
	}
}

// decoderNames is names by way of encoding/json.
func decoderNames(doc []byte) (out []string, object bool) {
	if !json.Valid(doc) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		out = append(out, name.(string))
	}
	slices.Sort(out)
	return out, true
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `{"\u0061":[{"b":"\\\""}],"c":"}"}`, `[{}]`, " {\n\"a\" : null } ", `{"a":1}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := names(doc)
		want, object := decoderNames(doc)
		distinct := len(slices.Compact(slices.Clone(want))) == len(want)
		switch {
		case err == nil:
			if !object || !distinct || !slices.EqualFunc(got, want, func(a []byte, b string) bool { return string(a) == b }) {
				t.Errorf("names of %q = %q; encoding/json: %q, object %t", doc, got, want, object)
			}
		case errors.Is(err, errDuplicate):
			if !object || distinct {
				t.Errorf("names of %q: %v; encoding/json: %q, object %t", doc, err, want, object)
			}
		case object && bytes.Equal(bytes.ToValidUTF8(doc, nil), doc):
			t.Errorf("names of %q: %v, though it is an object", doc, err)
		}
	})
}

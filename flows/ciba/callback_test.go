package ciba

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// keeper is a tenant that keeps a secret.
func keeper(t testing.TB, fill byte) *tenant.Tenant {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: "acme", Secret: secret}
}

func TestCallbacks(t *testing.T) {
	acme, globex := keeper(t, 1), keeper(t, 2)
	a := &decoupled.Authentication{ID: "AAAAAAAAAAAAAAAAAAAAAA", EndsAt: time.Date(2026, 3, 1, 12, 0, 0, 9, time.UTC)}
	const session = "BBBBBBBBBBBBBBBBBBBBBA"
	good := callbackOf(acme, a, session)
	if got, ok := parseCallback(acme, good); !ok || got.id != a.ID || got.session != session || got.endsAt.Unix() != a.EndsAt.Unix() {
		t.Fatalf("a callback token says %+v, %v", got, ok)
	}
	other := *a
	other.ID = "CCCCCCCCCCCCCCCCCCCCCA"
	for rule, token := range map[string]string{
		"none":                                "",
		"another tenant's":                    callbackOf(globex, a, session),
		"one cut short":                       good[:len(good)-1],
		"one with more":                       good + "A",
		"that of another request, half of it": callbackOf(acme, &other, session)[:22] + good[22:],
		"one in another form":                 strings.ToUpper(good),
		"one with a line break":               good[:10] + "\n" + good[10:],
		"an auth_req_id":                      AuthReqID(acme, a),
		"a ticket":                            tickets.Of(acme, a.ID),
	} {
		if got, ok := parseCallback(acme, token); ok {
			t.Errorf("%s: says %+v", rule, got)
		}
	}
}

// FuzzParseCallback: what is taken for a callback token is one that we would have made.
func FuzzParseCallback(f *testing.F) {
	acme := keeper(f, 1)
	a := &decoupled.Authentication{ID: "AAAAAAAAAAAAAAAAAAAAAA", EndsAt: time.Unix(1772366400, 0)}
	f.Add(callbackOf(acme, a, "BBBBBBBBBBBBBBBBBBBBBA"))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		c, ok := parseCallback(acme, token)
		if ok && callbackOf(acme, &decoupled.Authentication{ID: c.id, EndsAt: c.endsAt}, c.session) != token {
			t.Errorf("%q is taken for %+v", token, c)
		}
	})
}

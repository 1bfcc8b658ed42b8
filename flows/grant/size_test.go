package grant

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Whatever Check lets pass can be minted.
func TestTermsThatPassFitIntoTokens(t *testing.T) {
	text := func(n int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", n) + `"`) }
	claims := func(n int) map[string]json.RawMessage { return map[string]json.RawMessage{"x": text(n)} }
	for _, tt := range []struct {
		rule string
		of   func(n int) Terms
		most int // n of the last that passes
	}{
		{"data", func(n int) Terms { return Terms{Data: text(n)} }, 8160},
		{"claims of the access token", func(n int) Terms { return Terms{AccessToken: AccessTerms{Claims: claims(n)}} }, 8154},
		{"claims of an encrypted access token", func(n int) Terms { return Terms{AccessToken: AccessTerms{Claims: claims(n), Encrypt: true}} }, 6106},
		{"claims of the ID token", func(n int) Terms { return Terms{PresetIDToken: claims(n)} }, 8154},
		{"claims of the session", func(n int) Terms {
			b, _ := json.Marshal(claims(n))
			return Terms{Login: Login{SessionClaims: b}}
		}, 8133},
		{"audience", func(n int) Terms { return Terms{Audience: []string{strings.Repeat("x", n)}} }, 8158},
		{"scope", func(n int) Terms { return Terms{Scope: oauth.Scope{strings.Repeat("x", n)}} }, oauth.MaxScope},
	} {
		i, ten := house(t, 1)
		pass := func(n int) bool {
			terms := tt.of(n)
			return terms.Check() == nil
		}
		if !pass(tt.most) || pass(tt.most+1) {
			t.Errorf("%s: %d is not the last that passes", tt.rule, tt.most)
		}
		name := strings.Repeat("a", 255)
		g := &Grant{ID: i.NewID(), Subject: name, Actor: name, ClientID: "shop", Terms: tt.of(tt.most)}
		g.Terms.Login.AuthTime, g.Terms.Login.TellAuthTime, g.Terms.IDToken.Issue = noon.Add(-time.Hour).Unix(), true, true
		if g.Terms.Login.SessionClaims == nil { // those of another session than the one that the terms were agreed in
			g.Terms.Login.SessionClaims, _ = json.Marshal(map[string]json.RawMessage{"y": text(MaxSessionClaims - 8)})
		}
		if _, err := i.Mint(t.Context(), ten, g, &tenant.Client{ID: "shop"}, people{}, g.Terms.Audience); err != nil {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

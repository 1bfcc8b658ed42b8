package token

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// Whom a token permits to act is not forgotten in what comes of it (RFC 8693 §4.4).
func TestWhoMayActIsCarriedOn(t *testing.T) {
	shop, batch := map[string]any{"sub": "shop"}, map[string]any{"client_id": "batch"}
	ask := func(w *world, pairs ...string) grant.Tokens {
		t.Helper()
		out, err := w.ask("shop", append(pairs, "resource", "https://one.example/")...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	swapped := func(w *world, token, kind, wanted string) grant.Tokens {
		return ask(w, "grant_type", oauth.TokenExchange, "subject_token", token, "subject_token_type", kind, "requested_token_type", wanted)
	}
	claimed := func(may any) func(*grant.Grant) {
		return func(g *grant.Grant) {
			raw, _ := json.Marshal(may)
			g.Terms.AccessToken.Claims = map[string]json.RawMessage{"may_act": raw}
		}
	}
	for _, c := range []struct {
		rule string
		may  any
		of   func(w *world, s signer, may any) grant.Tokens
	}{
		{"an assertion", batch, func(w *world, s signer, may any) grant.Tokens {
			return ask(w, "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(map[string]any{"may_act": may})))
		}},
		{"an assertion of the client itself", batch, func(w *world, s signer, may any) grant.Tokens {
			w.clients["shop"].JWKS = json.RawMessage(s.jwks())
			return ask(w, "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(map[string]any{"iss": "shop", "sub": "shop", "may_act": may})))
		}},
		{"an exchanged JWT", shop, func(w *world, s signer, may any) grant.Tokens {
			return swapped(w, s.jwt(es256, w.with(map[string]any{"may_act": may})), oauth.TypeJWT, oauth.TypeAccessToken)
		}},
		{"an exchanged access token", batch, func(w *world, _ signer, may any) grant.Tokens {
			return swapped(w, first(w.access(claimed(may))), oauth.TypeAccessToken, oauth.TypeAccessToken)
		}},
		{"an exchanged refresh token", batch, func(w *world, _ signer, may any) grant.Tokens {
			return swapped(w, first(w.line("shop", claimed(may))), oauth.TypeRefreshToken, oauth.TypeAccessToken)
		}},
		{"the ID token for an access token", batch, func(w *world, _ signer, may any) grant.Tokens {
			id := swapped(w, first(w.access(claimed(may))), oauth.TypeAccessToken, oauth.TypeIDToken)
			return swapped(w, id.AccessToken, oauth.TypeIDToken, oauth.TypeAccessToken)
		}},
		{"the refresh token for an access token", batch, func(w *world, _ signer, may any) grant.Tokens {
			fresh := swapped(w, first(w.line("shop", claimed(may))), oauth.TypeRefreshToken, oauth.TypeRefreshToken)
			return ask(w, "grant_type", oauth.RefreshToken, "refresh_token", fresh.AccessToken)
		}},
	} {
		for _, opaque := range []bool{false, true} {
			for _, sector := range []string{"", "pairwise"} {
				w, s := trusting(t)
				w.tenant.Settings.Tokens.AccessTokenOpaque = opaque
				w.tenant.Settings.Grants.TokenExchange.RefreshTokens = true
				w.clients["shop"].SubjectType = sector
				out := c.of(w, s, c.may)
				a, err := w.store.Token(t.Context(), w.tenant, out.AccessToken)
				if err != nil {
					t.Fatal(c.rule, err)
				}
				if d := cmp.Diff(c.may, plain(a.Delegation.MayAct)); d != "" {
					t.Errorf("%s, opaque %v, %s: may_act %s", c.rule, opaque, sector, d)
				}
				if _, err := w.swap("api", oauth.TypeAccessToken, out.AccessToken); said(err) != "invalid_request: the subject_token names another who may act" {
					t.Errorf("%s, opaque %v, %s: one whom it is for, but whom it does not name: %q", c.rule, opaque, sector, said(err))
				}
			}
		}
	}
}

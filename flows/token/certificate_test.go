package token

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// proving makes a token request of a client that proves these keys.
func (w *world) proving(client string, proved oauth.Confirmation, pairs ...string) (grant.Tokens, error) {
	p := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Add(pairs[i], pairs[i+1])
	}
	return w.Exchange(w.Context(), w.tenant, &Request{Client: w.clients[client], Params: p, Proved: proved})
}

// code is the error code of err.
func code(err error) string {
	if err == nil {
		return ""
	}
	return oauth.ErrorOf(err).Code
}

// S123: tokens of a client that registered so are bound to its certificate, on every grant.
func TestTokensAreBoundToTheCertificate(t *testing.T) {
	mine, other := oauth.Confirmation{X5T: "mine"}, oauth.Confirmation{X5T: "other"}
	for _, client := range []string{"shop", "app"} {
		w := newWorld(t)
		w.clients[client].CertificateBound = true
		bound := func(tokens grant.Tokens, err error) grant.Tokens {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"x5t#S256": "mine"}
			if diff := cmp.Diff(want, w.claims("at+jwt", tokens.AccessToken)["cnf"]); diff != "" || tokens.TokenType != "Bearer" {
				t.Errorf("%s: %s %s", client, tokens.TokenType, diff)
			}
			return tokens
		}
		minted, _ := w.agree(client, func(g *grant.Grant) { g.Terms.RefreshToken.Issue = true })
		ask := []string{"grant_type", oauth.AuthorizationCode, "code", minted, "redirect_uri", callback}
		if _, err := w.proving(client, oauth.Confirmation{}, ask...); code(err) != "invalid_request" {
			t.Error("without a certificate:", err)
		}
		tokens := bound(w.proving(client, mine, ask...))
		refresh := []string{"grant_type", oauth.RefreshToken, "refresh_token", tokens.RefreshToken}
		if _, err := w.proving(client, oauth.Confirmation{}, refresh...); code(err) != "invalid_request" {
			t.Error("refreshed without a certificate:", err)
		}
		_, err := w.proving(client, other, refresh...)
		if public := w.clients[client].Public(); public && code(err) != "invalid_grant" || !public && err != nil {
			t.Errorf("%s, refreshed with another certificate: %v", client, err)
		} else if !public {
			continue // its refresh tokens are bound to its authentication
		}
		tokens = bound(w.proving(client, mine, refresh...))
		if _, err := w.proving(client, other, "grant_type", oauth.RefreshToken, "refresh_token", tokens.RefreshToken); code(err) != "invalid_grant" {
			t.Error("the successor is not bound:", err)
		}
	}
}

func TestTokensOfOthersAreNotBoundToTheCertificate(t *testing.T) {
	w := newWorld(t)
	tokens, err := w.proving("shop", oauth.Confirmation{X5T: "mine"}, "grant_type", oauth.ClientCredentials)
	if err != nil {
		t.Fatal(err)
	}
	if cnf := w.claims("at+jwt", tokens.AccessToken)["cnf"]; cnf != nil {
		t.Error("cnf:", cnf)
	}
	w.clients["shop"].CertificateBound = true
	tokens, err = w.proving("shop", oauth.Confirmation{X5T: "mine", JKT: "key"}, "grant_type", oauth.ClientCredentials)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"x5t#S256": "mine", "jkt": "key"}, w.claims("at+jwt", tokens.AccessToken)["cnf"]); diff != "" || tokens.TokenType != "DPoP" {
		t.Error(tokens.TokenType, diff)
	}
}

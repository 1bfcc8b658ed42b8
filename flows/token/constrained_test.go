package token

import (
	"testing"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// What a grant began with, a proof or a certificate, is asked for whenever its refresh token is presented.
func TestAGrantThatBeganBoundGoesOnBound(t *testing.T) {
	key, another := oauth.Confirmation{JKT: "key"}, oauth.Confirmation{JKT: "another"}
	cert, newer := oauth.Confirmation{X5T: "cert"}, oauth.Confirmation{X5T: "newer"}
	both := oauth.Confirmation{JKT: "key", X5T: "cert"}
	const noProof, wrongKey, noCertificate = "invalid_dpop_proof: a DPoP proof is required", "invalid_grant: the DPoP proof is made with another key",
		"invalid_grant: the client did not present the certificate of before"
	for _, c := range []struct {
		rule      string
		client    string
		certified bool // its tokens are bound to its certificate when the grant begins
		began     oauth.Confirmation
		later     bool // they still are
		proved    oauth.Confirmation
		want      string
	}{
		{"a confidential client with the key", "shop", false, key, false, key, ""},
		{"a confidential client with another key", "shop", false, key, false, another, ""},
		{"a confidential client with none", "shop", false, key, false, oauth.Confirmation{}, noProof},
		{"a confidential client with a certificate in its place", "shop", false, key, true, cert, noProof},
		{"a confidential client with its certificate", "shop", true, cert, true, cert, ""},
		{"a confidential client with a newer one", "shop", true, cert, true, newer, ""},
		{"a confidential client that is no longer asked for it", "shop", true, cert, false, oauth.Confirmation{}, noCertificate},
		{"a confidential client with a key in its place", "shop", true, cert, false, key, noCertificate},
		{"a confidential client with one of two", "shop", true, both, true, cert, noProof},
		{"a confidential client that began with none", "shop", false, oauth.Confirmation{}, false, oauth.Confirmation{}, ""},
		{"a public client with the key", "app", false, key, false, key, ""},
		{"a public client with another key", "app", false, key, false, another, wrongKey},
		{"a public client with none", "app", false, key, false, oauth.Confirmation{}, noProof},
	} {
		for name, ask := range map[string]func(token string) []string{
			"refresh":  func(token string) []string { return []string{"grant_type", oauth.RefreshToken, "refresh_token", token} },
			"exchange": func(token string) []string { return exchangeOf(token, oauth.TypeRefreshToken) },
			"refreshment": func(token string) []string {
				return append(exchangeOf(token, oauth.TypeRefreshToken), "requested_token_type", oauth.TypeRefreshToken)
			},
		} {
			w := exchanging(t)
			w.tenant.Settings.Grants.TokenExchange.RefreshTokens = true
			w.clients[c.client].CertificateBound = c.certified
			minted, _ := w.agree(c.client, func(g *grant.Grant) { g.Terms.RefreshToken.Issue = true })
			begun, err := w.proving(c.client, c.began, "grant_type", oauth.AuthorizationCode, "code", minted, "redirect_uri", callback)
			if err != nil {
				t.Fatal(c.rule, err)
			}
			w.clients[c.client].CertificateBound = c.later
			out, err := w.proving(c.client, c.proved, ask(begun.RefreshToken)...)
			if said(err) != c.want {
				t.Errorf("%s, %s: got %q", c.rule, name, said(err))
				continue
			}
			if err != nil {
				continue
			}
			if name == "refreshment" {
				begun.RefreshToken = out.AccessToken
			} else if cnf, _ := w.claims(jwtAccess, out.AccessToken)["cnf"].(map[string]any); len(cnf) > 0 != (c.began != oauth.Confirmation{}) {
				t.Errorf("%s, %s: cnf %v", c.rule, name, cnf)
			}
			if name == "refresh" {
				begun.RefreshToken = out.RefreshToken
			}
			// What comes of it is bound as it was.
			_, err = w.proving(c.client, oauth.Confirmation{}, "grant_type", oauth.RefreshToken, "refresh_token", begun.RefreshToken)
			if bound := c.began != (oauth.Confirmation{}); (err != nil) != bound {
				t.Errorf("%s, %s, then refreshed without a key: %v", c.rule, name, err)
			}
		}
	}
}

// An ID token is bound to no key, but its client may be.
func TestWhatComesOfTheIDTokenOfABoundClient(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*tenant.Client)
		proved oauth.Confirmation
		want   string
	}{
		{"of a client that registered neither", func(*tenant.Client) {}, oauth.Confirmation{}, ""},
		{"of one that proves a key", func(c *tenant.Client) { c.DPoPBound = true }, oauth.Confirmation{}, "invalid_request: what is bound to a key is exchanged for what is bound to one: a DPoP proof is required"},
		{"of one that presents a certificate", func(c *tenant.Client) { c.CertificateBound = true }, oauth.Confirmation{}, "invalid_request: what is bound to a key is exchanged for what is bound to one: a DPoP proof is required"},
		{"for a key of the other", func(c *tenant.Client) { c.DPoPBound = true }, oauth.Confirmation{JKT: "own"}, ""},
	} {
		w := exchanging(t)
		w.tenant.Settings.Grants.TokenExchange.Delegation = true
		w.clients["api"].Audience = []string{"shop"}
		token := w.idToken("shop")
		c.change(w.clients["shop"])
		if _, err := w.proving("api", c.proved, exchangeOf(token, oauth.TypeIDToken)...); said(err) != c.want {
			t.Errorf("%s: got %q", c.rule, said(err))
		}
	}
}

func exchangeOf(token, kind string) []string {
	return []string{"grant_type", oauth.TokenExchange, "subject_token", token, "subject_token_type", kind}
}

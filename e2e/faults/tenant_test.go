package faults

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// tenant is a tenant as its creator was told of it.
type tenant struct {
	ID       string `json:"tenant_id"`
	Issuer   string `json:"issuer"`
	APIToken string `json:"api_token"`
	Client   client `json:"client"`
	d        *deployment
}

type client struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
}

// tokens is an answer of the token endpoint.
type tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int    `json:"expires_in"`
}

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// on is the address of an endpoint of x at one replica, past the front.
func (x *tenant) on(r *replica, path string) string {
	return r.url + strings.TrimPrefix(x.Issuer, x.d.front.url) + path
}

func (x *tenant) post(ctx context.Context, path string, v url.Values) answer {
	return x.d.call(ctx, request{method: http.MethodPost, url: x.Issuer + path, client: &x.Client, form: v})
}

// integrate calls an API as the tenant's own login UI does.
func (x *tenant) integrate(ctx context.Context, method, path string, v any) answer {
	return x.d.call(ctx, request{method: method, url: x.d.front.url + path, token: x.APIToken, tenant: x.ID, json: v})
}

const verifier = "a-verifier-of-forty-three-characters-or-more"

// code goes through an authorization session; empty where a step failed.
func (x *tenant) code(ctx context.Context, subject string) string {
	const sessions = "/authz-sessions/rest/v1"
	sum := sha256.Sum256([]byte(verifier))
	query := form("response_type", "code", "client_id", x.Client.ID, "redirect_uri", x.Client.RedirectURIs[0], "scope", "openid offline_access",
		"state", "s", "nonce", "n", "code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256")
	var prompt struct {
		SID string `json:"sid"`
	}
	a := x.integrate(ctx, http.MethodPost, sessions, map[string]any{"query": query.Encode()})
	if !x.good(a, "start") || a.read(&prompt) != nil {
		return ""
	}
	a = x.integrate(ctx, http.MethodPut, sessions+"/"+prompt.SID, map[string]any{"sub": subject})
	if !x.good(a, "subject") {
		return ""
	}
	if a.status == http.StatusOK { // else consent is remembered
		a = x.integrate(ctx, http.MethodPut, sessions+"/"+prompt.SID, map[string]any{"scope": []string{"openid", "offline_access"}, "long_lived": true, "issue_refresh_token": true})
		if !x.good(a, "consent") {
			return ""
		}
	}
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return ""
	}
	if iss := to.Query().Get("iss"); iss != x.Issuer {
		x.d.violated("I6", "an authorization response of %s names the issuer %q", x.ID, iss)
	}
	return to.Query().Get("code")
}

// good reports whether a is a yes. That what should be done is refused is a violation: nothing but a fault stands in its way.
func (x *tenant) good(a answer, what string) bool {
	if a.refused() {
		x.d.violated("I7", "%s at %s was refused: %d %s", what, x.ID, a.status, a.body)
	}
	return a.ok()
}

// genuine checks that an access token is the tenant's and verifies with the keys that some replica serves at this moment.
func (x *tenant) genuine(ctx context.Context, token string) {
	jws, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		x.d.violated("I10", "%s issued what is no JWT", x.ID)
		return
	}
	a := x.d.call(ctx, request{method: http.MethodGet, url: x.Issuer + "/jwks.json"})
	if !a.ok() {
		return
	}
	var set jose.JSONWebKeySet
	if err := a.read(&set); err != nil {
		x.d.violated("I10", "the keys of %s cannot be read: %v", x.ID, err)
		return
	}
	kid := jws.Signatures[0].Header.KeyID
	found := set.Key(kid)
	if len(found) != 1 {
		x.d.violated("I10", "%s serves %d keys of the id %s, with which it signed", x.ID, len(found), kid)
		return
	}
	payload, err := jws.Verify(found[0])
	if err != nil {
		x.d.violated("I10", "a token of %s does not verify", x.ID)
		return
	}
	var claims struct {
		Issuer   string `json:"iss"`
		ClientID string `json:"client_id"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Issuer != x.Issuer || claims.ClientID != x.Client.ID {
		x.d.violated("I6", "a token of %s says %s", x.ID, payload)
	}
}

// active asks about a token at url, which is that of the issuer or of one replica; known is false where nothing was learnt.
func (x *tenant) active(ctx context.Context, at, token string, quiet bool) (active, known bool) {
	a := x.d.call(ctx, request{method: http.MethodPost, url: at, client: &x.Client, form: form("token", token), quiet: quiet})
	var said struct {
		Active bool   `json:"active"`
		Issuer string `json:"iss"`
	}
	if !x.good(a, "introspection") || a.read(&said) != nil {
		return false, false
	}
	if said.Issuer != "" && said.Issuer != x.Issuer {
		x.d.violated("I6", "introspection at %s names the issuer %q", x.ID, said.Issuer)
	}
	return said.Active, true
}

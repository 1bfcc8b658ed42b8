package authorize

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// hybrid opens a house that has every response type on, and a client "spa" that registered them.
func hybrid(t *testing.T) *house {
	t.Helper()
	h := open(t)
	h.Accounts = noClaims{}
	h.t.Keys = elliptic()
	h.t.Settings.Authorization.ResponseTypes = ResponseTypes()[1:]
	h.t.Settings.Tokens.IDTokenAlg, h.t.Settings.Tokens.AccessTokenAlg = "ES256", "ES256"
	h.t.Clients.(registry)["spa"] = &tenant.Client{ID: "spa", Metadata: tenant.Metadata{RedirectURIs: []string{callback}, ResponseTypes: ResponseTypes(),
		GrantTypes: []string{oauth.AuthorizationCode, oauth.Implicit, oauth.RefreshToken}}}
	return h
}

// param returns a parameter of the response.
func param(res Result, name string) string {
	for _, p := range res.Response.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// payload reads what a JWT says.
func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims map[string]any
	if err == nil {
		err = json.Unmarshal(b, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func half(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func TestResponseTypes(t *testing.T) {
	for _, tt := range []struct {
		asked, params string
		opaque        bool
		hashes        []string // in the ID token
	}{
		{"none", "state iss", false, nil},
		{"id_token", "id_token state iss", false, []string{"s_hash"}},
		{"token", "access_token token_type expires_in scope state iss", false, nil},
		{"token", "access_token token_type expires_in scope state iss", true, nil},
		{"token id_token", "access_token token_type expires_in scope id_token state iss", false, []string{"s_hash", "at_hash"}},
		{"code id_token", "code id_token state iss", false, []string{"s_hash", "c_hash"}},
		{"code token", "code access_token token_type expires_in scope state iss", true, nil},
		{"code id_token token", "code access_token token_type expires_in scope id_token state iss", false, []string{"s_hash", "at_hash", "c_hash"}},
	} {
		h := hybrid(t)
		h.t.Settings.Tokens.AccessTokenOpaque = tt.opaque
		res, err := h.consent(t, "client_id=spa&nonce=n&response_type="+strings.ReplaceAll(tt.asked, " ", "+"), Consent{Scope: oauth.Scope{"*"}, Claims: []string{"*"},
			RefreshToken: grant.RefreshTerms{Issue: true}})
		if err != nil {
			t.Errorf("%s: %v", tt.asked, err)
			continue
		}
		var names []string
		for _, p := range res.Response.Params {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != tt.params {
			t.Errorf("%s: %s, want %s", tt.asked, got, tt.params)
		}
		g, access, idToken := h.store.grants[0], param(res, "access_token"), param(res, "id_token")
		if (g.Code != nil) != strings.Contains(tt.params, "code") || g.Refresh != nil || strings.Contains(tt.asked, "code") != g.Terms.RefreshToken.Issue {
			t.Errorf("%s: the grant %+v", tt.asked, g)
		}
		if access != "" {
			if param(res, "token_type") != "Bearer" || param(res, "expires_in") != "600" || param(res, "scope") != "openid email" || g.ExpiresAt != noon.Add(10*time.Minute) {
				t.Errorf("%s: %+v, until %s", tt.asked, res.Response.Params, g.ExpiresAt)
			}
			if stored := h.store.tokens[string(grant.Hash(access))]; stored != tt.opaque {
				t.Errorf("%s: the access token is stored: %v", tt.asked, stored)
			}
		}
		if (idToken != "") != strings.Contains(tt.asked, "id_token") {
			t.Fatalf("%s: ID token %q", tt.asked, idToken)
		}
		if idToken == "" {
			continue
		}
		said := payload(t, idToken)
		want := map[string]any{"s_hash": half("s"), "c_hash": half(param(res, "code")), "at_hash": half(access)}
		for name, v := range want {
			if !strings.Contains(strings.Join(tt.hashes, " "), name) {
				v = nil
			}
			if said[name] != v {
				t.Errorf("%s: %s is %v, want %v", tt.asked, name, said[name], v)
			}
		}
		if said["nonce"] != "n" || said["sub"] != "alice" || said["aud"] != "spa" {
			t.Errorf("%s: %v", tt.asked, said)
		}
	}
}

// noClaims is an account that has none.
type noClaims struct{}

func (noClaims) Claims(context.Context, *tenant.Tenant, string, []string, []string) (map[string]json.RawMessage, error) {
	return nil, nil
}

// Where there is no access token to ask for them, the claims that scope asks for go into the ID token (OIDC Core §5.4).
func TestClaimsWithoutAccessToken(t *testing.T) {
	for rt, want := range map[string]grant.Terms{
		"id_token":       {Claims: []string{"email", "email_verified"}, IDTokenClaims: []string{"email", "email_verified"}},
		"id_token+token": {Claims: []string{"email", "email_verified"}},
	} {
		h := hybrid(t)
		if _, err := h.consent(t, "client_id=spa&nonce=n&response_type="+rt, Consent{Scope: oauth.Scope{"*"}, Claims: []string{"*"}}); err != nil {
			t.Fatal(err)
		}
		got := h.store.grants[0].Terms
		if d := cmp.Diff(want, grant.Terms{Claims: got.Claims, IDTokenClaims: got.IDTokenClaims}); d != "" {
			t.Errorf("%s: (-want +got)\n%s", rt, d)
		}
	}
}

// Consent that leaves openid out cannot be answered with an ID token: whoever gave it is told, and the request waits on.
func TestConsentWithoutOpenID(t *testing.T) {
	h := hybrid(t)
	_, err := h.consent(t, "client_id=spa&nonce=n&response_type=id_token", Consent{Scope: oauth.Scope{"email"}})
	if oauth.ErrorOf(err).Code != "invalid_request" || len(h.store.grants) != 0 || len(h.store.interactions) != 1 {
		t.Errorf("%v, %d grants, %d interactions", err, len(h.store.grants), len(h.store.interactions))
	}
}

// A tenant's backend gets what the response gives, an access token also as its identifier.
func TestTicketResponseTypes(t *testing.T) {
	h := hybrid(t)
	p := h.ticket(t, "client_id=spa&nonce=n&response_type=code+id_token+token")
	res, err := h.Issue(t.Context(), h.t, p, Verdict{Subject: "alice", Access: grant.AccessTerms{Twin: true}})
	if err != nil {
		t.Fatal(err)
	}
	i := res.Issued
	if i.Code != param(res, "code") || i.AccessToken != param(res, "access_token") || i.IDToken != param(res, "id_token") || i.ExpiresIn != 10*time.Minute {
		t.Errorf("issued %+v, sent %+v", i, res.Response.Params)
	}
	if i.Twin == "" || !h.store.tokens[string(grant.Hash(i.Twin))] {
		t.Errorf("no identifier of the access token: %q", i.Twin)
	}
	if res.Response.Mode != oauth.ModeFragment || !strings.HasPrefix(res.Response.URI(), callback+"#code=") {
		t.Errorf("the response goes to %s", res.Response.URI())
	}
}

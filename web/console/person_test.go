package console_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// mint makes an access token at a tenant, as its sign-in does, of which change may alter what it says.
func (h *house) mint(at tenant.ID, sub string, change func(t *tenant.Tenant, g *grant.Grant, aud *[]string)) string {
	h.t.Helper()
	t, err := h.console.Live(h.t.Context(), at)
	if err != nil {
		h.t.Fatal(err)
	}
	g, aud := &grant.Grant{ID: rand.Text(), Subject: sub, ClientID: tenant.CommandLine}, []string{t.AdminAPI()}
	scope := oauth.Scope{oauth.OpenID, tenant.AdminScope}
	if change != nil {
		change(t, g, &aud)
	}
	if g.Terms.Scope != nil {
		scope = g.Terms.Scope
	}
	token, _, _, err := (&grant.Issuer{Now: time.Now, Rand: rand.Reader}).MintAccess(h.t.Context(), t, g, scope, aud, time.Time{})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// someone makes an account at the platform.
func (h *house) someone(name string, roles ...string) (sub string) {
	h.t.Helper()
	body, _ := json.Marshal(map[string]string{"username": name, "password": "correct horse " + name})
	a := h.call("POST", "/admin/v1/tenants/platform/users", string(body))
	if a.status != http.StatusCreated {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	sub = a.json(h.t)["sub"].(string)
	h.roles("platform", sub, roles...)
	return sub
}

// roles gives roles to a person.
func (h *house) roles(at, sub string, roles ...string) {
	h.t.Helper()
	if len(roles) == 0 {
		return
	}
	body, _ := json.Marshal(map[string][]string{"roles": roles})
	if a := h.call("PUT", "/admin/v1/tenants/"+at+"/administrators/user:"+sub, string(body)); a.status != http.StatusOK {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
}

// An access token of the platform opens what the roles of its holder allow, and nothing else does that looks like one.
func TestPeople(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	operator, nobody, owner := h.someone("olga", "operator"), h.someone("nora"), h.someone("otto", "owner")
	carol := h.someone("carol")
	h.roles("acme", carol, "support")
	for _, c := range []struct {
		rule, sub, method, path, body string
		status                        int
		says                          string
	}{
		{"an operator lists tenants", operator, "GET", "/tenants", "", 200, ""},
		{"and writes at any of them", operator, "PATCH", "/tenants/acme/settings", `{"color": "#aabbcc"}`, 200, ""},
		{"but not users of the platform", operator, "POST", "/tenants/platform/users", `{"username": "x"}`, 403, "Your roles do not allow this"},
		{"an owner does", owner, "GET", "/tenants/platform/users", "", 200, ""},
		{"who has no role is told whom to ask", nobody, "GET", "/tenants", "", 403, "ask an owner"},
		{"and may see who they are", nobody, "GET", "/me", "", 200, "user:" + nobody},
		{"a role at a tenant holds there", carol, "GET", "/tenants/acme/users", "", 200, ""},
		{"and nowhere else", carol, "GET", "/tenants/globex/users", "", 403, ""},
		{"for what it allows", carol, "GET", "/tenants/acme/clients", "", 403, ""},
	} {
		a := h.call(c.method, "/admin/v1"+c.path, c.body, "Authorization", "Bearer "+h.mint(tenant.Platform, c.sub, nil))
		if a.status != c.status || !strings.Contains(string(a.body), c.says) {
			t.Errorf("%s: %d %s", c.rule, a.status, a.body)
		}
	}
	events := string(h.call("GET", "/admin/v1/tenants/acme/events?kind=tenant_updated", "").body)
	if !strings.Contains(events, `"actor":"user:`+operator+`"`) {
		t.Errorf("the change does not name the person: %s", events)
	}

	garbage := h.call("GET", "/admin/v1/tenants", "", "Authorization", "Bearer e30.e30.e30")
	if want := `resource_metadata="` + h.url + `/.well-known/oauth-protected-resource/admin/v1"`; !strings.Contains(garbage.header.Get("WWW-Authenticate"), want) {
		t.Errorf("the challenge is %q", garbage.header.Get("WWW-Authenticate"))
	}
	garbage.header.Del("Date")
	for rule, token := range map[string]string{
		"for another resource":       h.mint(tenant.Platform, owner, func(_ *tenant.Tenant, _ *grant.Grant, aud *[]string) { *aud = nil }),
		"without the scope":          h.mint(tenant.Platform, owner, func(_ *tenant.Tenant, g *grant.Grant, _ *[]string) { g.Terms.Scope = oauth.Scope{oauth.OpenID} }),
		"of another issuer":          h.mint("acme", owner, func(acme *tenant.Tenant, g *grant.Grant, aud *[]string) { g.ClientID = h.clientOf("acme") }),
		"of an unknown client":       h.forged(owner),
		"of a client for itself":     h.mint(tenant.Platform, owner, func(_ *tenant.Tenant, g *grant.Grant, _ *[]string) { g.ID = "" }),
		"of somebody for another":    h.mint(tenant.Platform, owner, func(_ *tenant.Tenant, g *grant.Grant, _ *[]string) { g.Actor = nobody }),
		"bound to a key, as bearer":  h.mint(tenant.Platform, owner, bound("x")),
		"an API token of a tenant's": "chy_acme.x",
		"an opaque one":              strings.Repeat("a", 43),
	} {
		a := h.call("GET", "/admin/v1/tenants", "", "Authorization", "Bearer "+token)
		a.header.Del("Date")
		if a.status != http.StatusUnauthorized || fmt.Sprint(a) != fmt.Sprint(garbage) {
			t.Errorf("a token %s: %v, garbage %v", rule, a, garbage)
		}
	}
	meta := h.call("GET", "/.well-known/oauth-protected-resource/admin/v1", "", "Authorization", "")
	var m struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal(meta.body, &m); err != nil || m.Resource != h.url+"/admin/v1" || len(m.Servers) != 1 || m.Servers[0] != h.url+"/t/platform" {
		t.Errorf("%d %s", meta.status, meta.body)
	}
}

// bound binds a token to a key (RFC 9449 §6).
func bound(jkt string) func(*tenant.Tenant, *grant.Grant, *[]string) {
	return func(_ *tenant.Tenant, g *grant.Grant, _ *[]string) {
		g.Terms.AccessToken.Confirmation = oauth.Confirmation{JKT: jkt}
	}
}

// clientOf registers a client of a tenant.
func (h *house) clientOf(id string) string {
	a := h.call("POST", "/admin/v1/tenants/"+id+"/clients", `{"redirect_uris": ["https://app.example/cb"]}`)
	return a.json(h.t)["client_id"].(string)
}

// forged is a token of the platform for the administration of somebody by a client that is not the command line, as if the
// platform had clients.
func (h *house) forged(sub string) string {
	h.t.Helper()
	t, err := h.console.Live(h.t.Context(), tenant.Platform)
	if err != nil {
		h.t.Fatal(err)
	}
	other := *t
	other.Clients = anyClient{}
	g := &grant.Grant{ID: "g", Subject: sub, ClientID: "other"}
	token, _, _, err := (&grant.Issuer{Now: time.Now, Rand: rand.Reader}).MintAccess(h.t.Context(), &other, g, oauth.Scope{tenant.AdminScope}, []string{t.AdminAPI()}, time.Time{})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// The end of a role, and of an account, is felt at once by tokens that live on.
func TestPeopleLoseWhatTheyHad(t *testing.T) {
	h := newHouse(t)
	other := newReplica(t, h.db)
	demoted, locked, deleted := h.someone("dora", "auditor"), h.someone("lena", "auditor"), h.someone("dave", "auditor")
	tokens := map[string]string{}
	for _, sub := range []string{demoted, locked, deleted} {
		tokens[sub] = h.mint(tenant.Platform, sub, nil)
	}
	lists := func(at *house, sub string) int {
		return at.call("GET", "/admin/v1/tenants", "", "Authorization", "Bearer "+tokens[sub]).status
	}
	for sub := range tokens {
		if s := lists(other, sub); s != http.StatusOK {
			t.Fatalf("at first: %d", s)
		}
	}
	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/administrators/user:" + demoted, ""},
		{"PATCH", "/users/" + locked, `{"enabled": false}`},
		{"DELETE", "/users/" + deleted, ""},
	} {
		if a := h.call(c.method, "/admin/v1/tenants/platform"+c.path, c.body); a.status >= 300 {
			t.Fatalf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	for _, c := range []struct {
		sub  string
		want int
	}{{demoted, 403}, {locked, 401}, {deleted, 401}} {
		if s := lists(h, c.sub); s != c.want {
			t.Errorf("here: %d, want %d", s, c.want)
		}
		end := time.Now().Add(5 * time.Second)
		for lists(other, c.sub) != c.want && time.Now().Before(end) {
			time.Sleep(50 * time.Millisecond)
		}
		if s := lists(other, c.sub); s != c.want {
			t.Errorf("elsewhere, after five seconds: %d, want %d", s, c.want)
		}
	}
	if a := h.call("GET", "/admin/v1/tenants/platform/administrators/user:"+deleted, ""); a.status != http.StatusNotFound {
		t.Errorf("who was deleted has roles yet: %d %s", a.status, a.body)
	}
}

// The platform has an owner who can act, whatever is done to its people, tokens and roles.
func TestThePlatformKeepsAnOwner(t *testing.T) {
	h := newHouse(t)
	sub := h.someone("otto", "owner")
	me := "Bearer " + h.mint(tenant.Platform, sub, nil)
	tokens := h.call("GET", "/admin/v1/tenants/platform/tokens", "").json(t)["tokens"].([]any)
	first := tokens[0].(map[string]any)["id"].(string)
	refused := func(rule, method, path, body string) {
		t.Helper()
		if a := h.call(method, "/admin/v1/tenants/platform"+path, body, "Authorization", me); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", rule, a.status, a.body)
		}
	}
	if a := h.call("PUT", "/admin/v1/tenants/platform/administrators/user:nobody", `{"roles": ["owner"]}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body) // who cannot act, and does not count
	}
	h.call("PUT", "/admin/v1/tenants/platform/users/"+sub+"/password", `{"password": ""}`, "Authorization", me)
	if a := h.call("DELETE", "/admin/v1/tenants/platform/tokens/"+first, "", "Authorization", me); a.status != http.StatusNoContent {
		t.Fatalf("a person may be the only owner: %d %s", a.status, a.body)
	}
	refused("locking oneself out", "PATCH", "/users/"+sub, `{"enabled": false}`)
	refused("deleting oneself", "DELETE", "/users/"+sub, "")
	refused("giving up the password", "PUT", "/users/"+sub+"/password", `{"password": ""}`)
	refused("giving up the role", "DELETE", "/administrators/user:"+sub, "")
	refused("another login page", "PATCH", "/settings", `{"login_url": "https://login.example/"}`)
	for _, c := range []struct{ method, path, body string }{{"DELETE", "", ""}, {"PATCH", "", `{"enabled": false}`}} {
		refused("ending the platform", c.method, c.path, c.body)
	}
	if a := h.call("PATCH", "/admin/v1/tenants/platform/settings", `{"color": "#123456"}`, "Authorization", me); a.status != http.StatusOK {
		t.Errorf("and the owner acts: %d %s", a.status, a.body)
	}
}

// RFC 9449 §7: a token that is bound to a key comes with its proof, for this very call.
func TestPeopleProveTheirKeys(t *testing.T) {
	h := newHouse(t)
	sub := h.someone("otto", "owner")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	x, y := b64(key.X.FillBytes(make([]byte, 32))), b64(key.Y.FillBytes(make([]byte, 32)))
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, x, y))
	token := h.mint(tenant.Platform, sub, bound(b64(sum[:])))
	prove := func(method, at string) string {
		hash := sha256.Sum256([]byte(token))
		input := b64(fmt.Appendf(nil, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, x, y)) + "." +
			b64(fmt.Appendf(nil, `{"jti":%q,"htm":%q,"htu":%q,"iat":%d,"ath":%q}`, rand.Text(), method, at, time.Now().Unix(), b64(hash[:])))
		digest := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	}
	here := h.url + "/admin/v1/tenants"
	once := prove("GET", here)
	for _, c := range []struct {
		rule, authorization, proof string
		status                     int
		challenge                  string
	}{
		{"with its proof", "DPoP " + token, once, 200, ""},
		{"a proof used before", "DPoP " + token, once, 401, `error="invalid_dpop_proof"`},
		{"a proof for another call", "DPoP " + token, prove("GET", here+"/acme"), 401, `error="invalid_dpop_proof"`},
		{"a proof for another method", "DPoP " + token, prove("POST", here), 401, `error="invalid_dpop_proof"`},
		{"without a proof", "DPoP " + token, "", 401, `error="invalid_dpop_proof"`},
		{"as a bearer token", "Bearer " + token, prove("GET", here), 401, `error="invalid_token"`},
		{"an unbound token by the scheme", "DPoP " + h.mint(tenant.Platform, sub, nil), prove("GET", here), 401, `DPoP algs="`},
		{"an API token by the scheme", "DPoP " + h.token, prove("GET", here), 401, `error="invalid_token"`},
	} {
		a := h.call("GET", "/admin/v1/tenants", "", "Authorization", c.authorization, "DPoP", c.proof)
		if got := a.header.Get("WWW-Authenticate"); a.status != c.status || !strings.Contains(got, c.challenge) {
			t.Errorf("%s: %d %q %s", c.rule, a.status, got, a.body)
		}
	}
}

// anyClient stands for clients that the platform does not have.
type anyClient struct{}

func (anyClient) Client(_ context.Context, id string) (*tenant.Client, error) {
	return &tenant.Client{ID: id}, nil
}

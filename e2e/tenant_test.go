package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// callback is where responses go that no test receives.
const callback = "https://app.example/cb"

// tenant is a tenant as its creator was told of it. at is the server that its calls go to.
type tenant struct {
	TenantID  string  `json:"tenant_id"`
	ServiceID int64   `json:"service_id"`
	Issuer    string  `json:"issuer"`
	APIToken  string  `json:"api_token"`
	Client    *client `json:"client"`
	User      *user   `json:"user"`
	at        *server
}

type client struct {
	ID                string   `json:"client_id"`
	Secret            string   `json:"client_secret"`
	RedirectURIs      []string `json:"redirect_uris"`
	GrantTypes        []string `json:"grant_types"`
	Method            string   `json:"token_endpoint_auth_method,omitempty"`
	RegistrationToken string   `json:"registration_access_token,omitempty"`
}

type user struct {
	Subject  string `json:"sub"`
	Username string `json:"username"`
	Password string `json:"password"`
}

var tenants atomic.Int64

// newTenant creates a starter tenant with a name of its own.
func (s *server) newTenant(t testing.TB) *tenant {
	t.Helper()
	return s.createTenant(t, fmt.Sprintf("tenant-%d", tenants.Add(1)))
}

func (s *server) createTenant(t testing.TB, id string) *tenant {
	t.Helper()
	x := &tenant{at: s}
	call(t, http.MethodPost, s.url+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]string{"tenant_id": id, "template": "starter"})).
		want(t, "201").read(t, x)
	x.mark()
	return x
}

func (x *tenant) mark() {
	secret(x.APIToken)
	if x.Client != nil {
		secret(x.Client.Secret)
	}
	if x.User != nil {
		secret(x.User.Password)
	}
}

// on returns the tenant as another replica serves it.
func (x *tenant) on(s *server) *tenant {
	y := *x
	y.at = s
	return &y
}

// url is the address of an endpoint below the issuer, at the server that calls go to.
func (x *tenant) url(path string) string {
	return strings.Replace(x.Issuer, x.at.publicURL, x.at.url, 1) + path
}

// api calls an integration API at the root, as the tenant's backend does.
func (x *tenant) api(t testing.TB, method, path string, parts ...part) reply {
	t.Helper()
	return call(t, method, x.at.url+path, append([]part{bearer(x.APIToken), header("Tenant-ID", x.TenantID)}, parts...)...)
}

// patch changes the tenant's settings by a merge patch.
func (x *tenant) patch(t testing.TB, settings map[string]any) {
	t.Helper()
	call(t, http.MethodPatch, x.at.url+"/admin/v1/tenants/"+x.TenantID, bearer(x.at.adminToken), object(map[string]any{"settings": settings})).want(t, "200")
}

// register registers a client with the master token.
func (x *tenant) register(t testing.TB, metadata map[string]any) *client {
	t.Helper()
	c := &client{}
	call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(metadata)).want(t, "201").read(t, c)
	secret(c.Secret, c.RegistrationToken)
	return c
}

// confidential registers a client like the starter's, with that redirect URI.
func (x *tenant) confidential(t testing.TB, redirectURI string) *client {
	t.Helper()
	return x.register(t, map[string]any{
		"redirect_uris": []string{redirectURI}, "client_name": "Test app", "token_endpoint_auth_method": "client_secret_basic",
		"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}, "response_types": []string{"code"},
	})
}

// public registers a public client.
func (x *tenant) public(t testing.TB, redirectURI string) *client {
	t.Helper()
	return x.register(t, map[string]any{
		"redirect_uris": []string{redirectURI}, "client_name": "Public app", "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	})
}

// auth is the client's way to authenticate at an endpoint.
func (c *client) auth() part {
	return basic(c.ID, c.Secret)
}

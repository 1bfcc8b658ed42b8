package console_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// S15: a disabled tenant stops, and starts again when it is enabled.
func TestDisabledTenantIsSilent(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	cc := url.Values{"grant_type": {"client_credentials"}}
	for _, tt := range []struct {
		body            string
		token, metadata int
	}{
		{`{"enabled": false}`, 404, 404},
		{`{"enabled": true}`, 200, 200},
	} {
		if a := h.call("PATCH", "/admin/v1/tenants/acme", tt.body); a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", tt.body, a.status, a.body)
		}
		if a := h.form("/t/acme/token", acme.Client.ID, acme.Client.Secret, cc); a.status != tt.token {
			t.Errorf("after %s the token endpoint says %d", tt.body, a.status)
		}
		if a := h.call("GET", "/t/acme/jwks.json", "", "Authorization", ""); a.status != tt.metadata {
			t.Errorf("after %s the keys are %d", tt.body, a.status)
		}
	}
}

// S14: a deleted tenant is dead, and a new one of the same id inherits nothing.
func TestRecreatedTenant(t *testing.T) {
	h := newHouse(t)
	old := h.create("acme", "starter")
	cc := url.Values{"grant_type": {"client_credentials"}}
	issued := h.form("/t/acme/token", old.Client.ID, old.Client.Secret, cc)
	if issued.status != http.StatusOK {
		t.Fatalf("%d %s", issued.status, issued.body)
	}
	oldToken := issued.json(t)["access_token"].(string)
	oldKeys := string(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body)

	if a := h.call("DELETE", "/admin/v1/tenants/acme", ""); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	dead := func(when string) {
		t.Helper()
		if a := h.form("/t/acme/token", old.Client.ID, old.Client.Secret, cc); a.status < 400 || a.status >= 500 {
			t.Errorf("%s the old client gets a token: %d", when, a.status)
		}
		if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+old.APIToken); a.status != http.StatusUnauthorized && a.status != http.StatusNotFound {
			t.Errorf("%s the old API token gets %d", when, a.status)
		}
	}
	dead("after the deletion")
	if a := h.call("GET", "/admin/v1/tenants/acme", ""); a.status != http.StatusNotFound {
		t.Errorf("it is still read: %d", a.status)
	}

	fresh := h.create("acme", "starter")
	dead("in the new tenant")
	if a := h.form("/t/acme/token/introspect", fresh.Client.ID, fresh.Client.Secret, url.Values{"token": {oldToken}}); a.status != http.StatusOK || a.json(t)["active"] != false {
		t.Errorf("an old access token in the new tenant: %d %s", a.status, a.body)
	}
	newKeys := string(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body)
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(newKeys), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", newKeys, err)
	}
	for _, k := range set.Keys {
		if strings.Contains(oldKeys, k.Kid) {
			t.Errorf("the key %s is the old tenant's", k.Kid)
		}
	}
	clients := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+fresh.APIToken)
	if strings.Contains(string(clients.body), old.Client.ID) {
		t.Errorf("the new tenant lists the old client: %s", clients.body)
	}
	events := h.call("GET", "/admin/v1/tenants/acme/events", "")
	for _, marker := range []string{old.Client.ID, old.User.Subject, "tenant_deleted"} {
		if strings.Contains(string(events.body), marker) {
			t.Errorf("the new tenant's events know of %s: %s", marker, events.body)
		}
	}
}

// S16, S6: what a tenant holds does not reach the platform.
func TestPlatformRoutesAreThePlatforms(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	narrow := h.call("POST", "/admin/v1/tenants/platform/tokens", `{"apis": ["monitor"]}`).json(t)["token"].(string)
	for _, route := range []string{
		"POST /admin/v1/tenants", "GET /admin/v1/tenants", "GET /admin/v1/tenants/acme", "PATCH /admin/v1/tenants/acme", "DELETE /admin/v1/tenants/acme",
		"POST /admin/v1/tenants/acme/tokens", "GET /admin/v1/tenants/acme/tokens", "DELETE /admin/v1/tenants/acme/tokens/x",
		"POST /admin/v1/tenants/acme/keys", "GET /admin/v1/tenants/acme/keys", "DELETE /admin/v1/tenants/acme/keys/x", "GET /admin/v1/tenants/acme/events",
		"POST /tenants/rest/v1", "GET /tenants/rest/v1", "GET /tenants/rest/v1/acme", "PUT /tenants/rest/v1/acme", "DELETE /tenants/rest/v1/acme",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, tt := range []struct {
			rule          string
			authorization string
			want          int
		}{
			{"no token", "", 401},
			{"a wrong token", "Bearer chy_" + strings.Repeat("x", 43), 401},
			{"a tenant's API token", "Bearer " + acme.APIToken, 401},
			{"a client's credentials", "Basic " + base64.StdEncoding.EncodeToString([]byte(acme.Client.ID+":"+acme.Client.Secret)), 401},
			{"a platform token for something else", "Bearer " + narrow, 403},
		} {
			a := h.call(method, path, `{}`, "Authorization", tt.authorization)
			if a.status != tt.want || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: %d %s", route, tt.rule, a.status, a.body)
			}
		}
		// Tenant headers are not read here, so they open nothing either; and no tenant has these routes.
		if a := h.call(method, path, `{}`, "Authorization", "Bearer "+acme.APIToken, "Tenant-ID", "acme"); a.status != 401 {
			t.Errorf("%s with a tenant's header and token: %d", route, a.status)
		}
		if a := h.call(method, "/t/acme"+path, `{}`); a.status != 404 {
			t.Errorf("%s below an issuer: %d", route, a.status)
		}
	}
	if a := h.call("GET", "/admin/v1/tenants/acme", ""); a.status != http.StatusOK {
		t.Errorf("the tenant is not as it was: %d", a.status)
	}
}

// S202: no answer of these routes holds a private key, a tenant's secret or a hash.
func TestSecretsStayInside(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	r, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	h.answers = nil // what shows secrets once is over
	for _, route := range []string{
		"GET /admin/v1/tenants", "GET /admin/v1/tenants/acme", "GET /admin/v1/tenants/acme/tokens", "GET /admin/v1/tenants/acme/keys",
		"POST /admin/v1/tenants/acme/keys", "GET /admin/v1/tenants/acme/events", "PATCH /admin/v1/tenants/acme", "GET /admin/v1/tenants/platform",
		"GET /admin/v1/tenants/platform/tokens", "GET /admin/v1/tenants/platform/events", "GET /admin/v1/tenants/acme/settings/history", "GET /tenants/rest/v1", "GET /tenants/rest/v1/acme",
	} {
		method, path, _ := strings.Cut(route, " ")
		body := ""
		if method != "GET" {
			body = `{}`
		}
		if a := h.call(method, path, body); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", route, a.status, a.body)
		}
	}
	secrets := map[string][]byte{"the tenant's secret": r.Secret.Bytes(), "the API token's hash": r.Tokens[0].Hash, "the API token": []byte(acme.APIToken),
		"the client secret": []byte(acme.Client.Secret), "the password": []byte(acme.User.Password), "the platform's token": []byte(h.token)}
	for _, k := range r.Keys {
		der, err := k.PrivateDER()
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		switch private := private.(type) {
		case *ecdsa.PrivateKey:
			if secrets["a private EC key"], err = private.Bytes(); err != nil {
				t.Fatal(err)
			}
		case *rsa.PrivateKey:
			secrets["a prime of a private RSA key"] = private.Primes[0].Bytes()
		}
	}
	if len(secrets) != 8 {
		t.Fatalf("there are %d secrets to look for", len(secrets))
	}
	for _, body := range h.answers {
		for what, secret := range secrets {
			for _, form := range []string{string(secret), base64.RawURLEncoding.EncodeToString(secret), base64.RawStdEncoding.EncodeToString(secret), fmt.Sprintf("%x", secret)} {
				if strings.Contains(body, form) {
					t.Errorf("%s is in %.80s", what, body)
				}
			}
		}
	}
}

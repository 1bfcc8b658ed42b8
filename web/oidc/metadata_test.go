package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestMetadataAndKeysArePublic(t *testing.T) {
	const metadata, jwks = "application/json", "application/jwk-set+json"
	for _, c := range []struct {
		rule, method, path string
		status             int
		contentType        string
	}{
		{"OpenID Connect", "GET", root + "/.well-known/openid-configuration", http.StatusOK, metadata},
		{"OpenID Connect, with a slash", "GET", root + "/.well-known/openid-configuration/", http.StatusOK, metadata},
		{"OAuth, below the issuer", "GET", root + "/.well-known/oauth-authorization-server", http.StatusOK, metadata},
		{"OAuth, before the issuer's path", "GET", "/.well-known/oauth-authorization-server" + root, http.StatusOK, metadata},
		{"OpenID Connect, before the issuer's path", "GET", "/.well-known/openid-configuration" + root, http.StatusOK, metadata},
		{"keys", "GET", root + "/jwks.json", http.StatusOK, jwks},
		{"of no tenant", "GET", "/t/globex/.well-known/openid-configuration", http.StatusNotFound, metadata},
		{"keys of no tenant", "GET", "/t/globex/jwks.json", http.StatusNotFound, metadata},
		{"by POST", "POST", root + "/.well-known/openid-configuration", http.StatusMethodNotAllowed, metadata},
		{"keys by POST", "POST", root + "/jwks.json", http.StatusMethodNotAllowed, metadata},
	} {
		for _, blind := range []error{nil, errors.New("changes cannot be seen")} {
			w := newWorld(t)
			w.blind = blind
			rec := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Host = "elsewhere.example" // what is called does not show
			w.ServeHTTP(rec, r)
			h := rec.Header()
			caching, origin := "no-store", ""
			if c.status == http.StatusOK {
				caching, origin = "public, max-age=300", "*"
			}
			if rec.Code != c.status || h.Get("Content-Type") != c.contentType || h.Get("Cache-Control") != caching || h.Get("Access-Control-Allow-Origin") != origin ||
				h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Set-Cookie") != "" {
				t.Errorf("%s: got %d %v", c.rule, rec.Code, h)
			}
			if c.status != http.StatusOK || c.contentType == jwks {
				continue
			}
			var m map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &m); err != nil || m["issuer"] != w.tenant.Issuer || m["jwks_uri"] != w.tenant.Issuer+"/jwks.json" || m["token_endpoint"] != w.tenant.Issuer+"/token" {
				t.Errorf("%s: %s", c.rule, rec.Body)
			}
			for name, v := range m {
				if v == nil {
					t.Errorf("%s: %s is null", c.rule, name)
				}
			}
		}
	}
}

func TestKeysArePublicKeys(t *testing.T) {
	rec := newWorld(t).visit("GET", "/jwks.json", "")
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil || len(set.Keys) != 2 {
		t.Fatal(rec.Body)
	}
	var ids []string
	for _, k := range set.Keys {
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if k[secret] != nil {
				t.Errorf("a key tells its %s", secret)
			}
		}
		if k["use"] != "sig" || k["alg"] == nil {
			t.Errorf("a key is %v", k)
		}
		ids = append(ids, k["kid"].(string))
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 2 {
		t.Errorf("kids %v", ids)
	}
}

// All but metadata and keys depends on changes, such as revocations, and is not served while they cannot be seen.
func TestNothingIsDecidedBlindly(t *testing.T) {
	w := newWorld(t)
	w.blind = errors.New("changes cannot be seen")
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/token", "grant_type=client_credentials"},
		{"POST", "/token/introspect", "token=x"},
		{"POST", "/token/revoke", "token=x"},
		{"GET", "/userinfo", ""},
		{"GET", "/authorize?" + query, ""},
	} {
		rec := w.call(c.method, c.path, c.body)
		if got := answered(rec); !strings.HasPrefix(got, "Service Unavailable") || !strings.HasSuffix(got, "temporarily_unavailable") {
			t.Errorf("%s %s: got %s", c.method, c.path, got)
		}
		if strings.Contains(rec.Body.String(), "seen") {
			t.Errorf("%s %s: it tells why: %s", c.method, c.path, rec.Body)
		}
	}
}

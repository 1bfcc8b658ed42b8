package oidc

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestTheFormOfATokenRequest(t *testing.T) {
	const (
		good    = "grant_type=client_credentials"
		media   = "Unsupported Media Type invalid_request"
		invalid = "Bad Request invalid_request"
		ok      = "OK"
	)
	post := "client_id=shop&client_secret=secret"
	for _, c := range []struct {
		rule         string
		method, path string
		body         string
		headers      []string
		want         string
		header       string // "Name: value" of the answer
	}{
		{"a form", "POST", "/token", good, nil, ok, "Content-Type: application/json"},
		{"a form to a path with a slash", "POST", "/token/", good, nil, ok, ""},
		{"a form that says its charset", "POST", "/token", good, []string{"Content-Type: application/x-www-form-urlencoded; charset=utf-8"}, ok, ""},
		{"a form of another charset", "POST", "/token", good, []string{"Content-Type: application/x-www-form-urlencoded; charset=latin1"}, media, ""},
		{"the secret in the form", "POST", "/token", good + "&" + post, []string{"Authorization:"}, "Unauthorized invalid_client", ""},
		{"JSON", "POST", "/token", `{"grant_type":"client_credentials"}`, []string{"Content-Type: application/json"}, media, ""},
		{"parts", "POST", "/token", good, []string{"Content-Type: multipart/form-data; boundary=x"}, media, ""},
		{"no type", "POST", "/token", good, []string{"Content-Type:"}, media, ""},
		{"a form that is compressed", "POST", "/token", good, []string{"Content-Encoding: gzip"}, media, ""},
		{"a form that is too long", "POST", "/token", good + "&x=" + strings.Repeat("x", maxForm), nil, "Request Entity Too Large invalid_request", ""},
		{"GET", "GET", "/token?" + good, "", nil, "Method Not Allowed method_not_allowed", "Allow: POST, OPTIONS"},
		{"HEAD", "HEAD", "/token", "", nil, "Method Not Allowed method_not_allowed", ""},
		{"PUT", "PUT", "/token", good, nil, "Method Not Allowed method_not_allowed", ""},
		{"OPTIONS", "OPTIONS", "/token", "", nil, "Method Not Allowed method_not_allowed", "Access-Control-Allow-Origin: "},
		{"parameters in the query do not count", "POST", "/token?" + good, "scope=a", nil, invalid, ""},
		{"a harmless query", "POST", "/token?x=y", good, nil, ok, ""},
		{"the secret in the query", "POST", "/token?" + post, good, []string{"Authorization:"}, invalid, ""},
		{"a code in the query", "POST", "/token?code=x", good, nil, invalid, ""},
		{"a refresh token in the query", "POST", "/token?refresh_token=x", good, nil, invalid, ""},
		{"a query that cannot be read", "POST", "/token?x=%zz", good, nil, invalid, ""},
		{"a parameter twice", "POST", "/token", good + "&scope=a&scope=b", nil, invalid, ""},
		{"a parameter twice, of which one is empty", "POST", "/token", good + "&scope=a&scope=", nil, invalid, ""},
		{"grant_type twice", "POST", "/token", good + "&" + good, nil, invalid, ""},
		{"an unknown parameter", "POST", "/token", good + "&foo=1", nil, ok, ""},
		{"resource twice is allowed, but these were not granted", "POST", "/token", good + "&resource=urn:a&resource=urn:b", nil, "Bad Request invalid_target", ""},
		{"an empty parameter is none", "POST", "/token", good + "&scope=&code=", nil, ok, ""},
		{"an empty grant_type", "POST", "/token", "grant_type=", nil, invalid, ""},
		{"an illegal escape", "POST", "/token", good + "&scope=%zz", nil, invalid, ""},
		{"what is not UTF-8", "POST", "/token", good + "&scope=%ff", nil, invalid, ""},
		{"a zero byte", "POST", "/token", good + "&scope=a%00", nil, invalid, ""},
		{"an unknown grant type", "POST", "/token", "grant_type=password", nil, "Bad Request unsupported_grant_type", ""},
		{"nobody", "POST", "/token", good, []string{"Authorization:"}, "Unauthorized invalid_client", "WWW-Authenticate: "},
		{"a wrong secret", "POST", "/token", good, []string{"Authorization: Basic c2hvcDp3cm9uZw=="}, "Unauthorized invalid_client", `WWW-Authenticate: Basic realm="client"`},
		{"a client that is disabled", "POST", "/token", good, []string{"Authorization: Basic Y2xvc2VkOnNlY3JldA=="}, "Unauthorized invalid_client", `WWW-Authenticate: Basic realm="client"`},
		{"client_id beside Basic", "POST", "/token", good + "&client_id=shop", nil, ok, ""},
		{"another client_id beside Basic", "POST", "/token", good + "&client_id=closed", nil, invalid, ""},
		{"two methods of authentication", "POST", "/token", good + "&" + post, nil, invalid, ""},
		{"another tenant", "POST", "/../globex/token", good, nil, "Not Found not_found", ""},
	} {
		w := newWorld(t)
		rec := w.call(c.method, c.path, c.body, c.headers...)
		if got := answered(rec); got != c.want {
			t.Errorf("%s: got %s", c.rule, got)
		}
		if h := rec.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", c.rule, h)
		}
		if name, value, ok := strings.Cut(c.header, ": "); ok && rec.Header().Get(name) != value {
			t.Errorf("%s: %s: %q", c.rule, name, rec.Header().Get(name))
		}
	}
}

func TestATokenResponse(t *testing.T) {
	w := newWorld(t)
	code := w.agree(nil)
	body := "grant_type=authorization_code&code=" + code + "&redirect_uri=" + cb
	rec := w.call("POST", "/token", body)
	var first map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &first); err != nil || rec.Code != http.StatusOK {
		t.Fatal(rec.Code, rec.Body)
	}
	want := []string{"access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"}
	if got := slices.Sorted(maps.Keys(first)); !slices.Equal(got, want) || first["token_type"] != "Bearer" || first["expires_in"] != 600.0 || first["scope"] != "openid email" {
		t.Errorf("got %v", first)
	}
	rec = w.call("POST", "/token", "grant_type=refresh_token&refresh_token="+first["refresh_token"].(string)+"&scope=email")
	var second map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &second); err != nil || rec.Code != http.StatusOK {
		t.Fatal(rec.Code, rec.Body)
	}
	want = []string{"access_token", "expires_in", "refresh_token", "scope", "token_type"}
	if got := slices.Sorted(maps.Keys(second)); !slices.Equal(got, want) || second["scope"] != "email" || second["refresh_token"] == first["refresh_token"] {
		t.Errorf("got %v", second)
	}
	if got := answered(w.call("POST", "/token", body)); got != "Bad Request invalid_grant" {
		t.Errorf("a code again: %s", got)
	}
	if got := answered(w.call("POST", "/token", "grant_type=refresh_token&refresh_token="+second["refresh_token"].(string))); got != "Bad Request invalid_grant" {
		t.Errorf("what it had paid for: %s", got)
	}
}

// What cannot be known just now is never a refusal.
func TestAStoreThatFailsIsNoRefusal(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{{oauth.Unavailable(), "Service Unavailable temporarily_unavailable"}, {errors.New("out of order"), "Internal Server Error server_error"}} {
		w := newWorld(t)
		k := w.tokens(nil)
		code := w.agree(nil)
		w.store.err = c.err
		for rule, ask := range map[string]func() (status string, retry string){
			"a code": func() (string, string) {
				rec := w.call("POST", "/token", "grant_type=authorization_code&code="+code+"&redirect_uri="+cb)
				return answered(rec), rec.Header().Get("Retry-After")
			},
			"a refresh token": func() (string, string) {
				rec := w.call("POST", "/token", "grant_type=refresh_token&refresh_token="+k.RefreshToken)
				return answered(rec), rec.Header().Get("Retry-After")
			},
			"introspection": func() (string, string) {
				rec := w.call("POST", "/token/introspect", "token="+k.RefreshToken)
				return answered(rec), rec.Header().Get("Retry-After")
			},
			"revocation": func() (string, string) {
				rec := w.call("POST", "/token/revoke", "token="+k.RefreshToken)
				return answered(rec), rec.Header().Get("Retry-After")
			},
			"UserInfo": func() (string, string) {
				rec := w.visit("GET", "/userinfo", "", "Authorization: Bearer "+k.AccessToken)
				return answered(rec), rec.Header().Get("Retry-After")
			},
		} {
			if got, retry := ask(); got != c.want || strings.HasPrefix(got, "Service") != (retry != "") {
				t.Errorf("%s: got %s, Retry-After %q", rule, got, retry)
			}
		}
		w.store.err = nil
		if got := answered(w.call("POST", "/token", "grant_type=authorization_code&code="+code+"&redirect_uri="+cb)); got != "OK" {
			t.Errorf("once it is back a code is answered %s", got)
		}
	}
}

func TestIntrospectionAndRevocation(t *testing.T) {
	w := newWorld(t)
	k := w.tokens(func(g *grant.Grant) { g.Actor, g.Terms.Data = "admin", json.RawMessage(`{"tier":"gold"}`) })
	about := func(token string) map[string]any {
		rec := w.call("POST", "/token/introspect", "token="+token)
		var i map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &i); err != nil || rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "no-store" {
			t.Fatal(rec.Code, rec.Body)
		}
		delete(i, "jti")
		return i
	}
	want := map[string]any{"active": true, "scope": "openid email", "client_id": "shop", "token_type": "Bearer", "iat": 1772366400.0, "exp": 1772367000.0, "sub": "alice",
		"aud": []any{w.tenant.Issuer}, "iss": w.tenant.Issuer, "act": map[string]any{"sub": "admin"}, "dat": map[string]any{"tier": "gold"}}
	if d := cmp.Diff(want, about(k.AccessToken)); d != "" {
		t.Error(d)
	}
	delete(want, "token_type")
	delete(want, "aud")
	want["exp"] = 1772366400.0 + 30*24*3600
	if d := cmp.Diff(want, about(k.RefreshToken)); d != "" {
		t.Error(d)
	}
	for _, c := range []struct{ rule, method, path, body, want string }{
		{"by GET", "GET", "/token/introspect?token=x", "", "Method Not Allowed method_not_allowed"},
		{"with the token in the query", "POST", "/token/introspect?token=x", "token_type_hint=access_token", "Bad Request invalid_request"},
		{"without a token", "POST", "/token/introspect", "token=", "Bad Request invalid_request"},
		{"with a wrong hint", "POST", "/token/introspect", "token_type_hint=refresh_token&token=" + k.AccessToken, "OK"},
		{"revocation by GET", "GET", "/token/revoke?token=x", "", "Method Not Allowed method_not_allowed"},
		{"revocation with the token in the query", "POST", "/token/revoke?token=x", "token_type_hint=access_token", "Bad Request invalid_request"},
		{"revocation without a token", "POST", "/token/revoke", "token=", "Bad Request invalid_request"},
		{"revocation of nothing", "POST", "/token/revoke", "token=x", "OK"},
	} {
		if got := answered(w.call(c.method, c.path, c.body)); got != c.want {
			t.Errorf("%s: got %s", c.rule, got)
		}
	}
	rec := w.call("POST", "/token/revoke", "token="+k.RefreshToken)
	if rec.Code != http.StatusOK || rec.Body.Len() > 0 || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("revocation: %d %s %v", rec.Code, rec.Body, rec.Header())
	}
	for _, token := range []string{k.AccessToken, k.RefreshToken, "x"} {
		if got := w.call("POST", "/token/introspect", "token="+token).Body.String(); got != `{"active":false}` {
			t.Errorf("a dead token: %s", got)
		}
	}
}

func TestUserInfoIsAskedWithAnAccessToken(t *testing.T) {
	w := newWorld(t)
	const request = `Bearer error="invalid_request"`
	const metadata = ` resource_metadata="https://id.example/t/acme/.well-known/oauth-protected-resource/userinfo"` // RFC 9728 §5.1
	good := w.tokens(nil).AccessToken
	poor := w.tokens(func(g *grant.Grant) { g.Terms.Scope, g.Terms.IDToken.Issue = oauth.Scope{"email"}, false }).AccessToken
	for _, c := range []struct {
		rule         string
		method, path string
		body         string
		headers      []string
		want         string
		challenge    string
	}{
		{"in the header", "GET", "", "", []string{"Authorization: Bearer " + good}, "OK", ""},
		{"in the header of a POST", "POST", "", "", []string{"Authorization: Bearer " + good}, "OK", ""},
		{"in the form", "POST", "", "access_token=" + good, nil, "OK", ""},
		{"in both", "POST", "", "access_token=" + good, []string{"Authorization: Bearer " + good}, "Bad Request invalid_request", request},
		{"in the form of a GET", "GET", "", "access_token=" + good, nil, "Unauthorized missing_token", "Bearer"},
		{"in the query", "GET", "?access_token=" + good, "", nil, "Bad Request invalid_request", request},
		{"in the query, and in the header", "GET", "?access_token=" + good, "", []string{"Authorization: Bearer " + good}, "Bad Request invalid_request", request},
		{"in JSON", "POST", "", `{"access_token":"x"}`, []string{"Content-Type: application/json"}, "Unauthorized missing_token", "Bearer"},
		{"not at all", "GET", "", "", nil, "Unauthorized missing_token", "Bearer"},
		{"one that is none", "GET", "", "", []string{"Authorization: Bearer x"}, "Unauthorized invalid_token", `Bearer error="invalid_token", error_description="the access token is invalid, expired or revoked"`},
		{"one that lacks openid", "GET", "", "", []string{"Authorization: Bearer " + poor}, "Forbidden insufficient_scope", `Bearer error="insufficient_scope", error_description="the access token lacks the scope openid"`},
	} {
		rec := w.visit(c.method, "/userinfo"+c.path, c.body, c.headers...)
		if c.challenge == "Bearer" {
			c.challenge += metadata
		} else if c.challenge != "" && c.challenge != request {
			c.challenge += "," + metadata
		}
		if got := answered(rec); got != c.want || rec.Header().Get("WWW-Authenticate") != c.challenge || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %s, %v", c.rule, got, rec.Header())
		}
		if c.want == "OK" && rec.Body.String() != `{"sub":"alice"}` {
			t.Errorf("%s: got %s", c.rule, rec.Body)
		}
	}
}

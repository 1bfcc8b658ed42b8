package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
	"github.com/chancery-id/chancery/web"
)

// counter notes the statements that are sent to the database.
type counter struct {
	mu   sync.Mutex
	sent []string
}

func (c *counter) note(sql string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, sql)
}

// since returns what was sent since the last call.
func (c *counter) since() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent
}

// bench is a whole server over PostgreSQL, called in process, whose resolver does not poll.
type bench struct {
	handler http.Handler
	counter *counter
	acme    admin.Created
	issuer  string
	app     *app
}

func newBench(t testing.TB) *bench {
	t.Helper()
	dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL")
	if dsn == "" {
		t.Skip("CHANCERY_TEST_DATABASE_URL is not set: statements are counted on PostgreSQL")
	}
	ctx := t.Context()
	name := strings.ToLower("budget_" + rand.Text())
	owner, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	sealer, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{counter: &counter{}}
	db, err := postgres.Open(ctx, postgres.Options{DSN: u.String(), Sealer: sealer, Statement: b.counter.note})
	if err != nil {
		t.Fatal(err)
	}
	publicURL := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	a := assemble(&config{Env: "development"}, publicURL, slog.New(slog.DiscardHandler), db, outbound.New(outbound.Options{}))
	t.Cleanup(func() {
		_ = a.close()
		_, _ = owner.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		_ = owner.Close(context.Background())
	})
	if b.acme, err = a.console.CreateTenant(ctx, admin.New{ID: "acme", Template: admin.Starter}, admin.By{}); err != nil {
		t.Fatal(err)
	}
	b.issuer, b.app = b.acme.Issuer, a
	if err := a.resolver.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	b.handler = web.New(a.web(nil, nil, false))
	return b
}

// call sends one request and returns status, headers and body.
func (b *bench) call(t testing.TB, method, target, contentType, body string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Result()
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	callback = "http://127.0.0.1:8765/cb"
)

// members reads a JSON answer.
func members(t testing.TB, r *http.Response) map[string]any {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%d: %s", r.StatusCode, text)
	}
	return m
}

// api calls the authorisation session API.
func (b *bench) api(t testing.TB, method, path, body string) *http.Response {
	t.Helper()
	return b.call(t, method, "/authz-sessions/rest/v1"+path, jsonType, body, "Tenant-ID", "acme", "Authorization", "Bearer "+b.acme.APIToken)
}

// direct calls the direct authorisation API, with more members.
func (b *bench) direct(t testing.TB, more string) *http.Response {
	t.Helper()
	return b.call(t, http.MethodPost, "/direct-authz/rest/v2", jsonType, fmt.Sprintf(`{"client_id":%q,"scope":["openid","email"],%s}`, b.acme.Client.ID, more),
		"Tenant-ID", "acme", "Authorization", "Bearer "+b.acme.APIToken)
}

// token calls an endpoint that takes a form and a client.
func (b *bench) token(t testing.TB, path string, form url.Values) *http.Response {
	t.Helper()
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(b.acme.Client.ID) + ":" + url.QueryEscape(b.acme.Client.Secret)))
	return b.call(t, http.MethodPost, b.issuer+path, formType, form.Encode(), "Authorization", "Basic "+basic)
}

const verifier = "a-verifier-of-forty-three-characters-or-more"

// start is the body that starts an authorisation session for scope, with more members appended.
func (b *bench) start(scope, more string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {b.acme.Client.ID}, "redirect_uri": {callback}, "scope": {scope}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	return fmt.Sprintf(`{"query":%q%s}`, q.Encode(), more)
}

// codeOf returns the code in a redirect.
func codeOf(t testing.TB, r *http.Response) string {
	t.Helper()
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil || r.StatusCode != http.StatusFound || u.Query().Get("code") == "" {
		t.Fatalf("no code: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	return u.Query().Get("code")
}

func redemption(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

// TestBudget counts what each operation sends to PostgreSQL with a warm snapshot. BEGIN and COMMIT count.
func TestBudget(t *testing.T) {
	b := newBench(t)
	var sid, subSID, code, second string
	var tokens map[string]any
	str := func(m map[string]any, name string) string { s, _ := m[name].(string); return s }
	login := func() { // outside any budget: a second flow, up to its code
		s := str(members(t, b.api(t, "POST", "", b.start("openid profile", ""))), "sid")
		b.api(t, "PUT", "/"+s, `{"sub":"bob"}`)
		second = codeOf(t, b.api(t, "PUT", "/"+s, `{"scope":["openid","profile"],"access_token":{"encoding":"IDENTIFIER"}}`))
	}
	steps := []struct {
		operation string
		most      int
		prepare   func()
		do        func() *http.Response
		keep      func(*http.Response)
	}{
		{"discovery", 0, nil, func() *http.Response {
			return b.call(t, "GET", b.issuer+"/.well-known/openid-configuration", "", "")
		}, nil},
		{"JWKS", 0, nil, func() *http.Response { return b.call(t, "GET", b.issuer+"/jwks.json", "", "") }, nil},
		{"client credentials, JWT", 0, nil, func() *http.Response {
			return b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"a"}})
		}, func(r *http.Response) { tokens = members(t, r) }},
		{"introspection, JWT", 0, nil, func() *http.Response {
			return b.token(t, "/token/introspect", url.Values{"token": {str(tokens, "access_token")}})
		}, nil},
		{"authorization start", 2, nil, func() *http.Response { return b.api(t, "POST", "", b.start("openid email", "")) },
			func(r *http.Response) { sid = str(members(t, r), "sid") }},
		{"subject step", 7, nil, func() *http.Response { return b.api(t, "PUT", "/"+sid, `{"sub":"alice"}`) },
			func(r *http.Response) {
				s, _ := members(t, r)["sub_session"].(map[string]any)
				subSID = str(s, "sid")
			}},
		{"consent step", 7, nil, func() *http.Response {
			return b.api(t, "PUT", "/"+sid, `{"scope":["openid","email"],"claims":["email","email_verified"]}`)
		}, func(r *http.Response) { code = codeOf(t, r) }},
		{"token, authorization code", 5, nil, func() *http.Response { return b.token(t, "/token", redemption(code)) },
			func(r *http.Response) { tokens = members(t, r) }},
		{"UserInfo", 2, nil, func() *http.Response {
			return b.call(t, "GET", b.issuer+"/userinfo", "", "", "Authorization", "Bearer "+str(tokens, "access_token"))
		}, nil},
		{"token, refresh", 5, nil, func() *http.Response {
			return b.token(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {str(tokens, "refresh_token")}})
		}, func(r *http.Response) { tokens = members(t, r) }},
		{"single sign-on completes at once", 6, nil, func() *http.Response {
			return b.api(t, "POST", "", b.start("openid email", `,"sub_sid":"`+subSID+`"`))
		}, func(r *http.Response) { codeOf(t, r) }},
		{"single sign-on asks for more consent", 2, nil, func() *http.Response {
			return b.api(t, "POST", "", b.start("openid email phone", `,"sub_sid":"`+subSID+`"`))
		}, func(r *http.Response) { sid = str(members(t, r), "sid") }},
		{"denial", 7, nil, func() *http.Response { return b.api(t, "DELETE", "/"+sid, "") }, nil},
		{"revocation of a refresh token", 6, nil, func() *http.Response {
			return b.token(t, "/token/revoke", url.Values{"token": {str(tokens, "refresh_token")}})
		}, nil},
		{"token, authorization code, identifier", 5, login, func() *http.Response { return b.token(t, "/token", redemption(second)) },
			func(r *http.Response) { tokens = members(t, r) }},
		{"introspection, identifier", 1, nil, func() *http.Response {
			return b.token(t, "/token/introspect", url.Values{"token": {str(tokens, "access_token")}})
		}, nil},
		{"revocation of an identifier", 6, nil, func() *http.Response {
			return b.token(t, "/token/revoke", url.Values{"token": {str(tokens, "access_token")}})
		}, nil},
		{"direct authorisation", 7, nil, func() *http.Response {
			return b.direct(t, `"sub_session":{"sub":"carol"},"long_lived":true,"access_token":{"encoding":"IDENTIFIER"}`)
		}, nil},
		{"direct authorisation as another", 7, nil, func() *http.Response {
			return b.direct(t, `"sub":"carol","long_lived":true,"impersonated_sub":"dave","access_token":{"encrypt":true}`)
		}, func(r *http.Response) { tokens = members(t, r) }},
		{"introspection, encrypted JWT", 0, nil, func() *http.Response {
			return b.token(t, "/token/introspect", url.Values{"token": {str(tokens, "access_token")}})
		}, nil},
	}
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	b.api(t, "GET", "/unknown", "")                                        // and what the host stands for
	flow := 0
	for _, s := range steps {
		if s.prepare != nil {
			s.prepare()
		}
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		if r.StatusCode >= 400 {
			text, _ := io.ReadAll(r.Body)
			t.Fatalf("%s: %d %s", s.operation, r.StatusCode, text)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
		if s.keep != nil {
			s.keep(r)
		}
		switch s.operation {
		case "authorization start", "subject step", "consent step", "token, authorization code", "UserInfo":
			flow += len(sent)
		}
	}
	t.Logf("%-40s %d of %d", "whole code flow", flow, 22)
	if flow > 22 {
		t.Errorf("whole code flow: %d statements, at most 22 are allowed", flow)
	}
}

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// push pushes an authorization request of c (RFC 9126); a public client sends its id.
func (x *tenant) push(t testing.TB, c *client, query url.Values) reply {
	t.Helper()
	parts := []part{body("application/x-www-form-urlencoded", query.Encode())}
	if c.Secret != "" {
		parts = append(parts, c.auth())
	}
	return call(t, http.MethodPost, x.url("/par"), parts...)
}

// pushed pushes a request and returns what leads to it: client_id and request_uri.
func (x *tenant) pushed(t testing.TB, c *client, pairs ...string) url.Values {
	t.Helper()
	var p struct {
		URI string `json:"request_uri"`
		In  int64  `json:"expires_in"`
	}
	r := x.push(t, c, c.request(pairs...)).want(t, "201")
	r.read(t, &p)
	if !strings.HasPrefix(p.URI, "urn:ietf:params:oauth:request_uri:") || len(p.URI) != 34+43 || p.In != 60 || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("S104 %s %v", r.body, r.Header)
	}
	return params("client_id", c.ID, "request_uri", p.URI)
}

// Who may push what: S101, S102, S103, S112.
func TestPushing(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		c, public := x.confidential(t, callback), x.public(t, callback)
		post := x.register(t, map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_post"})
		code := x.register(t, map[string]any{"redirect_uris": []string{callback}, "scope": "email", "require_pkce": true})
		for _, tt := range []struct {
			rule  string
			by    []part
			query url.Values
			want  string
		}{
			{"S101 no credentials", nil, c.request(), "401 invalid_client"},
			{"S101 a wrong secret", []part{basic(c.ID, "wrong")}, c.request(), "401 invalid_client"},
			{"S101 another tenant's client", []part{other.Client.auth()}, other.Client.request(), "401 invalid_client"},
			{"S101 two methods", []part{post.auth()}, post.request("client_secret", post.Secret), "400 invalid_request"},
			{"S101 another client's id", []part{c.auth()}, post.request(), "400 invalid_request"},
			{"S101 a secret in the form where Basic is registered", nil, c.request("client_secret", c.Secret), "401 invalid_client"},
			{"S101 a form's secret", nil, post.request("client_secret", post.Secret), "201"},
			{"S101 Basic alone names the client", []part{c.auth()}, c.request("client_id", ""), "201"},
			{"a public client names itself", nil, public.request(), "201"},
			{"S102 a request_uri", []part{c.auth()}, c.request("request_uri", "urn:ietf:params:oauth:request_uri:x"), "400 invalid_request"},
			{"S102 a request_uri on the web", []part{c.auth()}, c.request("request_uri", "https://app.example/r"), "400 invalid_request"},
			{"S103 a redirect URI that is not registered", []part{c.auth()}, c.request("redirect_uri", "https://evil.example/"), "400 invalid_request"},
			{"S103 no redirect URI", []part{c.auth()}, c.request("redirect_uri", ""), "400 invalid_request"},
			{"S103 a scope that is not registered", []part{code.auth()}, code.request("scope", "phone"), "400 invalid_scope"},
			{"S103 no code challenge", []part{code.auth()}, code.request("code_challenge", "", "code_challenge_method", ""), "400 invalid_request"},
			{"S103 plain PKCE", []part{c.auth()}, c.request("code_challenge_method", "plain"), "400 invalid_request"},
			{"S103 an unknown response type", []part{c.auth()}, c.request("response_type", "token"), "400 unsupported_response_type"},
			{"S103 a broken claims parameter", []part{c.auth()}, c.request("claims", "{"), "400 invalid_request"},
			{"S103 a parameter twice", []part{c.auth()}, func() url.Values { q := c.request(); q.Add("state", "2"); return q }(), "400 invalid_request"},
			{"S112 a body of 1 MiB", []part{c.auth()}, c.request("x", strings.Repeat("x", 1<<20)), "413 invalid_request"},
		} {
			r := call(t, http.MethodPost, x.url("/par"), append(tt.by, body("application/x-www-form-urlencoded", tt.query.Encode()))...)
			if r.outcome() != tt.want {
				t.Errorf("%s: got %s, want %s\n%s", tt.rule, r.outcome(), tt.want, r.body)
			}
			if strings.HasSuffix(tt.rule, "secret") && strings.HasPrefix(tt.want, "401") && r.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", tt.rule)
			}
		}
		if r := call(t, http.MethodGet, x.url("/par?"+c.request().Encode()), c.auth()); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("S101 GET: %s", r.outcome())
		}
	})
}

// What a request_uri opens, to whom and for how long: S103, S104, S105.
func TestPushedRequests(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, globex := s.newTenant(t), s.newTenant(t)
		c, web := x.confidential(t, callback), x.confidential(t, callback)
		ask := func(rule string, q url.Values, want string) {
			t.Helper()
			if got, r := x.ask(t, q); got != want {
				t.Errorf("%s: got %s, want %s\n%s", rule, got, want, r.Header.Get("Location"))
			}
		}
		with := func(q url.Values, pairs ...string) url.Values {
			more := params(pairs...)
			for name, values := range q {
				if !more.Has(name) {
					more[name] = values
				}
			}
			return more
		}

		q := x.pushed(t, c)
		ask("S104 the first visit", q, "sign-in")
		ask("S104 a reload", q, "sign-in")
		ask("S104 another client", with(q, "client_id", web.ID), "page 400")
		ask("S104 no client", params("request_uri", q.Get("request_uri")), "page 400")
		ask("S104 a guess", with(q, "request_uri", q.Get("request_uri")[:76]+"."), "page 400")
		ask("S104 twice", url.Values{"client_id": {c.ID}, "request_uri": {q.Get("request_uri"), q.Get("request_uri")}}, "page 400")
		ask("S109 with a request object", with(q, "request", "e30.e30."), "page 400")
		if got, _ := globex.ask(t, q); got != "page 400" {
			t.Errorf("S104 at another tenant: %s", got)
		}
		if got := x.answered(t, call(t, http.MethodPost, x.url("/authorize"), body("application/x-www-form-urlencoded", q.Encode()))); got != "sign-in" {
			t.Errorf("S104 by POST: %s", got)
		}
		ask("S105 what else is in the query is not read", with(q, "redirect_uri", "https://evil.example/", "scope", "\x01", "prompt", "none", "response_type", "token"), "sign-in")

		// Pages that were opened before a code was given end in nothing.
		v, w := newVisitor(t), newVisitor(t)
		at := x.url("/authorize?" + with(q, "state", "another").Encode())
		v.open(t, at)
		late := w.open(t, at)
		if back := v.signIn(t, x, at).Query(); back.Get("state") != "the state" {
			t.Errorf("S105 state: %s", back)
		} else {
			issued(t, x.redeem(t, c, back.Get("code")))
		}
		ask("S104 after the code", q, "page 400")
		x.start(t, q, "").want(t, "220 invalid_request_uri")
		if p := w.fill(t, late, "action", "login", "username", x.User.Username, "password", x.User.Password); p.StatusCode == http.StatusOK {
			if p = w.fill(t, p, "action", "allow"); strings.HasPrefix(p.at.String(), callback) {
				t.Errorf("S104 a second code: %s", p.at)
			}
		}

		// The authorisation-session API: many sessions of one pushed request, one code.
		q = x.pushed(t, c, "prompt", "consent")
		consents := make([]reply, 8)
		for i := range consents {
			consents[i] = x.put(t, x.start(t, with(q, "scope", "email", "response_mode", "fragment"), ""), map[string]any{"sub": x.User.Subject})
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		codes := 0
		for _, r := range consents {
			wg.Go(func() {
				if r := x.put(t, r, map[string]any{"scope": []string{"*"}}); r.StatusCode == http.StatusFound {
					mu.Lock()
					defer mu.Unlock()
					codes++
				}
			})
		}
		wg.Wait()
		if codes != 1 {
			t.Errorf("S104 %d codes for one pushed request", codes)
		}

		// A denial is an end, too.
		q = x.pushed(t, c)
		var p prompt
		x.start(t, q, "").want(t, "200").read(t, &p)
		x.api(t, http.MethodDelete, sessionsV1+"/"+p.SID).want(t, "302")
		ask("S104 after a denial", q, "page 400")

		// Version 1 of the API cannot carry a form, whoever asks for it, and nothing is used up.
		q = x.pushed(t, c, "response_mode", "form_post")
		x.start(t, q, "").want(t, "220 invalid_request")
		x.api(t, http.MethodPost, "/authz-sessions/rest/v3", object(map[string]string{"query": q.Encode()})).want(t, "200")

		// S103 what the client may do is asked again.
		q = x.pushed(t, c)
		call(t, http.MethodPut, x.url("/clients/"+c.ID), bearer(x.APIToken), object(map[string]any{"client_id": c.ID, "redirect_uris": []string{callback + "2"}})).want(t, "200")
		ask("S103 a redirect URI that is registered no more", q, "page 400")
	})
}

// A pushed request has its time (S104), in which it may be begun; what has begun may take longer.
func TestPushedRequestsExpire(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		call(t, http.MethodPatch, s.url+"/admin/v1/tenants/"+x.TenantID, bearer(s.adminToken), object(map[string]any{"settings": map[string]any{"par": map[string]any{"lifetime": 9}}})).
			want(t, "400 *", "422 *")
		x.patch(t, map[string]any{"par": map[string]any{"lifetime": 10}})
		var pushed struct {
			URI string `json:"request_uri"`
			In  int64  `json:"expires_in"`
		}
		x.push(t, c, c.request()).want(t, "201").read(t, &pushed)
		if pushed.In != 10 {
			t.Errorf("expires_in: %d", pushed.In)
		}
		q := params("client_id", c.ID, "request_uri", pushed.URI)
		r := x.start(t, q, "").want(t, "200")
		time.Sleep(10*time.Second + 200*time.Millisecond) // the server's clock is the real one
		if got, _ := x.ask(t, q); got != "page 400" {
			t.Errorf("S104 after its time: %s", got)
		}
		r = x.put(t, r, map[string]any{"sub": x.User.Subject})
		if v := x.response(t, x.put(t, r, grantAll)); v.Get("code") == "" {
			t.Error("what began in time did not end:", v)
		}
	})
}

// A client or tenant that demands pushed requests answers no other (S106), and says so.
func TestRequiredPushing(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		free := x.confidential(t, callback)
		bound := x.register(t, map[string]any{"redirect_uris": []string{callback}, "require_pushed_authorization_requests": true})
		metadata := func() (m map[string]any) {
			call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
			return m
		}
		ask := func(rule string, q url.Values, want string) {
			t.Helper()
			if got, _ := x.ask(t, q); got != want {
				t.Errorf("S106 %s: got %s, want %s", rule, got, want)
			}
		}
		ask("a plain request", bound.request(), "client invalid_request")
		ask("a request_uri of its own", bound.request("request_uri", "https://app.example/request"), "page 400")
		ask("a pushed request", x.pushed(t, bound), "sign-in")
		ask("another client", free.request(), "sign-in")
		x.start(t, bound.request(), "").want(t, "302")
		if v := x.response(t, x.start(t, bound.request(), "")); v.Get("error") != "invalid_request" {
			t.Errorf("S106 in an authorisation session: %v", v)
		}
		if m := metadata(); m["pushed_authorization_request_endpoint"] != x.Issuer+"/par" || m["require_pushed_authorization_requests"] != nil {
			t.Errorf("metadata: %v", m)
		}
		x.patch(t, map[string]any{"par": map[string]any{"required": true}})
		ask("any client", free.request(), "client invalid_request")
		ask("a pushed request of any", x.pushed(t, free), "sign-in")
		if m := metadata(); m["require_pushed_authorization_requests"] != true {
			t.Errorf("metadata: %v", m)
		}
	})
}

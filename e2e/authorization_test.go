package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ask sends an authorization request to the authorization endpoint and says what a browser is answered: "client" with
// the error or "code" where it is sent back, "sign-in" where it is asked, "page 400" for an error page.
func (x *tenant) ask(t testing.TB, query url.Values, parts ...part) (string, reply) {
	t.Helper()
	r := call(t, http.MethodGet, x.url("/authorize?"+query.Encode()), parts...)
	return x.answered(t, r), r
}

func (x *tenant) answered(t testing.TB, r reply) string {
	t.Helper()
	to, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	html := strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
	switch {
	case strings.Contains(to.Path, "/login/i/"):
		return "sign-in"
	case to.String() != "":
		q := to.Query()
		if to.RawQuery == "" {
			q, _ = url.ParseQuery(to.Fragment)
		}
		if q.Get("code") != "" {
			return "client code"
		}
		return "client " + q.Get("error")
	case r.StatusCode == http.StatusOK && html && strings.Contains(string(r.body), `<form method="post" action=`):
		for _, m := range hiddenFields.FindAllSubmatch(r.body, -1) {
			if string(m[1]) == "error" || string(m[1]) == "code" {
				return "form " + string(m[2])
			}
		}
	case html:
		return "page " + r.outcome()
	}
	return r.outcome()
}

// What the authorization endpoint does with a request: S23–S31, S34, S35, S46–S48.
func TestAuthorizationRequests(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		web := x.confidential(t, "https://app.example/cb")
		two := x.register(t, map[string]any{"redirect_uris": []string{callback, callback + "2"}})
		query := x.register(t, map[string]any{"redirect_uris": []string{"https://app.example/cb?a=1"}})
		native := x.register(t, map[string]any{"redirect_uris": []string{"http://127.0.0.1/cb"}, "application_type": "native", "token_endpoint_auth_method": "none"})
		public := x.public(t, callback)
		narrow := x.register(t, map[string]any{"redirect_uris": []string{callback}, "scope": "openid email"})
		machine := x.register(t, map[string]any{"grant_types": []string{"client_credentials"}, "response_types": []string{}, "redirect_uris": []string{}})
		disabled := x.confidential(t, callback)
		if out, err := s.run("client", "disable", x.TenantID, disabled.ID); err != nil {
			t.Fatal(out, err)
		}
		within(t, aboutASecond, "a client is disabled", func() bool {
			answer, _ := x.ask(t, disabled.request())
			return answer == "page 400"
		})
		long := strings.Repeat("x", 100)
		add := func(q url.Values, pairs ...string) url.Values {
			for i := 0; i+1 < len(pairs); i += 2 {
				q.Add(pairs[i], pairs[i+1])
			}
			return q
		}
		for _, c := range []struct {
			rule  string
			query url.Values
			want  string
		}{
			{"a good request", web.request(), "sign-in"},
			{"S23 another scheme", web.request("redirect_uri", "http://app.example/cb"), "page 400"},
			{"S23 another letter case of the host", web.request("redirect_uri", "https://App.example/cb"), "page 400"},
			{"S23 another letter case of the path", web.request("redirect_uri", "https://app.example/CB"), "page 400"},
			{"S23 a slash more", web.request("redirect_uri", "https://app.example/cb/"), "page 400"},
			{"S23 a query more", web.request("redirect_uri", "https://app.example/cb?"), "page 400"},
			{"S23 a query of its own, changed", query.request("redirect_uri", "https://app.example/cb?a=2"), "page 400"},
			{"S23 percent-encoded", web.request("redirect_uri", "https://app.example/c%62"), "page 400"},
			{"S23 the default port", web.request("redirect_uri", "https://app.example:443/cb"), "page 400"},
			{"S23 user information", web.request("redirect_uri", "https://app.example@evil.example/cb"), "page 400"},
			{"S23 dot segments", web.request("redirect_uri", "https://app.example/x/../cb"), "page 400"},
			{"S23 a fragment", web.request("redirect_uri", "https://app.example/cb#x"), "page 400"},
			{"S23 a suffix", web.request("redirect_uri", "https://app.example/cb.evil.example"), "page 400"},
			{"S23 a space before", web.request("redirect_uri", " https://app.example/cb"), "page 400"},
			{"S23 a line break after", web.request("redirect_uri", "https://app.example/cb\r\n"), "page 400"},
			{"S24 another port of a native client's loopback", native.request("redirect_uri", "http://127.0.0.1:49152/cb"), "sign-in"},
			{"S24 another path there", native.request("redirect_uri", "http://127.0.0.1:49152/other"), "page 400"},
			{"S24 another host there", native.request("redirect_uri", "http://127.0.0.2:49152/cb"), "page 400"},
			{"S24 a name there", native.request("redirect_uri", "http://localhost:49152/cb"), "page 400"},
			{"S25 an unknown client", web.request("client_id", "nobody"), "page 400"},
			{"S25 no client", web.request("client_id", ""), "page 400"},
			{"S25 a client of another tenant", web.request("client_id", x.Client.ID), "page 400"},
			{"S25 a redirect URI of another client", web.request("redirect_uri", callback+"2"), "page 400"},
			{"S25 an active scheme", web.request("redirect_uri", "javascript:alert(1)"), "page 400"},
			{"S25 a client without redirect URIs", machine.requestTo(callback), "page 400"},
			{"S27 no redirect URI, of two", two.request("redirect_uri", "", "scope", "a"), "page 400"},
			{"S27 no redirect URI with OpenID Connect", web.request("redirect_uri", ""), "page 400"},
			{"S27 no redirect URI where only one is registered, in plain OAuth", web.request("redirect_uri", "", "scope", "a"), "sign-in"},
			{"S28 client_id twice", add(web.request(), "client_id", web.ID), "page 400"},
			{"S28 redirect_uri twice", add(web.request(), "redirect_uri", callback), "page 400"},
			{"S28 scope twice", add(web.request(), "scope", "openid"), "client invalid_request"},
			{"S28 state twice", add(web.request(), "state", "x"), "client invalid_request"},
			{"S28 response_type twice", add(web.request(), "response_type", "code"), "client invalid_request"},
			{"S28 code_challenge twice", add(web.request(), "code_challenge", challenge), "client invalid_request"},
			{"S28 resource may be there twice", add(web.request(), "resource", "https://a.example/", "resource", "https://b.example/"), "sign-in"},
			{"S29 an unknown parameter", add(web.request(), "foo", "1", "foo", "2x"), "client invalid_request"},
			{"S29 an unknown parameter, once", add(web.request(), "foo", "1"), "sign-in"},
			{"S29 empty parameters", add(web.request("scope", "", "prompt", "", "max_age", ""), "scope", "", "prompt", "", "max_age", "", "display", ""), "sign-in"},
			{"S31 response_type token", web.request("response_type", "token"), "client unsupported_response_type"},
			{"S31 id_token", web.request("response_type", "id_token"), "client unsupported_response_type"},
			{"S31 id_token token", web.request("response_type", "id_token token"), "client unsupported_response_type"},
			{"S31 code token", web.request("response_type", "code token"), "client unsupported_response_type"},
			{"S31 code id_token", web.request("response_type", "code id_token"), "client unsupported_response_type"},
			{"S31 none", web.request("response_type", ""), "client invalid_request"},
			{"S34 an unknown response mode", web.request("response_mode", "web_message"), "client invalid_request"},
			{"S34 a signed response", web.request("response_mode", "query.jwt"), "sign-in"},
			{"S34 fragment", web.request("response_mode", "fragment"), "sign-in"},
			{"S34 form_post", web.request("response_mode", "form_post"), "sign-in"},
			{"S34 an error by form_post", web.request("response_mode", "form_post", "prompt", "none"), "form login_required"},
			{"S34 an error by fragment", web.request("response_mode", "fragment", "prompt", "none"), "client login_required"},
			{"S35 prompt=none without a session", web.request("prompt", "none"), "client login_required"},
			{"S35 prompt=none with another value", web.request("prompt", "none login"), "client invalid_request"},
			{"S35 an unknown prompt", web.request("prompt", "dance"), "client invalid_request"},
			{"S35 max_age that is none", web.request("max_age", "soon"), "client invalid_request"},
			{"S35 max_age below zero", web.request("max_age", "-1"), "client invalid_request"},
			{"S35 a hint that is none", web.request("id_token_hint", "x.y.z"), "client invalid_request"},
			{"S35 claims that are not JSON", web.request("claims", "{"), "client invalid_request"},
			{"S35 display that is none", web.request("display", "hologram"), "client invalid_request"},
			{"S46 PKCE plain", web.request("code_challenge_method", "plain"), "client invalid_request"},
			{"S46 PKCE without a method", web.request("code_challenge_method", ""), "client invalid_request"},
			{"S47 a public client without a challenge", public.request("code_challenge", "", "code_challenge_method", ""), "client invalid_request"},
			{"S47 a confidential client may", web.request("code_challenge", "", "code_challenge_method", ""), "sign-in"},
			{"S48 a challenge of 42 characters", web.request("code_challenge", challenge[:42]), "client invalid_request"},
			{"S48 a challenge of 129 characters", web.request("code_challenge", (challenge + challenge + challenge)[:129]), "client invalid_request"},
			{"S48 a padded challenge", web.request("code_challenge", challenge+"="), "client invalid_request"},
			{"S48 a challenge of other letters", web.request("code_challenge", "+"+challenge[1:]), "client invalid_request"},
			{"S70 a disabled client", disabled.request(), "page 400"},
			{"S71 a scope that the client did not register", narrow.request("scope", "payments"), "client invalid_scope"},
			{"S71 a scope that it registered, and another", narrow.request("scope", "openid payments"), "sign-in"},
			{"S78 a resource that is relative", web.request("resource", "/api"), "client invalid_target"},
			{"S78 a resource with a fragment", web.request("resource", "https://api.example/#x"), "client invalid_target"},
			{"a request object that is none", web.request("request", "e30.e30."), "page 400"},
			{"a request by a reference that is not registered", web.request("request_uri", "https://app.example/r"), "page 400"},
			{"characters that no scope has", web.request("scope", "openid \"x"), "client invalid_scope"},
			{"NUL in state", web.request("state", "a\x00b"), "client invalid_request"},
			{"bytes that are no text", web.request("state", "a\xffb"), "client invalid_request"},
			{"a nonce that is too long", web.request("nonce", strings.Repeat(long, 6)), "client invalid_request"},
			{"a state that is too long", web.request("state", strings.Repeat(long, 50)), "client invalid_request"},
			{"a login hint that is too long", web.request("login_hint", strings.Repeat(long, 6)), "client invalid_request"},
			{"a client id that is too long", web.request("client_id", strings.Repeat(long, 6)), "page 400"},
		} {
			got, r := x.ask(t, c.query)
			if got != c.want {
				t.Errorf("%s: GET got %q, want %q", c.rule, got, c.want)
			}
			if strings.HasPrefix(got, "page") && r.Header.Get("Location") != "" {
				t.Errorf("%s: an error page leads to %s", c.rule, r.Header.Get("Location"))
			}
			// S30: the same by POST.
			if got := x.answered(t, call(t, http.MethodPost, x.url("/authorize"), form(), body("application/x-www-form-urlencoded", c.query.Encode()))); got != c.want {
				t.Errorf("%s: POST got %q, want %q", c.rule, got, c.want)
			}
		}
		// S28 a parameter in query and body.
		q := web.request()
		if got := x.answered(t, call(t, http.MethodPost, x.url("/authorize?scope=openid"), body("application/x-www-form-urlencoded", q.Encode()))); got != "client invalid_request" {
			t.Error("S28 scope in query and body:", got)
		}
	})
}

// requestTo is a request of a client that has no redirect URI.
func (c *client) requestTo(uri string) url.Values {
	d := *c
	d.RedirectURIs = []string{uri}
	return d.request()
}

// Every response names its issuer (S32) and returns state as it was (S33), in every mode.
func TestAuthorizationResponses(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		state := strings.Repeat("s", 1024) + " é漢&<>\"'+%0d%0a\r\n</script>"
		in := newVisitor(t)
		in.signIn(t, x, x.url("/authorize?"+c.request().Encode()))
		for _, mode := range []string{"query", "fragment", "form_post"} {
			for _, tt := range []struct {
				who   *visitor
				pairs []string
				want  string
			}{
				{in, nil, ""},
				{newVisitor(t), []string{"prompt", "none"}, "login_required"},
				{newVisitor(t), []string{"scope", "\"x\""}, "invalid_scope"},
				{newVisitor(t), []string{"response_type", "token"}, "unsupported_response_type"},
				{in, []string{"prompt", "none", "scope", "openid address"}, "consent_required"},
			} {
				p := tt.who.open(t, x.url("/authorize?"+c.request(append(tt.pairs, "state", state, "response_mode", mode)...).Encode()))
				var q url.Values
				switch mode {
				case "query":
					q = p.at.Query()
					if tt.want == "unsupported_response_type" { // what would hold a token never goes into a query
						q, _ = url.ParseQuery(p.at.EscapedFragment())
					}
				case "fragment":
					if p.at.RawQuery != "" {
						t.Error("S34 fragment: parameters in the query")
					}
					q, _ = url.ParseQuery(p.at.EscapedFragment())
				case "form_post":
					q = params(p.hidden(t)...)
					if m := formTag.FindSubmatch(p.body); string(m[1]) != callback {
						t.Errorf("S34 the form goes to %s", m[1])
					}
					if policy := p.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://app.example;") || strings.Contains(policy, "unsafe") {
						t.Error("S34 policy:", policy)
					}
				}
				secret(q.Get("code"))
				if q.Get("error") != tt.want || (q.Get("code") != "") != (tt.want == "") {
					t.Errorf("%s %v: got error %q", mode, tt.pairs, q.Get("error"))
				}
				if q.Get("iss") != x.Issuer {
					t.Errorf("S32 %s %v: iss %q", mode, tt.pairs, q.Get("iss"))
				}
				if q.Get("state") != state {
					t.Errorf("S33 %s %v: state %q", mode, tt.pairs, q.Get("state"))
				}
				for name := range q {
					if !slices.Contains([]string{"code", "state", "iss", "error", "error_description"}, name) || len(q[name]) != 1 {
						t.Errorf("%s: parameter %q is there %d times", mode, name, len(q[name]))
					}
				}
			}
		}
		if v := x.authorize(t, c.request("state", "")); v.Has("state") {
			t.Error("S33 state that was not sent:", v)
		}
		var metadata struct {
			Iss       bool     `json:"authorization_response_iss_parameter_supported"`
			Modes     []string `json:"response_modes_supported"`
			Types     []string `json:"response_types_supported"`
			Challenge []string `json:"code_challenge_methods_supported"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).read(t, &metadata)
		if !metadata.Iss || !slices.Equal(metadata.Modes, []string{"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}) || !slices.Equal(metadata.Types, []string{"code"}) || !slices.Equal(metadata.Challenge, []string{"S256"}) {
			t.Errorf("S32, S34, S46 metadata: %+v", metadata)
		}
	})
}

var described = regexp.MustCompile(`^[ !#-\[\]-~]*$`)

// Errors are in plain characters and hold nothing of the request (S41).
func TestAuthorizationErrorsReflectNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		marker := "\"><script>m4rk3r</script>\r\nSet-Cookie: m4rk3r=1\x7fé'"
		for _, name := range []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "max_age", "display", "ui_locales", "claims",
			"claims_locales", "id_token_hint", "acr_values", "nonce", "login_hint", "code_challenge", "code_challenge_method", "resource", "request", "request_uri", "registration", "m4rk3r<b>"} {
			for _, q := range []url.Values{c.request(name, marker), c.request(name, marker, "prompt", "none")} {
				r := call(t, http.MethodGet, x.url("/authorize?"+q.Encode()))
				to, _ := url.Parse(r.Header.Get("Location"))
				if strings.Contains(string(r.body), "m4rk3r") || strings.Contains(to.String(), "m4rk3r") || r.Header.Get("Set-Cookie") != "" && strings.Contains(r.Header.Get("Set-Cookie"), "m4rk3r") {
					t.Errorf("S41 %s comes back: %d %s\n%s", name, r.StatusCode, to, r.body)
				}
				if d := to.Query().Get("error_description"); !described.MatchString(d) {
					t.Errorf("S41 %s: error_description %q", name, d)
				}
				if r.StatusCode >= 500 {
					t.Errorf("%s: %d", name, r.StatusCode)
				}
			}
		}
	})
}

// Nobody is sent on to the site of a self-registered client before signing in (S36), but for a silent request, as RFC 9700
// §4.11.2 has it. Consent to such a client is never remembered (S43).
func TestSelfRegisteredClients(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"clients": map[string]any{"open_registration": true}})
		c := &client{}
		call(t, http.MethodPost, x.url("/clients"), object(map[string]any{"redirect_uris": []string{callback}, "client_name": "Bank of <b>Example</b>"})).want(t, "201").read(t, c)
		secret(c.Secret, c.RegistrationToken)
		for _, q := range []url.Values{c.request("response_type", "token"), c.request("scope", "\"x"), c.request("max_age", "x"), c.request("response_mode", "form_post", "prompt", "dance"), c.request("code_challenge", "x")} {
			if got, r := x.ask(t, q); strings.HasPrefix(got, "client") || strings.HasPrefix(got, "form") && strings.Contains(string(r.body), "<script>") {
				t.Errorf("S36 an error of a self-registered client sends a stranger on: %s", got)
			}
		}
		v := newVisitor(t)
		at := x.url("/authorize?" + c.request().Encode())
		p := v.open(t, at)
		if strings.Contains(string(p.body), "<b>Example") {
			t.Error("S45 the client's name is markup")
		}
		v.signIn(t, x, at)
		if p := v.open(t, at); p.Header.Get("Location") != "" {
			t.Error("S43 consent to an unverified client is remembered:", p.at)
		}
	})
}

// Consent covers what was allowed and no more (S43).
func TestConsentIsExact(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		v := newVisitor(t)
		asked := func(scope string, pairs ...string) bool {
			p := v.open(t, x.url("/authorize?"+c.request(append(pairs, "scope", scope)...).Encode()))
			return p.Header.Get("Location") == ""
		}
		v.signIn(t, x, x.url("/authorize?"+c.request("scope", "openid email").Encode()))
		for _, tt := range []struct {
			rule  string
			asked bool
			want  bool
		}{
			{"the same again", asked("openid email"), false},
			{"less", asked("openid"), false},
			{"more", asked("openid email phone"), true},
			{"a single claim more", asked("openid email", "claims", `{"userinfo":{"phone_number":null}}`), true},
			{"the same where the client wants to ask", asked("openid email", "prompt", "consent"), true},
			{"the same once more", asked("openid email"), false},
		} {
			if tt.asked != tt.want {
				t.Errorf("S43 %s: asked %v", tt.rule, tt.asked)
			}
		}
		d := x.confidential(t, callback)
		if p := v.open(t, x.url("/authorize?"+d.request("scope", "openid email").Encode())); p.Header.Get("Location") != "" {
			t.Error("S43 another client is covered")
		}
	})
}

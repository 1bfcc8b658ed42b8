package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Pages of every kind carry the headers that keep them apart from other sites: S38, S39, S45, S180.
func TestPageHeaders(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": `<img src=x onerror="alert(1)">`, "policy_uri": "https://app.example/?a=%3Cscript%3E"})
		v := newVisitor(t)
		at := x.url("/authorize?" + c.request("login_hint", `"><script>alert(1)</script>`).Encode())
		signIn := v.open(t, at)
		wrong := v.fill(t, signIn, "action", "login", "username", "<script>alert(1)</script>", "password", "wrong")
		consent := v.fill(t, wrong, "action", "login", "username", x.User.Username, "password", x.User.Password)
		formPost := newVisitor(t).open(t, x.url("/authorize?"+c.request("response_mode", "form_post", "prompt", "none", "state", `"><script>`).Encode()))
		pages := map[string]page{
			"sign-in": signIn, "sign-in again": wrong, "consent": consent, "form_post": formPost,
			"error":              v.open(t, x.url("/authorize?client_id=nobody")),
			"gone":               v.open(t, x.url("/login/i/"+strings.Repeat("x", 43))),
			"no such tenant":     v.open(t, s.url+"/t/nobody/authorize"),
			"no such file":       v.open(t, x.url("/login/assets/x.css")),
			"signed out":         v.open(t, x.url("/logout")),
			"form too large":     {reply: call(t, http.MethodPost, signIn.at.String(), form("x", strings.Repeat("x", 1<<20)))},
			"request too large":  {reply: call(t, http.MethodPost, x.url("/authorize"), form("x", strings.Repeat("x", 1<<20)))},
			"wrong content type": {reply: call(t, http.MethodPost, x.url("/authorize"), object(map[string]string{}))},
		}
		for name, p := range pages {
			text, h := string(p.body), p.Header
			if !strings.HasPrefix(h.Get("Content-Type"), "text/html; charset=utf-8") {
				t.Errorf("S180 %s: %s", name, h.Get("Content-Type"))
			}
			policy := h.Get("Content-Security-Policy")
			for _, rule := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action "} {
				if !strings.Contains(policy, rule) {
					t.Errorf("S180 %s: the policy lacks %s: %s", name, rule, policy)
				}
			}
			if strings.Contains(policy, "unsafe-") || strings.Contains(policy, "*") {
				t.Errorf("S180 %s: policy %s", name, policy)
			}
			if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("S38, S39 %s: %v", name, h)
			}
			if strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x") || strings.Contains(text, `"><script>`) {
				t.Errorf("S45 %s shows markup of others:\n%s", name, text)
			}
			for _, attribute := range []string{` src="`, ` href="`} {
				for part := range strings.SplitSeq(text, attribute) {
					if to, _, _ := strings.Cut(part, `"`); strings.HasPrefix(to, "//") || attribute == ` src="` && strings.HasPrefix(to, "http") {
						t.Errorf("S39 %s loads %s", name, to)
					}
				}
			}
			if h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("S37 %s may be read by other sites", name)
			}
		}
		if wrong.StatusCode >= 500 || !strings.Contains(wrong.text(), "wrong") {
			t.Error("a wrong password:", wrong.StatusCode, wrong.text())
		}
		for _, p := range []page{signIn, consent} {
			if !strings.Contains(p.Header.Get("Content-Security-Policy"), "form-action 'self' https://app.example;") && !strings.HasSuffix(p.Header.Get("Content-Security-Policy"), "form-action 'self' https://app.example") {
				t.Error("a form leads elsewhere than to us and the validated client:", p.Header.Get("Content-Security-Policy"))
			}
		}
	})
}

// Who may go on with a sign-in: S42, S158, S183.
func TestInteractionsAreBound(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		c := x.confidential(t, callback)
		at := x.url("/authorize?" + c.request("prompt", "consent").Encode())
		v := newVisitor(t)
		p := v.open(t, at)
		good := append(p.hidden(t), "action", "login", "username", x.User.Username, "password", x.User.Password)
		second := v.open(t, at)
		cookies := func(v *visitor) (all []string) {
			u, _ := url.Parse(s.url)
			for _, c := range v.http.Jar.Cookies(u) {
				all = append(all, c.String())
			}
			return all
		}
		stranger := newVisitor(t)
		elsewhere, _ := url.Parse(strings.Replace(p.at.String(), x.TenantID, other.TenantID, 1))
		for _, tt := range []struct {
			rule  string
			by    *visitor
			at    *url.URL
			form  []string
			parts []part
			want  int
		}{
			{"S42 a browser that did not begin it", stranger, p.at, good, nil, http.StatusNotFound},
			{"S42 at another tenant", v, elsewhere, good, nil, http.StatusNotFound},
			{"S183 the form of another sign-in", v, p.at, append(second.hidden(t), good[2:]...), nil, http.StatusForbidden},
			{"S183 a form without its token", v, p.at, good[2:], nil, http.StatusForbidden},
			{"S183 a form of another origin", v, p.at, good, []part{header("Origin", "https://evil.example")}, http.StatusForbidden},
			{"S183 a form of no origin", v, p.at, good, []part{header("Origin", "null")}, http.StatusForbidden},
			{"S183 a form that a browser says is cross-site", v, p.at, good, []part{header("Sec-Fetch-Site", "cross-site")}, http.StatusForbidden},
			{"S185 a method in a header", v, p.at, good[2:], []part{header("X-HTTP-Method-Override", "GET")}, http.StatusForbidden},
			{"a form as JSON", v, p.at, nil, []part{object(map[string]string{"action": "login"})}, http.StatusUnsupportedMediaType},
			{"an unknown answer", v, p.at, append(p.hidden(t), "action", "dance"), nil, http.StatusBadRequest},
			{"consent before the sign-in", v, p.at, append(p.hidden(t), "action", "allow"), nil, http.StatusNotFound},
		} {
			parts := tt.parts
			if tt.form != nil {
				parts = append([]part{form(tt.form...)}, parts...)
			}
			r, err := try(tt.by.http, http.MethodPost, tt.at.String(), parts...)
			if err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != tt.want && !(tt.want == http.StatusNotFound && r.StatusCode == http.StatusSeeOther && strings.HasSuffix(r.Header.Get("Location"), tt.at.Path)) {
				t.Errorf("%s: %d to %q, want %d", tt.rule, r.StatusCode, r.Header.Get("Location"), tt.want)
			}
		}
		before := strings.Join(cookies(v), "; ")
		consent := v.fill(t, p, good[2:]...)
		after := strings.Join(cookies(v), "; ")
		if before == after {
			t.Error("S158 signing in changes no cookie")
		}
		again := v.follow(t, http.MethodPost, p.at.String(), form(good...))
		if again.Header.Get("Location") != "" || strings.Contains(string(again.body), `name="csrf" value="`+good[1]) {
			t.Error("S42 a sign-in was answered twice:", again.at, again.StatusCode)
		}
		allow := append(consent.hidden(t), "action", "allow")
		done := v.fill(t, consent, "action", "allow")
		if done.at.Query().Get("code") == "" {
			t.Fatal("no code:", done.at, done.StatusCode)
		}
		if r := v.follow(t, http.MethodPost, consent.at.String(), form(allow...)); r.StatusCode != http.StatusNotFound {
			t.Error("S42 consent was answered twice:", r.StatusCode, r.at)
		}
		// S158 signing in anew gives the session another handle, and the old one opens nothing.
		jar, _ := cookiejar.New(nil)
		u, _ := url.Parse(s.url)
		jar.SetCookies(u, v.http.Jar.Cookies(u))
		old := &visitor{&http.Client{Jar: jar, CheckRedirect: direct.CheckRedirect}}
		silent := x.url("/authorize?" + c.request("prompt", "none").Encode())
		if e := old.open(t, silent).at.Query().Get("error"); e != "" && e != "consent_required" {
			t.Error("the session is not there:", e)
		}
		v.signIn(t, x, x.url("/authorize?"+c.request("prompt", "login").Encode()))
		if e := old.open(t, silent).at.Query().Get("error"); e != "login_required" {
			t.Error("S158 the old handle of a session opens it after signing in anew:", e)
		}
		if e := v.open(t, silent).at.Query().Get("error"); e != "" {
			t.Error("S158 the new handle opens nothing:", e)
		}
	})
}

// What the listener does not serve: S37, S61, S181, S182, S185, S186, S188.
func TestSurface(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		k := x.tokens(t, x.Client)
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/vars", "/swagger", "/swagger/index.html", "/openapi.json", "/admin/v1/openapi.json", "/.env", "/", "/t", "/t/", "/favicon.ico", "/bootstrap.json", "/..%2fbootstrap.json"} {
			if r := call(t, http.MethodGet, s.url+path); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusUnauthorized {
				t.Errorf("S188 %s is served: %d %s", path, r.StatusCode, r.body)
			}
		}
		for path, served := range map[string]string{
			"/authorize": "GET POST", "/token": "POST", "/token/introspect": "POST", "/token/revoke": "POST", "/userinfo": "GET POST", "/jwks.json": "GET",
			"/.well-known/openid-configuration": "GET", "/clients": "GET POST", "/logout": "GET POST", sessionsV1: "POST", sessionsV1 + "/x": "GET PUT DELETE",
		} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"} {
				if strings.Contains(" "+served+" ", " "+method+" ") || method == "CONNECT" {
					continue
				}
				r := call(t, method, x.url(path), header("X-HTTP-Method-Override", "GET"), header("X-Method-Override", "POST"))
				if r.StatusCode != http.StatusMethodNotAllowed && !(method == "HEAD" && r.StatusCode == http.StatusOK) {
					t.Errorf("S185 %s %s: %d", method, path, r.StatusCode)
				}
			}
			for _, origin := range []string{"https://evil.example", "null", s.url + ".evil.example"} {
				for _, method := range []string{"OPTIONS", "GET", "POST"} {
					r := call(t, method, x.url(path), header("Origin", origin), header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "authorization"))
					open := path == "/jwks.json" || strings.HasPrefix(path, "/.well-known/")
					if allowed := r.Header.Get("Access-Control-Allow-Origin"); allowed != "" && !(open && allowed == "*") || r.Header.Get("Access-Control-Allow-Credentials") != "" {
						t.Errorf("S182 %s %s lets %s read: %q", method, path, origin, allowed)
					}
				}
			}
		}
		// S181 errors of the APIs are JSON with nothing of the request in it.
		for _, r := range []reply{
			call(t, http.MethodGet, s.url+"/<script>alert(1)</script>"), call(t, http.MethodGet, x.url("/<script>alert(1)</script>")),
			call(t, http.MethodPost, x.url("/token"), form("<script>alert(1)</script>", "x", "grant_type", "<script>alert(1)</script>")),
			x.api(t, http.MethodPost, sessionsV1, object(map[string]any{"<script>alert(1)</script>": 1})),
			x.api(t, http.MethodGet, sessionsV1+"/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
			call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"redirect_uris": []string{"<script>alert(1)</script>"}})),
			call(t, http.MethodGet, x.url("/userinfo"), header("Authorization", "Bearer <script>alert(1)</script>")),
		} {
			if r.Header.Get("Content-Type") != "application/json" || strings.Contains(string(r.body), "<script>") || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.StatusCode < 400 || r.StatusCode >= 500 {
				t.Errorf("S181 %s: %d %v %s", r.Request.URL, r.StatusCode, r.Header, r.body)
			}
		}
		// S186 what is not one request.
		auth := "Authorization: " + func() string {
			r, _ := http.NewRequest("GET", "/", nil)
			x.Client.auth()(r)
			return r.Header.Get("Authorization")
		}()
		at := strings.TrimPrefix(x.url("/token"), s.url)
		for rule, lines := range map[string][]string{
			"Content-Length and Transfer-Encoding": {"POST " + at + " HTTP/1.1", "Host: x", auth, "Content-Type: application/x-www-form-urlencoded", "Content-Length: 4", "Transfer-Encoding: chunked", "", "0", "", "GET /x HTTP/1.1", "Host: x", "", ""},
			"two Content-Length":                   {"POST " + at + " HTTP/1.1", "Host: x", auth, "Content-Length: 0", "Content-Length: 5", "", ""},
			"a Transfer-Encoding that is none":     {"POST " + at + " HTTP/1.1", "Host: x", auth, "Transfer-Encoding: xchunked", "", ""},
			"a header name with a space":           {"GET " + at + " HTTP/1.1", "Host: x", "Content-Length : 0", "", ""},
			"no Host":                              {"GET " + at + " HTTP/1.1", "", ""},
			"two Hosts":                            {"GET " + at + " HTTP/1.1", "Host: x", "Host: y", "", ""},
			"a header of 1 MiB":                    {"GET " + at + " HTTP/1.1", "Host: x", "X: " + strings.Repeat("x", 1<<20), "", ""},
			"a path of 1 MiB":                      {"GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1", "Host: x", "", ""},
			"not HTTP":                             {"\x16\x03\x01\x02", "", ""},
		} {
			if status := rawRequest(t, s, lines); status < 400 || status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported {
				t.Errorf("S186 %s: %d", rule, status)
			}
		}
		if !x.active(t, k.Access) {
			t.Error("the server lost a token")
		}
	})
}

// rawRequest sends lines as they are and returns the status of the answer; a closed connection counts as 400.
func rawRequest(t *testing.T, s *server, lines []string) int {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { _, _ = c.Write([]byte(strings.Join(lines, "\r\n"))) }()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return http.StatusBadRequest
	}
	var status int
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
		t.Error("not an answer:", line)
	}
	return status
}

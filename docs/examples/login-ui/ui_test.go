package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fakeAPI answers each call with the next of its answers, and keeps what it was sent.
type fakeAPI struct {
	answers []string // a status other than 200 goes before the body
	calls   []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.calls = append(f.calls, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	if r.Method == http.MethodGet {
		fmt.Fprint(w, `{"auth_req":{"redirect_uri":"https://shop.example/cb"}}`)
		return
	}
	if r.Header.Get("Authorization") != "Bearer the-token" || r.Header.Get("Tenant-ID") != "acme" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer := f.answers[0]
	f.answers = f.answers[1:]
	if status := 0; answer[0] != '{' {
		_, _ = fmt.Sscanf(answer, "%d", &status)
		w.WriteHeader(status)
	}
	fmt.Fprint(w, answer)
}

const (
	auth     = `{"type":"auth","sid":"as-1","login_hint":"carol"}`
	consent  = `{"type":"consent","sid":"as-1","sub_session":{"sid":"sub-1","sub":"u-1001"},"client":{"client_id":"shop","name":"<b>Shop</b>"},"scope":{"new":["openid","offline_access"],"consented":[]}}`
	response = `{"type":"response","mode":"query","parameters":{"uri":"https://shop.example/cb?code=c&state=s"}}`
	formPost = `{"type":"response","mode":"form_post","sub_sid":"sub-2","parameters":{"uri":"https://shop.example/cb","form":{"code":"\"><script>","state":"s"}}}`
	refused  = `{"type":"response","mode":"query","parameters":{"uri":"https://shop.example/cb?error=access_denied"}}`
	unproven = `{"type":"error","error":"invalid_request","error_description":"<i>redirect_uri</i>"}`
)

// browser is a UI over a fake API, and who uses it.
type browser struct {
	t    *testing.T
	api  *fakeAPI
	ui   *UI
	base string
	http *http.Client
}

func open(t *testing.T, answers ...string) *browser {
	t.Helper()
	b := &browser{t: t, api: &fakeAPI{answers: answers}}
	api := httptest.NewServer(b.api)
	t.Cleanup(api.Close)
	us, err := newUsers("right", 1000)
	if err != nil {
		t.Fatal(err)
	}
	b.ui = &UI{API: &API{Base: api.URL, Tenant: "acme", Token: "the-token", HTTP: api.Client()}, Users: us, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), pending: map[string]*pending{}}
	site := httptest.NewServer(b.ui.Handler())
	t.Cleanup(site.Close)
	jar, _ := cookiejar.New(nil)
	b.base = site.URL
	b.http = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// send makes a request and follows redirects within the UI. It returns the last answer, its body, and where it leads.
func (b *browser) send(method, at string, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = b.base + at
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, at, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	if to := res.Header.Get("Location"); strings.HasPrefix(to, "/") {
		res, rest := b.send(http.MethodGet, to, nil)
		return res, rest
	}
	return res, string(page)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// fill posts the form of page, which res answered with.
func (b *browser) fill(res *http.Response, page string, pairs ...string) (*http.Response, string) {
	b.t.Helper()
	m := csrfField.FindStringSubmatch(page)
	if m == nil {
		b.t.Fatalf("%d without a form: %s", res.StatusCode, page)
	}
	form := url.Values{"csrf": {m[1]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, res.Request.URL.String(), form)
}

func TestSignIn(t *testing.T) {
	b := open(t, auth, consent, response)
	res, page := b.send("GET", "/authorize?client_id=shop&state=%3Cs%3E", nil)
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://shop.example") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Error("policy of the sign-in page:", policy)
	}
	if strings.Contains(page, "as-1") {
		t.Error("the page shows the authorisation session")
	}
	if res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "wrong"); !strings.Contains(page, "is wrong") {
		t.Error("wrong password:", page)
	}
	res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
	if strings.Contains(page, "<b>") || !strings.Contains(page, "&lt;b&gt;Shop") {
		t.Error("the client's name is not escaped:", page)
	}
	res, _ = b.fill(res, page, "action", "allow")
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || to != "https://shop.example/cb?code=c&state=s" {
		t.Error(res.StatusCode, to)
	}
	want := []string{
		`POST /authz-sessions/rest/v3 {"query":"client_id=shop\u0026state=%3Cs%3E"}`,
		`GET /authz-sessions/rest/v3/as-1`,
		`PUT /authz-sessions/rest/v3/as-1 {"amr":["pwd"],"sub":"u-1001"}`,
		`PUT /authz-sessions/rest/v3/as-1 {"claims":["*"],"long_lived":true,"refresh_token":{"issue":true},"scope":["*"]}`,
	}
	if got := strings.Join(b.api.calls, "\n"); got != strings.Join(want, "\n") {
		t.Error("calls:\n" + got)
	}
	var session *http.Cookie
	at, _ := url.Parse(b.base)
	for _, c := range b.http.Jar.Cookies(at) {
		if c.Name == sessionCookie {
			session = c
		}
	}
	if session == nil || session.Value != "sub-1" {
		t.Error("session cookie:", session)
	}

	b.api.answers = []string{response}
	b.send("GET", "/authorize?client_id=shop", nil)
	var start struct {
		SubSID string `json:"sub_sid"`
	}
	last := b.api.calls[len(b.api.calls)-1]
	if err := json.Unmarshal([]byte(last[strings.Index(last, "{"):]), &start); err != nil || start.SubSID != "sub-1" {
		t.Error("the next request does not bring the session:", last)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		rule    string
		answers []string
		pairs   []string // of the form, where one is shown
		status  int
		says    string // in the page, or the place that it leads to
	}{
		{"a response follows at once where nothing is to be asked", []string{response}, nil, 303, "https://shop.example/cb?code=c&state=s"},
		{"an error is shown and never sent on", []string{unproven}, nil, 400, "(invalid_request)"},
		{"an API that does not answer is not the user's fault", []string{"500"}, nil, 502, "try again"},
		{"form_post is a page that posts", []string{formPost}, nil, 200, `value="&#34;&gt;&lt;script&gt;"`},
		{"cancelling tells the client", []string{auth, refused}, []string{"action", "cancel"}, 303, "https://shop.example/cb?error=access_denied"},
		{"so does refusing consent", []string{consent, refused}, []string{"action", "cancel"}, 303, "https://shop.example/cb?error=access_denied"},
		{"a session that is gone", []string{auth, "404"}, []string{"action", "cancel"}, 404, "has ended"},
		{"consent cannot be given before signing in", []string{auth}, []string{"action", "allow"}, 400, "could not be read"},
		{"nor an unknown answer", []string{auth}, []string{"action", "dance"}, 400, "could not be read"},
		{"an unknown user is told what a wrong password is", []string{auth}, []string{"action", "login", "username", "mallory", "password", "right"}, 200, "is wrong"},
		{"an authentication that does not suffice", []string{auth, auth}, []string{"action", "login", "username", "carol", "password", "right"}, 200, "stronger"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b := open(t, c.answers...)
			res, page := b.send("GET", "/authorize?client_id=shop", nil)
			if c.pairs != nil {
				res, page = b.fill(res, page, c.pairs...)
			}
			if res.StatusCode != c.status || !strings.Contains(page+res.Header.Get("Location"), c.says) {
				t.Errorf("%d %s %s", res.StatusCode, res.Header.Get("Location"), page)
			}
			if strings.Contains(page, "<script>\"") || strings.Contains(page, "<i>") {
				t.Error("markup from outside:", page)
			}
		})
	}
}

func TestForgery(t *testing.T) {
	good := url.Values{"action": {"login"}, "username": {"carol"}, "password": {"right"}}
	for _, c := range []struct {
		rule   string
		change func(b *browser, form url.Values) (header []string)
		status int
	}{
		{"a form without its token", func(_ *browser, f url.Values) []string { f.Del("csrf"); return nil }, 403},
		{"a form with another token", func(_ *browser, f url.Values) []string { f.Set("csrf", "x"); return nil }, 403},
		{"a form of another site", func(*browser, url.Values) []string { return []string{"Sec-Fetch-Site", "cross-site"} }, 403},
		{"a form of another origin", func(*browser, url.Values) []string { return []string{"Origin", "https://evil.example"} }, 403},
		{"another browser", func(b *browser, _ url.Values) []string { b.http.Jar, _ = cookiejar.New(nil); return nil }, 404},
		{"a form that is too long", func(_ *browser, f url.Values) []string { f.Set("x", strings.Repeat("x", maxForm)); return nil }, 400},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b := open(t, auth)
			res, page := b.send("GET", "/authorize?client_id=shop", nil)
			form := url.Values{"csrf": {csrfField.FindStringSubmatch(page)[1]}}
			for name, values := range good {
				form[name] = values
			}
			header := c.change(b, form)
			res, _ = b.send("POST", res.Request.URL.String(), form, header...)
			if res.StatusCode != c.status || len(b.api.calls) != 2 {
				t.Errorf("%d, calls %q", res.StatusCode, b.api.calls)
			}
		})
	}
}

func TestGuessing(t *testing.T) {
	us, err := newUsers("right", 1000)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range maxWrong {
		if _, err := us.verify(t.Context(), now, "carol", "guess"); err != errDenied {
			t.Fatal(err)
		}
	}
	if _, err := us.verify(t.Context(), now, "carol", "right"); err != errTooMany {
		t.Error("after too many guesses:", err)
	}
	if sub, err := us.verify(t.Context(), now, "dave", "right"); err != nil || sub != "u-1002" {
		t.Error("another user:", sub, err)
	}
	if sub, err := us.verify(t.Context(), now.Add(pause), "carol", "right"); err != nil || sub != "u-1001" {
		t.Error("after the pause:", sub, err)
	}
}

func TestOrigin(t *testing.T) {
	for uri, want := range map[string]string{
		"https://shop.example:8443/cb?x": "https://shop.example:8443",
		"com.example.app:/cb":            "com.example.app:",
		"https://a;script-src *.b/cb":    "",
		"":                               "",
	} {
		if got := origin(uri); got != want {
			t.Errorf("%s: %q", uri, got)
		}
	}
}

func TestCookies(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := httptest.NewRecorder()
		(&UI{Secure: secure}).setCookie(w, sessionCookie, "v")
		c := w.Header().Get("Set-Cookie")
		if secure != strings.HasPrefix(c, "__Host-") || secure != strings.Contains(c, "; Secure") || !strings.Contains(c, "; HttpOnly; ") || !strings.HasSuffix(c, "SameSite=Lax") {
			t.Error(c)
		}
	}
}

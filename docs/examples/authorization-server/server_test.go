package main

import (
	"html"
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

// fakeAPI answers each call by what the test put there for its path, and keeps what it was sent.
type fakeAPI struct {
	answers map[string]string // an answer, or a status
	calls   []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/7")
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Authorization") != "Bearer t" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	f.calls = append(f.calls, strings.TrimSpace(path+" "+string(body)))
	answer := f.answers[path]
	if !strings.HasPrefix(answer, "{") {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if strings.Contains(answer, "A001215") {
		w.WriteHeader(http.StatusForbidden)
	}
	_, _ = io.WriteString(w, answer)
}

// browser is one that follows redirects within the server, and keeps cookies.
type browser struct {
	t    *testing.T
	api  *fakeAPI
	s    *Server
	base string
	http *http.Client
}

func open(t *testing.T, answers ...string) *browser {
	t.Helper()
	api := &fakeAPI{answers: map[string]string{}}
	for i := 0; i+1 < len(answers); i += 2 {
		api.answers[answers[i]] = answers[i+1]
	}
	at := httptest.NewServer(api)
	t.Cleanup(at.Close)
	users, err := newUsers("right", 10)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{API: &API{Base: at.URL + "/api/7", Token: "t", HTTP: http.DefaultClient}, Users: users, Resource: credentials{"rs", "rs secret"},
		Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	s.Issuer = web.URL
	jar, _ := cookiejar.New(nil)
	return &browser{t: t, api: api, s: s, base: web.URL, http: &http.Client{Jar: jar,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if !strings.HasPrefix(r.URL.String(), web.URL) {
				return http.ErrUseLastResponse
			}
			return nil
		}}}
}

// send makes a request; pairs are headers.
func (b *browser) send(method, to, body string, pairs ...string) (*http.Response, string) {
	b.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = b.base + to
	}
	r, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(page)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// fill posts the form of a page.
func (b *browser) fill(res *http.Response, page string, pairs ...string) (*http.Response, string) {
	b.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, res.Request.URL.String(), form.Encode(), "Origin", b.base)
}

// action is an answer with an action.
func action(name string, members ...string) string {
	return `{"resultCode":"A000001","action":"` + name + `"` + strings.Join(append([]string{""}, members...), ",") + `}`
}

const (
	authorizing = "/auth/authorization"
	issuing     = "/auth/authorization/issue"
	failing     = "/auth/authorization/fail"
	ticket      = `"ticket":"T","client":{"clientId":5,"clientName":"<b>Shop"},"scopes":[{"name":"openid"},{"name":"email"}],"claims":["email","phone_number"]`
	toClient    = `"responseContent":"https://shop.example/cb?code=c&state=s"`
	refused     = `"responseContent":"{\"error\":\"invalid_request\",\"error_description\":\"<i>no\"}"`
)

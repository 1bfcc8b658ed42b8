package e2e

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visitor is a browser without scripts: it keeps cookies, follows redirects and fills forms.
type visitor struct {
	http *http.Client
}

func newVisitor(t testing.TB) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{&http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: direct.CheckRedirect}}
}

// page is what a visitor sees: the last answer, and its address.
type page struct {
	reply
	at *url.URL
}

// open visits an address and follows redirects until a page is shown, or the way leads to the client's callback.
func (v *visitor) open(t testing.TB, at string) page {
	t.Helper()
	return v.follow(t, http.MethodGet, at)
}

func (v *visitor) follow(t testing.TB, method, at string, parts ...part) page {
	t.Helper()
	for range 10 {
		r, err := try(v.http, method, at, parts...)
		if err != nil {
			t.Fatal(err)
		}
		to := r.Header.Get("Location")
		if to == "" {
			return page{r, r.Request.URL}
		}
		if r.StatusCode != http.StatusFound && r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s redirects by %d (S40)", at, r.StatusCode)
		}
		next, err := r.Request.URL.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(next.String(), callback) || next.Path == "/cb" {
			secret(next.Query().Get("code"))
			return page{r, next}
		}
		method, at, parts = http.MethodGet, next.String(), nil
	}
	t.Fatal("too many redirects")
	return page{}
}

var (
	hiddenFields = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formTag      = regexp.MustCompile(`<form method="post"(?: action="([^"]*)")?>`)
)

// fill posts the form of a page with its hidden fields and pairs.
func (v *visitor) fill(t testing.TB, p page, pairs ...string) page {
	t.Helper()
	return v.follow(t, http.MethodPost, p.at.String(), form(append(p.hidden(t), pairs...)...), header("Origin", p.at.Scheme+"://"+p.at.Host))
}

// hidden returns names and values of the page's hidden fields.
func (p page) hidden(t testing.TB) (pairs []string) {
	t.Helper()
	if !formTag.Match(p.body) {
		t.Fatalf("%s has no form: %d\n%s", p.at, p.StatusCode, p.body)
	}
	for _, m := range hiddenFields.FindAllSubmatch(p.body, -1) {
		pairs = append(pairs, html.UnescapeString(string(m[1])), html.UnescapeString(string(m[2])))
	}
	return pairs
}

// signIn goes through sign-in and consent of our pages as the tenant's user, where they are asked for.
func (v *visitor) signIn(t testing.TB, x *tenant, at string) *url.URL {
	t.Helper()
	p := v.open(t, at)
	for range 2 {
		switch text := string(p.body); {
		case strings.Contains(text, `name="password"`):
			p = v.fill(t, p, "action", "login", "username", x.User.Username, "password", x.User.Password)
		case strings.Contains(text, `value="allow"`):
			p = v.fill(t, p, "action", "allow")
		}
	}
	if p.Header.Get("Location") == "" {
		t.Fatalf("%s: %d\n%s", p.at, p.StatusCode, p.body)
	}
	return p.at
}

// text is what a page says, without its markup.
func (p page) text() string {
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(p.body), " "))
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetDevice counts what the device grant sends to PostgreSQL, as TestBudget does, with the pages of its user.
func TestBudgetDevice(t *testing.T) {
	b := newBench(t)
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	var code, user, csrf, page string
	jar := map[string]string{}
	browser := func(method, path, body string) *http.Response {
		var cookies []string
		for name, value := range jar {
			cookies = append(cookies, name+"="+value)
		}
		r := b.call(t, method, b.issuer+path, formType, body, "Cookie", strings.Join(cookies, "; "))
		for _, c := range r.Cookies() {
			jar[c.Name] = c.Value
		}
		return r
	}
	form := func(pairs ...string) string {
		v := url.Values{"csrf": {csrf}}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	read := func(r *http.Response) { // the form's token
		text, _ := io.ReadAll(r.Body)
		_, rest, _ := strings.Cut(string(text), `name="csrf" value="`)
		csrf, _, _ = strings.Cut(rest, `"`)
	}
	here := func(path string) string {
		return strings.TrimPrefix(path, strings.TrimPrefix(b.issuer, "http://127.0.0.1:8080"))
	}
	poll := func() *http.Response {
		return b.token(t, "/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code}})
	}
	for _, s := range []struct {
		operation    string
		status, most int
		do           func() *http.Response
		keep         func(*http.Response)
	}{
		{"request", 200, 1, func() *http.Response {
			return b.token(t, "/device_authorization", url.Values{"scope": {"openid email"}})
		},
			func(r *http.Response) {
				m := members(t, r)
				code, user = fmt.Sprint(m["device_code"]), fmt.Sprint(m["user_code"])
			}},
		{"poll, pending", 400, 1, poll, nil},
		{"page for the code", 200, 0, func() *http.Response { return browser("GET", "/device", "") }, read},
		{"code", 303, 1, func() *http.Response { return browser("POST", "/device", form("user_code", user)) },
			func(r *http.Response) { page = here(r.Header.Get("Location")) }},
		{"sign-in page", 200, 1, func() *http.Response { return browser("GET", page, "") }, read},
		{"sign-in", 303, 7, func() *http.Response {
			return browser("POST", page, form("action", "login", "username", b.acme.User.Username, "password", b.acme.User.Password))
		}, nil},
		{"consent page", 200, 3, func() *http.Response { return browser("GET", page, "") }, read},
		{"consent", 200, 4, func() *http.Response { return browser("POST", page, form("action", "allow")) }, nil},
		{"poll, granted", 200, 5, poll, nil},
		{"poll, redeemed", 400, 1, poll, nil},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		if r.StatusCode != s.status {
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
	}
}

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// TestBudgetTickets counts what the calls with tickets send to PostgreSQL, as TestBudget does.
func TestBudgetTickets(t *testing.T) {
	b := newBench(t)
	post := func(path, body string) *http.Response {
		return b.call(t, "POST", "/api/"+strconv.FormatInt(b.acme.ServiceID, 10)+path, jsonType, body, "Authorization", "Bearer "+b.acme.APIToken)
	}
	ask := func() *http.Response {
		q := url.Values{"response_type": {"code"}, "client_id": {b.acme.Client.ID}, "scope": {"openid email"}, "redirect_uri": {b.acme.Client.RedirectURIs[0]}}
		return post("/auth/authorization", `{"parameters":"`+q.Encode()+`"}`)
	}
	var ticket, code, opaque, jwt string
	ask() // warms snapshots, names and client
	for _, s := range []struct {
		operation, action string
		most              int
		do                func() *http.Response
		keep              func(map[string]any)
	}{
		{"request", "INTERACTION", 1, ask, func(m map[string]any) { ticket = fmt.Sprint(m["ticket"]) }},
		{"issue", "LOCATION", 3, func() *http.Response {
			return post("/auth/authorization/issue", `{"ticket":"`+ticket+`","subject":"`+b.acme.User.Subject+`"}`)
		}, func(m map[string]any) { code = fmt.Sprint(m["authorizationCode"]) }},
		{"a ticket that is gone", "BAD_REQUEST", 1, func() *http.Response {
			return post("/auth/authorization/issue", `{"ticket":"`+ticket+`","subject":"`+b.acme.User.Subject+`"}`)
		}, nil},
		{"token", "OK", 2, func() *http.Response {
			q := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {b.acme.Client.RedirectURIs[0]}}
			return post("/auth/token", `{"parameters":"`+q.Encode()+`","clientId":"`+b.acme.Client.ID+`","clientSecret":"`+b.acme.Client.Secret+`"}`)
		}, func(m map[string]any) { opaque, jwt = fmt.Sprint(m["accessToken"]), fmt.Sprint(m["jwtAccessToken"]) }},
		{"introspection, JWT", "OK", 1, func() *http.Response { return post("/auth/introspection", `{"token":"`+jwt+`"}`) }, nil},
		{"introspection, identifier", "OK", 2, func() *http.Response { return post("/auth/introspection", `{"token":"`+opaque+`"}`) }, nil},
		{"userinfo", "OK", 1, func() *http.Response { return post("/auth/userinfo", `{"token":"`+jwt+`"}`) }, nil},
		{"userinfo issue", "JSON", 1, func() *http.Response { return post("/auth/userinfo/issue", `{"token":"`+jwt+`","claims":"{}"}`) }, nil},
		{"revocation", "OK", 1, func() *http.Response {
			return post("/auth/revocation", `{"parameters":"token=`+jwt+`","clientId":"`+b.acme.Client.ID+`","clientSecret":"`+b.acme.Client.Secret+`"}`)
		}, nil},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		m := members(t, r)
		if m["action"] != s.action {
			t.Fatalf("%s: %v", s.operation, m)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
		if s.keep != nil {
			s.keep(m)
		}
	}
}

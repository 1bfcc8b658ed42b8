package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetCIBA counts what backchannel authentication sends to PostgreSQL, as TestBudget does.
func TestBudgetCIBA(t *testing.T) {
	b := newBench(t)
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	json := func(method, path, body string) *http.Response {
		return b.call(t, method, path, jsonType, body, "Tenant-ID", "acme", "Authorization", "Bearer "+b.acme.APIToken)
	}
	json("GET", "/ciba-sessions/rest/v1?subject=x", "") // and what the host stands for
	var id, session string
	poll := func() *http.Response {
		return b.token(t, "/token", url.Values{"grant_type": {"urn:openid:params:grant-type:ciba"}, "auth_req_id": {id}})
	}
	for _, s := range []struct {
		operation    string
		status, most int
		do           func() *http.Response
		keep         func(*http.Response)
	}{
		{"request", 200, 3, func() *http.Response {
			return b.token(t, "/ciba", url.Values{"scope": {"openid email"}, "login_hint": {b.acme.User.Username}})
		}, func(r *http.Response) { id = fmt.Sprint(members(t, r)["auth_req_id"]) }},
		{"poll, pending", 400, 1, poll, nil},
		{"poll, too soon", 400, 1, poll, nil},
		{"list", 200, 1, func() *http.Response { return json("GET", "/ciba-sessions/rest/v1?subject="+b.acme.User.Subject, "") }, func(r *http.Response) {
			text, _ := io.ReadAll(r.Body)
			_, rest, _ := strings.Cut(string(text), `"id":"`)
			session, _, _ = strings.Cut(rest, `"`)
		}},
		{"approval", 204, 2, func() *http.Response {
			return json("POST", "/ciba-sessions/rest/v1/"+session, `{"sub":"`+b.acme.User.Subject+`"}`)
		}, nil},
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

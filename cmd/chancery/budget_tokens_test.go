package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestBudgetTokenOperations counts what the calls that look after tokens send to PostgreSQL, as TestBudget does.
func TestBudgetTokenOperations(t *testing.T) {
	b := newBench(t)
	path := func(rest string) string { return "/api/" + strconv.FormatInt(b.acme.ServiceID, 10) + rest }
	post := func(rest, body string) func() *http.Response {
		return func() *http.Response {
			return b.call(t, "POST", path(rest), jsonType, body, "Authorization", "Bearer "+b.acme.APIToken)
		}
	}
	get := func(rest string) func() *http.Response {
		return func() *http.Response {
			return b.call(t, "GET", path(rest), "", "", "Authorization", "Bearer "+b.acme.APIToken)
		}
	}
	create := `{"grantType":"AUTHORIZATION_CODE","clientIdentifier":"` + b.acme.Client.ID + `","subject":"alice","scopes":["openid"]}`
	var made map[string]any
	post("/auth/token/create", create)() // warms snapshot, names and client
	for _, s := range []struct {
		operation string
		most      int
		do        func() func() *http.Response
	}{
		{"create", 1, func() func() *http.Response { return post("/auth/token/create", create) }},
		{"update, by identifier", 3, func() func() *http.Response {
			return post("/auth/token/update", fmt.Sprintf(`{"accessToken":%q,"scopes":[]}`, made["accessToken"]))
		}},
		{"update, by refresh token", 4, func() func() *http.Response {
			return post("/auth/token/update", fmt.Sprintf(`{"refreshToken":%q,"scopes":["openid"]}`, made["refreshToken"]))
		}},
		{"reissue of an ID token", 2, func() func() *http.Response {
			return post("/idtoken/reissue", fmt.Sprintf(`{"accessToken":%q,"refreshToken":%q}`, made["accessToken"], made["refreshToken"]))
		}},
		{"list", 3, func() func() *http.Response { return get("/auth/token/get/list") }},
		{"batch", 1, func() func() *http.Response { return post("/auth/token/create/batch", "["+create+","+create+"]") }},
		{"batch status", 1, func() func() *http.Response { return get("/auth/token/create/batch/status/x") }},
		{"revoke, by hash", 4, func() func() *http.Response {
			return post("/auth/token/revoke", fmt.Sprintf(`{"accessTokenIdentifier":%q}`, made["tokenId"]))
		}},
	} {
		do := s.do()
		b.counter.since()
		r := do()
		sent := b.counter.since()
		m := members(t, r)
		if a := m["action"]; a != nil && a != "OK" || r.StatusCode != 200 && s.operation != "batch status" {
			t.Fatalf("%s: %d %v", s.operation, r.StatusCode, m)
		}
		if s.operation == "create" {
			made = m
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
	}
}

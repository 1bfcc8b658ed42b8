package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/admin"
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

// TestBudgetGrantManagement counts what the calls of clients that manage their grants send to PostgreSQL.
func TestBudgetGrantManagement(t *testing.T) {
	b := newBench(t)
	if _, err := b.app.console.UpdateTenant(t.Context(), b.acme.TenantID, 0, admin.Change{Patch: []byte(`{"grant_management":{"enabled":true},"device":{"enabled":true}}`)}, admin.By{}); err != nil {
		t.Fatal(err)
	}
	if err := b.app.resolver.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	post := func(path, body string) map[string]any {
		return members(t, b.call(t, "POST", "/api/"+strconv.FormatInt(b.acme.ServiceID, 10)+path, jsonType, body, "Authorization", "Bearer "+b.acme.APIToken))
	}
	ask := func(more string) string {
		q := url.Values{"response_type": {"code"}, "client_id": {b.acme.Client.ID}, "scope": {"openid"}, "redirect_uri": {b.acme.Client.RedirectURIs[0]}}
		return fmt.Sprintf(`{"parameters":%q}`, q.Encode()+"&grant_management_action="+more)
	}
	own := post("/auth/token/create", `{"grantType":"CLIENT_CREDENTIALS","clientIdentifier":"`+b.acme.Client.ID+`","scopes":["grant_management_query","grant_management_revoke"]}`)["jwtAccessToken"]
	var ticket, id, userCode string
	for _, s := range []struct {
		operation, action string
		most              int
		do                func() map[string]any
	}{
		{"request for a new grant", "INTERACTION", 1, func() map[string]any { return post("/auth/authorization", ask("create")) }},
		{"issue", "LOCATION", 3, func() map[string]any {
			return post("/auth/authorization/issue", `{"ticket":"`+ticket+`","subject":"alice"}`)
		}},
		{"request for more", "INTERACTION", 3, func() map[string]any { return post("/auth/authorization", ask("merge&grant_id="+id)) }},
		{"issue of more", "LOCATION", 4, func() map[string]any {
			return post("/auth/authorization/issue", `{"ticket":"`+ticket+`","subject":"alice"}`)
		}},
		{"request in its place", "INTERACTION", 3, func() map[string]any { return post("/auth/authorization", ask("replace&grant_id="+id)) }},
		{"issue in its place", "LOCATION", 4, func() map[string]any {
			return post("/auth/authorization/issue", `{"ticket":"`+ticket+`","subject":"alice"}`)
		}},
		{"device that asks for more", "OK", 4, func() map[string]any {
			return post("/device/authorization", fmt.Sprintf(`{"parameters":"scope=openid&grant_management_action=merge&grant_id=%s","clientId":%q,"clientSecret":%q}`, id, b.acme.Client.ID, b.acme.Client.Secret))
		}},
		{"completion of more", "SUCCESS", 5, func() map[string]any {
			return post("/device/complete", fmt.Sprintf(`{"userCode":%q,"result":"AUTHORIZED","subject":"alice"}`, userCode))
		}},
		{"query", "OK", 1, func() map[string]any {
			return post("/gm", fmt.Sprintf(`{"gmAction":"QUERY","grantId":%q,"accessToken":%q}`, id, own))
		}},
		{"revoke", "NO_CONTENT", 1, func() map[string]any {
			return post("/gm", fmt.Sprintf(`{"gmAction":"REVOKE","grantId":%q,"accessToken":%q}`, id, own))
		}},
	} {
		b.counter.since()
		m := s.do()
		sent := b.counter.since()
		if m["action"] != s.action {
			t.Fatalf("%s: %v", s.operation, m)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
		if v, ok := m["ticket"].(string); ok {
			ticket = v
		}
		if v, ok := m["userCode"].(string); ok {
			userCode = v
		}
		if code, ok := m["authorizationCode"].(string); ok && id == "" {
			q := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {b.acme.Client.RedirectURIs[0]}}
			id = fmt.Sprint(post("/auth/token", `{"parameters":"`+q.Encode()+`","clientId":"`+b.acme.Client.ID+`","clientSecret":"`+b.acme.Client.Secret+`"}`)["grantId"])
		}
	}
}

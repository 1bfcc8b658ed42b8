package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestBudgetAuthorizationStore counts what the calls of a tenant's backend about what its subjects allowed send to PostgreSQL,
// as TestBudget does. No number depends on how much is on record.
func TestBudgetAuthorizationStore(t *testing.T) {
	b := newBench(t)
	const form = "application/x-www-form-urlencoded"
	of := func(sub string) string {
		return `{"sub":"` + sub + `","cid":"` + b.acme.Client.ID + `","scp":["openid","email"],"ate":"IDENTIFIER"}`
	}
	tokens := members(t, b.call(t, http.MethodPost, b.issuer+"/authz-store/rest/v3/authorizations?return=tokens", "application/json", of("alice"), "Authorization", "Bearer "+b.acme.APIToken))
	at, _ := tokens["access_token"].(string)
	rt, _ := tokens["refresh_token"].(string)
	if at == "" || rt == "" {
		t.Fatalf("no tokens: %v", tokens)
	}
	for _, c := range []struct {
		method, path, contentType, body string
		status, most                    int
	}{
		{http.MethodPost, "/authorizations?return=tokens", "application/json", of("bob"), http.StatusOK, 2},
		{http.MethodPost, "/authorizations", "application/json", of("carol"), http.StatusOK, 2},
		{http.MethodPut, "/authorizations", "application/json", of("alice"), http.StatusNoContent, 2},
		{http.MethodGet, "/authorizations?subject=alice", "", "", http.StatusOK, 1},
		{http.MethodGet, "/authorizations/count?subject=alice", "", "", http.StatusOK, 1},
		{http.MethodGet, "/subjects", "", "", http.StatusOK, 1},
		{http.MethodGet, "/subjects/count", "", "", http.StatusOK, 1},
		{http.MethodGet, "/clients", "", "", http.StatusOK, 1},
		{http.MethodGet, "/clients/count", "", "", http.StatusOK, 1},
		{http.MethodPost, "/inspection", form, "access_token=" + at, http.StatusOK, 2},
		{http.MethodPost, "/inspection", form, "refresh_token=" + rt, http.StatusOK, 2},
		{http.MethodPost, "/revocation", form, "access_token=" + at, http.StatusOK, 4},
		{http.MethodPost, "/revocation", form, "subject=alice", http.StatusNoContent, 2},
	} {
		b.counter.since()
		r := b.call(t, c.method, b.issuer+"/authz-store/rest/v3"+c.path, c.contentType, c.body, "Authorization", "Bearer "+b.acme.APIToken)
		if sent := b.counter.since(); r.StatusCode != c.status || len(sent) > c.most {
			t.Errorf("%s %s: %d, %d statements, %d are allowed:\n%s", c.method, c.path, r.StatusCode, len(sent), c.most, strings.Join(sent, "\n"))
		}
	}
}

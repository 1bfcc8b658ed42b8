package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestBudgetSessionStore counts what the calls of a tenant's backend about a session send to PostgreSQL, as TestBudget
// does: one reads it, ending it is one more, and one that was used just now is not written again.
func TestBudgetSessionStore(t *testing.T) {
	b := newBench(t)
	sid, _ := members(t, b.direct(t, `"sub_session":{"sub":"alice"}`))["sub_sid"].(string)
	if sid == "" {
		t.Fatal("no session")
	}
	at := b.issuer + "/session-store/rest/v2/sessions"
	withSID := map[bool]string{true: "SID", false: "X-None"}
	for _, c := range []struct {
		method, path, contentType, body string
		status, most                    int
	}{
		{http.MethodGet, "", "", "", http.StatusOK, 1},
		{http.MethodGet, "/data", "", "", http.StatusOK, 1},
		{http.MethodPut, "/data", "application/json", `{"theme":"dark"}`, http.StatusNoContent, 2},
		{http.MethodPut, "/subject-auth-life", "application/json", `{"auth_life":-1}`, http.StatusNoContent, 2},
		{http.MethodPut, "/subject-auth", "application/json", `{"acr":"loa2"}`, http.StatusNoContent, 2},
		{http.MethodDelete, "/data", "", "", http.StatusNoContent, 2},
		{http.MethodGet, "/count", "", "", http.StatusOK, 1},
		{http.MethodPut, "/claims", "application/json", `{"tier":"gold"}`, http.StatusNoContent, 2},
		{http.MethodGet, "?subject=alice", "", "", http.StatusOK, 1},
		{http.MethodDelete, "", "", "", http.StatusNoContent, 2},
		{http.MethodPost, "", "application/json", `{"sub":"bob"}`, http.StatusCreated, 2},
		{http.MethodGet, "?subject=bob", "", "", http.StatusOK, 1},
		{http.MethodDelete, "?subject=bob", "", "", http.StatusNoContent, 2},
	} {
		b.counter.since()
		r := b.call(t, c.method, at+c.path, c.contentType, c.body, "Authorization", "Bearer "+b.acme.APIToken, withSID[c.path == "" && c.method != http.MethodPost || strings.HasPrefix(c.path, "/")], sid)
		if sent := b.counter.since(); r.StatusCode != c.status || len(sent) > c.most {
			t.Errorf("%s %s: %d, %d statements, %d are allowed:\n%s", c.method, c.path, r.StatusCode, len(sent), c.most, strings.Join(sent, "\n"))
		}
	}
}

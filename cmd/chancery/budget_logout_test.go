package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetLogout counts what the end of a session sends to PostgreSQL, as TestBudget does, with a relying party that is
// told: it reads the session and ends it; what is owed is recorded in the same statement.
func TestBudgetLogout(t *testing.T) {
	b := newBench(t)
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	b.direct(t, `"sub_session":{"sub":"alice"}`)
	m := members(t, b.direct(t, `"sub_session":{"sub":"alice"}`))
	sid, _ := m["sub_sid"].(string)
	hint, _ := m["id_token"].(string)
	if sid == "" || hint == "" {
		t.Fatalf("no session: %v", m)
	}
	b.counter.since()
	r := b.call(t, http.MethodGet, b.issuer+"/logout?"+url.Values{"id_token_hint": {hint}}.Encode(), "", "", "Cookie", "chy-s-acme="+sid)
	if sent := b.counter.since(); r.StatusCode != http.StatusOK || len(sent) != 2 {
		t.Errorf("%d, %d statements, 2 are allowed:\n%s", r.StatusCode, len(sent), strings.Join(sent, "\n"))
	}
}

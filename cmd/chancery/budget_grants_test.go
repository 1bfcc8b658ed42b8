package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetExchange counts what token exchange sends to PostgreSQL, as TestBudget does: one statement, and one more to
// read a subject token that is stored.
func TestBudgetExchange(t *testing.T) {
	b := newBench(t)
	subject := func(encoding string) string {
		m := members(t, b.direct(t, `"sub_session":{"sub":"carol"},"access_token":{"encoding":"`+encoding+`"}`))
		token, _ := m["access_token"].(string)
		return token
	}
	jwt, identifier := subject("SELF_CONTAINED"), subject("IDENTIFIER")
	exchange := func(token string) *http.Response {
		return b.token(t, "/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token},
			"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "scope": {"email"}})
	}
	exchange(jwt) // warms snapshot and client
	for _, c := range []struct {
		operation, token string
		most             int
	}{{"exchange of a JWT", jwt, 1}, {"exchange of an identifier", identifier, 2}} {
		b.counter.since()
		r := exchange(c.token)
		sent := b.counter.since()
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", c.operation, r.StatusCode, members(t, r))
		}
		if len(sent) > c.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", c.operation, len(sent), c.most, strings.Join(sent, "\n"))
		}
	}
}

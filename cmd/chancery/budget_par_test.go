package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetPAR counts what a pushed request sends to PostgreSQL, as TestBudget does. Its use reads it, which is one more
// than a plain request costs.
func TestBudgetPAR(t *testing.T) {
	b := newBench(t)
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	b.api(t, "GET", "/unknown", "")                                        // and what the host stands for
	ask := url.Values{"response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid email"}}
	var uri, sid, subSID string
	start := func() *http.Response {
		more := ""
		if subSID != "" {
			more = fmt.Sprintf(`,"sub_sid":%q`, subSID)
		}
		return b.api(t, "POST", "", fmt.Sprintf(`{"query":%q%s}`, url.Values{"client_id": {b.acme.Client.ID}, "request_uri": {uri}}.Encode(), more))
	}
	push := func() *http.Response { return b.token(t, "/par", ask) }
	pushed := func(r *http.Response) { uri = fmt.Sprint(members(t, r)["request_uri"]) }
	begun := func(r *http.Response) { sid = fmt.Sprint(members(t, r)["sid"]) }
	for _, s := range []struct {
		operation    string
		status, most int
		do           func() *http.Response
		keep         func(*http.Response)
	}{
		{"PAR", 201, 1, push, pushed},
		{"authorization start", 200, 2, start, begun},
		{"subject step", 200, 7, func() *http.Response { return b.api(t, "PUT", "/"+sid, `{"sub":"alice"}`) }, func(r *http.Response) {
			m, _ := members(t, r)["sub_session"].(map[string]any)
			subSID = fmt.Sprint(m["sid"])
		}},
		{"consent step", 302, 7, func() *http.Response {
			return b.api(t, "PUT", "/"+sid, `{"scope":["openid","email"],"claims":["email","email_verified"],"long_lived":true}`)
		}, nil},
		{"start after the end", 220, 1, start, nil},
		{"PAR again", 201, 1, push, pushed},
		{"single sign-on completes at once", 302, 6, start, nil},
		{"PAR, for more", 201, 1, func() *http.Response { ask.Set("scope", "openid email phone"); return push() }, pushed},
		{"single sign-on asks for more consent", 200, 3, start, begun},
		{"denial", 302, 7, func() *http.Response { return b.api(t, "DELETE", "/"+sid, "") }, nil},
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

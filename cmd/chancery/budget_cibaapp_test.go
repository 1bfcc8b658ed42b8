package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBudgetCIBAApp counts what a native app that answers backchannel authentications sends to PostgreSQL, as TestBudget does: a
// poll is one statement, however much waits and whoever asks beside.
func TestBudgetCIBAApp(t *testing.T) {
	b := newBench(t)
	b.token(t, "/token", url.Values{"grant_type": {"client_credentials"}}) // warms snapshot, client
	sub := b.acme.User.Subject
	began := b.call(t, "POST", b.issuer+"/session-store/rest/v2/sessions", jsonType, `{"sub":"`+sub+`","ctx":"NIA"}`, "Authorization", "Bearer "+b.acme.APIToken)
	sid := began.Header.Get("SID")
	if sid == "" {
		t.Fatal("no session")
	}
	for range 5 {
		if r := b.token(t, "/ciba", url.Values{"scope": {"openid"}, "login_hint": {b.acme.User.Username}}); r.StatusCode != http.StatusOK {
			t.Fatal(r.Status)
		}
	}
	var waiting []struct {
		Token string `json:"callback_token"`
	}
	var ids []string
	bearer := func() string { return "Bearer " + waiting[0].Token }
	backend := func() string { return "Bearer " + b.acme.APIToken }
	for _, s := range []struct {
		operation     string
		status, most  int
		method, path  string
		kind, body    string
		authorization func() string
		into          any
	}{
		{"poll of the queue", 200, 1, "POST", "/ciba-sessions/rest/v1/queue/poll", "", "", func() string { return "SID " + sid }, &waiting},
		{"answer", 204, 2, "POST", "/ciba-sessions/rest/v1/authorize", jsonType, `{"sub":"` + sub + `"}`, bearer, nil},
		{"answer that was given", 401, 1, "POST", "/ciba-sessions/rest/v1/authorize", jsonType, `{"sub":"` + sub + `"}`, bearer, nil},
		{"what can be redeemed", 200, 1, "GET", "/authz-store/rest/v3/auth-req-ids", "", "", backend, &ids},
	} {
		b.counter.since()
		r := b.call(t, s.method, b.issuer+s.path, s.kind, s.body, "Authorization", s.authorization())
		sent := b.counter.since()
		if r.StatusCode != s.status || len(sent) > s.most {
			t.Fatalf("%s: %d, %d statements, at most %d are allowed:\n%s", s.operation, r.StatusCode, len(sent), s.most, strings.Join(sent, "\n"))
		}
		if s.into != nil {
			if err := json.NewDecoder(r.Body).Decode(s.into); err != nil {
				t.Fatal(s.operation, err)
			}
		}
	}
	if len(waiting) != 5 || len(ids) != 1 {
		t.Fatalf("%d wait, %d can be redeemed", len(waiting), len(ids))
	}
	hint := func() *http.Response {
		return b.call(t, "POST", b.issuer+"/sts/rest/v1/issuer", jsonType, `{"template":"login_hint_token","sub":"`+sub+`"}`, "Authorization", backend())
	}
	b.counter.since()
	if r, sent := hint(), b.counter.since(); r.StatusCode != http.StatusOK || len(sent) > 0 {
		t.Errorf("login hint: %d, %d statements:\n%s", r.StatusCode, len(sent), strings.Join(sent, "\n"))
	}
	b.counter.since()
	r := b.call(t, "POST", b.issuer+"/authz-store/rest/v3/inspection", formType, "auth_req_id="+ids[0], "Authorization", backend())
	if sent := b.counter.since(); r.StatusCode != http.StatusOK || len(sent) > 1 {
		t.Errorf("inspection: %d, %d statements:\n%s", r.StatusCode, len(sent), strings.Join(sent, "\n"))
	}
}

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/chancery-id/chancery/admin"
)

// TestChallengeBudget counts what each step of an authorization challenge sends to PostgreSQL with a warm snapshot.
func TestChallengeBudget(t *testing.T) {
	b := newBench(t)
	registered := members(t, b.call(t, http.MethodPost, b.issuer+"/clients", jsonType, `{"scope": "openid authorization_challenge", "redirect_uris": ["https://app.example/cb"],
		"authorization_challenge_endpoint_auth_method": "none"}`, "Authorization", "Bearer "+b.acme.APIToken))
	id, _ := registered["client_id"].(string)
	session := ""
	call := func(pairs ...string) *http.Response {
		form := url.Values{"client_id": {id}, "scope": {"openid"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		r := b.call(t, http.MethodPost, b.issuer+"/authorize-challenge", formType, form.Encode())
		return r
	}
	call() // warms snapshot and client
	for _, s := range []struct {
		operation string
		status    int
		do        func() *http.Response
	}{
		{"challenge, at once", http.StatusOK, func() *http.Response { return call("username", b.acme.User.Username, "password", b.acme.User.Password) }},
		{"challenge, first step", http.StatusUnauthorized, func() *http.Response { return call("use_auth_session", "true") }},
		{"challenge, second step", http.StatusUnauthorized, func() *http.Response { return call("auth_session", session, "username", b.acme.User.Username) }},
		{"challenge, wrong guess", http.StatusUnauthorized, func() *http.Response { return call("auth_session", session, "password", "wrong") }},
		{"challenge, last step", http.StatusOK, func() *http.Response { return call("auth_session", session, "password", b.acme.User.Password) }},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		m := members(t, r)
		if r.StatusCode != s.status {
			t.Fatalf("%s: %d %v", s.operation, r.StatusCode, m)
		}
		if len(sent) > 7 {
			t.Errorf("%s: %d statements, at most 7 are allowed:\n%s", s.operation, len(sent), strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of 7", s.operation, len(sent))
		session, _ = m["auth_session"].(string)
	}
}

// TestSecondFactorBudget counts what a code costs: at the challenge, in a step-up, and at the token endpoint.
func TestSecondFactorBudget(t *testing.T) {
	b := newBench(t)
	registered := members(t, b.call(t, http.MethodPost, b.issuer+"/clients", jsonType, `{"scope": "openid authorization_challenge", "redirect_uris": ["https://app.example/cb"],
		"grant_types": ["authorization_code", "refresh_token"], "authorization_challenge_endpoint_auth_method": "none"}`, "Authorization", "Bearer "+b.acme.APIToken))
	id, _ := registered["client_id"].(string)
	made, err := b.app.console.EnrolUserTOTP(t.Context(), b.acme.TenantID, b.acme.User.Subject, admin.By{})
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(made.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := b.app.console.ConfirmUserTOTP(t.Context(), b.acme.TenantID, b.acme.User.Subject, code, admin.By{})
	if err != nil {
		t.Fatal(err)
	}
	next := func() string {
		code := recovery[0]
		recovery = recovery[1:]
		return code
	}
	session := ""
	call := func(pairs ...string) *http.Response {
		form := url.Values{"client_id": {id}, "scope": {"openid"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return b.call(t, http.MethodPost, b.issuer+"/authorize-challenge", formType, form.Encode())
	}
	call() // warms snapshot and client
	name, word := b.acme.User.Username, b.acme.User.Password
	for _, s := range []struct {
		operation string
		status    int
		do        func() *http.Response
	}{
		{"challenge, password and code at once", http.StatusOK, func() *http.Response { return call("username", name, "password", word, "otp", next()) }},
		{"challenge, password", http.StatusUnauthorized, func() *http.Response { return call("username", name, "password", word) }},
		{"challenge, wrong code", http.StatusUnauthorized, func() *http.Response { return call("auth_session", session, "otp", "000000") }},
		{"challenge, code", http.StatusOK, func() *http.Response { return call("auth_session", session, "otp", next()) }},
		{"step-up, asked", http.StatusUnauthorized, func() *http.Response { return call("auth_session", session, "acr_values", "x") }},
		{"step-up, code", http.StatusOK, func() *http.Response { return call("auth_session", session, "otp", next()) }},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		m := members(t, r)
		if r.StatusCode != s.status {
			t.Fatalf("%s: %d %v", s.operation, r.StatusCode, m)
		}
		if len(sent) > 7 {
			t.Errorf("%s: %d statements, at most 7 are allowed:\n%s", s.operation, len(sent), strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of 7", s.operation, len(sent))
		if handle, _ := m["auth_session"].(string); handle != "" {
			session = handle
		}
	}
}

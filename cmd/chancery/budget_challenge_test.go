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

// TestScriptBudget counts what steps cost that a script of the tenant decides, which finds the user, checks the password and
// reads a secret.
func TestScriptBudget(t *testing.T) {
	b := newBench(t)
	const source = `exports.onChallenge = async (event, api) => {
		const username = event.parameters.username || event.attributes.username;
		if (!username) return api.next('username_required');
		if (!event.parameters.password) return api.next('password_required', {keep: {username}});
		const user = await api.user.verifyPassword(username, event.parameters.password);
		if (!user) return api.next('password_invalid');
		return api.allow(user.sub, {amr: ['pwd'], claims: {nickname: await api.secret('name')}});
	}`
	console, id := b.app.console, b.acme.TenantID
	if _, err := console.SaveScript(t.Context(), id, "login", source, "", admin.By{}); err != nil {
		t.Fatal(err)
	}
	if err := console.PutScriptSecret(t.Context(), id, "name", "al", admin.By{}); err != nil {
		t.Fatal(err)
	}
	if _, err := console.ActivateScript(t.Context(), id, "login", 0, admin.By{}); err != nil {
		t.Fatal(err)
	}
	r, err := console.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := console.UpdateTenant(t.Context(), id, r.Version, admin.Change{Patch: []byte(`{"challenge": {"default_acr": "urn:s", "steps": {"urn:s": "login"}}}`)}, admin.By{}); err != nil {
		t.Fatal(err)
	}
	if err := b.app.resolver.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	registered := members(t, b.call(t, http.MethodPost, b.issuer+"/clients", jsonType, `{"scope": "openid authorization_challenge", "redirect_uris": ["https://app.example/cb"],
		"authorization_challenge_endpoint_auth_method": "none"}`, "Authorization", "Bearer "+b.acme.APIToken))
	client, _ := registered["client_id"].(string)
	session := ""
	call := func(pairs ...string) *http.Response {
		form := url.Values{"client_id": {client}, "scope": {"openid"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return b.call(t, http.MethodPost, b.issuer+"/authorize-challenge", formType, form.Encode())
	}
	call() // warms snapshot, client and script
	for _, s := range []struct {
		operation string
		status    int
		most      int
		do        func() *http.Response
	}{
		{"step by script, nothing kept", http.StatusUnauthorized, 0, func() *http.Response { return call() }},
		{"step by script, first", http.StatusUnauthorized, 2, func() *http.Response { return call("username", b.acme.User.Username) }},
		{"step by script, wrong guess", http.StatusUnauthorized, 7, func() *http.Response { return call("auth_session", session, "password", "wrong") }},
		{"step by script, last", http.StatusOK, 7, func() *http.Response { return call("auth_session", session, "password", b.acme.User.Password) }},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		m := members(t, r)
		if r.StatusCode != s.status {
			t.Fatalf("%s: %d %v", s.operation, r.StatusCode, m)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
		if handle, _ := m["auth_session"].(string); handle != "" {
			session = handle
		}
	}
}

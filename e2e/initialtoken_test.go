package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// initialToken is an initial access token as its creator was told of it.
type initialToken struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	Uses  int    `json:"uses_left"`
}

// invite makes an initial access token.
func (x *tenant) invite(t testing.TB, terms map[string]any) (k initialToken) {
	t.Helper()
	call(t, http.MethodPost, x.at.url+"/admin/v1/tenants/"+x.TenantID+"/initial-tokens", bearer(x.at.adminToken), object(terms)).want(t, "201").read(t, &k)
	secret(k.Token)
	return k
}

// Initial access tokens (RFC 7591 §3): S137, S205.
func TestInitialAccessTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		all := s.url + "/admin/v1/tenants/" + x.TenantID + "/initial-tokens"
		register := func(x *tenant, token string, metadata map[string]any) reply {
			metadata["redirect_uris"] = []string{callback}
			return call(t, http.MethodPost, x.url("/clients"), bearer(token), object(metadata))
		}
		const uses = 3
		k := x.invite(t, map[string]any{"label": "partners", "scope": "openid orders", "uses": uses})
		for rule, r := range map[string]reply{
			"another tenant's":          register(other, k.Token, map[string]any{}),
			"one that was never made":   register(x, "chi_"+strings.Repeat("x", 43), map[string]any{}),
			"its id":                    register(x, k.ID, map[string]any{}),
			"in the query":              call(t, http.MethodPost, x.url("/clients?access_token="+k.Token), object(map[string]any{"redirect_uris": []string{callback}})),
			"as an API token":           x.api(t, http.MethodPost, "/authz-sessions/rest/v1", bearer(k.Token), object(map[string]any{"query": "a=b"})),
			"to make another of itself": call(t, http.MethodPost, all, bearer(k.Token), object(map[string]any{})),
			"to list clients":           call(t, http.MethodGet, x.url("/clients"), bearer(k.Token)),
		} {
			if r.StatusCode != http.StatusUnauthorized && r.StatusCode != http.StatusBadRequest {
				t.Errorf("S137 %s: %s", rule, r.outcome())
			}
		}
		if r := register(x, k.Token, map[string]any{"scope": "openid admin"}); !r.is("400 invalid_client_metadata") {
			t.Error("S137 a scope beyond it:", r.outcome())
		}

		// Many at once: each use is worth one client.
		var wg sync.WaitGroup
		outcomes := make([]reply, 64)
		for i := range outcomes {
			wg.Go(func() { outcomes[i] = register(x, k.Token, map[string]any{}) })
		}
		wg.Wait()
		made := 0
		for _, r := range outcomes {
			switch {
			case r.StatusCode == http.StatusCreated:
				var c client
				r.read(t, &c)
				secret(c.Secret, c.RegistrationToken)
				made++
				var shown struct{ Scope string }
				call(t, http.MethodGet, x.url("/clients/"+c.ID), bearer(c.RegistrationToken)).want(t, "200").read(t, &shown)
				if shown.Scope != "openid orders" {
					t.Error("its scope:", shown.Scope)
				}
			case !r.is("401 invalid_token"):
				t.Error("one too many:", r.outcome())
			}
		}
		if made != uses {
			t.Errorf("S137 %d uses made %d clients", uses, made)
		}

		var list struct {
			Tokens []initialToken `json:"initial_tokens"`
		}
		call(t, http.MethodGet, all, bearer(s.adminToken)).want(t, "200").read(t, &list)
		if len(list.Tokens) != 1 || list.Tokens[0] != (initialToken{ID: k.ID}) {
			t.Errorf("listed: %+v", list.Tokens)
		}
		second := x.invite(t, map[string]any{})
		call(t, http.MethodDelete, all+"/"+second.ID, bearer(s.adminToken)).want(t, "204")
		register(x, second.Token, map[string]any{}).want(t, "401 invalid_token")
		call(t, http.MethodPost, all, bearer(s.adminToken), object(map[string]any{"uses": -1})).want(t, "400 *")

		// The command line makes them as well; a registrant on openid-client uses one.
		out, err := s.run("initial-token", "create", x.TenantID, "--uses", "1", "--grant", "client_credentials", "-o", "json")
		if err != nil {
			t.Fatal(err)
		}
		var third initialToken
		if err := json.Unmarshal([]byte(out), &third); err != nil {
			t.Fatal(err)
		}
		secret(third.Token)
		p := startStranger(t, "assertion.js", map[string]any{"issuer": x.Issuer, "token": third.Token, "alg": "ES256"})
		var got struct {
			ClientID string         `json:"client_id"`
			Before   map[string]any `json:"introspected"`
		}
		p.hear(t, &got)
		if got.Before["active"] != true || got.Before["client_id"] != got.ClientID {
			t.Errorf("the registrant: %+v", got)
		}
		register(x, third.Token, map[string]any{}).want(t, "401 invalid_token")
	})
}

// A client's configuration endpoint repeats the registration access token, and replaces it when asked (RFC 7592 §2.2, §3).
func TestRegistrationAccessTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		own := x.url("/clients/" + c.ID)
		var shown, changed client
		call(t, http.MethodGet, own, bearer(c.RegistrationToken)).want(t, "200").read(t, &shown)
		if shown.RegistrationToken != c.RegistrationToken || shown.Secret != "" {
			t.Error("a read shows another token, or the secret")
		}
		call(t, http.MethodGet, own, bearer(x.APIToken)).want(t, "200").read(t, &changed)
		if changed.RegistrationToken != "" {
			t.Error("the master token is shown the client's own")
		}
		call(t, http.MethodPut, own, bearer(c.RegistrationToken), object(map[string]any{"client_id": c.ID, "redirect_uris": []string{callback},
			"refresh_registration_access_token": true})).want(t, "200").read(t, &changed)
		secret(changed.RegistrationToken)
		if changed.RegistrationToken == "" || changed.RegistrationToken == c.RegistrationToken {
			t.Error("it was not replaced")
		}
		call(t, http.MethodGet, own, bearer(c.RegistrationToken)).want(t, "401 invalid_token")
		call(t, http.MethodGet, own, bearer(changed.RegistrationToken)).want(t, "200")
	})
}

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// allTypes turns every response type on, and registers a client for them.
func (x *tenant) allTypes(t testing.TB, more map[string]any) *client {
	t.Helper()
	types := []string{"none", "id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"}
	x.patch(t, map[string]any{"authorization": map[string]any{"response_types": types}})
	metadata := map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "implicit", "refresh_token"},
		"response_types": append(types, "code")}
	for name, v := range more {
		metadata[name] = v
	}
	return x.register(t, metadata)
}

// back goes through an authorisation session for the tenant's user, and returns the URL that the client is called with.
func (x *tenant) back(t testing.TB, query url.Values) *url.URL {
	t.Helper()
	r := x.start(t, query, "")
	for _, answer := range []any{map[string]any{"sub": x.User.Subject, "amr": []string{"pwd"}}, grantAll} {
		if r.StatusCode == http.StatusOK {
			r = x.put(t, r, answer)
		}
	}
	u, err := url.Parse(r.want(t, "302").Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// openid-client takes code and ID token from one response, and checks the hashes, whoever asks the user.
func TestRelyingPartyHybrid(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		for _, way := range []string{"by our pages", "by the authorisation-session API"} {
			for _, implicit := range []bool{false, true} {
				c := x.allTypes(t, nil)
				var came *url.URL
				p := startStranger(t, "hybrid.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
					"redirect_uri": callback, "scope": "openid email", "implicit": implicit})
				p.signIn(t, x, func(t *testing.T, x *tenant, at string) *url.URL {
					came = signIns[way](t, x, at)
					return came
				})
				var learned map[string]any
				p.hear(t, &learned)
				if came.RawQuery != "" || !strings.Contains(came.Fragment, "id_token=") || strings.Contains(came.Fragment, "code=") == implicit {
					t.Errorf("%s: the response: %s", way, came)
				}
				if learned["sub"] != x.User.Subject || learned["iss"] != x.Issuer {
					t.Errorf("%s: ID token: %v", way, learned)
				}
				if implicit && learned["email"] != x.User.Username+"@example.com" {
					t.Errorf("%s: no claims in an ID token that comes alone: %v", way, learned)
				}
			}
		}
	})
}

// What tenant and client have not turned on is refused; what they have is answered by fragment, with tokens that work.
func TestResponseTypes(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		plain := x.confidential(t, callback)
		if got, _ := x.ask(t, plain.request("response_type", "code id_token")); got != "client unsupported_response_type" {
			t.Error("off at the tenant:", got)
		}
		c := x.allTypes(t, nil)
		if got, _ := x.ask(t, plain.request("response_type", "code id_token")); got != "client unauthorized_client" {
			t.Error("not registered by the client:", got)
		}
		var m struct {
			Types  []string `json:"response_types_supported"`
			Grants []string `json:"grant_types_supported"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).read(t, &m)
		if len(m.Types) != 8 || !strings.Contains(strings.Join(m.Grants, " "), "implicit") {
			t.Errorf("metadata: %q, %q", m.Types, m.Grants)
		}
		for _, opaque := range []bool{false, true} {
			x.patch(t, map[string]any{"tokens": map[string]any{"access_token_opaque": opaque}})
			came := x.back(t, c.request("response_type", "token code"))
			q, err := url.ParseQuery(came.Fragment)
			if err != nil || q.Get("token_type") != "Bearer" || q.Get("expires_in") != "600" || q.Get("state") != "the state" || q.Get("refresh_token") != "" {
				t.Errorf("the response: %s, %v", came, err)
			}
			secret(q.Get("code"), q.Get("access_token"))
			if !x.active(t, q.Get("access_token")) {
				t.Error("the access token is not active")
			}
			call(t, http.MethodGet, x.url("/userinfo"), bearer(q.Get("access_token"))).want(t, "200")
			k := issued(t, x.redeem(t, c, q.Get("code")))
			x.redeem(t, c, q.Get("code")).want(t, "400 invalid_grant")
			for _, token := range []string{k.Access, q.Get("access_token")} {
				if x.active(t, token) {
					t.Error("a token outlived the replay of the code of its response")
				}
			}
		}
		none := x.back(t, c.request("response_type", "none"))
		if q := none.Query(); len(q) != 2 || q.Get("state") != "the state" || q.Get("iss") != x.Issuer {
			t.Error("the response to none:", none)
		}
	})
}

// A ticket's verdict is answered with what the response gives, also to the tenant's backend.
func TestTicketHybrid(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.allTypes(t, nil)
		var a struct {
			Action  string `json:"action"`
			Ticket  string `json:"ticket"`
			Content string `json:"responseContent"`
			Access  string `json:"accessToken"`
			JWT     string `json:"jwtAccessToken"`
			ID      string `json:"idToken"`
			Code    string `json:"authorizationCode"`
			Life    int64  `json:"accessTokenDuration"`
		}
		x.api(t, http.MethodPost, "/api/auth/authorization", object(map[string]string{"parameters": c.request("response_type", "code id_token token").Encode()})).want(t, "200").read(t, &a)
		x.api(t, http.MethodPost, "/api/auth/authorization/issue", object(map[string]string{"ticket": a.Ticket, "subject": x.User.Subject})).want(t, "200").read(t, &a)
		secret(a.Access, a.JWT, a.ID, a.Code)
		_, fragment, _ := strings.Cut(a.Content, "#")
		q, err := url.ParseQuery(fragment)
		if err != nil || a.Action != "LOCATION" || q.Get("code") != a.Code || q.Get("access_token") != a.JWT || q.Get("id_token") != a.ID || a.Life != 600 || a.Access == "" {
			t.Errorf("%s %s: %v", a.Action, a.Content, err)
		}
		for _, token := range []string{a.Access, a.JWT} {
			if !x.active(t, token) {
				t.Error("an access token is not active")
			}
		}
	})
}

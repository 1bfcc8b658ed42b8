package authlete

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// documented are the actions of each call that answers with one.
var documented = map[string][]string{
	"/auth/authorization":                  {"INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM", "NO_INTERACTION", "INTERACTION"},
	"/auth/authorization/issue":            {"INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM"},
	"/auth/authorization/fail":             {"INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM"},
	"/auth/authorization/ticket/info":      {"OK", "NOT_FOUND", "CALLER_ERROR", "AUTHLETE_ERROR"},
	"/auth/authorization/ticket/update":    {"OK", "NOT_FOUND", "CALLER_ERROR", "AUTHLETE_ERROR"},
	"/gm":                                  {"OK", "NO_CONTENT", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CALLER_ERROR", "AUTHLETE_ERROR"},
	"/client/registration":                 {"CREATED", "BAD_REQUEST", "INTERNAL_SERVER_ERROR"},
	"/client/registration/get":             {"OK", "BAD_REQUEST", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR"},
	"/client/registration/update":          {"UPDATED", "BAD_REQUEST", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR"},
	"/client/registration/delete":          {"DELETED", "BAD_REQUEST", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR"},
	"/pushed_auth_req":                     {"CREATED", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "PAYLOAD_TOO_LARGE", "INTERNAL_SERVER_ERROR"},
	"/auth/token":                          {"INVALID_CLIENT", "INTERNAL_SERVER_ERROR", "BAD_REQUEST", "OK", "PASSWORD", "TOKEN_EXCHANGE", "JWT_BEARER", "ID_TOKEN_REISSUABLE", "NATIVE_SSO"},
	"/auth/token/issue":                    {"OK", "INTERNAL_SERVER_ERROR"},
	"/auth/token/fail":                     {"BAD_REQUEST", "INTERNAL_SERVER_ERROR"},
	"/auth/token/create":                   {"OK", "BAD_REQUEST", "FORBIDDEN", "INTERNAL_SERVER_ERROR"},
	"/auth/token/update":                   {"OK", "BAD_REQUEST", "FORBIDDEN", "NOT_FOUND", "INTERNAL_SERVER_ERROR"},
	"/idtoken/reissue":                     {"OK", "CALLER_ERROR", "INTERNAL_SERVER_ERROR"},
	"/auth/introspection":                  {"OK", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "INTERNAL_SERVER_ERROR"},
	"/auth/introspection/standard":         {"OK", "JWT", "BAD_REQUEST", "INTERNAL_SERVER_ERROR"},
	"/auth/revocation":                     {"INVALID_CLIENT", "BAD_REQUEST", "OK", "INTERNAL_SERVER_ERROR"},
	"/auth/userinfo":                       {"OK", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "INTERNAL_SERVER_ERROR"},
	"/auth/userinfo/issue":                 {"JSON", "JWT", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "INTERNAL_SERVER_ERROR"},
	"/backchannel/authentication":          {"INTERNAL_SERVER_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "USER_IDENTIFICATION"},
	"/backchannel/authentication/issue":    {"OK", "INVALID_TICKET", "INTERNAL_SERVER_ERROR"},
	"/backchannel/authentication/fail":     {"FORBIDDEN", "INTERNAL_SERVER_ERROR", "BAD_REQUEST"},
	"/backchannel/authentication/complete": {"NO_ACTION", "NOTIFICATION", "SERVER_ERROR"},
	"/device/authorization":                {"OK", "BAD_REQUEST", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR"},
	"/device/verification":                 {"VALID", "EXPIRED", "NOT_EXIST", "SERVER_ERROR"},
	"/device/complete":                     {"SUCCESS", "INVALID_REQUEST", "USER_CODE_EXPIRED", "USER_CODE_NOT_EXIST", "SERVER_ERROR"},
}

// never are the actions that no call comes to, with why.
var never = map[string]string{
	"/auth/token NATIVE_SSO": "Native SSO is not supported",
}

const cb = "https://client.example.org/cb"

// away is a body that is sent while the database does not answer.
type away m

// fields is a form of those pairs.
func fields(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// confidential is a request of a client of acme that has a secret.
func confidential(client string, pairs ...string) m {
	return m{"parameters": fields(pairs...), "clientId": client, "clientSecret": clientsSecret}
}

func TestEveryActionIsShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.tenants["acme"]
		acme.Settings.CIBA = tenant.CIBASettings{Enabled: true, Push: true}
		acme.Settings.Device = tenant.DeviceSettings{Enabled: true}
		acme.Settings.Grants = tenant.GrantSettings{Password: tenant.PasswordSettings{Enabled: true, Backend: true}, TokenExchange: tenant.ExchangeSettings{Enabled: true, Backend: true},
			JWTBearer: tenant.BearerSettings{Enabled: true, Backend: true}}
		every := []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials, oauth.Password, oauth.TokenExchange, oauth.JWTBearer, oauth.DeviceCode, oauth.CIBA}
		w.register(t, "every", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: every, BackchannelMode: "poll"})
		ping := tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: every, BackchannelMode: "ping"}
		ping.NotificationEndpoint = "https://client.example.org/told"
		w.register(t, "ping", ping)
		w.register(t, "asserting", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: every, JWKS: publicKeys(t)})
		w.register(t, "signed", tenant.Metadata{RedirectURIs: []string{cb}, Answers: tenant.Answers{UserInfoAlg: "RS256"}})
		w.register(t, "machine", tenant.Metadata{GrantTypes: []string{oauth.ClientCredentials}, ResponseTypes: []string{}, RedirectURIs: []string{cb}})
		w.register(t, "locked", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: []string{oauth.AuthorizationCode, oauth.RefreshToken}})
		locked := w.post(t, "/auth/token/create", creating("clientIdentifier", "locked"))
		w.lock(t, "locked")
		backchannel := func(client string) m {
			return confidential(client, "scope", "openid", "login_hint", "alice", "client_notification_token", "a-token-of-notifications")
		}
		begun := func(client string, acknowledged bool) any {
			a := w.post(t, "/backchannel/authentication", backchannel(client))
			if acknowledged {
				w.post(t, "/backchannel/authentication/issue", m{"ticket": a["ticket"]})
			}
			return a["ticket"]
		}
		code := func() any {
			return w.post(t, "/device/authorization", confidential("every", "scope", "openid"))["userCode"]
		}
		password := confidential("every", "grant_type", oauth.Password, "username", "alice", "password", "x")
		asserted := func() m {
			return w.post(t, "/auth/token", password)
		}
		overdue := code()
		w.move(time.Hour)
		tokens := w.post(t, "/auth/token", redeeming(w.code(t, "")))
		plain := w.post(t, "/auth/token/create", creating("scopes", []string{"read"}))
		sealed := w.post(t, "/auth/token/create", creating("clientIdentifier", "signed"))
		acme.Settings.GrantManagement.Enabled = true
		managed := w.post(t, "/auth/token", redeeming(w.code(t, "&grant_management_action=create")))["grantId"]
		registered := func(pairs ...string) m { return w.registered(t, pairs...) }
		long := m{"parameters": strings.Repeat("x", maxPushed+1)}
		pushing := asked("")
		shown := map[string]bool{}
		for _, c := range []struct {
			path, action string
			body         any
		}{
			{"/auth/authorization", "INTERNAL_SERVER_ERROR", away{"parameters": asked("")}},
			{"/auth/authorization", "BAD_REQUEST", m{"parameters": "client_id=nobody"}},
			{"/auth/authorization", "LOCATION", m{"parameters": asked("&prompt=bad")}},
			{"/auth/authorization", "FORM", m{"parameters": asked("&prompt=bad&response_mode=form_post")}},
			{"/auth/authorization", "NO_INTERACTION", m{"parameters": asked("&prompt=none")}},
			{"/auth/authorization", "INTERACTION", m{"parameters": asked("")}},
			{"/auth/authorization/issue", "INTERNAL_SERVER_ERROR", m{"ticket": w.ticket(t, "")}},
			{"/auth/authorization/issue", "BAD_REQUEST", m{"ticket": "x", "subject": "alice"}},
			{"/auth/authorization/issue", "LOCATION", m{"ticket": w.ticket(t, ""), "subject": "alice"}},
			{"/auth/authorization/issue", "FORM", m{"ticket": w.ticket(t, "&response_mode=form_post"), "subject": "alice"}},
			{"/auth/authorization/fail", "INTERNAL_SERVER_ERROR", m{"ticket": w.ticket(t, ""), "reason": "X"}},
			{"/auth/authorization/fail", "BAD_REQUEST", m{"ticket": "x", "reason": "DENIED"}},
			{"/auth/authorization/fail", "LOCATION", m{"ticket": w.ticket(t, ""), "reason": "DENIED"}},
			{"/auth/authorization/fail", "FORM", m{"ticket": w.ticket(t, "&response_mode=form_post"), "reason": "DENIED"}},
			{"/auth/authorization/ticket/info", "OK", m{"ticket": w.ticket(t, "")}},
			{"/auth/authorization/ticket/info", "NOT_FOUND", m{"ticket": "x"}},
			{"/auth/authorization/ticket/info", "CALLER_ERROR", m{"ticket": 1}},
			{"/auth/authorization/ticket/info", "AUTHLETE_ERROR", away{"ticket": w.ticket(t, "")}},
			{"/auth/authorization/ticket/update", "OK", m{"ticket": w.ticket(t, ""), "info": m{"context": "x"}}},
			{"/auth/authorization/ticket/update", "NOT_FOUND", m{"ticket": "x", "info": "x"}},
			{"/auth/authorization/ticket/update", "CALLER_ERROR", m{"ticket": w.ticket(t, "")}},
			{"/auth/authorization/ticket/update", "AUTHLETE_ERROR", away{"ticket": w.ticket(t, ""), "info": "x"}},
			{"/gm", "OK", m{"gmAction": "QUERY", "grantId": managed, "accessToken": w.manager(t, "app", oauth.GrantQueryScope)}},
			{"/gm", "AUTHLETE_ERROR", away{"gmAction": "QUERY", "grantId": managed, "accessToken": w.manager(t, "app", oauth.GrantQueryScope)}},
			{"/gm", "NO_CONTENT", m{"gmAction": "REVOKE", "grantId": managed, "accessToken": w.manager(t, "app", oauth.GrantRevokeScope)}},
			{"/gm", "NOT_FOUND", m{"gmAction": "REVOKE", "grantId": managed, "accessToken": w.manager(t, "app", oauth.GrantRevokeScope)}},
			{"/gm", "UNAUTHORIZED", m{"gmAction": "QUERY", "grantId": managed, "accessToken": "x"}},
			{"/gm", "FORBIDDEN", m{"gmAction": "QUERY", "grantId": managed, "accessToken": tokens["accessToken"]}},
			{"/gm", "CALLER_ERROR", m{}},
			{"/client/registration", "CREATED", m{"json": `{"redirect_uris":["https://dyn.example/cb"]}`}},
			{"/client/registration", "BAD_REQUEST", m{"json": `{}`}},
			{"/client/registration", "INTERNAL_SERVER_ERROR", away{"json": `{"redirect_uris":["https://dyn.example/cb"]}`}},
			{"/client/registration/get", "OK", registered()},
			{"/client/registration/get", "UNAUTHORIZED", m{"clientId": "nobody", "token": "x"}},
			{"/client/registration/get", "BAD_REQUEST", m{"clientId": "nobody", "token": "x", "lenient": true}},
			{"/client/registration/get", "INTERNAL_SERVER_ERROR", away(registered())},
			{"/client/registration/update", "UPDATED", registered("json", `{"client_id":"$","redirect_uris":["https://dyn.example/cb"]}`)},
			{"/client/registration/update", "UNAUTHORIZED", m{"clientId": "nobody", "token": "x", "json": "{}"}},
			{"/client/registration/update", "BAD_REQUEST", registered("json", `{"client_id":"$","redirect_uris":["x"]}`)},
			{"/client/registration/update", "INTERNAL_SERVER_ERROR", away(registered("json", `{"client_id":"$","redirect_uris":["https://dyn.example/cb"]}`))},
			{"/client/registration/delete", "DELETED", registered()},
			{"/client/registration/delete", "UNAUTHORIZED", m{"clientId": "nobody", "token": "x"}},
			{"/client/registration/delete", "BAD_REQUEST", m{"clientId": "nobody", "token": "x", "lenient": true}},
			{"/client/registration/delete", "INTERNAL_SERVER_ERROR", away(registered())},
			{"/pushed_auth_req", "CREATED", m{"parameters": pushing, "clientId": "app", "clientSecret": clientsSecret}},
			{"/pushed_auth_req", "BAD_REQUEST", m{"parameters": pushing + "&prompt=bad", "clientId": "app", "clientSecret": clientsSecret}},
			{"/pushed_auth_req", "UNAUTHORIZED", m{"parameters": pushing}},
			{"/pushed_auth_req", "FORBIDDEN", confidential("machine", "response_type", "code", "redirect_uri", cb)},
			{"/pushed_auth_req", "PAYLOAD_TOO_LARGE", long},
			{"/pushed_auth_req", "INTERNAL_SERVER_ERROR", away{"parameters": pushing, "clientId": "app", "clientSecret": clientsSecret}},
			{"/auth/token", "INVALID_CLIENT", m{"parameters": "grant_type=client_credentials", "clientId": "app", "clientSecret": "wrong"}},
			{"/auth/token", "INTERNAL_SERVER_ERROR", away(redeeming("x"))},
			{"/auth/token", "BAD_REQUEST", redeeming("x")},
			{"/auth/token", "OK", redeeming(w.code(t, ""))},
			{"/auth/token", "PASSWORD", password},
			{"/auth/token", "TOKEN_EXCHANGE", confidential("every", "grant_type", oauth.TokenExchange, "subject_token", tokens["jwtAccessToken"].(string), "subject_token_type", oauth.TypeAccessToken)},
			{"/auth/token", "JWT_BEARER", confidential("asserting", "grant_type", oauth.JWTBearer, "assertion",
				assertion(t, m{"iss": "asserting", "sub": "asserting", "aud": acme.Issuer, "exp": w.clock().Unix() + 60, "iat": w.clock().Unix(), "jti": "a"}))},
			{"/auth/token", "ID_TOKEN_REISSUABLE", confidential("app", "grant_type", oauth.RefreshToken, "refresh_token", w.post(t, "/auth/token", redeeming(w.code(t, "")))["refreshToken"].(string))},
			{"/auth/token/issue", "OK", m{"ticket": asserted()["ticket"], "subject": "alice"}},
			{"/auth/token/issue", "INTERNAL_SERVER_ERROR", m{"ticket": "x", "subject": "alice"}},
			{"/auth/token/fail", "BAD_REQUEST", m{"ticket": asserted()["ticket"], "reason": "INVALID_TARGET"}},
			{"/auth/token/fail", "INTERNAL_SERVER_ERROR", m{"ticket": asserted()["ticket"], "reason": "UNKNOWN"}},
			{"/auth/token/create", "OK", creating()},
			{"/auth/token/create", "BAD_REQUEST", m{}},
			{"/auth/token/create", "FORBIDDEN", creating("clientIdentifier", "locked")},
			{"/auth/token/create", "INTERNAL_SERVER_ERROR", away(creating())},
			{"/auth/token/update", "OK", m{"accessToken": plain["accessToken"], "properties": []m{}}},
			{"/auth/token/update", "BAD_REQUEST", m{}},
			{"/auth/token/update", "FORBIDDEN", m{"refreshToken": locked["refreshToken"]}},
			{"/auth/token/update", "NOT_FOUND", m{"accessToken": "x"}},
			{"/auth/token/update", "INTERNAL_SERVER_ERROR", away{"accessToken": plain["accessToken"]}},
			{"/idtoken/reissue", "OK", m{"accessToken": tokens["jwtAccessToken"], "refreshToken": tokens["refreshToken"]}},
			{"/idtoken/reissue", "CALLER_ERROR", m{}},
			{"/idtoken/reissue", "INTERNAL_SERVER_ERROR", away{"accessToken": tokens["accessToken"], "refreshToken": tokens["refreshToken"]}},
			{"/auth/introspection", "OK", m{"token": tokens["accessToken"]}},
			{"/auth/introspection", "BAD_REQUEST", m{}},
			{"/auth/introspection", "UNAUTHORIZED", m{"token": "x"}},
			{"/auth/introspection", "FORBIDDEN", m{"token": tokens["accessToken"], "scopes": []string{"x"}}},
			{"/auth/introspection", "INTERNAL_SERVER_ERROR", away{"token": tokens["accessToken"]}},
			{"/auth/introspection/standard", "OK", m{"parameters": "token=x"}},
			{"/auth/introspection/standard", "JWT", m{"parameters": "token=x", "rsUri": "https://api.example.org", "httpAcceptHeader": "application/token-introspection+jwt"}},
			{"/auth/introspection/standard", "BAD_REQUEST", m{"parameters": "x=y"}},
			{"/auth/introspection/standard", "INTERNAL_SERVER_ERROR", away{"parameters": "token=" + tokens["accessToken"].(string)}},
			{"/auth/revocation", "INVALID_CLIENT", m{"parameters": "token=x"}},
			{"/auth/revocation", "BAD_REQUEST", confidential("app", "x", "y")},
			{"/auth/revocation", "OK", confidential("app", "token", "x")},
			{"/auth/revocation", "INTERNAL_SERVER_ERROR", away(confidential("app", "token", tokens["accessToken"].(string)))},
			{"/auth/userinfo", "OK", m{"token": tokens["accessToken"]}},
			{"/auth/userinfo", "BAD_REQUEST", m{}},
			{"/auth/userinfo", "UNAUTHORIZED", m{"token": "x"}},
			{"/auth/userinfo", "FORBIDDEN", m{"token": plain["accessToken"]}},
			{"/auth/userinfo", "INTERNAL_SERVER_ERROR", away{"token": tokens["accessToken"]}},
			{"/auth/userinfo/issue", "JSON", m{"token": tokens["accessToken"], "claims": "{}"}},
			{"/auth/userinfo/issue", "JWT", m{"token": sealed["accessToken"], "claims": "{}"}},
			{"/auth/userinfo/issue", "BAD_REQUEST", m{}},
			{"/auth/userinfo/issue", "UNAUTHORIZED", m{"token": "x"}},
			{"/auth/userinfo/issue", "FORBIDDEN", m{"token": plain["accessToken"]}},
			{"/auth/userinfo/issue", "INTERNAL_SERVER_ERROR", away{"token": tokens["accessToken"]}},
			{"/backchannel/authentication", "INTERNAL_SERVER_ERROR", away(backchannel("every"))},
			{"/backchannel/authentication", "BAD_REQUEST", confidential("every", "scope", "openid")},
			{"/backchannel/authentication", "UNAUTHORIZED", m{"parameters": "scope=openid&client_id=every"}},
			{"/backchannel/authentication", "USER_IDENTIFICATION", backchannel("every")},
			{"/backchannel/authentication/issue", "OK", m{"ticket": begun("every", false)}},
			{"/backchannel/authentication/issue", "INVALID_TICKET", m{"ticket": "x"}},
			{"/backchannel/authentication/issue", "INTERNAL_SERVER_ERROR", m{"ticket": 1}},
			{"/backchannel/authentication/fail", "FORBIDDEN", m{"reason": "ACCESS_DENIED"}},
			{"/backchannel/authentication/fail", "INTERNAL_SERVER_ERROR", m{}},
			{"/backchannel/authentication/fail", "BAD_REQUEST", m{"reason": "UNKNOWN_USER_ID", "ticket": begun("every", false)}},
			{"/backchannel/authentication/complete", "NO_ACTION", m{"ticket": begun("every", true), "result": "AUTHORIZED", "subject": "alice"}},
			{"/backchannel/authentication/complete", "NOTIFICATION", m{"ticket": begun("ping", true), "result": "ACCESS_DENIED"}},
			{"/backchannel/authentication/complete", "SERVER_ERROR", m{"ticket": begun("every", false), "result": "AUTHORIZED", "subject": "alice"}},
			{"/device/authorization", "OK", confidential("every", "scope", "openid")},
			{"/device/authorization", "BAD_REQUEST", confidential("app", "scope", "openid")},
			{"/device/authorization", "UNAUTHORIZED", m{"parameters": "client_id=every"}},
			{"/device/authorization", "INTERNAL_SERVER_ERROR", away(confidential("every", "scope", "openid"))},
			{"/device/verification", "VALID", m{"userCode": code()}},
			{"/device/verification", "EXPIRED", m{"userCode": overdue}},
			{"/device/verification", "NOT_EXIST", m{"userCode": "x"}},
			{"/device/verification", "SERVER_ERROR", away{"userCode": code()}},
			{"/device/complete", "SUCCESS", m{"userCode": code(), "result": "TRANSACTION_FAILED"}},
			{"/device/complete", "INVALID_REQUEST", m{"userCode": code()}},
			{"/device/complete", "USER_CODE_EXPIRED", m{"userCode": overdue, "result": "ACCESS_DENIED"}},
			{"/device/complete", "USER_CODE_NOT_EXIST", m{"userCode": "x", "result": "ACCESS_DENIED"}},
			{"/device/complete", "SERVER_ERROR", away{"userCode": code(), "result": "ACCESS_DENIED"}},
		} {
			shown[c.path+" "+c.action] = true
			body, _ := c.body.(m)
			acme.Settings.Service.Unauthorized = body["lenient"] == nil
			acme.Settings.Tokens.IDTokenReissue = c.action == "ID_TOKEN_REISSUABLE"
			b, err := json.Marshal(c.body)
			if err != nil {
				t.Fatal(err)
			}
			rec := w.call("POST", w.api("acme", c.path), string(b), func(r *http.Request) {
				if _, ok := c.body.(away); ok {
					ctx, cancel := context.WithCancel(r.Context())
					cancel()
					*r = *r.WithContext(ctx)
				}
			})
			var got m
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK || got["action"] != c.action {
				t.Errorf("%s %s: %d %s", c.path, c.action, rec.Code, rec.Body)
			}
		}
		for _, e := range runtime {
			if documented[e.path] == nil && e.path != "/jose/verify" {
				t.Errorf("%s: its actions are not listed", e.path)
			}
		}
		for path, actions := range documented {
			if !slices.ContainsFunc(runtime, func(e endpoint) bool { return e.path == path }) {
				t.Errorf("%s: there is no such call", path)
			}
			for _, a := range actions {
				if name := path + " " + a; shown[name] == (never[name] != "") {
					t.Errorf("%s: shown %v, never: %q", name, shown[name], never[name])
				}
			}
		}
	})
}

// registered registers a client of acme by its metadata, and returns what it is told of itself by, and more. A $ in that is its id.
func (w *world) registered(t *testing.T, pairs ...string) m {
	t.Helper()
	w.tenants["acme"].Settings.Service.Registration = true
	a := content(t, w.post(t, "/client/registration", m{"json": `{"redirect_uris":["https://dyn.example/cb"]}`}))
	out := m{"clientId": a["client_id"], "token": a["registration_access_token"]}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = strings.ReplaceAll(pairs[i+1], "$", a["client_id"].(string))
	}
	return out
}

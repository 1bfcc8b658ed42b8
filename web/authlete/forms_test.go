package authlete

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// forms are the ways in which callers send the same request.
var forms = []struct {
	rule string
	send func(r *http.Request, body m)
}{
	{"JSON", func(*http.Request, m) {}},
	{"JSON with a charset", func(r *http.Request, _ m) { r.Header.Set("Content-Type", "application/json;charset=UTF-8") }},
	{"JSON in chunks", func(r *http.Request, _ m) { r.ContentLength, r.TransferEncoding = -1, []string{"chunked"} }},
	{"JSON with a slash behind the path", func(r *http.Request, _ m) { r.URL.Path += "/" }},
	{"a form", func(r *http.Request, body m) {
		v := url.Values{}
		for name, member := range body {
			switch member := member.(type) {
			case string:
				v.Set(name, member)
			case []string:
				v.Set(name, strings.Join(member, " "))
			}
		}
		rebody(r, v.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}},
	{"absent members as nulls, zeros and empty texts", func(r *http.Request, body m) {
		full := m{"unknown": m{"a": nil}}
		for name, v := range body {
			full[name] = v
		}
		for name, none := range map[string]any{"clientIdentifier": "", "clientId": nil, "clientSecret": nil, "clientCertificate": "", "clientCertificatePath": []string{}, "dpop": nil, "htm": "", "htu": "",
			"dpopNonceRequired": nil, "properties": []any{}, "accessTokenDuration": 0, "refreshTokenDuration": nil, "jwtAtClaims": "", "accessToken": nil, "authorizationDetails": nil, "scopes": nil,
			"resources": []string{}, "acrValues": nil, "maxAge": 0, "subject": nil, "sub": "", "acr": "", "authTime": 0, "claims": nil, "idtHeaderParams": "", "consentedClaims": []string{}, "context": nil,
			"withHiddenProperties": nil, "rsUri": "", "httpAcceptHeader": nil, "errorDescription": "", "errorUri": nil, "certificateThumbprint": "", "description": nil, "idTokenAudType": ""} {
			if _, given := full[name]; !given {
				full[name] = none
			}
		}
		b, _ := json.Marshal(full)
		rebody(r, string(b))
	}},
}

// rebody gives r another body.
func rebody(r *http.Request, body string) {
	n, _ := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	r.Body, r.ContentLength = n.Body, n.ContentLength
}

// Every call that answers with an action takes its request in every form.
func TestFormsOfRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		client := w.deciding(t)
		w.registered(t)
		w.tenants["acme"].Settings.GrantManagement.Enabled = true
		w.tenants["acme"].Settings.CIBA.Enabled, w.tenants["acme"].Settings.Device.Enabled = true, true
		made := w.answer(t, "/client/create", m{"clientType": "CONFIDENTIAL", "clientIdAlias": "desk", "responseTypes": []string{}, "grantTypes": []string{"CIBA", "DEVICE_CODE"}, "bcDeliveryMode": "POLL"})
		secret := made["clientSecret"].(string)
		desk := func(pairs ...string) m {
			return m{"parameters": fields(pairs...), "clientId": "desk", "clientSecret": secret}
		}
		begun := func() string {
			return w.post(t, "/backchannel/authentication", desk("scope", "openid", "login_hint", "alice"))["ticket"].(string)
		}
		acknowledged := func() string {
			ticket := begun()
			w.post(t, "/backchannel/authentication/issue", m{"ticket": ticket})
			return ticket
		}
		code := func() string { return w.post(t, "/device/authorization", desk("scope", "openid"))["userCode"].(string) }
		tokens := w.post(t, "/auth/token", redeeming(w.code(t, "")))
		token := tokens["jwtAccessToken"].(string)
		pending := func() string {
			p, _ := w.answer(t, "/auth/token", asks(client, "grant_type", "password", "username", "a", "password", "b"))["ticket"].(string)
			return p
		}
		calls := map[string]struct {
			action string
			body   func() m
		}{
			"/auth/authorization":               {"INTERACTION", func() m { return m{"parameters": asked("")} }},
			"/auth/authorization/issue":         {"LOCATION", func() m { return m{"ticket": w.ticket(t, ""), "subject": "alice"} }},
			"/auth/authorization/fail":          {"LOCATION", func() m { return m{"ticket": w.ticket(t, ""), "reason": "DENIED"} }},
			"/auth/authorization/ticket/info":   {"OK", func() m { return m{"ticket": w.ticket(t, "")} }},
			"/auth/authorization/ticket/update": {"OK", func() m { return m{"ticket": w.ticket(t, "")} }},
			"/auth/token":                       {"OK", func() m { return redeeming(w.code(t, "")) }},
			"/auth/token/issue":                 {"OK", func() m { return m{"ticket": pending(), "subject": "alice"} }},
			"/auth/token/fail":                  {"BAD_REQUEST", func() m { return m{"ticket": pending(), "reason": "INVALID_TARGET"} }},
			"/auth/token/create":                {"OK", func() m { return creating() }},
			"/auth/token/update":                {"OK", func() m { return m{"accessToken": token} }},
			"/idtoken/reissue":                  {"OK", func() m { return m{"accessToken": token, "refreshToken": tokens["refreshToken"].(string)} }},
			"/jose/verify":                      {"", func() m { return m{"jose": token} }},
			"/auth/introspection":               {"OK", func() m { return m{"token": token, "scopes": []string{"openid", "email"}} }},
			"/auth/introspection/standard":      {"OK", func() m { return m{"parameters": "token=" + token} }},
			"/auth/userinfo":                    {"OK", func() m { return m{"token": token} }},
			"/auth/userinfo/issue":              {"JSON", func() m { return m{"token": token} }},
			"/auth/revocation":                  {"OK", func() m { return m{"parameters": "token=x", "clientId": "app", "clientSecret": clientsSecret} }},
			"/gm": {"OK", func() m {
				id := w.post(t, "/auth/token", redeeming(w.code(t, "&grant_management_action=create")))["grantId"].(string)
				return m{"gmAction": "QUERY", "grantId": id, "accessToken": w.manager(t, "app", "grant_management_query").(string)}
			}},
			"/client/registration":     {"CREATED", func() m { return m{"json": `{"redirect_uris":["https://dyn.example/cb"]}`} }},
			"/client/registration/get": {"OK", func() m { return w.registered(t) }},
			"/client/registration/update": {"UPDATED", func() m {
				return w.registered(t, "json", `{"client_id":"$","redirect_uris":["https://dyn.example/cb"]}`)
			}},
			"/client/registration/delete":          {"DELETED", func() m { return w.registered(t) }},
			"/pushed_auth_req":                     {"CREATED", func() m { return m{"parameters": asked(""), "clientId": "app", "clientSecret": clientsSecret} }},
			"/backchannel/authentication":          {"USER_IDENTIFICATION", func() m { return desk("scope", "openid", "login_hint", "alice") }},
			"/backchannel/authentication/issue":    {"OK", func() m { return m{"ticket": begun()} }},
			"/backchannel/authentication/fail":     {"BAD_REQUEST", func() m { return m{"ticket": begun(), "reason": "UNKNOWN_USER_ID"} }},
			"/backchannel/authentication/complete": {"NO_ACTION", func() m { return m{"ticket": acknowledged(), "result": "AUTHORIZED", "subject": "alice"} }},
			"/device/authorization":                {"OK", func() m { return desk("scope", "openid") }},
			"/device/verification":                 {"VALID", func() m { return m{"userCode": code()} }},
			"/device/complete":                     {"SUCCESS", func() m { return m{"userCode": code(), "result": "AUTHORIZED", "subject": "alice"} }},
		}
		for _, e := range runtime {
			c, ok := calls[e.path]
			if !ok {
				t.Errorf("%s has no case", e.path)
				continue
			}
			for _, f := range forms {
				body := c.body()
				b, _ := json.Marshal(body)
				rec := w.call("POST", w.api("acme", e.path), string(b), func(r *http.Request) { f.send(r, body) })
				var got m
				if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK || c.action != "" && got["action"] != c.action || got["resultCode"].(string)[4] == '2' {
					t.Errorf("%s, %s: %d %s", e.path, f.rule, rec.Code, rec.Body)
				}
				for _, wrong := range strict(e.path, got) {
					t.Errorf("%s: %s", f.rule, wrong)
				}
			}
		}
	})
}

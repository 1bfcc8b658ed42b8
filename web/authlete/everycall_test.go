package authlete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// example is a call of acme that succeeds, in either generation.
type example struct {
	method, path string // as it is mounted
	action       string // that is answered; empty: none is
	status       int
	body         func() m              // nil: there is none
	list         func() []m            // a body that is an array
	names        map[string]func() any // what stands for the parameters of the path
	query        func() string
	number       func() string // of the service; nil: acme's
	operator     bool          // it is the operator's to call
}

// at is the path of the call in one generation, and what is shown there.
func (e *example) at(w *world, t *testing.T, second bool) (path, authorization string) {
	number := w.known(t)["$acme"]
	if e.number != nil {
		number = e.number()
	}
	path = e.path
	for name, value := range e.names {
		path = strings.ReplaceAll(path, name, fmt.Sprint(value()))
	}
	token := "chy_acme_api"
	if e.operator {
		token = adminToken
	}
	authorization = "Bearer " + token
	if second {
		authorization = basic(number, token)
	}
	ofService := slices.ContainsFunc(services, func(s endpoint) bool { return s.path == e.path })
	switch {
	case slices.Contains(platformPaths, e.path):
		if path = "/api" + path; !e.operator && !second {
			authorization = "Bearer " + adminToken // nothing else says whose token it is
		}
	case second && ofService:
		path = "/api" + path + "/" + number
	case second:
		path = "/api" + path
	default:
		path = "/api/" + number + path
	}
	if e.query != nil {
		path += "?" + e.query()
	}
	return path, authorization
}

// platformPaths are the calls that are about no one service.
var platformPaths = []string{"/info", "/service/get/list", "/service/create", "/misc/echo"}

// text is the body as JSON.
func (e *example) text(body any) string {
	if body == nil {
		return ""
	}
	b, _ := json.Marshal(body) // it is made of texts
	return string(b)
}

// sends is what the call sends, made anew.
func (e *example) sends() any {
	switch {
	case e.body != nil:
		return e.body()
	case e.list != nil:
		return e.list()
	}
	return nil
}

// everyCall are examples of all calls that there are.
func (w *world) everyCall(t *testing.T) (out []example) {
	acting := w.actingCalls(t)
	for _, e := range runtime {
		c, ok := acting[e.path]
		if !ok {
			t.Errorf("%s has no example", e.path)
			continue
		}
		out = append(out, example{method: http.MethodPost, path: e.path, action: c.action, status: 200, body: c.body})
	}
	for _, u := range unsupported {
		out = append(out, example{method: u.method, path: u.path, action: string(u.action), status: 200, names: map[string]func() any{":handle": func() any { return "x" }}})
	}
	managing := w.managingCalls(t)
	for _, e := range slices.Concat(management, services) {
		if !slices.ContainsFunc(managing, func(c example) bool { return c.method == e.method && c.path == e.path }) {
			t.Errorf("%s %s has no example", e.method, e.path)
		}
	}
	return append(out, managing...)
}

// actingCall is a call that answers with an action, and what to send.
type actingCall struct {
	action string
	body   func() m
}

func (w *world) actingCalls(t *testing.T) map[string]actingCall {
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
	return map[string]actingCall{
		"/auth/authorization":               {"INTERACTION", func() m { return m{"parameters": asked("")} }},
		"/auth/authorization/issue":         {"LOCATION", func() m { return m{"ticket": w.ticket(t, ""), "subject": "alice"} }},
		"/auth/authorization/fail":          {"LOCATION", func() m { return m{"ticket": w.ticket(t, ""), "reason": "DENIED"} }},
		"/auth/authorization/ticket/info":   {"OK", func() m { return m{"ticket": w.ticket(t, "")} }},
		"/auth/authorization/ticket/update": {"OK", func() m { return m{"ticket": w.ticket(t, ""), "info": "x"} }},
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
}

// managingCalls are examples of the calls that answer with a status.
func (w *world) managingCalls(t *testing.T) []example {
	client := func() any {
		return w.answer(t, "/client/create", m{"redirectUris": []string{"https://n.example/cb"}})["clientId"]
	}
	one := client()
	named := map[string]func() any{":clientId": func() any { return one }}
	pair := map[string]func() any{":clientId": func() any { return "app" }, ":subject": func() any { return "alice" }}
	created := func() string { return w.post(t, "/auth/token/create", creating())["accessToken"].(string) }
	alice := func() m { return m{"subject": "alice"} }
	ofAlice := func() string { return "subject=alice" }
	batch := func() any {
		rec := w.call("POST", w.api("acme", "/auth/token/create/batch"), `[{"grantType":"CLIENT_CREDENTIALS","clientIdentifier":"app"}]`, nil)
		return members(rec.Body.Bytes())["requestId"]
	}
	service := func() string {
		rec := w.call("POST", "/api/service/create", `{"serviceName":"N"}`, with("Authorization", "Bearer "+adminToken))
		return fmt.Sprintf("%.0f", members(rec.Body.Bytes())["apiKey"])
	}
	changed := sync.OnceValue(service) // once all before it was called: what it reads again is without what tests only set in memory
	scopes := func() m { return m{"requestableScopes": []string{"email", "phone"}} }
	object := func() m {
		return m{"clientName": "One", "redirectUris": []string{"https://n.example/cb", "https://n.example/cc"}, "grantTypes": []string{"AUTHORIZATION_CODE", "REFRESH_TOKEN"}, "clientType": "CONFIDENTIAL"}
	}
	about := func() m {
		return m{"serviceName": "Acme", "accessTokenDuration": 600, "supportedGrantTypes": []string{"AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS", "CIBA", "DEVICE_CODE"},
			"pkceRequired": false, "dynamicRegistrationSupported": true, "accessTokenSignAlg": "ES256"}
	}
	return []example{
		{method: "POST", path: "/client/create", status: 200, body: object},
		{method: "GET", path: "/client/get/list", status: 200, query: func() string { return "start=0&end=3" }},
		{method: "GET", path: "/client/get/:clientId", status: 200, names: named},
		{method: "POST", path: "/client/update/:clientId", status: 200, names: named, body: object},
		{method: "DELETE", path: "/client/delete/:clientId", status: 204, names: map[string]func() any{":clientId": client}},
		{method: "POST", path: "/client/lock_flag/update/:clientId", status: 200, names: named, body: func() m { return m{"clientLocked": false} }},
		{method: "GET", path: "/client/secret/refresh/:clientId", status: 200, names: named},
		{method: "POST", path: "/client/secret/update/:clientId", status: 200, names: named, body: func() m { return m{"clientSecret": clientsSecret} }},
		{method: "POST", path: "/client/extension/requestable_scopes/update/:clientId", status: 200, names: named, body: scopes},
		{method: "PUT", path: "/client/extension/requestable_scopes/update/:clientId", status: 200, names: named, body: scopes},
		{method: "GET", path: "/client/extension/requestable_scopes/get/:clientId", status: 200, names: named},
		{method: "DELETE", path: "/client/extension/requestable_scopes/delete/:clientId", status: 204, names: named},
		{method: "GET", path: "/client/authorization/get/list", status: 200, query: ofAlice},
		{method: "POST", path: "/client/authorization/get/list", status: 200, body: alice},
		{method: "GET", path: "/client/authorization/get/list/:subject", status: 200, names: pair},
		{method: "POST", path: "/client/authorization/update/:clientId", status: 200, names: pair, body: func() m { return m{"subject": "alice", "scopes": []string{"openid", "email"}} }},
		{method: "GET", path: "/client/granted_scopes/get/:clientId", status: 200, names: pair, query: ofAlice},
		{method: "GET", path: "/client/granted_scopes/get/:clientId/:subject", status: 200, names: pair},
		{method: "POST", path: "/client/granted_scopes/get/:clientId", status: 200, names: pair, body: alice},
		{method: "DELETE", path: "/client/granted_scopes/delete/:clientId", status: 200, names: pair, query: ofAlice},
		{method: "DELETE", path: "/client/granted_scopes/delete/:clientId/:subject", status: 200, names: pair},
		{method: "POST", path: "/client/granted_scopes/delete/:clientId", status: 200, names: pair, body: alice},
		{method: "GET", path: "/auth/token/get/list", status: 200, query: func() string { return "clientIdentifier=app&subject=alice&end=2" }},
		{method: "POST", path: "/auth/token/create/batch", status: 200, list: func() []m { return []m{creating()} }, query: func() string { return "dryRun=True" }},
		{method: "GET", path: "/auth/token/create/batch/status/:requestId", status: 200, names: map[string]func() any{":requestId": batch}},
		{method: "POST", path: "/auth/token/revoke", status: 200, body: func() m { return m{"accessTokenIdentifier": created()} }},
		{method: "DELETE", path: "/auth/token/delete/:token", status: 204, names: map[string]func() any{":token": func() any { return created() }}},
		{method: "GET", path: "/service/configuration", status: 200, query: func() string { return "pretty=True" }},
		{method: "POST", path: "/service/configuration", status: 200, body: func() m { return m{"pretty": true} }},
		{method: "GET", path: "/service/jwks/get", status: 200, query: func() string { return "includePrivateKeys=False&pretty=false" }},
		{method: "GET", path: "/service/get", status: 200},
		{method: "POST", path: "/service/update", status: 200, number: changed, operator: true, body: about},
		{method: "DELETE", path: "/service/delete", status: 204, number: service, operator: true},
		{method: "POST", path: "/service/create", status: 200, operator: true, body: about},
		{method: "GET", path: "/service/get/list", status: 200, query: func() string { return "start=0&end=2" }},
		{method: "GET", path: "/info", status: 200},
		{method: "GET", path: "/misc/echo", status: 200, query: func() string { return "a=b" }},
		{method: "DELETE", path: "/client/authorization/delete/:clientId", status: 200, names: pair, query: ofAlice},
		{method: "DELETE", path: "/client/authorization/delete/:clientId/:subject", status: 200, names: pair},
		{method: "POST", path: "/client/authorization/delete/:clientId", status: 200, names: pair, body: alice},
	}
}

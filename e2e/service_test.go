package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// service is a tenant as the numbered API's caller sees it, with a credential of its own.
type service struct {
	at     *server
	number int64
	secret string
}

// call makes a call to the service with its own credential, in one generation of the API or the other.
func (v *service) call(t *testing.T, old bool, method, path string, in any) reply {
	t.Helper()
	if old {
		return call(t, method, v.at.url+"/api"+path, basic(fmt.Sprint(v.number), v.secret), object(in))
	}
	return call(t, method, fmt.Sprint(v.at.url, "/api/", v.number, path), bearer(v.secret), object(in))
}

// action makes a call that is answered with that action, and reads the answer.
func (v *service) action(t *testing.T, old bool, path string, in any, want string) map[string]any {
	t.Helper()
	var out map[string]any
	v.call(t, old, http.MethodPost, path, in).want(t, "200").read(t, &out)
	if out["action"] != want {
		t.Fatalf("%s: %v, want %s", path, out, want)
	}
	return out
}

// signedIn runs a code flow of a client for alice, and returns what the token call answers.
func (v *service) signedIn(t *testing.T, old bool, id, secret string) map[string]any {
	t.Helper()
	q := url.Values{"response_type": {"code"}, "scope": {"openid"}, "client_id": {id}, "redirect_uri": {callback}}
	ticket := v.action(t, old, "/auth/authorization", map[string]any{"parameters": q.Encode()}, "INTERACTION")["ticket"]
	code := v.action(t, old, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}, "LOCATION")["authorizationCode"]
	q = url.Values{"grant_type": {"authorization_code"}, "code": {fmt.Sprint(code)}, "redirect_uri": {callback}}
	return v.action(t, old, "/auth/token", map[string]any{"parameters": q.Encode(), "clientId": id, "clientSecret": secret}, "OK")
}

// A service from its creation to its end, by nothing but the numbered API: it is set up, serves, is reset, and serves on.
func TestServiceLife(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		var made struct {
			Number int64  `json:"apiKey"`
			Secret string `json:"apiSecret"`
			Issuer string `json:"issuer"`
		}
		call(t, http.MethodPost, s.url+"/api/service/create", bearer(s.adminToken), object(map[string]any{"serviceName": "Shop",
			"authorizationEndpoint": "https://as.example/authorize", "supportedGrantTypes": []string{"AUTHORIZATION_CODE", "REFRESH_TOKEN"}})).
			want(t, "200").read(t, &made)
		secret(made.Secret)
		v := &service{s, made.Number, made.Secret}

		var client struct {
			Number int64  `json:"clientId"`
			Secret string `json:"clientSecret"`
		}
		v.call(t, false, http.MethodPost, "/client/create", map[string]any{"clientName": "Web", "redirectUris": []string{callback}, "description": "kept"}).want(t, "200").read(t, &client)
		secret(client.Secret)
		id := fmt.Sprint(client.Number)
		tokens := v.signedIn(t, false, id, client.Secret)
		if tokens["accessTokenDuration"] != 3600.0 {
			t.Errorf("a new service's tokens live for %v s", tokens["accessTokenDuration"])
		}

		var doc map[string]any
		call(t, http.MethodGet, fmt.Sprint(s.url, "/api/", v.number, "/service/configuration"), bearer(v.secret)).want(t, "200").read(t, &doc)
		if doc["authorization_endpoint"] != "https://as.example/authorize" || doc["issuer"] != made.Issuer {
			t.Errorf("the document says %v", doc)
		}

		// One member is enough: the rest is as in a service that says nothing, and it works, in both generations.
		var told map[string]any
		v.call(t, true, http.MethodPost, fmt.Sprint("/service/update/", v.number), map[string]any{"accessTokenDuration": 120}).want(t, "200").read(t, &told)
		if told["apiKey"] != float64(v.number) || told["accessTokenDuration"] != 120.0 || told["authorizationEndpoint"] != made.Issuer+"/authorize" || told["apiSecret"] != nil {
			t.Errorf("the service is %v", told)
		}
		if tokens := v.signedIn(t, true, id, client.Secret); tokens["accessTokenDuration"] != 120.0 {
			t.Errorf("tokens live for %v s", tokens["accessTokenDuration"])
		}
		q := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(tokens["refreshToken"])}}
		v.action(t, false, "/auth/token", map[string]any{"parameters": q.Encode(), "clientId": id, "clientSecret": client.Secret}, "OK")
		v.call(t, false, http.MethodPost, "/service/update", map[string]any{"issSuppressed": true}).want(t, "400")

		// A client by dynamic registration, once the service has it.
		v.action(t, false, "/client/registration", map[string]any{"json": `{"redirect_uris":["` + callback + `"]}`}, "BAD_REQUEST")
		v.call(t, false, http.MethodPost, "/service/update", map[string]any{"dynamicRegistrationSupported": true}).want(t, "200")
		dynamic := v.action(t, false, "/client/registration", map[string]any{"json": `{"redirect_uris":["` + callback + `"]}`}, "CREATED")["client"].(map[string]any)
		secret(fmt.Sprint(dynamic["clientSecret"]))
		v.signedIn(t, false, fmt.Sprint(dynamic["clientIdAlias"]), fmt.Sprint(dynamic["clientSecret"]))

		var granted struct {
			Latest []string `json:"latestGrantedScopes"`
		}
		v.call(t, false, http.MethodGet, "/client/granted_scopes/get/"+id+"/alice", nil).want(t, "200").read(t, &granted)
		if len(granted.Latest) != 1 || granted.Latest[0] != "openid" {
			t.Errorf("alice granted %v", granted.Latest)
		}

		// Another service's credential is nobody's here, and what is deleted is nobody's at all.
		other := s.newTenant(t)
		call(t, http.MethodGet, fmt.Sprint(s.url, "/api/", v.number, "/service/get"), bearer(other.APIToken)).want(t, "401")
		v.call(t, false, http.MethodDelete, "/service/delete", nil).want(t, "403")
		call(t, http.MethodDelete, fmt.Sprint(s.url, "/api/", v.number, "/service/delete"), bearer(s.adminToken)).want(t, "204")
		v.call(t, false, http.MethodGet, "/service/get", nil).want(t, "401")
	})
}

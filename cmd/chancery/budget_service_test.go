package main

import (
	"strconv"
	"strings"
	"testing"
)

// TestBudgetServices counts what the calls that manage a service send to PostgreSQL, as TestBudget does. They are rare.
func TestBudgetServices(t *testing.T) {
	b := newBench(t)
	id := b.acme.Client.ID
	for _, s := range []struct {
		operation, method, path, body string
		status, most                  int
	}{
		{"warming", "GET", "/client/get/" + id, "", 200, 12},
		{"service", "GET", "/service/get", "", 200, 5},
		{"replacement of a service", "POST", "/service/update", `{"serviceName":"Acme","description":"x","supportedGrantTypes":["AUTHORIZATION_CODE","REFRESH_TOKEN","CLIENT_CREDENTIALS","CIBA","DEVICE_CODE","TOKEN_EXCHANGE"],
			"supportedBackchannelTokenDeliveryModes":["PUSH"]}`, 200, 18}, // with what this instance reads again
		{"warming", "GET", "/client/get/" + id, "", 200, 12},
		{"document", "GET", "/service/configuration", "", 200, 0},
		{"client", "GET", "/client/get/" + id, "", 200, 1},
		{"clients", "GET", "/client/get/list", "", 200, 2},
		{"lock flag", "POST", "/client/lock_flag/update/" + id, `{"clientLocked":false}`, 200, 4},
		{"client's secret", "GET", "/client/secret/refresh/" + id, "", 200, 4},
		{"requestable scopes", "PUT", "/client/extension/requestable_scopes/update/" + id, `{"requestableScopes":["openid"]}`, 200, 4},
		{"granted scopes", "GET", "/client/granted_scopes/get/" + id + "/alice", "", 200, 2},
		{"granted scopes forgotten", "DELETE", "/client/granted_scopes/delete/" + id + "/alice", "", 200, 2},
		{"authorizations of a subject", "GET", "/client/authorization/get/list/alice", "", 200, 3},
		{"authorizations changed", "POST", "/client/authorization/update/" + id, `{"subject":"alice","scopes":["openid"]}`, 200, 3},
		{"authorizations deleted", "DELETE", "/client/authorization/delete/" + id + "/alice", "", 200, 2},
		{"all of a client revoked", "POST", "/auth/token/revoke", `{"clientIdentifier":"` + id + `"}`, 200, 3},
	} {
		contentType := ""
		if s.body != "" {
			contentType = jsonType
		}
		b.counter.since()
		r := b.call(t, s.method, "/api/"+strconv.FormatInt(b.acme.ServiceID, 10)+s.path, contentType, s.body, "Authorization", "Bearer "+b.acme.APIToken)
		sent := b.counter.since()
		if r.StatusCode != s.status {
			t.Fatalf("%s: %d", s.operation, r.StatusCode)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
	}
}

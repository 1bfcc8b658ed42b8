package authlete

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A client manages grants that are given on another device as it does those that are given in a browser.
func TestGrantsThatAreGivenElsewhereAreManaged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.tenants["acme"]
		acme.Settings.CIBA = tenant.CIBASettings{Enabled: true, Push: true}
		acme.Settings.Device.Enabled = true
		decided := []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.DeviceCode, oauth.CIBA}
		w.register(t, "desk", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: decided, BackchannelMode: oauth.Poll})
		pushed := tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: decided, BackchannelMode: oauth.Push}
		pushed.NotificationEndpoint = "https://client.example.org/told"
		w.register(t, "pushed", pushed)
		w.register(t, "box", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: []string{oauth.DeviceCode}, TokenEndpointAuthMethod: oauth.AuthNone})
		ask := func(client string, more ...string) m {
			return w.post(t, "/backchannel/authentication", confidential(client, append([]string{"login_hint", "alice", "client_notification_token", "a-token-of-notifications"}, more...)...))
		}
		redeem := func(grantType, name, value string) m {
			return w.post(t, "/auth/token", confidential("desk", "grant_type", grantType, name, value))
		}
		authorized := m{"result": "AUTHORIZED", "subject": "alice"}
		completed := func(path, name string, handle any, result m) m {
			t.Helper()
			body := m{name: handle}
			for k, v := range result {
				body[k] = v
			}
			return w.post(t, path+"/complete", body)
		}
		acknowledged := func(a m) (ticket, id string) {
			t.Helper()
			ticket, _ = a["ticket"].(string)
			if id, _ = w.post(t, "/backchannel/authentication/issue", m{"ticket": ticket})["authReqId"].(string); id == "" {
				t.Fatal(a)
			}
			return ticket, id
		}

		if got := ask("desk", "scope", "openid", "grant_management_action", "create"); got["gmAction"] != nil {
			t.Error("it is off:", got)
		}
		acme.Settings.GrantManagement.Enabled = true
		asked := ask("desk", "scope", "openid email", "grant_management_action", "create")
		ticket, req := acknowledged(asked)
		done := completed("/backchannel/authentication", "ticket", ticket, authorized)
		id, _ := done["grantId"].(string)
		if asked["gmAction"] != "CREATE" || id == "" {
			t.Fatal(asked, done)
		}
		first := redeem(oauth.CIBA, "auth_req_id", req)
		if first["grantId"] != id || content(t, first)["grant_id"] != id {
			t.Fatal(first)
		}

		for rule, got := range map[string]m{
			"an unknown grant":              ask("desk", "scope", "openid", "grant_management_action", "merge", "grant_id", "x"),
			"another client's":              ask("pushed", "scope", "openid", "grant_management_action", "merge", "grant_id", id),
			"no action":                     ask("desk", "scope", "openid", "grant_id", id),
			"a client without a secret":     w.post(t, "/device/authorization", m{"parameters": "client_id=box&grant_management_action=create"}),
			"an unknown grant, on a device": w.post(t, "/device/authorization", confidential("desk", "scope", "phone", "grant_management_action", "merge", "grant_id", "x")),
		} {
			if got["action"] != "BAD_REQUEST" || !strings.Contains(fmt.Sprint(got["responseContent"]), "invalid_") {
				t.Errorf("%s: %v", rule, got)
			}
		}
		acme.Settings.GrantManagement.ActionRequired = true
		if got := ask("desk", "scope", "openid"); got["action"] != "BAD_REQUEST" {
			t.Error("an action is required:", got)
		}
		acme.Settings.GrantManagement.ActionRequired = false

		// A device adds to it.
		asked = w.post(t, "/device/authorization", confidential("desk", "scope", "phone", "grant_management_action", "merge", "grant_id", id))
		code := asked["userCode"]
		for _, is := range []m{asked, w.post(t, "/device/verification", m{"userCode": code})} {
			if is["gmAction"] != "MERGE" || is["grantId"] != id || is["grantSubject"] != "alice" || fmt.Sprint(is["grant"].(m)["scopes"]) != "[map[scope:openid email]]" {
				t.Error(is)
			}
		}
		if got := completed("/device", "userCode", code, m{"result": "AUTHORIZED", "subject": "bob", "sub": "alice"}); got["action"] != "INVALID_REQUEST" {
			t.Error("another subject:", got)
		}
		if got := completed("/device", "userCode", code, authorized); got["action"] != "SUCCESS" {
			t.Fatal(got)
		}
		merged := redeem(oauth.DeviceCode, "device_code", asked["deviceCode"].(string))
		if merged["grantId"] != id || fmt.Sprint(merged["scopes"]) != "[openid email phone]" || w.standing(t, first["accessToken"])["subject"] != "alice" {
			t.Error(merged)
		}

		// Another request takes its place, and while that waits the agreement ends once.
		over, overReq := acknowledged(ask("desk", "scope", "openid", "grant_management_action", "merge", "grant_id", id))
		ticket, req = acknowledged(ask("desk", "scope", "openid read", "grant_management_action", "replace", "grant_id", id))
		if got := completed("/backchannel/authentication", "ticket", ticket, authorized); got["grantId"] != id {
			t.Error(got)
		}
		replaced := redeem(oauth.CIBA, "auth_req_id", req)
		if fmt.Sprint(replaced["scopes"]) != "[openid read]" || w.standing(t, replaced["accessToken"])["subject"] != "alice" {
			t.Error(replaced)
		}
		for _, old := range []m{first, merged} {
			if got := w.post(t, "/auth/introspection", m{"token": old["accessToken"]}); got["action"] != "UNAUTHORIZED" {
				t.Error("what was replaced lives:", got)
			}
		}
		if got := w.post(t, "/gm", m{"gmAction": "REVOKE", "grantId": id, "accessToken": w.manager(t, "app", oauth.GrantRevokeScope)}); got["action"] != "NOT_FOUND" {
			t.Error(got)
		}
		if _, err := w.db.RevokeManaged(t.Context(), acme.ID, id, "desk", w.clock(), w.clock(), audit.Event{At: w.clock(), Kind: audit.GrantRevoked}); err != nil {
			t.Fatal(err)
		}
		if got := completed("/backchannel/authentication", "ticket", over, authorized); got["action"] != "NO_ACTION" || got["grantId"] != nil {
			t.Error(got)
		}
		if got := redeem(oauth.CIBA, "auth_req_id", overReq); content(t, got)["error"] != "invalid_grant_id" {
			t.Error(got)
		}

		// Where tokens are pushed, so is the grant's id.
		ticket, _ = acknowledged(ask("pushed", "scope", "openid", "grant_management_action", "create"))
		if got := completed("/backchannel/authentication", "ticket", ticket, authorized); got["action"] != "NOTIFICATION" || got["grantId"] == nil || content(t, got)["grant_id"] != got["grantId"] ||
			got["jwtAccessToken"] != content(t, got)["access_token"] || w.standing(t, got["accessToken"])["grantId"] != got["grantId"] {
			t.Error(got)
		}
	})
}

package authlete

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// manager returns a token of app to ask about grants with, or of another client.
func (w *world) manager(t *testing.T, client, scope string) any {
	t.Helper()
	return w.post(t, "/auth/token/create", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": client, "scopes": []string{scope}})["accessToken"]
}

func TestGrantManagement(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.tenants["acme"]
		agree := func(subject, more string) m { // and returns the tokens
			t.Helper()
			a := w.post(t, "/auth/authorization", m{"parameters": asked("&" + more)})
			if a["action"] != "INTERACTION" {
				t.Fatal(more, a)
			}
			code, _ := w.post(t, "/auth/authorization/issue", m{"ticket": a["ticket"], "subject": subject})["authorizationCode"].(string)
			return w.post(t, "/auth/token", redeeming(code))
		}
		if got := agree("alice", "grant_management_action=create"); got["grantId"] != nil || content(t, got)["grant_id"] != nil {
			t.Error("off, and yet:", got)
		}
		acme.Settings.GrantManagement.Enabled = true
		first := agree("alice", "grant_management_action=create")
		id, _ := first["grantId"].(string)
		if id == "" || content(t, first)["grant_id"] != id {
			t.Fatal(first)
		}
		if is := w.standing(t, first["accessToken"]); is["grantId"] != id || fmt.Sprint(is["grant"]) == "<nil>" {
			t.Error(is)
		}
		if got := agree("alice", "x=y"); got["grantId"] != nil {
			t.Error("nothing was asked for:", got)
		}

		for rule, more := range map[string]string{
			"an unknown action":                  "grant_management_action=query",
			"a grant_id without action":          "grant_id=" + id,
			"a grant_id of what is to be new":    "grant_management_action=create&grant_id=" + id,
			"no grant_id of what is to be more":  "grant_management_action=merge",
			"an unknown grant_id":                "grant_management_action=merge&grant_id=x",
			"a grant_id of another subject":      "grant_management_action=merge&grant_id=" + id + "&claims=" + url.QueryEscape(`{"id_token":{"sub":{"value":"bob"}}}`),
			"a grant_id that stands there twice": "grant_management_action=merge&grant_id=" + id + "&grant_id=" + id,
		} {
			if got := w.post(t, "/auth/authorization", m{"parameters": asked("&" + more)}); got["action"] != "LOCATION" && got["action"] != "BAD_REQUEST" {
				t.Errorf("%s: %v", rule, got)
			}
		}
		acme.Settings.GrantManagement.ActionRequired = true
		if got := w.post(t, "/auth/authorization", m{"parameters": asked("")}); got["action"] != "LOCATION" {
			t.Error("an action is required:", got)
		}
		acme.Settings.GrantManagement.ActionRequired = false
		browser := "response_type=code&client_id=browser&redirect_uri=https%3A%2F%2Fclient.example.org%2Fspa&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
		if got := w.post(t, "/auth/authorization", m{"parameters": browser + "&grant_management_action=create"}); got["action"] != "LOCATION" {
			t.Error("a public client:", got)
		}

		// What the backend is told, and whom it may grant it for.
		a := w.post(t, "/auth/authorization", m{"parameters": asked("&grant_management_action=merge&scope=openid+phone&grant_id=" + id)})
		if a["action"] != "LOCATION" && a["action"] != "BAD_REQUEST" { // scope stands there twice
			t.Error(a)
		}
		more := "response_type=code&scope=openid+phone&client_id=app&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb&state=s1&grant_id=" + id
		a = w.post(t, "/auth/authorization", m{"parameters": more + "&grant_management_action=merge"})
		if a["gmAction"] != "MERGE" || a["grantId"] != id || a["grantSubject"] != "alice" || a["subject"] != "alice" || fmt.Sprint(a["grant"].(m)["scopes"]) != "[map[scope:openid email]]" {
			t.Fatal(a)
		}
		if got := w.post(t, "/auth/authorization/issue", m{"ticket": a["ticket"], "subject": "bob", "sub": "alice"}); got["action"] != "INTERNAL_SERVER_ERROR" {
			t.Error("another subject:", got)
		}
		code := w.post(t, "/auth/authorization/issue", m{"ticket": a["ticket"], "subject": "alice"})["authorizationCode"].(string)
		merged := w.post(t, "/auth/token", redeeming(code))
		if merged["grantId"] != id || fmt.Sprint(merged["scopes"]) != "[openid email phone]" {
			t.Error(merged)
		}

		query, revoke := w.manager(t, "app", oauth.GrantQueryScope), w.manager(t, "app", oauth.GrantRevokeScope)
		w.register(t, "other", tenant.Metadata{GrantTypes: []string{oauth.ClientCredentials}, ResponseTypes: []string{}, RedirectURIs: []string{cb}})
		foreign := w.manager(t, "other", oauth.GrantQueryScope)
		public := w.post(t, "/auth/token/create", creating("clientIdentifier", "browser", "scopes", []string{oauth.GrantQueryScope}))["accessToken"]
		told := w.post(t, "/gm", m{"gmAction": "QUERY", "grantId": id, "accessToken": query})
		if c := content(t, told); told["action"] != "OK" || fmt.Sprint(c["scopes"]) != "[map[scope:openid email phone]]" || len(c["claims"].([]any)) == 0 {
			t.Error(told)
		}
		for _, c := range []struct {
			rule, action string
			body         m
		}{
			{"no token", "UNAUTHORIZED", m{"gmAction": "QUERY", "grantId": id}},
			{"an unknown token", "UNAUTHORIZED", m{"gmAction": "QUERY", "grantId": id, "accessToken": "x"}},
			{"a token for other things", "FORBIDDEN", m{"gmAction": "QUERY", "grantId": id, "accessToken": revoke}},
			{"a token for other things, to revoke", "FORBIDDEN", m{"gmAction": "REVOKE", "grantId": id, "accessToken": query}},
			{"a token of a public client", "FORBIDDEN", m{"gmAction": "QUERY", "grantId": id, "accessToken": public}},
			{"a token of another client", "NOT_FOUND", m{"gmAction": "QUERY", "grantId": id, "accessToken": foreign}},
			{"an unknown grant", "NOT_FOUND", m{"gmAction": "QUERY", "grantId": "x", "accessToken": query}},
			{"no grant", "NOT_FOUND", m{"gmAction": "REVOKE", "accessToken": revoke}},
			{"an unknown action", "CALLER_ERROR", m{"gmAction": "CREATE", "grantId": id, "accessToken": query}},
			{"a proof without the request that it came with", "CALLER_ERROR", m{"gmAction": "QUERY", "grantId": id, "accessToken": query, "dpop": "x"}},
		} {
			got := w.post(t, "/gm", c.body)
			if got["action"] != c.action {
				t.Errorf("%s: %v", c.rule, got)
			}
		}

		// What is replaced is over.
		replaced := agree("alice", "grant_management_action=replace&grant_id="+id)
		for _, old := range []m{first, merged} {
			if is := w.standing(t, old["jwtAccessToken"]); is["usable"] == true {
				t.Error("what was replaced lives:", is)
			}
		}
		if c := content(t, w.post(t, "/gm", m{"gmAction": "QUERY", "grantId": id, "accessToken": query})); replaced["grantId"] != id || fmt.Sprint(c["scopes"]) != "[map[scope:openid email]]" {
			t.Error(replaced, c)
		}
		waiting := w.post(t, "/auth/authorization", m{"parameters": more + "&grant_management_action=merge"})
		if got := w.crowd(t, "/gm", m{"gmAction": "REVOKE", "grantId": id, "accessToken": revoke}); got["NO_CONTENT"] != 1 || got["NOT_FOUND"] != callers-1 {
			t.Error(got)
		}
		if is := w.standing(t, replaced["jwtAccessToken"]); is["usable"] == true {
			t.Error("what was revoked lives:", is)
		}
		late := w.post(t, "/auth/authorization/issue", m{"ticket": waiting["ticket"], "subject": "alice"})
		if back, _ := url.Parse(fmt.Sprint(late["responseContent"])); late["action"] != "LOCATION" || back.Query().Get("error") != "invalid_grant_id" {
			t.Error("what was revoked is joined:", late)
		}
		acme.Settings.GrantManagement.Enabled = false
		if got := w.post(t, "/gm", m{"gmAction": "QUERY", "grantId": id, "accessToken": query}); got["action"] != "CALLER_ERROR" {
			t.Error("off:", got)
		}
	})
}

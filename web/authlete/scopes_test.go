package authlete

import (
	"encoding/json"
	"fmt"
	"testing"
)

// What a service says of its scope values is told wherever they are objects, and a request that names none has the default ones.
func TestScopesAreToldAsTheServiceSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		change := func(body string) (int, m) {
			t.Helper()
			rec := w.call("POST", "/api/"+number+"/service/update", body, with("Authorization", "Bearer chy_acme_all"))
			return rec.Code, members(rec.Body.Bytes())
		}
		const read = `{"name":"read","defaultEntry":true,"description":"Read your data","descriptions":[{"tag":"de","value":"Daten lesen"}],"attributes":[{"key":"risk","value":"low"}]}`
		status, told := change(`{"supportedScopes":[{"name":"openid"},{"name":"email"},` + read + `,{"name":"write","defaultEntry":false}]}`)
		if status != 200 || len(told["supportedScopes"].([]any)) != 4 {
			t.Fatal(status, told)
		}
		want := "[map[attributes:[map[key:risk value:low]] defaultEntry:true description:Read your data descriptions:[map[tag:de value:Daten lesen]] name:read]]"
		const named = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb"
		for _, more := range []string{"", "&scope=read", "&scope=read+unknown"} {
			a := w.post(t, "/auth/authorization", m{"parameters": named + more})
			if got := fmt.Sprint(a["scopes"]); got != want {
				t.Errorf("%s: %s, want %s", more, got, want)
			}
		}
		if is := w.standing(t, w.post(t, "/auth/token/create", creating("scopes", []string{"read"}))["accessToken"]); fmt.Sprint(is["scopeDetails"]) != want {
			t.Error(is)
		}
		for _, key := range ineffective {
			if status, got := change(`{"supportedScopes":[{"name":"read","attributes":[{"key":"` + key + `","value":"1"}]}]}`); status != 400 || got["resultCode"] != "A013203" {
				t.Errorf("%s: %d %v", key, status, got)
			}
		}
		if status, _ := change(`{"supportedScopes":[{"name":"read","description":1}]}`); status != 400 {
			t.Error("a description that is no text:", status)
		}

		// A service that lists none takes any, also once what was told of it is written back.
		if status, told = change(`{}`); status != 200 || len(told["supportedScopes"].([]any)) != 6 {
			t.Fatal(status, told)
		}
		rec := w.call("GET", "/api/"+number+"/service/get", "", with("Authorization", "Bearer chy_acme_all"))
		if status, told = change(rec.Body.String()); status != 200 {
			t.Fatal(status, told)
		}
		a := w.post(t, "/auth/authorization", m{"parameters": named + "&scope=openid+read"})
		if fmt.Sprint(a["scopes"]) != "[map[defaultEntry:false name:openid] map[defaultEntry:false name:read]]" {
			t.Error(a["scopes"])
		}
		if a := w.post(t, "/auth/authorization", m{"parameters": named}); a["scopes"] != nil {
			t.Error("nothing is a default any more:", a["scopes"])
		}
	})
}

// A service that says where its grants are managed has them managed, and what it says is in its document.
func TestAServiceTurnsGrantManagementOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		call := func(method, path, body string) m {
			t.Helper()
			rec := w.call(method, "/api/"+number+path, body, with("Authorization", "Bearer chy_acme_all"))
			if rec.Code != 200 {
				t.Fatal(path, rec.Code, rec.Body)
			}
			return members(rec.Body.Bytes())
		}
		const theirs = "https://as.example/grants"
		ours := w.tenants["acme"].Issuer + "/grants"
		for _, c := range []struct {
			rule, sent string
			told       any // nil: it is off
		}{
			{"nothing", `{}`, nil},
			{"where they are managed", `{"grantManagementEndpoint":"` + theirs + `"}`, theirs},
			{"nothing any more", `{"serviceName":"Acme"}`, nil},
			{"that each request must say an action", `{"grantManagementActionRequired":true}`, ours},
			{"both", `{"grantManagementActionRequired":true,"grantManagementEndpoint":"` + theirs + `"}`, theirs},
			{"where we manage them", `{"grantManagementEndpoint":"` + ours + `"}`, ours},
		} {
			told := call("POST", "/service/update", c.sent)
			again := call("POST", "/service/update", remarshal(t, call("GET", "/service/get", "")))
			doc := call("GET", "/service/configuration", "")
			for _, got := range []any{told["grantManagementEndpoint"], again["grantManagementEndpoint"], doc["grant_management_endpoint"]} {
				if got != c.told {
					t.Errorf("%s: told %v, want %v", c.rule, got, c.told)
				}
			}
			if on := w.tenants["acme"].Settings.GrantManagement.Enabled; on != (c.told != nil) {
				t.Errorf("%s: on %v", c.rule, on)
			}
		}
		s := *w.tenants["acme"].Settings
		s.GrantManagement.Enabled = false
		w.set(t, s)
		if told := call("GET", "/service/get", ""); told["grantManagementEndpoint"] != nil {
			t.Error("it was turned off elsewhere, and is told:", told["grantManagementEndpoint"])
		}
	})
}

// remarshal is an answer as it is written back.
func remarshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

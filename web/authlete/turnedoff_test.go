package authlete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// A client keeps what its service has turned off since, and can be changed in everything else.
func TestAClientOfWhatIsOffCanBeChanged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := *w.tenants["acme"].Settings
		s.Grants.Password.Enabled, s.Grants.Password.Backend = true, true
		w.set(t, s)
		made := w.answer(t, "/client/create", m{"clientType": "CONFIDENTIAL", "grantTypes": []string{"AUTHORIZATION_CODE", "PASSWORD"}, "redirectUris": []string{"https://a.example/cb"}})
		s.Grants.Password.Enabled, s.Grants.Password.Backend = false, false
		w.set(t, s)
		id := fmt.Sprintf("/%v", made["clientId"])
		made["clientName"] = "Another name"
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/client/secret/refresh" + id, nil},
			{"POST", "/client/secret/update" + id, m{"clientSecret": "0123456789-0123456789_0123456789ab"}},
			{"POST", "/client/extension/requestable_scopes/update" + id, m{"requestableScopes": []string{"email"}}},
			{"POST", "/client/update" + id, made},
		} {
			b, _ := json.Marshal(c.body)
			if rec := w.call(c.method, w.api("acme", c.path), string(b), nil); rec.Code != http.StatusOK {
				t.Errorf("%s: %d %s", c.path, rec.Code, rec.Body)
			}
		}
	})
}

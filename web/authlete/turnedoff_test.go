package authlete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
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

// A request of a client that is locked is answered as the reference has it (1.3), whatever the client presents; to nobody else is
// that said.
func TestRequestsOfALockedClient(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		w.register(t, "shut", tenant.Metadata{RedirectURIs: []string{cb}})
		w.lock(t, "shut")
		for _, path := range []string{"/auth/authorization", "/auth/token", "/auth/revocation", "/pushed_auth_req", "/device/authorization", "/backchannel/authentication"} {
			for id, want := range map[string]string{"shut": "403 A001215", "nobody": "200 " + codesOf(path) + clients} {
				body, _ := json.Marshal(m{"parameters": "client_id=" + id + "&grant_type=client_credentials", "clientId": id, "clientSecret": "a wrong one"})
				rec := w.call("POST", w.api("acme", path), string(body), nil)
				if got := fmt.Sprint(rec.Code, " ", members(rec.Body.Bytes())["resultCode"]); got != want {
					t.Errorf("%s, %s: %s, want %s", path, id, got, want)
				}
			}
		}
	})
}

// codesOf begins the result codes of a call.
func codesOf(path string) string {
	for _, e := range runtime {
		if e.path == path {
			return e.codes
		}
	}
	return ""
}

// The purpose of a request is handed on.
func TestThePurposeOfARequest(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		if got := w.post(t, "/auth/authorization", m{"parameters": asked("&purpose=Open+an+account")}); got["purpose"] != "Open an account" {
			t.Error(got)
		}
	})
}

// A verifier that answers no challenge has a result code that callers know (section 19 of the reference).
func TestAVerifierWithoutAChallenge(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		sent := redeeming(w.code(t, ""))
		sent["parameters"] = sent["parameters"].(string) + "&code_verifier=" + strings.Repeat("v", 43)
		if got := w.post(t, "/auth/token", sent); got["action"] != "BAD_REQUEST" || got["resultCode"] != "A050317" || !strings.Contains(got["responseContent"].(string), "[A050317] ") {
			t.Error(got)
		}
	})
}

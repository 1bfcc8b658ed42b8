package authlete

import (
	"net/http"
	"strings"
	"testing"
)

// What is wrong with a client or a service is said in the words of the API, no scope value becomes two, and no lock is lost.
func TestWrongMembersAreNamed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct{ rule, path, body, said string }{
			{"a scope value with a space", "/client/create", `{"extension":{"requestableScopesEnabled":true,"requestableScopes":["read write"]}}`,
				"[A020201] extension.requestableScopes holds a value that is no scope value"},
			{"a scope value with a space, of a client that is there", "/client/update/app", `{"extension":{"requestableScopesEnabled":true,"requestableScopes":["read write"]}}`,
				"[A023201] extension.requestableScopes holds a value that is no scope value"},
			{"a duration of its tokens", "/client/create", `{"extension":{"accessTokenDuration":1000000}}`, "[A020201] extension.accessTokenDuration must be from 10 to 86400"},
			{"a lock at birth", "/client/create", `{"locked":true}`, "[A020203] locked is refused: /client/lock_flag/update locks a client"},
			{"a lock of a client that is not locked", "/client/update/app", `{"locked":true}`, "[A023203] locked is refused: /client/lock_flag/update locks a client"},
			{"a scope value of the service", "/service/update", `{"supportedScopes":[{"name":"read write"}]}`, "is no scope value"},
		} {
			rec := w.call("POST", w.api("acme", tt.path), tt.body, with("Authorization", "Bearer chy_acme_all"))
			if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), tt.said) {
				t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
			}
		}
	})
}

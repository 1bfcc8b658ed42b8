package connect2id

import (
	"net/http"
	"strings"
	"testing"
)

// What the security token service refuses to sign.
func TestTokensThatAreNotMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			rule, token, body string
			status            int
			want              string
		}{
			{"no template", "all", `{}`, 400, "invalid_request: template must be JAR, private_key_jwt or login_hint_token"},
			{"a template that there is not", "all", `{"template":"jar","client_id":"delegate"}`, 400, "invalid_request: template must be JAR, private_key_jwt or login_hint_token"},
			{"a member that there is not", "all", `{"template":"JAR","aud":"https://elsewhere.example"}`, 400, "invalid_request: Unknown JSON member at offset 18"},
			{"no JSON", "all", `{"template":`, 400, "invalid_request: Invalid JSON at offset 12"},
			{"a template that the token does not reach", "jar", `{"template":"private_key_jwt","client_id":"delegate"}`, 403, "insufficient_scope: The token does not reach this template"},
			{"nor this", "pkj", `{"template":"login_hint_token","sub":"alice"}`, 403, "insufficient_scope: The token does not reach this template"},
			{"nor this one", "hint", `{"template":"JAR","client_id":"delegate"}`, 403, "insufficient_scope: The token does not reach this template"},
			{"a token of another API", "keys", `{"template":"JAR","client_id":"delegate"}`, 403, "insufficient_scope: The token does not reach this API"},
			{"no client", "jar", `{"template":"JAR"}`, 400, "invalid_request: client_id names no client that is enabled"},
			{"a client that there is not", "jar", `{"template":"JAR","client_id":"none"}`, 400, "invalid_request: client_id names no client that is enabled"},
			{"a client that is disabled", "jar", `{"template":"JAR","client_id":"closed"}`, 400, "invalid_request: client_id names no client that is enabled"},
			{"a client with keys of its own", "jar", `{"template":"JAR","client_id":"signer"}`, 400, "invalid_request: the client has not registered the keys of this server as its own"},
			{"nor its assertion", "pkj", `{"template":"private_key_jwt","client_id":"signer"}`, 400, "invalid_request: the client has not registered the keys of this server as its own"},
			{"a client without keys", "jar", `{"template":"JAR","client_id":"plain"}`, 400, "invalid_request: the client has not registered the keys of this server as its own"},
			{"an assertion of a client with a secret", "pkj", `{"template":"private_key_jwt","client_id":"plain"}`, 400, "invalid_request: the client does not authenticate by private_key_jwt"},
			{"of a public client", "pkj", `{"template":"private_key_jwt","client_id":"app"}`, 400, "invalid_request: the client does not authenticate by private_key_jwt"},
			{"a life that is long", "jar", `{"template":"JAR","client_id":"delegate","lifetime":301}`, 400, "invalid_request: lifetime must be 1 to 300 seconds"},
			{"or none", "pkj", `{"template":"private_key_jwt","client_id":"delegate","lifetime":-1}`, 400, "invalid_request: lifetime must be 1 to 300 seconds"},
			{"a hint's", "hint", `{"template":"login_hint_token","sub":"alice","lifetime":301}`, 400, "invalid_request: lifetime must be 1 to 300 seconds"},
			{"another audience", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"aud":"https://elsewhere.example"}}`, 400, wrongParameter},
			{"another issuer", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"iss":"https://id.acme.example"}}`, 400, wrongParameter},
			{"a subject", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"sub":"delegate"}}`, 400, wrongParameter},
			{"an expiry", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"exp":1}}`, 400, wrongParameter},
			{"another client inside", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"client_id":"bank"}}`, 400, wrongParameter},
			{"a request inside", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"request":"x"}}`, 400, wrongParameter},
			{"nothing as a parameter", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"scope":null}}`, 400, wrongParameter},
			{"a request that is long", "jar", `{"template":"JAR","client_id":"delegate","parameters":{"state":"` + strings.Repeat("a", 16<<10) + `"}}`, 400, "invalid_request: the token would be longer than 16 KiB"},
			{"parameters of an assertion", "pkj", `{"template":"private_key_jwt","client_id":"delegate","parameters":{}}`, 400, "invalid_request: parameters are for a request object"},
			{"or a hint", "hint", `{"template":"login_hint_token","sub":"alice","parameters":{"a":1}}`, 400, "invalid_request: parameters are for a request object"},
			{"a subject of an assertion", "pkj", `{"template":"private_key_jwt","client_id":"delegate","sub":"bank"}`, 400, "invalid_request: sub is for a login hint"},
			{"a hint about nobody", "hint", `{"template":"login_hint_token"}`, 400, "invalid_request: sub must have 1 to 255 printable ASCII characters"},
			{"a hint for no client", "hint", `{"template":"login_hint_token","sub":"alice","client_id":"none"}`, 400, "invalid_request: client_id names no client that is enabled"},
		} {
			rec := w.call("POST", "/sts/rest/v1/issuer", tt.body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiToken("acme", tt.token)) })
			if rec.Code != tt.status || errorOf(rec) != tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
	})
}

const wrongParameter = "invalid_request: parameters holds what a request object must not hold, or what is not the caller's to say"

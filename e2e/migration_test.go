package e2e

import (
	"crypto/hmac"
	"crypto/sha512"
	"maps"
	"net/http"
	"testing"
	"time"
)

// byLongMAC signs with HS512.
func byLongMAC(secret string) func([]byte) []byte {
	return func(input []byte) []byte {
		h := hmac.New(sha512.New, []byte(secret))
		h.Write(input)
		return h.Sum(nil)
	}
}

// While a client changes its method of authentication it uses either, and no third one: S58.
func TestMigration(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, mine := s.newTenant(t), newSigner(t, "mine")
		metadata := map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "client_credentials"}, "token_endpoint_auth_method": "client_secret_basic"}
		c := x.register(t, metadata)
		update := func(more map[string]any) reply {
			t.Helper()
			m := maps.Clone(metadata)
			maps.Copy(m, more)
			return call(t, http.MethodPut, x.url("/clients/"+c.ID), bearer(x.APIToken), object(m))
		}
		const failed = "401 invalid_client"
		head := map[string]any{"alg": "ES256", "kid": "mine", "typ": "JWT"}
		byKey := func() reply {
			return call(t, http.MethodPost, x.url("/token"), asserts(forge(head, assertion(x, c, nil), mine.sign), "grant_type", "client_credentials"))
		}
		byBasic := func() reply {
			return call(t, http.MethodPost, x.url("/token"), c.auth(), form("grant_type", "client_credentials"))
		}
		byPost := func() reply {
			return call(t, http.MethodPost, x.url("/token"), form("grant_type", "client_credentials", "client_id", c.ID, "client_secret", c.Secret))
		}
		end := time.Now().Add(4 * time.Second).Unix()
		moved := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks(), "former_token_endpoint_auth_method": "client_secret_basic",
			"former_token_endpoint_auth_method_expires_at": end}
		for rule, change := range map[string]map[string]any{
			"none":                   {"former_token_endpoint_auth_method": "none"},
			"without an end":         {"former_token_endpoint_auth_method_expires_at": nil},
			"for longer than a year": {"former_token_endpoint_auth_method_expires_at": time.Now().Add(366 * 24 * time.Hour).Unix()},
		} {
			m := maps.Clone(moved)
			maps.Copy(m, change)
			if r := update(m); !r.is("400 invalid_client_metadata") {
				t.Errorf("a former method %s: %s", rule, r.outcome())
			}
		}
		byKey().want(t, failed)
		update(moved).want(t, "200")
		byKey().want(t, "200")
		byBasic().want(t, "200")
		byPost().want(t, failed)
		within(t, 6*time.Second, "the former method is over", func() bool { return byBasic().is(failed) })
		byKey().want(t, "200")
	})
}

// client_secret_jwt by HS512, with the secret of before during the overlap: S61, S64.
func TestLongSecrets(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		metadata := map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "client_credentials"},
			"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "HS512"}
		c := x.register(t, metadata)
		by := func(alg string, sign func([]byte) []byte) reply {
			t.Helper()
			return call(t, http.MethodPost, x.url("/token"), asserts(forge(map[string]any{"alg": alg}, assertion(x, c, nil), sign), "grant_type", "client_credentials"))
		}
		by("HS512", byLongMAC(c.Secret)).want(t, "200")
		by("HS256", byMAC([]byte(c.Secret))).want(t, "401 invalid_client")
		before := c.Secret
		metadata["refresh_client_secret"] = true
		call(t, http.MethodPut, x.url("/clients/"+c.ID), bearer(x.APIToken), object(metadata)).want(t, "200").read(t, c)
		secret(c.Secret)
		if c.Secret == before {
			t.Fatal("there is no new secret")
		}
		for _, secret := range []string{c.Secret, before} {
			by("HS512", byLongMAC(secret)).want(t, "200")
		}
	})
}

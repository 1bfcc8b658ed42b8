package e2e

import (
	"net/http"
	"testing"
	"time"
)

// Where ID tokens may be signed with the client's own secret, the client can write any: what it writes leads no login, and
// signs out nobody unasked, nor does a token of ours that was issued in another session (S100).
func TestHintsThatTheirClientCouldHaveMade(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"signing": map[string]any{"hmac": true}, "clients": map[string]any{"open_registration": true}})
		metadata := map[string]any{"redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{bye}, "token_endpoint_auth_method": "client_secret_basic",
			"grant_types": []string{"authorization_code", cibaGrant}, "id_token_signed_response_alg": "HS256"}
		c := x.register(t, metadata)
		metadata["grant_types"] = []string{"authorization_code"}
		var stray struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		call(t, http.MethodPost, x.url("/clients"), object(metadata)).want(t, "201").read(t, &stray)
		secret(stray.Secret)
		write := func(id, key string) string {
			now := time.Now().Unix()
			return forge(map[string]any{"alg": "HS256", "typ": "JWT"}, map[string]any{"iss": x.Issuer, "aud": id, "sub": x.User.Subject, "iat": now, "exp": now + 300}, byMAC([]byte(key)))
		}
		own := write(c.ID, c.Secret)

		if v := x.authorize(t, c.request("prompt", "none", "id_token_hint", own)); v.Get("error") != "invalid_request" {
			t.Errorf("at the authorization endpoint: %v", v)
		}
		x.ciba(t, c, "login_hint", "", "id_token_hint", own).want(t, "400 invalid_request")

		v := newVisitor(t)
		at := v.signIn(t, x, x.url("/authorize?"+c.request().Encode()))
		issued := issued(t, x.redeem(t, c, at.Query().Get("code"))).ID
		for rule, pairs := range map[string][]string{
			"a hint of its own making": {"id_token_hint", own}, "one of a client that registered itself": {"id_token_hint", write(stray.ID, stray.Secret)},
			"an ID token of another session": {"id_token_hint", x.tokens(t, x.confidential(t, callback)).ID},
		} {
			if rule != "an ID token of another session" {
				pairs = append(pairs, "post_logout_redirect_uri", bye)
			}
			if p := v.open(t, x.url("/logout?"+params(pairs...).Encode())); p.StatusCode != http.StatusOK || p.Header.Get("Location") != "" {
				t.Errorf("%s: %d to %q", rule, p.StatusCode, p.Header.Get("Location"))
			}
			if v.open(t, x.url("/authorize?"+c.request("prompt", "none").Encode())).at.Query().Get("code") == "" {
				t.Fatalf("%s has ended the session", rule)
			}
		}
		if p := v.open(t, x.url("/logout?"+params("id_token_hint", issued, "post_logout_redirect_uri", bye).Encode())); p.Header.Get("Location") != bye {
			t.Errorf("the ID token of this session: %d to %q", p.StatusCode, p.Header.Get("Location"))
		}
	})
}

package token

import (
	"bytes"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

func otherSecret(t *testing.T) keys.Secret {
	t.Helper()
	s, err := keys.NewSecret(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATokenRequestNamesItsGrant(t *testing.T) {
	for _, c := range []struct {
		rule   string
		client string
		params []string
		want   string
	}{
		{"it names none", "shop", []string{"code", "x"}, "invalid_request: grant_type is missing"},
		{"it names one that there is not", "shop", []string{"grant_type", "password"}, "unsupported_grant_type: grant_type is not supported"},
		{"the letter case counts", "shop", []string{"grant_type", "Refresh_Token"}, "unsupported_grant_type: grant_type is not supported"},
		{"one that the client did not register", "web", []string{"grant_type", oauth.ClientCredentials}, "unauthorized_client: the client may not use this grant_type"},
		{"one that the tenant did not turn on", "shop", []string{"grant_type", oauth.CIBA, "auth_req_id", "x"}, "unsupported_grant_type: grant_type is not supported"},
		{"another one", "shop", []string{"grant_type", oauth.DeviceCode, "device_code", "x"}, "unsupported_grant_type: grant_type is not supported"},
		{"a client that registered none has the code only", "web", []string{"grant_type", oauth.RefreshToken, "refresh_token", "x"}, "unauthorized_client: the client may not use this grant_type"},
		{"which it needs", "web", []string{"grant_type", oauth.AuthorizationCode}, "invalid_request: code is missing"},
		{"a refresh token is needed", "shop", []string{"grant_type", oauth.RefreshToken, "code", "x"}, "invalid_request: refresh_token is missing"},
	} {
		w := newWorld(t)
		out, err := w.ask(c.client, c.params...)
		if said(err) != c.want || out.AccessToken != "" {
			t.Errorf("%s: got %q, %+v", c.rule, said(err), out)
		}
	}
}

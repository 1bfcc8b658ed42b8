package request

import (
	"context"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// hinted are the claims of a good login_hint_token about alice, changed by pairs; nil leaves one out.
func hinted(pairs ...any) map[string]any {
	c := map[string]any{"iss": "app", "aud": issuer, "exp": noon.Add(time.Minute).Unix(), "sub_id": map[string]any{"format": "opaque", "id": "alice"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if c[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(c, pairs[i].(string))
		}
	}
	return c
}

func TestHintTokens(t *testing.T) {
	d := newDesk(t)
	const wrong = "invalid_request: login_hint_token is not signed by the client as it must be, or malformed"
	id := func(pairs ...string) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, tt := range []struct {
		rule, token string
		sub, hint   string
		err         string
	}{
		{"whom login_hint would name", d.sign(t, HintTokenType, hinted()), "", "alice", ""},
		{"a subject of this issuer", d.sign(t, HintTokenType, hinted("sub_id", id("format", "iss_sub", "iss", issuer, "sub", "sub-alice"))), "sub-alice", "", ""},
		{"but of no other", d.sign(t, HintTokenType, hinted("sub_id", id("format", "iss_sub", "iss", "https://other.example", "sub", "sub-alice"))), "", "", wrong},
		{"another format", d.sign(t, HintTokenType, hinted("sub_id", id("format", "email", "email", "a@example"))), "", "", wrong},
		{"nobody", d.sign(t, HintTokenType, hinted("sub_id", nil)), "", "", wrong},
		{"nobody in particular", d.sign(t, HintTokenType, hinted("sub_id", id("format", "opaque", "id", ""))), "", "", wrong},
		{"what cannot be stored", d.sign(t, HintTokenType, hinted("sub_id", id("format", "opaque", "id", "a\x00"))), "", "", wrong},
		{"one that has expired", d.sign(t, HintTokenType, hinted("exp", noon.Unix())), "", "", "expired_login_hint_token: login_hint_token has expired"},
		{"one that does not expire", d.sign(t, HintTokenType, hinted("exp", nil)), "", "", wrong},
		{"or not soon", d.sign(t, HintTokenType, hinted("exp", noon.Add(25*time.Hour).Unix())), "", "", wrong},
		{"one of tomorrow", d.sign(t, HintTokenType, hinted("nbf", noon.Add(time.Hour).Unix())), "", "", wrong},
		{"another issuer's", d.sign(t, HintTokenType, hinted("iss", "other")), "", "", wrong},
		{"for somebody else", d.sign(t, HintTokenType, hinted("aud", "https://other.example")), "", "", wrong},
		{"a request object", d.sign(t, "oauth-authz-req+jwt", hinted()), "", "", wrong},
		{"any JWT", d.sign(t, "JWT", hinted()), "", "", wrong},
		{"signed by another", newSigner(t).sign(t, HintTokenType, hinted()), "", "", wrong},
		{"signed with a secret", mac(t, secretOfApp, hinted()), "", "", wrong},
		{"not signed", segments(t, map[string]any{"alg": "none", "typ": HintTokenType}, hinted()) + ".", "", "", wrong},
		{"no token", "x", "", "", wrong},
	} {
		sub, hint, err := d.OpenHintToken(context.Background(), d.x, d.app, tt.token)
		if said(err) != tt.err || sub != tt.sub || hint != tt.hint {
			t.Errorf("%s: %q, %q, %v", tt.rule, sub, hint, said(err))
		}
	}
	none := client("none", tenant.Metadata{GrantTypes: []string{oauth.CIBA}})
	if _, _, err := d.OpenHintToken(context.Background(), d.x, none, d.sign(t, HintTokenType, hinted("iss", "none"))); said(err) != wrong {
		t.Errorf("a client without keys: %v", err)
	}
}

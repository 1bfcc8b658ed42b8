package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

func TestHintsOfOurOwn(t *testing.T) {
	d := newDesk(t)
	key, err := keys.Generate(keys.ES256, rand.Reader, noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	other, err := keys.Generate(keys.ES256, rand.Reader, noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if d.x.Secret, err = keys.NewSecret(bytes.Repeat([]byte{1}, 32)); err != nil {
		t.Fatal(err)
	}
	d.x.Keys = keys.NewSet([]keys.Key{key})
	sign := func(set *keys.Set, typ string, h any) string {
		b, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		token, err := set.Sign(t.Context(), noon, keys.ES256, typ, b)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	of := func(clientID string, change func(*Hint)) Hint {
		h := NewHint(d.x, "jti", "sub-alice", clientID, noon, time.Minute)
		if change != nil {
			change(&h)
		}
		return h
	}
	const wrong = "invalid_request: login_hint_token is not signed by the client as it must be, or malformed"
	for _, tt := range []struct {
		rule, token, err string
	}{
		{"for any client", sign(d.x.Keys, HintTokenType, of("", nil)), ""},
		{"for this client", sign(d.x.Keys, HintTokenType, of("app", nil)), ""},
		{"for another", sign(d.x.Keys, HintTokenType, of("other", nil)), wrong},
		{"one that has expired", sign(d.x.Keys, HintTokenType, of("", func(h *Hint) { h.EndsAt = noon.Unix() })), "expired_login_hint_token: login_hint_token has expired"},
		{"one that does not expire", sign(d.x.Keys, HintTokenType, of("", func(h *Hint) { h.EndsAt = 0 })), wrong},
		{"for somebody else", sign(d.x.Keys, HintTokenType, of("", func(h *Hint) { h.Audience = "https://other.example" })), wrong},
		{"a name taken from another", sign(d.x.Keys, HintTokenType, of("", func(h *Hint) { h.ID = "other" })), wrong},
		{"a name that is none", sign(d.x.Keys, HintTokenType, of("", func(h *Hint) { h.About.ID = "alice" })), wrong},
		{"about nobody", sign(d.x.Keys, HintTokenType, map[string]any{"iss": issuer, "aud": issuer, "exp": noon.Add(time.Minute).Unix()}), wrong},
		{"another JWT of ours", sign(d.x.Keys, "JWT", of("", nil)), wrong},
		{"signed by another", sign(keys.NewSet([]keys.Key{other}), HintTokenType, of("", nil)), wrong},
		{"signed by the client", d.sign(t, HintTokenType, hinted("iss", issuer)), wrong},
	} {
		sub, hint, err := d.OpenHintToken(context.Background(), d.x, d.app, tt.token)
		if said(err) != tt.err || (sub == "sub-alice") != (tt.err == "") || hint != "" {
			t.Errorf("%s: %q, %q, %v", tt.rule, sub, hint, said(err))
		}
	}
}

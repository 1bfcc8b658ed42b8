package logout

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

func TestNotice(t *testing.T) {
	w := newWorld(t)
	w.store.clients["told"] = &tenant.Client{ID: "told", Metadata: tenant.Metadata{BackchannelLogoutURI: "https://rp.example/out", IDTokenAlg: "ES256"}}
	common := map[string]any{"iss": w.tenant.Issuer, "aud": "told", "iat": 1772366400.0, "exp": 1772366520.0, "jti": "m-1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	for _, c := range []struct {
		rule   string
		detail outbox.LogoutDetail
		more   map[string]any
		want   error
	}{
		{"subject and session are told", outbox.LogoutDetail{Session: "s", Client: "told", Subject: "alice"}, map[string]any{"sub": "alice", "sid": grant.SID(w.tenant, "s", "told")}, nil},
		{"the session alone, where the client knows the subject by another name", outbox.LogoutDetail{Session: "s", Client: "told"}, map[string]any{"sid": grant.SID(w.tenant, "s", "told")}, nil},
		{"a client that is gone waits for nothing", outbox.LogoutDetail{Session: "s", Client: "gone"}, nil, outbox.ErrMoot},
		{"nor does one that does not want to know any more", outbox.LogoutDetail{Session: "s", Client: "shop"}, nil, outbox.ErrMoot},
	} {
		b, _ := json.Marshal(c.detail)
		m := &outbox.Message{ID: "m-1", Kind: outbox.Logout, Target: "https://rp.example/before", Detail: b}
		content, err := w.Notice(t.Context(), w.tenant, m)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
		if c.want != nil {
			continue
		}
		form, _ := url.ParseQuery(string(content.Body))
		payload, err := w.tenant.Keys.Verify(noon, "logout+jwt", form.Get("logout_token"))
		if err != nil {
			t.Fatalf("%s: %v", c.rule, err)
		}
		want := map[string]any{}
		for _, set := range []map[string]any{common, c.more} {
			for name, v := range set {
				want[name] = v
			}
		}
		var got map[string]any
		_ = json.Unmarshal(payload, &got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
		if m.Target != "https://rp.example/out" || content.Type != "application/x-www-form-urlencoded" || content.Authorization != "" {
			t.Errorf("%s: %+v to %s", c.rule, content, m.Target)
		}
		// It is no other kind of token (S79).
		if _, err := w.Issuer.ParseAccess(w.tenant, form.Get("logout_token")); err == nil {
			t.Error("a logout token is an access token")
		}
		if _, err := w.Issuer.ParseIDTokenHint(t.Context(), w.tenant, form.Get("logout_token")); err == nil {
			t.Error("a logout token is an ID token")
		}
	}
}

func TestEachClientKnowsASessionByAnotherName(t *testing.T) {
	w := newWorld(t)
	a := grant.SID(w.tenant, "s", "a")
	if a == grant.SID(w.tenant, "s", "b") || a == grant.SID(w.tenant, "t", "a") || a != grant.SID(w.tenant, "s", "a") || len(a) != 22 {
		t.Error("sid is not one for each session and client")
	}
}

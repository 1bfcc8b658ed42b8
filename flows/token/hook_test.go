package token

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// hooks is a Hooks that answers with one outcome or error, and keeps the events.
type hooks struct {
	outcome script.Outcome
	err     error
	events  []script.Event
}

func (h *hooks) Run(_ context.Context, _ *tenant.Tenant, ev script.Event) (script.Outcome, error) {
	h.events = append(h.events, ev)
	return h.outcome, h.err
}

// hook gives the tenant a hook of that name which answers so.
func (w *world) hook(name, answer string) *hooks {
	w.Helper()
	o, err := script.ParseOutcome([]byte(answer))
	if err != nil {
		w.Fatal(err)
	}
	h := &hooks{outcome: o}
	w.Hooks = h
	w.tenant.Settings.Hooks = map[string]tenant.Hook{name: {URL: "https://hooks.example/"}}
	return h
}

func TestAHookDecidesAboutClientCredentials(t *testing.T) {
	for _, c := range []struct {
		rule, answer string
		params       []string
		want         string
		scope        string
		aud          any
		claims       map[string]any // beside those of any
		life         time.Duration
	}{
		{"as asked", `{"action":"allow"}`, nil, "", "a b", nil, nil, 10 * time.Minute},
		{"less scope", `{"action":"allow","scope":["b"]}`, nil, "", "b", nil, nil, 10 * time.Minute},
		{"scope that it may not have, beside some that it may", `{"action":"allow","scope":"b admin"}`, nil, "", "b", nil, nil, 10 * time.Minute},
		{"scope beyond what was asked", `{"action":"allow","scope":"a b"}`, []string{"scope", "a"}, "", "a", nil, nil, 10 * time.Minute},
		{"scope that it may not have", `{"action":"allow","scope":"admin"}`, nil, "invalid_scope: nothing of this scope is granted", "", nil, nil, 0},
		{"fewer resources", `{"action":"allow","audience":["urn:two"]}`, []string{"resource", "urn:two", "resource", "https://one.example/"}, "", "a b", "urn:two", nil, 10 * time.Minute},
		{"other resources", `{"action":"allow","audience":["urn:three"]}`, []string{"resource", "urn:two"}, "invalid_target: none of these resources is granted", "", nil, nil, 0},
		{"claims, data and a life", `{"action":"allow","access_token":{"lifetime":60,"claims":{"role":"x"}},"data":{"k":1}}`, nil, "", "a b", nil,
			map[string]any{"role": "x", "dat": map[string]any{"k": 1.0}}, time.Minute},
		{"a life beyond the tenant's longest", `{"action":"allow","access_token":{"lifetime":100000000}}`, nil, "", "a b", nil, nil, 24 * time.Hour},
		{"refused", `{"action":"deny","error":"access_denied","error_description":"not today"}`, nil, "access_denied: not today", "", nil, nil, 0},
		{"refused as an outage", `{"action":"deny","error":"temporarily_unavailable"}`, nil, "server_error", "", nil, nil, 0},
		{"a step", `{"action":"next","error":"otp_required"}`, nil, "server_error", "", nil, nil, 0},
		{"a subject", `{"action":"allow","subject":"alice"}`, nil, "server_error", "", nil, nil, 0},
		{"a refresh token", `{"action":"allow","refresh_token":true}`, nil, "server_error", "", nil, nil, 0},
		{"an ID token", `{"action":"allow","id_token":true}`, nil, "server_error", "", nil, nil, 0},
		{"another issuer", `{"action":"allow","access_token":{"claims":{"iss":"https://evil.example"}}}`, nil, "server_error", "", nil, nil, 0},
		{"too much", `{"action":"allow","data":{"x":"` + strings.Repeat("x", 9000) + `"}}`, nil, "server_error", "", nil, nil, 0},
	} {
		w := newWorld(t)
		h := w.hook(tenant.HookClientCredentials, c.answer)
		out, err := w.ask("shop", append([]string{"grant_type", oauth.ClientCredentials, "x", "y"}, c.params...)...)
		if said(err) != c.want {
			t.Errorf("%s: got %q (%v)", c.rule, said(err), err)
			continue
		}
		if ev := h.events[0]; len(h.events) != 1 || ev.Client.ID != "shop" || ev.Request.Address != "192.0.2.1" || ev.Request.Parameters["x"][0] != "y" {
			t.Errorf("%s: asked %+v", c.rule, h.events)
		}
		if err != nil {
			if out.AccessToken != "" {
				t.Errorf("%s: got %+v", c.rule, out)
			}
			continue
		}
		got := w.claims(jwtAccess, out.AccessToken)
		want := map[string]any{"iss": w.tenant.Issuer, "sub": "shop", "client_id": "shop", "aud": c.aud, "iat": at, "exp": at + c.life.Seconds(), "scope": c.scope, "jti": got["jti"]}
		if c.aud == nil {
			want["aud"] = w.tenant.Issuer
		}
		for name, v := range c.claims {
			want[name] = v
		}
		if d := cmp.Diff(want, got); d != "" || out.Scope.String() != c.scope || out.ExpiresIn != c.life {
			t.Errorf("%s: %s", c.rule, d)
		}
	}
}

// A hook that cannot be asked denies, and is no reason for a client to give anything up.
func TestAHookThatFailsDenies(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{oauth.Unavailable(), "temporarily_unavailable: The service is temporarily unavailable"},
		{errors.Join(script.ErrAnswer), "server_error"},
	} {
		w := newWorld(t)
		w.hook(tenant.HookClientCredentials, `{"action":"allow"}`).err = c.err
		if out, err := w.ask("shop", "grant_type", oauth.ClientCredentials); said(err) != c.want || out.AccessToken != "" {
			t.Errorf("got %q, %+v", said(err), out)
		}
	}
}

// What a hook is told holds no credential that it was not to check.
func TestAHookIsToldNoCredentials(t *testing.T) {
	w := newWorld(t)
	h := w.hook(tenant.HookClientCredentials, `{"action":"allow"}`)
	if _, err := w.ask("shop", "grant_type", oauth.ClientCredentials, "client_secret", "mark", "client_assertion", "mark", "password", "mark", "tenant_hint", "x"); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(h.events[0].Request)
	if err != nil || strings.Contains(string(b), "mark") || !strings.Contains(string(b), "tenant_hint") {
		t.Errorf("%s, %v", b, err)
	}
}

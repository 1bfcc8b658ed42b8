package authorize

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var elliptic = sync.OnceValue(func() *keys.Set {
	k, err := keys.Generate(keys.ES256, rand.Reader, noon)
	if err != nil {
		panic(err)
	}
	return keys.NewSet([]keys.Key{k})
})

// accounts tell the name of everybody, or fail.
type accounts struct{ err error }

func (a accounts) Claims(_ context.Context, _ *tenant.Tenant, sub string, _, _ []string) (map[string]json.RawMessage, error) {
	return map[string]json.RawMessage{"name": json.RawMessage(`"` + sub + `"`)}, a.err
}

func openDirect(t *testing.T) *house {
	h := open(t)
	h.t.Keys = elliptic()
	h.t.Settings.Tokens.AccessTokenAlg, h.t.Settings.Tokens.IDTokenAlg = "ES256", "ES256"
	h.Accounts = accounts{}
	cs := h.t.Clients.(registry)
	cs["closed"] = &tenant.Client{ID: "closed", Disabled: true}
	cs["legacy"] = &tenant.Client{ID: "legacy", Metadata: tenant.Metadata{IDTokenAlg: "ES384"}}
	return h
}

// lasting is consent that is remembered, with a refresh token.
func lasting(scope ...string) Consent {
	return Consent{Scope: scope, LongLived: true, Offline: true, RefreshToken: grant.RefreshTerms{Issue: true}}
}

func (h *house) direct(d DirectRequest) (DirectResult, error) {
	if d.ClientID == "" {
		d.ClientID = "shop"
	}
	return h.Direct(context.Background(), h.t, d)
}

func TestDirectTokens(t *testing.T) {
	login := func(sub string) *session.Login { return &session.Login{Subject: sub, ACR: "2"} }
	for _, tt := range []struct {
		rule                       string
		d                          DirectRequest
		refresh, id, session       bool
		subject, actor, remembered string
	}{
		{"a subject gets an access token", DirectRequest{Subject: "alice", Consent: Consent{Scope: oauth.Scope{"openid"}}}, false, false, false, "alice", "", ""},
		{"and what is remembered a refresh token", DirectRequest{Subject: "alice", Consent: lasting("openid")}, true, false, false, "alice", "", "alice//shop"},
		{"a new session brings an ID token", DirectRequest{Login: login("alice"), Consent: Consent{Scope: oauth.Scope{"openid"}}}, false, true, true, "alice", "", ""},
		{"where it is one of OpenID Connect", DirectRequest{Login: login("alice"), Consent: Consent{Scope: oauth.Scope{"a"}}}, false, false, true, "alice", "", ""},
		{"another acts as the subject", DirectRequest{Login: login("admin"), Consent: func() Consent { c := lasting("openid"); c.Impersonated = "alice"; return c }()}, true, true, true, "alice", "admin", "alice/admin/shop"},
		{"also without a session", DirectRequest{Subject: "admin", Consent: Consent{Impersonated: "alice"}}, false, false, false, "alice", "admin", ""},
		{"but nobody as itself", DirectRequest{Subject: "alice", Consent: Consent{Impersonated: "alice"}}, false, false, false, "alice", "", ""},
		{"no refresh token for a client that cannot use it", DirectRequest{ClientID: "plain", Subject: "alice", Consent: lasting("a")}, false, false, false, "alice", "", "alice//plain"},
	} {
		h := openDirect(t)
		out, err := h.direct(tt.d)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		g := h.store.grants[0]
		if (out.RefreshToken != "") != tt.refresh || (out.IDToken != "") != tt.id || (out.SID != "") != tt.session || out.AccessToken == "" || out.TokenType != "Bearer" {
			t.Errorf("%s: got %+v", tt.rule, out)
		}
		if g.Subject != tt.subject || g.Actor != tt.actor || g.Code != nil || (g.Refresh != nil) != tt.refresh || (g.SessionID != "") != tt.session {
			t.Errorf("%s: grant %+v", tt.rule, g)
		}
		end := noon.Add(10 * time.Minute)
		if tt.refresh {
			end = noon.Add(90 * 24 * time.Hour)
		}
		if !g.ExpiresAt.Equal(end) {
			t.Errorf("%s: it ends %v", tt.rule, g.ExpiresAt)
		}
		if _, ok := h.store.authorizations[tt.remembered]; ok != (tt.remembered != "") || len(h.store.authorizations) > 1 {
			t.Errorf("%s: remembered %+v", tt.rule, h.store.authorizations)
		}
		if tt.session {
			n := h.store.sessions[g.SessionID]
			if d := cmp.Diff([]string{"shop"}, n.Clients); d != "" || out.SID != h.Sessions.Handle(h.t, &n) || g.Terms.Login.ACR != "2" || g.Terms.Login.AuthTime != noon.Unix() {
				t.Errorf("%s: session %+v, %+v", tt.rule, n, g.Terms.Login)
			}
		}
	}
}

func TestDirectInASession(t *testing.T) {
	h := openDirect(t)
	sid := h.session("alice", func(n *session.Session) {
		n.UsedAt, n.AuthTime, n.Claims = noon.Add(-time.Hour), noon.Add(-2*time.Hour), json.RawMessage(`{"ip":"x"}`)
	})
	h.remember("shop", oauth.Scope{"a"}, []string{"name"}, grant.Terms{})
	c := lasting("openid", "b")
	c.Claims = []string{"id_token:name", "email"}
	out, err := h.direct(DirectRequest{SID: sid, Consent: c})
	if err != nil || out.SID != "" || out.IDToken == "" {
		t.Fatalf("got %+v, %v", out, err)
	}
	payload, err := h.t.Keys.Verify(noon, "JWT", out.IDToken)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil || claims["name"] != "alice" || claims["ip"] != "x" || claims["email"] != nil || claims["auth_time"] != nil {
		t.Errorf("ID token: %s", payload)
	}
	if d := cmp.Diff([]string{h.store.grants[0].SessionID}, h.store.touched); d != "" {
		t.Errorf("touched: %s", d)
	}
	a := h.store.authorizations["alice//shop"]
	if d := cmp.Diff(oauth.Scope{"a", "openid", "b"}, a.Scope); d != "" {
		t.Errorf("scope: %s", d)
	}
	if d := cmp.Diff([]string{"name", "email"}, a.Claims); d != "" {
		t.Errorf("claims: %s", d)
	}
	if strings.Contains(string(a.Terms), "ip") || !strings.Contains(string(a.Terms), `"refresh_token":{"issue":true}`) {
		t.Errorf("terms: %s", a.Terms)
	}
	if out, err = h.direct(DirectRequest{ClientID: "plain", SID: sid, Consent: Consent{Scope: oauth.Scope{"openid"}}}); err != nil {
		t.Fatal(err)
	}
	if payload, err = h.t.Keys.Verify(noon, "JWT", out.IDToken); err != nil || json.Unmarshal(payload, &claims) != nil || claims["auth_time"] == nil {
		t.Errorf("a client that demands auth_time: %s, %v", payload, err)
	}
}

func TestDirectRefusals(t *testing.T) {
	invalid := func(d string) error { return oauth.InvalidRequest(d) }
	openid := Consent{Scope: oauth.Scope{"openid"}}
	for _, tt := range []struct {
		rule string
		d    DirectRequest
		want error
	}{
		{"an unknown client", DirectRequest{ClientID: "nobody", Subject: "alice"}, tenant.ErrNoClient},
		{"a disabled client", DirectRequest{ClientID: "closed", Subject: "alice"}, tenant.ErrNoClient},
		{"an unknown session", DirectRequest{SID: "WYqFXK7Q4HFnJv0hiT3Fgw.-oVkvSXgalUuMQDfEsh1lA"}, session.ErrNotFound},
		{"what is no session", DirectRequest{SID: "x"}, session.ErrNotFound},
		{"nobody", DirectRequest{}, invalid("sub must have 1 to 255 printable ASCII characters")},
		{"the client itself", DirectRequest{Subject: "shop"}, invalid("sub is the id of the client")},
		{"a login to come", DirectRequest{Login: &session.Login{Subject: "alice", AuthTime: noon.Add(time.Hour)}}, invalid("auth_time must not lie ahead")},
		{"a session that is over", DirectRequest{Login: &session.Login{Subject: "alice", CreatedAt: noon.Add(-15 * 24 * time.Hour)}}, invalid("the session would be over already")},
		{"a disabled subject", DirectRequest{Subject: "mallory"}, invalid("the account of sub is disabled")},
		{"a disabled subject to be", DirectRequest{Subject: "alice", Consent: Consent{Impersonated: "mallory"}}, invalid("the account of impersonated_sub is disabled")},
		{"the client to be", DirectRequest{Subject: "alice", Consent: Consent{Impersonated: "shop"}}, invalid("impersonated_sub is the id of the client")},
		{"an asterisk", DirectRequest{Subject: "alice", Consent: Consent{Claims: []string{"id_token:*"}}}, invalid("scope and claims must name their values: nothing was asked that * could stand for")},
		{"a registration that ID tokens cannot be made for", DirectRequest{ClientID: "legacy", Login: &session.Login{Subject: "alice"}, Consent: openid}, ErrMetadata},
		{"too much for a token", DirectRequest{Subject: "alice", Consent: Consent{Data: json.RawMessage(`"` + strings.Repeat("x", 16<<10) + `"`)}}, invalid("claims, data, scope and audience together are more than fits into a token")},
		{"somebody who is not ASCII", DirectRequest{Subject: "ålice"}, invalid("sub must have 1 to 255 printable ASCII characters")},
	} {
		h := openDirect(t)
		h.store.disabled = []string{"mallory"}
		out, err := h.direct(tt.d)
		if !errors.Is(err, tt.want) || out.AccessToken != "" {
			t.Errorf("%s: got %+v, %v", tt.rule, out, err)
		}
		if len(h.store.grants)+len(h.store.sessions)+len(h.store.events)+len(h.store.authorizations) > 0 {
			t.Errorf("%s: something has changed: %+v", tt.rule, h.store)
		}
	}
	h := openDirect(t)
	if _, err := h.direct(DirectRequest{ClientID: "legacy", Subject: "alice", Consent: openid}); err != nil {
		t.Errorf("without an ID token the registration is no hindrance: %v", err)
	}
	h.Accounts = accounts{errDown}
	if _, err := h.direct(DirectRequest{Login: &session.Login{Subject: "alice"}, Consent: Consent{Scope: oauth.Scope{"openid"}, Claims: []string{"id_token:name"}}}); !errors.Is(err, errDown) {
		t.Errorf("accounts that cannot be read: got %v", err)
	}
	h.store.down = errDown
	if _, err := h.direct(DirectRequest{Subject: "alice"}); !errors.Is(err, errDown) {
		t.Errorf("a store that is down: got %v", err)
	}
}

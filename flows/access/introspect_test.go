package access

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// RFC 7662 §4: a resource server sees only tokens that are meant for it.
func TestWhoMayKnowOfAToken(t *testing.T) {
	for _, c := range []struct {
		rule     string
		by       string
		audience []string
		want     bool
	}{
		{"the client that it was issued to", "shop", []string{api}, true},
		{"the client that it was issued to, of one for anyone", "shop", nil, true},
		{"a resource server that registered a resource of it", "resource", []string{"urn:x", api}, true},
		{"one that registered another", "other", []string{api}, false},
		{"a client that its audience names", "other", []string{"other"}, true},
		{"a client of which its audience names but the beginning", "other", []string{"othe"}, false},
		{"any client, of one for this server alone", "other", nil, true},
		{"any client, of one for this server too", "other", []string{api, "https://id.acme.example"}, true},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			token := w.mint(w.agree(nil), e, c.audience...)
			i, err := w.Introspect(t.Context(), w.tenant, w.clients[c.by], token)
			if err != nil || (i != nil) != c.want {
				t.Errorf("%s, %s: got %+v, %v", c.rule, e, i, err)
			}
		}
	}
	for _, by := range []string{"resource", "other"} {
		w := newWorld(t)
		g := w.agree(func(g *grant.Grant) { g.Terms.Audience = []string{api, by} })
		if i, err := w.Introspect(t.Context(), w.tenant, w.clients[by], w.newest(g)); i != nil || err != nil {
			t.Errorf("a refresh token is its client's alone: %s got %+v, %v", by, i, err)
		}
	}
	w := newWorld(t)
	g := w.agree(func(g *grant.Grant) { g.ClientID = "app" })
	for _, token := range []string{w.mint(g, grant.SelfContained), w.mint(g, grant.Identifier), w.newest(g), "x"} {
		if i, err := w.Introspect(t.Context(), w.tenant, w.clients["app"], token); i != nil || said(err) != "invalid_client" {
			t.Errorf("a public client got %+v, %v", i, err)
		}
	}
}

// pairwise is a client with pairwise subjects, of a host of that name.
func pairwise(id, host string) *tenant.Client {
	c := &tenant.Client{ID: id}
	c.RedirectURIs, c.SubjectType = []string{"https://" + host + ".example/cb"}, tenant.PairwiseSubjects
	return c
}

// OIDC Core §8.1: what a client with pairwise subjects was issued tells strangers neither its name of a subject, nor theirs.
func TestWhoMayKnowOfAPairwiseSubject(t *testing.T) {
	for _, c := range []struct {
		rule     string
		by       string
		audience []string
		want     bool
		tells    string // as whose client; empty: the tenant's own name
	}{
		{"the client that it was issued to", "secretive", nil, true, "secretive"},
		{"another sector's, of one for this server alone", "discreet", nil, false, ""},
		{"one with public subjects, of one for this server alone", "shop", nil, false, ""},
		{"one with public subjects, of one for this server too", "other", []string{api, "https://id.acme.example"}, false, ""},
		{"a resource server that the audience names", "resource", []string{api}, true, ""},
		{"a resource server that the audience names beside this server", "resource", []string{api, "https://id.acme.example"}, true, ""},
		{"another sector's that the audience names", "discreet", []string{"discreet"}, true, "discreet"},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			for id, host := range map[string]string{"secretive": "one", "discreet": "two"} {
				w.clients[id] = pairwise(id, host)
			}
			g := w.agree(func(g *grant.Grant) { g.ClientID = "secretive" })
			i, err := w.Introspect(t.Context(), w.tenant, w.clients[c.by], w.mint(g, e, c.audience...))
			if err != nil || (i != nil) != c.want {
				t.Errorf("%s, %s: got %+v, %v", c.rule, e, i, err)
				continue
			}
			sub := "alice"
			if c.tells != "" {
				sub = w.tenant.SubjectFor(w.clients[c.tells], sub)
			}
			if i != nil && i.Subject != sub {
				t.Errorf("%s, %s: told %s", c.rule, e, i.Subject)
			}
		}
	}
	w := newWorld(t)
	token := w.mint(w.agree(func(g *grant.Grant) { g.ClientID = "gone" }), grant.Identifier)
	if i, err := w.Introspect(t.Context(), w.tenant, w.clients["other"], token); i != nil || err != nil {
		t.Errorf("a stranger, of a client that is gone: got %+v, %v", i, err)
	}
	w = newWorld(t)
	w.clients["secretive"] = pairwise("secretive", "one")
	if i, err := w.Introspect(t.Context(), w.tenant, w.clients["other"], w.mint(&grant.Grant{ID: "g", Subject: "secretive", ClientID: "secretive"}, grant.SelfContained)); i == nil || err != nil {
		t.Errorf("a stranger, of a client's own: got %+v, %v", i, err)
	}
}

func TestWhatIsToldOfAToken(t *testing.T) {
	w := newWorld(t)
	g := w.agree(func(g *grant.Grant) {
		g.Actor, g.Terms.Data, g.Terms.Audience = "admin", json.RawMessage(`{"tier":"gold"}`), []string{api}
		g.Terms.Login.ACR, g.Terms.Login.AuthTime = "gold", 7
		g.Terms.Details = oauth.Details{json.RawMessage(`{"type":"payment"}`)}
	})
	want := &Info{Kind: "access_token", Subject: "alice", Actor: "admin", Act: &grant.Actor{Subject: "admin"}, ClientID: "shop", Scope: g.Terms.Scope, Audience: []string{api},
		IssuedAt: noon, ExpiresAt: noon.Add(10 * time.Minute), Details: g.Terms.Details, Data: g.Terms.Data,
		ACR: "gold", AuthTime: 7}
	for _, e := range encodings {
		got, err := w.Introspect(t.Context(), w.tenant, w.clients["shop"], w.mint(g, e, api))
		if err != nil || got == nil || got.ID == "" {
			t.Fatalf("%s: got %+v, %v", e, got, err)
		}
		if want.Issuer = ""; e == grant.SelfContained {
			want.Issuer = w.tenant.Issuer
		}
		got.ID = ""
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", e, d)
		}
	}
	want = &Info{Kind: "refresh_token", Subject: "alice", Actor: "admin", Act: &grant.Actor{Subject: "admin"}, ClientID: "shop", Scope: g.Terms.Scope, Audience: []string{api},
		IssuedAt: noon, ExpiresAt: noon.Add(time.Hour), Details: g.Terms.Details, Data: g.Terms.Data}
	got, err := w.Introspect(t.Context(), w.tenant, w.clients["shop"], w.newest(g))
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("a refresh token: %s, %v", d, err)
	}
	own, _, _, err := w.Issuer.MintAccess(t.Context(), w.tenant, &grant.Grant{Subject: "shop", ClientID: "shop"}, oauth.Scope{"a"}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Introspect(t.Context(), w.tenant, w.clients["shop"], own); err != nil || got == nil || got.Subject != "shop" {
		t.Errorf("a client's own: got %+v, %v", got, err)
	}
}

func TestADeadTokenIsNotActive(t *testing.T) {
	jwt := func(w *world, g *grant.Grant) string { return w.mint(g, grant.SelfContained) }
	opaque := func(w *world, g *grant.Grant) string { return w.mint(g, grant.Identifier) }
	refresh := (*world).newest
	older := func(w *world, g *grant.Grant) string {
		return grant.RefreshToken(w.tenant, g.ID, g.Refresh.Generation-1)
	}
	passes := func(d time.Duration) func(*world, *grant.Grant) {
		return func(w *world, _ *grant.Grant) { w.now = w.now.Add(d) }
	}
	journal := func(r tenant.Revocation) func(*world, *grant.Grant) {
		return func(w *world, g *grant.Grant) {
			if r.Grant != "" {
				r.Grant = g.ID
			}
			r.At, r.ExpiresAt = noon, noon.Add(time.Hour)
			w.tenant.Revoked.Add(r)
		}
	}
	revoked := func(_ *world, g *grant.Grant) { g.RevokedAt = noon }
	for _, c := range []struct {
		rule   string
		token  func(*world, *grant.Grant) string
		change func(*world, *grant.Grant)
		active bool
	}{
		{"a JWT until it ends", jwt, passes(10*time.Minute - time.Second), true},
		{"a JWT from then on", jwt, passes(10 * time.Minute), false},
		{"a JWT whose grant the journal has", jwt, journal(tenant.Revocation{Grant: "g"}), false},
		{"a JWT whose subject the journal has", jwt, journal(tenant.Revocation{Subject: "alice"}), false},
		{"a JWT whose subject the journal has with another client", jwt, journal(tenant.Revocation{Subject: "alice", ClientID: "other"}), true},
		{"a JWT whose client the journal has", jwt, journal(tenant.Revocation{ClientID: "shop"}), false},
		{"a JWT of which a character was changed", func(w *world, g *grant.Grant) string { return strings.Replace(jwt(w, g), ".", "x.", 1) }, nil, false},
		{"a JWT without its signature", func(w *world, g *grant.Grant) string { s := jwt(w, g); return s[:strings.LastIndexByte(s, '.')+1] }, nil, false},
		{"an ID token", func(w *world, g *grant.Grant) string {
			token, err := w.Issuer.MintIDToken(w.Context(), w.tenant, g, grant.IDToken{Client: &tenant.Client{Metadata: tenant.Metadata{IDTokenAlg: "ES256"}}})
			if err != nil {
				w.Fatal(err)
			}
			return token
		}, nil, false},
		{"an opaque one until it ends", opaque, passes(10*time.Minute - time.Second), true},
		{"an opaque one from then on", opaque, passes(10 * time.Minute), false},
		{"an opaque one whose grant was revoked", opaque, revoked, false},
		{"an opaque one whose grant the journal has, before the store shows it", opaque, journal(tenant.Revocation{Grant: "g"}), false},
		{"an opaque one whose subject the journal has", opaque, journal(tenant.Revocation{Subject: "alice"}), false},
		{"an opaque one of which a character was changed", func(w *world, g *grant.Grant) string { return altered(opaque(w, g)) }, nil, false},
		{"an opaque one in another letter case", func(w *world, g *grant.Grant) string { return strings.ToUpper(opaque(w, g)) }, nil, false},
		{"a refresh token until it lay unused for too long", refresh, passes(time.Hour - time.Second), true},
		{"a refresh token from then on", refresh, passes(time.Hour), false},
		{"a refresh token whose grant was revoked", refresh, revoked, false},
		{"a refresh token that was rotated away", older, nil, false},
		{"a refresh token whose grant is gone", refresh, func(w *world, g *grant.Grant) { delete(w.store.grants, g.ID) }, false},
		{"nothing", func(*world, *grant.Grant) string { return "" }, nil, false},
		{"a JWT that is too long", func(w *world, g *grant.Grant) string { return jwt(w, g) + strings.Repeat("A", MaxToken) }, nil, false},
		{"what is no token at all", func(*world, *grant.Grant) string { return "x\x00é" }, nil, false},
	} {
		w := newWorld(t)
		g := w.agree(nil)
		token := c.token(w, g)
		if c.change != nil {
			c.change(w, g)
		}
		if got := w.active(token); got != c.active {
			t.Errorf("%s: active %v", c.rule, got)
		}
	}
}

func TestATokenIsItsTenantsAlone(t *testing.T) {
	w := newWorld(t)
	g := w.agree(nil)
	other := w.house("globex", 2) // with the same signing keys
	for rule, token := range map[string]string{"JWT": w.mint(g, grant.SelfContained, "shop"), "refresh token": w.newest(g)} {
		if i, err := w.Introspect(t.Context(), other, w.clients["shop"], token); i != nil || err != nil {
			t.Errorf("%s: got %+v, %v", rule, i, err)
		}
		if err := w.Revoke(t.Context(), other, w.clients["shop"], token, ""); err != nil || !w.active(token) {
			t.Errorf("%s: revoked by another tenant: %v", rule, err)
		}
	}
}

// What cannot be known is neither active nor not.
func TestAStoreThatFailsIsNoAnswer(t *testing.T) {
	for _, down := range []error{errDown, oauth.Unavailable()} {
		w := newWorld(t)
		g := w.agree(nil)
		jwt, opaque, refresh := w.mint(g, grant.SelfContained), w.mint(g, grant.Identifier), w.newest(g)
		w.store.down = down
		for _, token := range []string{opaque, refresh} {
			if i, err := w.Introspect(t.Context(), w.tenant, w.clients["shop"], token); i != nil || !errors.Is(err, down) {
				t.Errorf("introspection: got %+v, %v", i, err)
			}
		}
		if !w.active(jwt) {
			t.Error("a JWT needs no store")
		}
		for _, token := range []string{jwt, opaque, refresh} {
			if err := w.Revoke(t.Context(), w.tenant, w.clients["shop"], token, ""); !errors.Is(err, down) {
				t.Errorf("revocation: got %v", err)
			}
			if err := w.RevokePair(t.Context(), w.tenant, w.clients["shop"], token, ""); !errors.Is(err, down) {
				t.Errorf("revocation of a pair: got %v", err)
			}
			if _, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: token}); token != refresh && !errors.Is(err, down) {
				t.Errorf("UserInfo: got %v", err)
			}
		}
		if !w.active(jwt) {
			t.Error("what could not be revoked is in the journal")
		}
	}
}

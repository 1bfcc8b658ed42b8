package access

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
)

const (
	theJWT = iota
	theOpaque
	theRefresh
	theOlder // refresh token, rotated away
	theOwn   // of the client itself, without a grant
)

func TestRevocation(t *testing.T) {
	all, alone := "what came of the grant", "the token"
	for _, c := range []struct {
		rule  string
		token int
		pair  bool
		by    string
		dies  string
	}{
		{"a refresh token takes its grant with it", theRefresh, false, "shop", all},
		{"so does one that was rotated away", theOlder, false, "shop", all},
		{"a JWT goes alone", theJWT, false, "shop", alone},
		{"an opaque token goes alone", theOpaque, false, "shop", alone},
		{"a client's own token goes", theOwn, false, "shop", alone},
		{"a refresh token of another client stays", theRefresh, false, "other", ""},
		{"a JWT of another client stays", theJWT, false, "other", ""},
		{"an opaque token of another client stays, although that may introspect it", theOpaque, false, "other", ""},
		{"with its pair a JWT takes its grant with it", theJWT, true, "shop", all},
		{"with its pair an opaque token takes its grant with it", theOpaque, true, "shop", all},
		{"with its pair a refresh token takes its grant with it", theRefresh, true, "shop", all},
		{"with its pair a client's own token goes", theOwn, true, "shop", alone},
		{"with its pair a JWT of another client stays", theJWT, true, "other", ""},
		{"with its pair an opaque token of another client stays", theOpaque, true, "other", ""},
		{"with its pair a refresh token of another client stays", theRefresh, true, "other", ""},
		{"with its pair a client's own token stays with another", theOwn, true, "other", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			g := w.agree(nil)
			tokens := []string{w.mint(g, grant.SelfContained), w.mint(g, grant.Identifier), w.newest(g), grant.RefreshToken(w.tenant, g.ID, 2),
				w.mint(&grant.Grant{Subject: "shop", ClientID: "shop"}, grant.SelfContained)}
			lives := []bool{true, true, true, false, true}
			for i, want := range lives {
				if w.active(tokens[i]) != want {
					t.Fatalf("token %d is active: %v", i, !want)
				}
			}
			revoke := w.Revoke
			if c.pair {
				revoke = w.RevokePair
			}
			if err := revoke(t.Context(), w.tenant, w.clients[c.by], tokens[c.token], "192.0.2.1"); err != nil {
				t.Fatal(err)
			}
			switch c.dies {
			case all:
				lives = []bool{false, false, false, false, true}
			case alone:
				lives[c.token] = false
			}
			for i, want := range lives {
				if w.active(tokens[i]) != want {
					t.Errorf("token %d is active: %v", i, !want)
				}
			}
			if c.dies == "" {
				if len(w.store.events) > 0 || len(w.store.entered) > 0 {
					t.Errorf("recorded %+v, %+v", w.store.events, w.store.entered)
				}
				return
			}
			want := audit.Event{At: noon, Kind: audit.GrantRevoked, Subject: "alice", ClientID: "shop", Grant: g.ID, Address: "192.0.2.1"}
			switch c.token {
			case theRefresh, theOlder:
				want.Session = "s1"
			case theOwn:
				want.Subject, want.Grant = "shop", ""
			}
			if d := cmp.Diff([]audit.Event{want}, w.store.events); d != "" {
				t.Error(d)
			}
			// Other instances refuse it from the same entry for as long as it could live.
			entry := w.store.entered[0]
			switch {
			case c.dies == all && (entry.Grant != g.ID || entry.Token != "" || !entry.ExpiresAt.Equal(noon.Add(24*time.Hour))),
				c.dies == alone && (entry.Token == "" || entry.Grant != "" || !entry.ExpiresAt.Equal(noon.Add(10*time.Minute))):
				t.Errorf("entered %+v", entry)
			}
			if err := revoke(t.Context(), w.tenant, w.clients[c.by], tokens[c.token], "192.0.2.1"); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

func TestRevokingWhatIsNotThereIsNoError(t *testing.T) {
	for rule, token := range map[string]func(w *world, g *grant.Grant) string{
		"nothing":         func(*world, *grant.Grant) string { return "" },
		"no token":        func(*world, *grant.Grant) string { return "x" },
		"no JWT":          func(*world, *grant.Grant) string { return "a.b.c" },
		"no such grant":   func(w *world, _ *grant.Grant) string { return grant.RefreshToken(w.tenant, w.Issuer.NewID(), 1) },
		"no opaque token": func(w *world, g *grant.Grant) string { return altered(w.mint(g, grant.Identifier)) },
		"one that ended": func(w *world, g *grant.Grant) string {
			token := w.mint(g, grant.SelfContained)
			w.now = noon.Add(time.Hour)
			return token
		},
	} {
		w := newWorld(t)
		s := token(w, w.agree(nil))
		for how, revoke := range map[string]func() error{
			"alone":         func() error { return w.Revoke(t.Context(), w.tenant, w.clients["shop"], s, "") },
			"with its pair": func() error { return w.RevokePair(t.Context(), w.tenant, w.clients["shop"], s, "") },
		} {
			if err := revoke(); err != nil || len(w.store.events) > 0 || len(w.store.entered) > 0 {
				t.Errorf("%s, %s: %v, recorded %+v", rule, how, err, w.store.events)
			}
		}
	}
}

// A token that stands beside a JWT is the same token.
func TestTwinsAreRevokedTogether(t *testing.T) {
	for _, by := range []string{"the JWT", "its twin"} {
		w := newWorld(t)
		g := w.agree(func(g *grant.Grant) { g.Terms.AccessToken.Twin = true })
		jwt, _, stored, err := w.Issuer.MintAccess(t.Context(), w.tenant, g, g.Terms.Scope, nil, time.Time{})
		if err != nil || stored == nil {
			t.Fatal(stored, err)
		}
		w.store.tokens[string(stored.Hash)] = *stored
		token := map[string]string{"the JWT": jwt, "its twin": stored.Twin}[by]
		if err := w.Revoke(t.Context(), w.tenant, w.clients["shop"], token, ""); err != nil {
			t.Fatal(err)
		}
		if w.active(jwt) || w.active(stored.Twin) {
			t.Errorf("by %s: the JWT lives %v, its twin %v", by, w.active(jwt), w.active(stored.Twin))
		}
		if got := w.store.entered; len(got) != 1 || got[0].Token != stored.ID || got[0].Grant != "" {
			t.Errorf("by %s: entered %+v", by, got)
		}
	}
}

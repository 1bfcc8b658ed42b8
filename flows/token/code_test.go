package token

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

const (
	dead     = "invalid_grant: code is invalid, expired or already used"
	redirect = "invalid_grant: redirect_uri is not that of the authorization request"
	verifier = "invalid_grant: code_verifier does not match the code_challenge"
	unasked  = "invalid_grant: code_verifier was sent, but the authorization request had no code_challenge"
)

func TestACodeIsRedeemedByWhomItWasMadeForOnly(t *testing.T) {
	good := strings.Repeat("v", 43)
	long := strings.Repeat("v", 128)
	pkce := func(v string) func(*grant.Grant) { return func(g *grant.Grant) { g.Code.Challenge = s256(v) } }
	unsent := func(g *grant.Grant) { g.Code.RedirectURI = "" }
	first := func(g *grant.Grant) { g.Terms.FirstParty, g.Code.RedirectURI = true, "" }
	for _, c := range []struct {
		rule   string
		change func(*grant.Grant)
		client string
		params []string // in place of the redirect URI
		want   string
		burnt  bool
	}{
		{"as it was asked for", nil, "shop", nil, "", false},
		{"by another client", nil, "other", nil, dead, true},
		{"without the redirect URI that was sent", nil, "shop", []string{}, redirect, true},
		{"with another of the client", nil, "shop", []string{"redirect_uri", callback + "2"}, redirect, true},
		{"with a longer one", nil, "shop", []string{"redirect_uri", callback + "/"}, redirect, true},
		{"in another letter case", nil, "shop", []string{"redirect_uri", "https://SHOP.example/cb"}, redirect, true},
		{"where none was sent, without", unsent, "shop", []string{}, "", false},
		{"where none was sent, with one that is registered", unsent, "shop", []string{"redirect_uri", callback + "2"}, "", false},
		{"where none was sent, with one that is not", unsent, "shop", []string{"redirect_uri", callback + "3"}, redirect, true},
		{"of the first party, without a redirect URI", first, "shop", []string{}, "", false},
		{"of the first party, with any", first, "shop", []string{"redirect_uri", "https://any.example/"}, "", false},
		{"of the first party, by another client", first, "other", []string{}, dead, true},
		{"of the first party, with a wrong verifier", func(g *grant.Grant) { first(g); pkce(good)(g) }, "shop", []string{"code_verifier", long}, verifier, true},
		{"with the verifier", pkce(good), "shop", []string{"redirect_uri", callback, "code_verifier", good}, "", false},
		{"with the longest verifier", pkce(long), "shop", []string{"redirect_uri", callback, "code_verifier", long}, "", false},
		{"with every character of a verifier", pkce("azAZ09-._~" + good), "shop", []string{"redirect_uri", callback, "code_verifier", "azAZ09-._~" + good}, "", false},
		{"without the verifier", pkce(good), "shop", nil, verifier, true},
		{"with another verifier", pkce(good), "shop", []string{"redirect_uri", callback, "code_verifier", long}, verifier, true},
		{"with the challenge as the verifier", pkce(good), "shop", []string{"redirect_uri", callback, "code_verifier", s256(good)}, verifier, true},
		{"with a verifier that is too short", pkce(good[1:]), "shop", []string{"redirect_uri", callback, "code_verifier", good[1:]}, verifier, true},
		{"with a verifier that is too long", pkce(long + "v"), "shop", []string{"redirect_uri", callback, "code_verifier", long + "v"}, verifier, true},
		{"with a verifier of other characters", pkce(good + "+"), "shop", []string{"redirect_uri", callback, "code_verifier", good + "+"}, verifier, true},
		{"with a verifier that is not ASCII", pkce(good + "é"), "shop", []string{"redirect_uri", callback, "code_verifier", good + "é"}, verifier, true},
		{"with a verifier where there was no challenge", nil, "shop", []string{"redirect_uri", callback, "code_verifier", good}, unasked, true},
		{"for a resource that was not granted", nil, "shop", []string{"redirect_uri", callback, "resource", "urn:two"}, "invalid_target: this resource was not granted", false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			code, g := w.agree("shop", c.change)
			if c.params == nil {
				c.params = []string{"redirect_uri", callback}
			}
			out, err := w.ask(c.client, append([]string{"grant_type", oauth.AuthorizationCode, "code", code}, c.params...)...)
			if said(err) != c.want || (err != nil) != (out.AccessToken == "") {
				t.Errorf("got %q, %+v", said(err), out)
			}
			if !g.RevokedAt.IsZero() != c.burnt || w.revoked(g) != c.burnt {
				t.Errorf("burnt: %v, in the journal: %v", g.RevokedAt, w.revoked(g))
			}
			if c.want == "" == g.Code.RedeemedAt.IsZero() {
				t.Errorf("redeemed: %v", g.Code.RedeemedAt)
			}
			if !c.burnt {
				return
			}
			want := []audit.Event{{At: noon, Kind: audit.GrantRevoked, Subject: "alice", ClientID: c.client, Session: "s1", Grant: g.ID, Address: "192.0.2.1"}}
			if d := cmp.Diff(want, w.store.events); d != "" {
				t.Error(d)
			}
			if _, err := w.ask("shop", "grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", callback, "code_verifier", good); said(err) != dead {
				t.Errorf("what was burnt is told %q", said(err))
			}
		})
	}
}

// A code that is bound to a key is nothing to who does not hold it: they can neither redeem nor burn it (RFC 9449 §10).
func TestACodeThatIsBoundToAKey(t *testing.T) {
	const noProof, wrongKey = "invalid_dpop_proof: a DPoP proof is required", "invalid_grant: the DPoP proof is made with another key"
	mine := oauth.Confirmation{JKT: "mine"}
	for _, c := range []struct {
		rule, client string
		proved       oauth.Confirmation
		redirect     string
		want         string
		burnt        bool
	}{
		{"with the key", "shop", mine, callback, "", false},
		{"without a proof", "shop", oauth.Confirmation{}, callback, noProof, false},
		{"with another key", "shop", oauth.Confirmation{JKT: "other"}, callback, wrongKey, false},
		{"by another client without a proof", "other", oauth.Confirmation{}, callback, dead, false},
		{"without a proof, for another redirect URI", "shop", oauth.Confirmation{}, callback + "2", noProof, false},
		{"by another client with the key", "other", mine, callback, dead, true},
		{"with the key, for another redirect URI", "shop", mine, callback + "2", redirect, true},
	} {
		w := newWorld(t)
		code, g := w.agree("shop", func(g *grant.Grant) { g.Terms.DPoPJKT = "mine" })
		params := []string{"grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", c.redirect}
		if _, err := w.proving(c.client, c.proved, params...); said(err) != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, said(err), c.want)
		}
		if !g.RevokedAt.IsZero() != c.burnt {
			t.Errorf("%s: burnt %v", c.rule, g.RevokedAt)
		}
		params[len(params)-1] = callback
		if _, err := w.proving("shop", mine, params...); (err == nil) != (c.want != "" && !c.burnt) {
			t.Errorf("%s: whoever holds the key is told %q then", c.rule, said(err))
		}
	}
}

func TestADeadCodeIsWorthNothing(t *testing.T) {
	const (
		nothing = iota
		replayed
	)
	for _, c := range []struct {
		rule   string
		change func(w *world, g *grant.Grant)
		code   func(code string) string
		effect int
	}{
		{"without the shape of one", nil, func(string) string { return "x" }, nothing},
		{"with a character more", nil, func(code string) string { return code + "A" }, nothing},
		{"of no grant", nil, func(code string) string { return strings.Repeat("A", len(code)) }, nothing},
		{"of a grant that has another", nil, func(code string) string { return code[:len(code)-4] + "AAAA" }, nothing},
		{"of a grant that has none", func(_ *world, g *grant.Grant) { g.Code = nil }, nil, nothing},
		{"whose time has just ended", func(w *world, _ *grant.Grant) { w.now = noon.Add(time.Minute) }, nil, nothing},
		{"of a grant that was revoked", func(_ *world, g *grant.Grant) { g.RevokedAt = noon }, nil, nothing},
		{"of a grant that has ended", func(_ *world, g *grant.Grant) { g.ExpiresAt = noon }, nil, nothing},
		{"that was redeemed", func(_ *world, g *grant.Grant) { g.Code.RedeemedAt = noon }, nil, replayed},
		{"that another call redeems meanwhile", func(w *world, g *grant.Grant) { w.store.before = func() { g.Code.RedeemedAt = noon } }, nil, replayed},
		{"of a grant that is revoked meanwhile", func(w *world, g *grant.Grant) { w.store.before = func() { g.RevokedAt = noon } }, nil, nothing},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			w.tenant.Settings.Tokens.AccessTokenOpaque = true
			code, g := w.agree("shop", nil)
			if c.change != nil {
				c.change(w, g)
			}
			if c.code != nil {
				code = c.code(code)
			}
			out, err := w.ask("shop", "grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", callback)
			if said(err) != dead || out.AccessToken != "" || len(w.store.tokens) > 0 {
				t.Errorf("got %q, %+v, stored %v", said(err), out, w.store.tokens)
			}
			var events []audit.Event
			if c.effect == replayed {
				events = []audit.Event{{At: w.now, Kind: audit.CodeReplayed, Subject: "alice", ClientID: "shop", Session: "s1", Grant: g.ID, Address: "192.0.2.1"}}
			}
			if d := cmp.Diff(events, w.store.events); d != "" || w.revoked(g) != (c.effect == replayed) {
				t.Errorf("in the journal: %v; events: %s", w.revoked(g), d)
			}
		})
	}
}

func TestAReplayTakesWhatTheCodePaidFor(t *testing.T) {
	w := newWorld(t)
	code, g := w.agree("shop", func(g *grant.Grant) { g.Terms.RefreshToken.Issue = true })
	out := w.redeem("shop", code)
	if _, err := w.Issuer.ParseAccess(w.tenant, out.AccessToken); err != nil {
		t.Fatal(err)
	}
	w.now = noon.Add(30 * time.Second)
	// Also by a client that could not have redeemed it, and without what the first call proved.
	if _, err := w.ask("other", "grant_type", oauth.AuthorizationCode, "code", code); said(err) != dead {
		t.Errorf("got %q", said(err))
	}
	if _, err := w.Issuer.ParseAccess(w.tenant, out.AccessToken); !errors.Is(err, grant.ErrNotFound) {
		t.Errorf("the access token lives: %v", err)
	}
	if _, err := w.ask("shop", "grant_type", oauth.RefreshToken, "refresh_token", out.RefreshToken); said(err) != "invalid_grant: refresh_token is invalid, expired or revoked" {
		t.Errorf("the refresh token is told %q", said(err))
	}
	if len(w.store.revoked) != 1 || w.store.revoked[0].Grant != g.ID || !w.store.revoked[0].ExpiresAt.Equal(w.now.Add(24*time.Hour)) {
		t.Errorf("entered %+v", w.store.revoked)
	}
}

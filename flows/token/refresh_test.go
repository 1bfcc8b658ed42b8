package token

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

const over = "invalid_grant: refresh_token is invalid, expired or revoked"

// line records a grant of a client with a line of refresh tokens, and returns the first.
func (w *world) line(client string, change func(*grant.Grant)) (token string, g *grant.Grant) {
	w.Helper()
	code, g := w.agree(client, func(g *grant.Grant) {
		g.Terms.RefreshToken.Issue = true
		if change != nil {
			change(g)
		}
	})
	return w.redeem(client, code).RefreshToken, g
}

func (w *world) refresh(client, token string, pairs ...string) (grant.Tokens, error) {
	return w.ask(client, append([]string{"grant_type", oauth.RefreshToken, "refresh_token", token}, pairs...)...)
}

func TestARefreshTokenRotates(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		rule   string
		client string
		keep   bool  // tenant
		rotate *bool // grant
		want   bool
	}{
		{"of a confidential client", "shop", false, nil, true},
		{"unless the tenant keeps them", "shop", true, nil, false},
		{"or the grant does", "shop", false, &no, false},
		{"but not where the grant says otherwise", "shop", true, &yes, true},
		{"of a public client", "app", false, nil, true},
		{"whatever tenant and grant say", "app", true, &no, true},
	} {
		w := newWorld(t)
		w.tenant.Settings.Tokens.RefreshTokenKeep = c.keep
		first, g := w.line(c.client, func(g *grant.Grant) { g.Terms.RefreshToken.Rotate = c.rotate })
		w.now = noon.Add(time.Hour)
		out, err := w.refresh(c.client, first)
		want := grant.RefreshState{Generation: 1, RotatedAt: noon, UsedAt: w.now, ExpiresAt: noon.Add(90 * 24 * time.Hour), IdleUntil: w.now.Add(30 * 24 * time.Hour)}
		token := first
		if c.want {
			want.Generation, want.RotatedAt, token = 2, w.now, grant.RefreshToken(w.tenant, g.ID, 2)
		}
		if err != nil || out.RefreshToken != token || out.TokenType != "Bearer" || out.ExpiresIn != 10*time.Minute || out.Scope.String() != "openid a b" || out.IDToken != "" {
			t.Errorf("%s: got %+v, %v", c.rule, out, err)
		}
		if d := cmp.Diff(&want, g.Refresh); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
		if x := w.claims(jwtAccess, out.AccessToken); x["gid"] != g.ID || x["sub"] != "alice" || x["scope"] != "openid a b" {
			t.Errorf("%s: %v", c.rule, x)
		}
	}
}

func TestARefreshTokenThatWasRotatedAway(t *testing.T) {
	for _, c := range []struct {
		rule  string
		uses  int // of the newest, before the first comes again
		after time.Duration
		grace int64 // seconds; zero: the default
		alive bool
	}{
		{"gets the same successor within the grace", 1, 9 * time.Second, 0, true},
		{"takes all with it once the grace is over", 1, 10 * time.Second, 0, false},
		{"gets it for as long as the tenant says", 1, 50 * time.Second, 60, true},
		{"gets none where there is no grace", 1, 0, -1, false},
		{"takes all with it where its successor was used too", 2, 0, 0, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			w.tenant.Settings.Tokens.RefreshTokenGrace = c.grace
			first, g := w.line("app", nil)
			newest := first
			var access string
			for range c.uses {
				out, err := w.refresh("app", newest)
				if err != nil {
					t.Fatal(err)
				}
				newest, access = out.RefreshToken, out.AccessToken
			}
			w.now = noon.Add(c.after)
			before := *g.Refresh
			out, err := w.refresh("app", first)
			if c.alive {
				if err != nil || out.RefreshToken != newest || out.AccessToken == access || !g.RevokedAt.IsZero() {
					t.Errorf("got %+v, %v", out, err)
				}
				if d := cmp.Diff(&before, g.Refresh); d != "" {
					t.Errorf("the line has changed: %s", d)
				}
				if next, err := w.refresh("app", newest); err != nil || next.RefreshToken == newest {
					t.Errorf("the successor gets %+v, %v", next, err)
				}
				return
			}
			if said(err) != over || out.AccessToken != "" || out.RefreshToken != "" {
				t.Errorf("got %+v, %q", out, said(err))
			}
			want := []audit.Event{{At: w.now, Kind: audit.RefreshReplayed, Subject: "alice", ClientID: "app", Session: "s1", Grant: g.ID, Address: "192.0.2.1"}}
			if d := cmp.Diff(want, w.store.events); d != "" {
				t.Error(d)
			}
			if _, err := w.refresh("app", newest); said(err) != over {
				t.Errorf("the newest is told %q", said(err))
			}
			if a, err := w.Issuer.ParseAccess(w.tenant, access); err == nil {
				t.Errorf("an access token lives: %+v", a)
			}
		})
	}
}

func TestADeadRefreshTokenIsWorthNothing(t *testing.T) {
	other := tenant.Tenant{}
	for _, c := range []struct {
		rule   string
		client string
		change func(w *world, g *grant.Grant)
		token  func(w *world, g *grant.Grant, token string) string
	}{
		{"without the shape of one", "shop", nil, func(*world, *grant.Grant, string) string { return "x" }},
		{"of which a character was changed", "shop", nil, func(_ *world, _ *grant.Grant, token string) string {
			other := "A"
			if token[60] == 'A' {
				other = "B"
			}
			return token[:60] + other + token[61:]
		}},
		{"of another tenant", "shop", nil, func(_ *world, g *grant.Grant, _ string) string { return grant.RefreshToken(&other, g.ID, 1) }},
		{"of no grant", "shop", nil, func(w *world, _ *grant.Grant, _ string) string {
			return grant.RefreshToken(w.tenant, w.Issuer.NewID(), 1)
		}},
		{"of a generation that is still to come", "shop", nil, func(w *world, g *grant.Grant, _ string) string { return grant.RefreshToken(w.tenant, g.ID, 2) }},
		{"of another client", "other", nil, nil},
		{"of a grant that has none", "shop", func(_ *world, g *grant.Grant) { g.Refresh = nil }, nil},
		{"of a grant that was revoked", "shop", func(_ *world, g *grant.Grant) { g.RevokedAt = noon }, nil},
		{"of a grant that is revoked meanwhile", "shop", func(w *world, g *grant.Grant) { w.store.before = func() { g.RevokedAt = noon } }, nil},
		{"that has lain unused for too long", "shop", func(w *world, _ *grant.Grant) { w.now = noon.Add(30 * 24 * time.Hour) }, nil},
	} {
		w := newWorld(t)
		w.tenant.Settings.Tokens.AccessTokenOpaque = true
		other = *w.tenant
		other.Secret = otherSecret(t)
		token, g := w.line("shop", nil)
		stored := len(w.store.tokens)
		if c.change != nil {
			c.change(w, g)
		}
		if c.token != nil {
			token = c.token(w, g, token)
		}
		out, err := w.refresh(c.client, token)
		if said(err) != over || out.AccessToken != "" || len(w.store.tokens) != stored {
			t.Errorf("%s: got %q, %+v", c.rule, said(err), out)
		}
		if len(w.store.events) > 0 || w.revoked(g) {
			t.Errorf("%s: it did something: %+v", c.rule, w.store.events)
		}
	}
}

func TestRotationDoesNotPutOffTheEnd(t *testing.T) {
	w := newWorld(t)
	w.tenant.Settings.Tokens.RefreshTokenLifetime, w.tenant.Settings.Tokens.RefreshTokenIdle = 3600, 900
	token, _ := w.line("app", nil)
	for range 6 {
		w.now = w.now.Add(9*time.Minute + 50*time.Second)
		out, err := w.refresh("app", token)
		if err != nil {
			t.Fatal(w.now, err)
		}
		token = out.RefreshToken
		if left := noon.Add(time.Hour).Sub(w.now); out.ExpiresIn != min(10*time.Minute, left) {
			t.Errorf("%v before the end an access token lives for %v", left, out.ExpiresIn)
		}
	}
	w.now = noon.Add(time.Hour)
	if _, err := w.refresh("app", token); said(err) != over {
		t.Errorf("at the end it is told %q", said(err))
	}
}

func TestARefreshMayAskForLess(t *testing.T) {
	for _, c := range []struct {
		rule   string
		params []string
		want   string
		scope  string
		aud    any
	}{
		{"nothing is asked", nil, "", "openid a b", []any{"https://one.example/", "urn:two"}},
		{"less scope", []string{"scope", "b"}, "", "b", []any{"https://one.example/", "urn:two"}},
		{"the same scope", []string{"scope", "b a  openid a"}, "", "b a openid", []any{"https://one.example/", "urn:two"}},
		{"more scope", []string{"scope", "openid a b c"}, "invalid_scope: scope exceeds what was granted", "", nil},
		{"malformed scope", []string{"scope", `a"b`}, "invalid_scope: scope holds characters that are not allowed", "", nil},
		{"one resource", []string{"resource", "urn:two"}, "", "openid a b", "urn:two"},
		{"two resources", []string{"resource", "urn:two", "resource", "https://one.example/"}, "", "openid a b", []any{"urn:two", "https://one.example/"}},
		{"another resource", []string{"resource", "urn:two", "resource", "urn:three"}, "invalid_target: this resource was not granted", "", nil},
		{"a resource in other words", []string{"resource", "https://one.example"}, "invalid_target: this resource was not granted", "", nil},
		{"a resource that is no URI", []string{"resource", "two"}, "invalid_target: resource is not an absolute URI without fragment", "", nil},
		{"a resource with a fragment", []string{"resource", "urn:two#"}, "invalid_target: resource is not an absolute URI without fragment", "", nil},
	} {
		w := newWorld(t)
		first, g := w.line("shop", func(g *grant.Grant) { g.Terms.Audience = []string{"https://one.example/", "urn:two"} })
		out, err := w.refresh("shop", first, c.params...)
		if said(err) != c.want {
			t.Errorf("%s: got %q", c.rule, said(err))
			continue
		}
		if err != nil {
			if g.Refresh.Generation != 1 || !g.RevokedAt.IsZero() {
				t.Errorf("%s: it cost the token: %+v", c.rule, g)
			}
			continue
		}
		x := w.claims(jwtAccess, out.AccessToken)
		if d := cmp.Diff(c.aud, x["aud"]); d != "" || x["scope"] != c.scope || out.Scope.String() != c.scope {
			t.Errorf("%s: got %v, %v", c.rule, x, out.Scope)
		}
		// What was left out once may be asked for again (RFC 6749 §6).
		if out, err = w.refresh("shop", out.RefreshToken); err != nil || out.Scope.String() != "openid a b" {
			t.Errorf("%s: then got %v, %v", c.rule, out.Scope, err)
		}
	}
}

func TestALaterIDTokenNeedsAnOpenSession(t *testing.T) {
	open := session.Session{ID: "s1", CreatedAt: noon, UsedAt: noon, MaxLife: 120, MaxIdle: 60}
	for _, c := range []struct {
		rule    string
		session *session.Session
		change  func(*grant.Grant)
		want    bool
	}{
		{"it is open", &open, nil, true},
		{"it is gone", nil, nil, false},
		{"its life has passed", &session.Session{CreatedAt: noon, UsedAt: noon.Add(time.Minute), MaxLife: 1, MaxIdle: -1}, nil, false},
		{"it has lain idle", &session.Session{CreatedAt: noon, UsedAt: noon, MaxLife: -1, MaxIdle: 1}, nil, false},
		{"none was agreed for a refresh", &open, func(g *grant.Grant) { g.Terms.IDToken.AllowRefresh = false }, false},
		{"none was agreed at all", &open, func(g *grant.Grant) { g.Terms.IDToken.Issue = false }, false},
		{"the grant hangs on no session", &open, func(g *grant.Grant) { g.SessionID = "" }, false},
	} {
		w := newWorld(t)
		first, _ := w.line("shop", func(g *grant.Grant) {
			g.Terms.IDToken = grant.IDTerms{Issue: true, AllowRefresh: true, Lifetime: 60}
			g.Terms.Login = grant.Login{AuthTime: 7, TellAuthTime: true, ACR: "2", Nonce: "n-0S6"}
			if c.change != nil {
				c.change(g)
			}
		})
		if c.session != nil {
			w.store.sessions["s1"] = c.session
		}
		w.now = noon.Add(time.Minute)
		out, err := w.refresh("shop", first)
		if err != nil || out.AccessToken == "" || out.RefreshToken == "" || (out.IDToken != "") != c.want {
			t.Errorf("%s: got %+v, %v", c.rule, out, err)
			continue
		}
		if !c.want {
			continue
		}
		// No nonce (OIDC Core §12.2), and the time of the login stays.
		want := map[string]any{"iss": w.tenant.Issuer, "sub": "alice", "aud": "shop", "iat": at + 60, "exp": at + 360, "auth_time": 7.0, "acr": "2", "at_hash": half(out.AccessToken),
			"sid": grant.SID(w.tenant, "s1", "shop")}
		if d := cmp.Diff(want, w.claims(grant.IDTokenType, out.IDToken)); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
	}
}

// A client that lost an answer gets the successor again also where its tokens do not rotate any more.
func TestARetryGetsTheSuccessorWhateverTheTenantSaysSince(t *testing.T) {
	w := newWorld(t)
	first, g := w.line("shop", nil)
	second, err := w.refresh("shop", first)
	if err != nil {
		t.Fatal(err)
	}
	w.tenant.Settings.Tokens.RefreshTokenKeep = true
	again, err := w.refresh("shop", first)
	if err != nil || again.RefreshToken != second.RefreshToken || g.Refresh.Generation != 2 {
		t.Errorf("got %+v, %v", again, err)
	}
}

// For a replay nothing is minted, so that nothing can keep it from being found out.
func TestAReplayIsFoundOutWithoutTheRest(t *testing.T) {
	w := newWorld(t)
	first, g := w.line("app", func(g *grant.Grant) { g.Terms.IDToken = grant.IDTerms{Issue: true, AllowRefresh: true} })
	newest := first
	for range 2 {
		out, err := w.refresh("app", newest)
		if err != nil {
			t.Fatal(err)
		}
		newest = out.RefreshToken
	}
	w.store.down["Session"] = oauth.Unavailable()
	if _, err := w.refresh("app", first); said(err) != over || !w.revoked(g) {
		t.Errorf("got %q, in the journal: %v", said(err), w.revoked(g))
	}
}

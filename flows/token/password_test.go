package token

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// guards is a Guesses that blocks who failed three times.
type guards struct{ fails map[string]int }

func (g *guards) Blocked(_ context.Context, t tenant.ID, what, key, source string) (time.Duration, bool) {
	return time.Minute, g.fails[string(t)+what+key+source] >= 3
}

func (g *guards) Fail(_ context.Context, t tenant.ID, what, key, source string) {
	g.fails[string(t)+what+key+source]++
}

func (g *guards) Succeed(_ context.Context, t tenant.ID, what, key, source string) {
	delete(g.fails, string(t)+what+key+source)
}

const badPassword = "invalid_grant: the user name or the password is wrong"

func (w *world) password(client, username, password string, pairs ...string) (grant.Tokens, error) {
	return w.ask(client, append([]string{"grant_type", oauth.Password, "username", username, "password", password}, pairs...)...)
}

func TestPasswords(t *testing.T) {
	for _, c := range []struct {
		rule               string
		client             string
		username, password string
		params             []string
		want               string
		scope              string
		refresh, id        bool
	}{
		{"the right one", "shop", "alice", "s3cret", nil, "", "openid offline_access a b", true, true},
		{"for less", "shop", "alice", "s3cret", []string{"scope", "a"}, "", "a", true, false},
		{"for a resource", "shop", "alice", "s3cret", []string{"scope", "a", "resource", "urn:two"}, "", "a", true, false},
		{"for a resource that the client did not register", "shop", "alice", "s3cret", []string{"resource", "urn:three"}, ungranted, "", false, false},
		{"for scope that the client did not register", "shop", "alice", "s3cret", []string{"scope", "z"}, "invalid_scope: the client may not ask for this scope", "", false, false},
		{"a wrong one", "shop", "alice", "S3cret", nil, badPassword, "", false, false},
		{"an unknown user", "shop", "nobody", "s3cret", nil, badPassword, "", false, false},
		{"an endless one", "shop", "alice", strings.Repeat("x", 1<<20), nil, badPassword, "", false, false},
		{"none", "shop", "alice", "", nil, "invalid_request: password is missing", "", false, false},
		{"of a client without the grant", "web", "alice", "s3cret", nil, "unauthorized_client: the client may not use this grant_type", "", false, false},
	} {
		w := newWorld(t)
		if _, err := w.password(c.client, c.username, c.password, c.params...); said(err) != "unsupported_grant_type: grant_type is not supported" {
			t.Errorf("%s: although it is off: %v", c.rule, err)
		}
		w.tenant.Settings.Grants.Password.Enabled = true
		out, err := w.password(c.client, c.username, c.password, c.params...)
		if said(err) != c.want || out.Scope.String() != c.scope || (out.RefreshToken != "") != c.refresh || (out.IDToken != "") != c.id {
			t.Errorf("%s: %q %+v", c.rule, said(err), out)
			continue
		}
		if err != nil {
			continue
		}
		got := w.claims(jwtAccess, out.AccessToken)
		g := w.store.grants[got["gid"].(string)]
		if got["sub"] != "alice" || g == nil || g.Refresh == nil || g.ClientID != "shop" || len(w.store.events) != 1 || w.store.events[0].Kind != audit.GrantIssued ||
			w.store.events[0].Detail["grant_type"] != oauth.Password {
			t.Errorf("%s: %v, %+v, %v", c.rule, got, g, w.store.events)
		}
		if _, err := w.refresh("shop", out.RefreshToken); err != nil {
			t.Errorf("%s: its refresh token: %v", c.rule, err)
		}
	}
}

func TestPasswordsThatTheTenantChecks(t *testing.T) {
	w := newWorld(t)
	w.tenant.Settings.Grants.Password.Enabled = true
	h := w.hook(tenant.HookPassword, `{"action":"allow","subject":"carol","refresh_token":false,"scope":"openid a","claims":{"email":"carol@example.com"},"acr":"2"}`)
	w.Guesses = &guards{map[string]int{}}
	out, err := w.password("shop", "carol@example.com", "any")
	if err != nil || out.RefreshToken != "" || out.Scope.String() != "openid a" {
		t.Fatal(out, err)
	}
	if id := w.claims(grant.IDTokenType, out.IDToken); id["sub"] != "carol" || id["email"] != "carol@example.com" || id["acr"] != "2" {
		t.Error(id)
	}
	if f := h.events[0].Facts; f["username"] != "carol@example.com" || f["password"] != "any" || len(h.events[0].Request.Parameters) != 0 {
		t.Error(f, h.events[0].Request)
	}
	for _, c := range []struct{ rule, answer, want string }{
		{"no subject", `{"action":"allow"}`, "server_error"},
		{"a subject that is the client", `{"action":"allow","subject":"shop"}`, "server_error"},
		{"a subject that cannot be", `{"action":"allow","subject":"a\nb"}`, "server_error"},
		{"refused", `{"action":"deny","error":"invalid_grant"}`, "invalid_grant"},
	} {
		h := w.hook(tenant.HookPassword, c.answer)
		if _, err := w.password("shop", "dave", "any"); said(err) != c.want || len(h.events) != 1 {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	// Guessing at it is limited as guessing at ours is, and only what was refused as a guess counts.
	h = w.hook(tenant.HookPassword, `{"action":"deny","error":"invalid_grant"}`)
	for range 2 {
		_, _ = w.password("shop", "dave", "guess")
	}
	if _, err := w.password("shop", "DAVE", "guess"); oauth.RetryAfter(err) != time.Minute || len(h.events) != 2 {
		t.Error("after three wrong guesses:", err, len(h.events))
	}
	if _, err := w.password("shop", "erin", "guess"); said(err) != "invalid_grant" {
		t.Error("another user:", err)
	}
}

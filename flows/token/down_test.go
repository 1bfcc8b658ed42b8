package token

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// source is a grant.Sources that fails until it is up.
type source struct{ down error }

func (s *source) Ask(context.Context, *tenant.Tenant, grant.Inquiry) (map[string]json.RawMessage, error) {
	return map[string]json.RawMessage{"tier": json.RawMessage(`"gold"`)}, s.down
}

// A code or a refresh token whose ID token lacks claims, as their source is down, is as good as before when it is up.
func TestASourceThatIsDownBurnsNothing(t *testing.T) {
	for rule, ask := range map[string]func(w *world) func() (grant.Tokens, error){
		"a code": func(w *world) func() (grant.Tokens, error) {
			code, _ := w.agree("shop", func(g *grant.Grant) {
				g.Terms.IDToken.Issue, g.Terms.IDTokenClaims = true, []string{"tier"}
			})
			return func() (grant.Tokens, error) {
				return w.ask("shop", "grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", callback)
			}
		},
		"a refresh token": func(w *world) func() (grant.Tokens, error) {
			w.store.sessions["s1"] = &session.Session{MaxLife: -1, MaxIdle: -1}
			_, g := w.agree("shop", func(g *grant.Grant) {
				g.Terms.IDToken.Issue, g.Terms.IDToken.AllowRefresh, g.Terms.IDTokenClaims = true, true, []string{"tier"}
				g.Refresh = &grant.RefreshState{Generation: 1, ExpiresAt: g.ExpiresAt}
			})
			return func() (grant.Tokens, error) {
				return w.ask("shop", "grant_type", oauth.RefreshToken, "refresh_token", grant.RefreshToken(w.tenant, g.ID, 1))
			}
		},
	} {
		w := newWorld(t)
		w.Accounts = nobody{}
		s := &source{down: oauth.Unavailable()}
		w.Issuer.Sources, w.tenant.Settings.Hooks = s, map[string]tenant.Hook{"claims": {Claims: []string{"tier"}}}
		again := ask(w)
		for range 3 {
			if out, err := again(); !errors.Is(err, oauth.Unavailable()) || out.AccessToken+out.RefreshToken+out.IDToken != "" {
				t.Errorf("%s: got %+v, %v", rule, out, err)
			}
		}
		s.down = nil
		out, err := again()
		if err != nil || w.claims("JWT", out.IDToken)["tier"] != "gold" {
			t.Errorf("%s, when it is up: %+v, %v", rule, out, err)
		}
	}
}

// nobody has no claims.
type nobody struct{}

func (nobody) Claims(context.Context, *tenant.Tenant, string, []string, []string) (map[string]json.RawMessage, error) {
	return nil, nil
}

// A client that is told invalid_grant throws its tokens away, so it must not hear that where we do not know.
func TestAStoreThatFailsRefusesNothing(t *testing.T) {
	code := func(redirectURI string) func(w *world) (grant.Tokens, error) {
		return func(w *world) (grant.Tokens, error) {
			code, _ := w.agree("shop", func(g *grant.Grant) {
				g.Terms.IDToken.Issue, g.Terms.IDTokenClaims = true, []string{"email"}
			})
			return w.ask("shop", "grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", redirectURI)
		}
	}
	refresh := func(w *world) (grant.Tokens, error) {
		w.store.sessions["s1"] = &session.Session{MaxLife: -1, MaxIdle: -1}
		_, g := w.agree("shop", func(g *grant.Grant) {
			g.Terms.IDToken.Issue, g.Terms.IDToken.AllowRefresh, g.Terms.IDTokenClaims = true, true, []string{"email"}
			g.Refresh = &grant.RefreshState{Generation: 1, ExpiresAt: g.ExpiresAt}
		})
		return w.ask("shop", "grant_type", oauth.RefreshToken, "refresh_token", grant.RefreshToken(w.tenant, g.ID, 1))
	}
	client := func(w *world) (grant.Tokens, error) {
		w.tenant.Settings.Tokens.AccessTokenOpaque = true
		return w.ask("shop", "grant_type", oauth.ClientCredentials)
	}
	for _, c := range []struct {
		rule, method string
		ask          func(w *world) (grant.Tokens, error)
	}{
		{"a code cannot be read", "Grant", code(callback)},
		{"a code cannot be redeemed", "RedeemCode", code(callback)},
		{"claims of an ID token cannot be read", "Claims", code(callback)},
		{"a code cannot be burnt", "RevokeGrant", code(callback + "3")},
		{"a refresh token cannot be read", "Grant", refresh},
		{"a refresh token cannot be used", "RotateRefresh", refresh},
		{"a session cannot be read", "Session", refresh},
		{"claims of a later ID token cannot be read", "Claims", refresh},
		{"a client's own token cannot be recorded", "PutAccessToken", client},
	} {
		for _, d := range []struct {
			err  error
			want string
		}{
			{oauth.Unavailable(), "temporarily_unavailable: The service is temporarily unavailable"},
			{errors.New("out of order"), "server_error"},
		} {
			w := newWorld(t)
			w.store.down[c.method] = d.err
			out, err := c.ask(w)
			if said(err) != d.want || out.AccessToken != "" || out.RefreshToken != "" || out.IDToken != "" {
				t.Errorf("%s: got %q, %+v; want %q", c.rule, said(err), out, d.want)
			}
			for _, g := range w.store.grants {
				if !g.RevokedAt.IsZero() || w.revoked(g) || !g.Code.RedeemedAt.IsZero() || g.Refresh != nil && g.Refresh.Generation != 1 {
					t.Errorf("%s: it did something: %+v", c.rule, g)
				}
			}
		}
		if _, err := c.ask(newWorld(t)); said(err) != "" && c.method != "RevokeGrant" {
			t.Errorf("%s: it is refused also where it can: %v", c.rule, err)
		}
	}
}

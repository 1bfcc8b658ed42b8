package token

import (
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// What the tenant says of one client's refresh tokens stands between its settings and what was agreed.
func TestRefreshTokensFollowTheClientsPolicy(t *testing.T) {
	yes, no := true, false
	const day = 24 * time.Hour
	for _, c := range []struct {
		rule    string
		client  string
		policy  tenant.TokenPolicy
		keep    bool // of the tenant
		terms   grant.RefreshTerms
		rotates bool
		ends    time.Duration // from the first token
		idle    time.Duration // from each use; zero: none
	}{
		{"none: as the settings say", "shop", tenant.TokenPolicy{}, false, grant.RefreshTerms{}, true, 90 * day, 30 * day},
		{"no rotation", "shop", tenant.TokenPolicy{RefreshRotation: &no}, false, grant.RefreshTerms{}, false, 90 * day, 30 * day},
		{"rotation where the tenant keeps them", "shop", tenant.TokenPolicy{RefreshRotation: &yes}, true, grant.RefreshTerms{}, true, 90 * day, 30 * day},
		{"no rotation, but the grant says otherwise", "shop", tenant.TokenPolicy{RefreshRotation: &no}, false, grant.RefreshTerms{Rotate: &yes}, true, 90 * day, 30 * day},
		{"no rotation for a public client", "app", tenant.TokenPolicy{RefreshRotation: &no}, false, grant.RefreshTerms{}, true, 90 * day, 30 * day},
		{"a shorter life", "shop", tenant.TokenPolicy{RefreshLifetime: 3600}, false, grant.RefreshTerms{}, true, time.Hour, 30 * day},
		{"a longer life than the tenant allows", "shop", tenant.TokenPolicy{RefreshLifetime: 400 * 24 * 3600}, false, grant.RefreshTerms{}, true, 90 * day, 30 * day},
		{"a life that the grant undercuts", "shop", tenant.TokenPolicy{RefreshLifetime: 3600}, false, grant.RefreshTerms{Lifetime: 1800}, true, 30 * time.Minute, 30 * day},
		{"another idle time", "shop", tenant.TokenPolicy{RefreshIdle: 120}, false, grant.RefreshTerms{}, true, 90 * day, 2 * time.Minute},
		{"no idle time", "shop", tenant.TokenPolicy{RefreshIdle: -1}, false, grant.RefreshTerms{}, true, 90 * day, 0},
		{"no idle time, but the grant has one", "shop", tenant.TokenPolicy{RefreshIdle: -1}, false, grant.RefreshTerms{MaxIdle: 60}, true, 90 * day, time.Minute},
	} {
		w := newWorld(t)
		w.tenant.Settings.Tokens.RefreshTokenKeep = c.keep
		w.clients[c.client].TokenPolicy = c.policy
		token, g := w.line(c.client, func(g *grant.Grant) {
			c.terms.Issue = true
			g.Terms.RefreshToken = c.terms
		})
		for use := range 3 {
			idle := time.Time{}
			if c.idle > 0 {
				idle = w.now.Add(c.idle)
			}
			if r := g.Refresh; !r.ExpiresAt.Equal(noon.Add(c.ends)) || !r.IdleUntil.Equal(idle) {
				t.Fatalf("%s: use %d: ends %v, idle until %v", c.rule, use, r.ExpiresAt, r.IdleUntil)
			}
			w.now = w.now.Add(30 * time.Second)
			out, err := w.refresh(c.client, token)
			if err != nil || (out.RefreshToken != token) != c.rotates {
				t.Fatalf("%s: use %d: %+v, %v", c.rule, use, out, err)
			}
			token = out.RefreshToken
		}
		if w.now = noon.Add(c.ends); c.idle > 0 && c.idle < c.ends {
			w.now = g.Refresh.IdleUntil
		}
		if _, err := w.refresh(c.client, token); said(err) != over {
			t.Errorf("%s: at its end it is told %q", c.rule, said(err))
		}
	}
}

package grant

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Accounts tells the claims of a subject.
type Accounts interface {
	Claims(ctx context.Context, t *tenant.Tenant, sub string, names, locales []string) (map[string]json.RawMessage, error)
}

// Minted are the first tokens of a grant, with what must be recorded of them.
type Minted struct {
	Tokens
	Stored    *AccessToken // the access token, where it is opaque or has a twin
	ExpiresAt time.Time    // when the last of access and refresh token ends: the new end of the grant
}

// Mint makes the first tokens of g, which is c's: an access token for audience and, as its terms say, a refresh token, where
// the tenant serves any, and an ID token. An algorithm without a key is keys.ErrNoKey, a token that would be too long keys.ErrTooLarge.
func (i *Issuer) Mint(ctx context.Context, t *tenant.Tenant, g *Grant, c *tenant.Client, accounts Accounts, audience []string) (Minted, error) {
	t = t.At(g.Terms.Face)
	m := Minted{Tokens: Tokens{TokenType: g.Terms.AccessToken.Confirmation.TokenType(), Scope: g.Terms.Scope, Details: g.Terms.Details, Audience: audience, Grant: g}}
	now := i.Now()
	var notAfter time.Time
	if g.Terms.RefreshToken.Issue && t.Settings.Serves(oauth.RefreshToken) {
		m.Refresh = g.Terms.RefreshToken.Of(c).first(t, now)
		m.Refresh.Confirmation = g.Terms.AccessToken.Confirmation
		m.RefreshToken = RefreshToken(t, g.ID, m.Refresh.Generation)
		notAfter = m.Refresh.End()
		i.Count(t, g, RefreshTokens)
	}
	var err error
	if m.AccessToken, m.ExpiresIn, m.Stored, err = i.MintAccess(ctx, t, g, g.Terms.Scope, audience, notAfter); err != nil {
		return Minted{}, err
	}
	if m.Stored != nil {
		m.Twin = m.Stored.Twin
	}
	if g.Terms.IDToken.Issue {
		if m.IDToken, err = i.MintIDToken(ctx, t, g, IDToken{Client: c, Accounts: accounts, AccessToken: m.AccessToken, RefreshToken: m.RefreshToken, First: true}); err != nil {
			return Minted{}, err
		}
	}
	m.ExpiresAt = now.Add(m.ExpiresIn)
	if m.Refresh != nil && m.Refresh.ExpiresAt.After(m.ExpiresAt) {
		m.ExpiresAt = m.Refresh.ExpiresAt
	}
	return m, nil
}

// Of is r with what c's registration says where r says nothing.
func (r RefreshTerms) Of(c *tenant.Client) *RefreshTerms {
	r.Lifetime, r.MaxIdle = cmp.Or(r.Lifetime, c.RefreshLifetime), cmp.Or(r.MaxIdle, c.RefreshIdle)
	if r.Rotate == nil {
		r.Rotate = c.RefreshRotation
	}
	return &r
}

// first is the state of a grant's first refresh token, made at now. The tenant's lifetime always applies.
func (r *RefreshTerms) first(t *tenant.Tenant, now time.Time) *RefreshState {
	life := t.Settings.RefreshTokenLifetime()
	if r.Lifetime > 0 {
		life = shortened(life, r.Lifetime)
	}
	return &RefreshState{Generation: 1, RotatedAt: now, UsedAt: now, ExpiresAt: now.Add(life), IdleUntil: r.IdleUntil(t, now)}
}

// IdleUntil is when a refresh token used at now ends if it is not used again; zero: never.
func (r *RefreshTerms) IdleUntil(t *tenant.Tenant, now time.Time) time.Time {
	idle := t.Settings.RefreshTokenIdle()
	if r.MaxIdle != 0 {
		idle = time.Duration(r.MaxIdle) * time.Second
	}
	if idle <= 0 {
		return time.Time{}
	}
	return now.Add(idle)
}

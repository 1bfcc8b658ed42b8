package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// grantRow is a grant as it is stored, with its code and its line of refresh tokens.
type grantRow struct {
	TenantID          string `gorm:"primaryKey"`
	ID                string `gorm:"primaryKey"`
	Subject           string
	Actor             string
	ClientID          string
	SessionID         string
	Terms             document[grant.Terms]
	CreatedAt         moment
	ExpiresAt         moment
	RevokedAt         moment
	CodeHash          []byte
	CodeExpiresAt     moment
	CodeRedeemedAt    moment
	RedirectURI       string
	Challenge         string
	RefreshGeneration int64
	RefreshRotatedAt  moment
	RefreshUsedAt     moment
	RefreshExpiresAt  moment
	RefreshIdleUntil  moment
}

// TableName is gorm's.
func (grantRow) TableName() string { return "grants" }

func (r *grantRow) grant() *grant.Grant {
	g := &grant.Grant{ID: r.ID, Subject: r.Subject, Actor: r.Actor, ClientID: r.ClientID, SessionID: r.SessionID,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time, RevokedAt: r.RevokedAt.Time, Terms: r.Terms.V}
	if len(r.CodeHash) > 0 {
		g.Code = &grant.CodeState{Hash: r.CodeHash, ExpiresAt: r.CodeExpiresAt.Time, RedeemedAt: r.CodeRedeemedAt.Time,
			RedirectURI: r.RedirectURI, Challenge: r.Challenge}
	}
	if r.RefreshGeneration > 0 {
		g.Refresh = &grant.RefreshState{Generation: r.RefreshGeneration, RotatedAt: r.RefreshRotatedAt.Time, UsedAt: r.RefreshUsedAt.Time,
			ExpiresAt: r.RefreshExpiresAt.Time, IdleUntil: r.RefreshIdleUntil.Time}
	}
	return g
}

// offline reports whether a grant outlives its session.
func offline(m *grant.Terms) bool {
	return m.Scope.Has(oauth.OfflineAccess) || m.LongLived && m.RefreshToken.Issue
}

// grant records a new grant.
func (e *effect) grant(g *grant.Grant) {
	code := g.Code
	if code == nil {
		code = &grant.CodeState{}
	}
	args := []any{g.ID, g.Subject, g.Actor, g.ClientID, g.SessionID, offline(&g.Terms), e.json(&g.Terms), cut(g.CreatedAt),
		cut(g.ExpiresAt), at(g.RevokedAt), code.Hash, at(code.ExpiresAt), at(code.RedeemedAt), code.RedirectURI, code.Challenge}
	e.insert(`grants (tenant_id, id, subject, actor, client_id, session_id, offline, terms, created_at, expires_at, revoked_at, code_hash,
		code_expires_at, code_redeemed_at, redirect_uri, challenge, refresh_generation, refresh_rotated_at, refresh_used_at,
		refresh_expires_at, refresh_idle_until)`, "", append(args, refresh(g.Refresh)...)...)
}

// refresh is the state of a line of refresh tokens as arguments, in the order of its columns.
func refresh(r *grant.RefreshState) []any {
	if r == nil {
		r = &grant.RefreshState{}
	}
	return []any{r.Generation, at(r.RotatedAt), at(r.UsedAt), at(r.ExpiresAt), at(r.IdleUntil)}
}

// Grant implements grant.Store.
func (db *DB) Grant(ctx context.Context, t tenant.ID, id string) (*grant.Grant, error) {
	var r grantRow
	if err := db.take(ctx, t, "read grant", &r, grant.ErrNotFound, "id = ?", id); err != nil {
		return nil, err
	}
	return r.grant(), nil
}

// PutGrant implements grant.Store.
func (db *DB) PutGrant(ctx context.Context, t tenant.ID, g grant.Grant, a *grant.AccessToken, ev audit.Event) error {
	e := db.effect(t)
	e.grant(&g)
	if a != nil {
		e.accessToken(a)
	}
	e.event(ev)
	_, _, err := e.run(ctx, "put grant")
	return err
}

// revoke revokes a grant unless it is already, and enters the revocation and the event if it was not.
func (db *DB) revoke(ctx context.Context, t tenant.ID, id string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND id = ? AND revoked_at IS NULL RETURNING id`, cut(now), id)
	e.enter(revoked)
	e.event(ev)
	_, _, err := e.run(ctx, "revoke grant")
	return err
}

// RevokeGrant implements grant.Store.
func (db *DB) RevokeGrant(ctx context.Context, t tenant.ID, id string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	return known(db.revoke(ctx, t, id, now, revoked, ev), nil)
}

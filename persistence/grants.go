package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// grantColumns are those of a grant with its code and its line of refresh tokens, in the order of grantRow.
const grantColumns = `id, subject, actor, client_id, session_id, terms, created_at, expires_at, revoked_at, code_hash, code_expires_at,
	code_redeemed_at, redirect_uri, challenge, refresh_generation, refresh_rotated_at, refresh_used_at, refresh_expires_at,
	refresh_idle_until, refresh_cnf, revision, managed`

// readGrant reads a grant.
const readGrant = `SELECT ` + grantColumns + ` FROM grants WHERE tenant_id = :t AND id = ?`

// grantRow is a grant as it is read.
type grantRow struct {
	grant.Grant
	code grant.CodeState
	line grant.RefreshState
}

func (r *grantRow) columns() []any {
	code, line := &r.code, &r.line
	return []any{&r.ID, &r.Subject, &r.Actor, &r.ClientID, &r.SessionID, into{&r.Terms}, when{&r.CreatedAt}, when{&r.ExpiresAt}, when{&r.RevokedAt},
		&code.Hash, when{&code.ExpiresAt}, when{&code.RedeemedAt}, &code.RedirectURI, &code.Challenge, &line.Generation, when{&line.RotatedAt},
		when{&line.UsedAt}, when{&line.ExpiresAt}, when{&line.IdleUntil}, into{&line.Confirmation}, &r.Revision, &r.Managed}
}

func (r *grantRow) whole() *grant.Grant {
	if len(r.code.Hash) > 0 {
		r.Code = &r.code
	}
	if r.line.Generation > 0 {
		r.Refresh = &r.line
	}
	return &r.Grant
}

// Grant implements grant.Store.
func (db *DB) Grant(ctx context.Context, t tenant.ID, id string) (*grant.Grant, error) {
	var r grantRow
	if err := db.one(ctx, t, "read grant", grant.ErrNotFound, readGrant, []any{id}, r.columns()...); err != nil {
		return nil, err
	}
	return r.whole(), nil
}

// ListGrants implements grant.Register.
func (db *DB) ListGrants(ctx context.Context, t tenant.ID, now time.Time, sub, clientID, after string, n int) (out []grant.Grant, err error) {
	q := `SELECT ` + grantColumns + ` FROM grants WHERE tenant_id = :t AND subject = ? AND id > ? AND revoked_at IS NULL AND expires_at > ? `
	args := []any{sub, after, cut(now)}
	if clientID != "" {
		q, args = q+`AND client_id = ? `, append(args, clientID)
	}
	err = db.query(ctx, t, "list grants", q+`ORDER BY id LIMIT ?`, append(args, n), func(scan scan) error {
		var r grantRow
		err := scan(r.columns()...)
		out = append(out, *r.whole())
		return err
	})
	return out, known(err, nil)
}

// grant records a new grant.
func (e *effect) grant(g *grant.Grant) {
	code := g.Code
	if code == nil {
		code = &grant.CodeState{}
	}
	args := []any{g.ID, g.Subject, g.Actor, g.ClientID, g.SessionID, g.Outlives(), e.json(&g.Terms), cut(g.CreatedAt),
		cut(g.ExpiresAt), at(g.RevokedAt), code.Hash, at(code.ExpiresAt), at(code.RedeemedAt), code.RedirectURI, code.Challenge, g.Managed}
	e.insert(`grants (tenant_id, id, subject, actor, client_id, session_id, offline, terms, created_at, expires_at, revoked_at, code_hash,
		code_expires_at, code_redeemed_at, redirect_uri, challenge, managed, refresh_generation, refresh_rotated_at, refresh_used_at,
		refresh_expires_at, refresh_idle_until, refresh_cnf)`, "", append(args, e.refresh(g.Refresh)...)...)
}

// refresh is the state of a line of refresh tokens as arguments, in the order of its columns.
func (e *effect) refresh(r *grant.RefreshState) []any {
	if r == nil {
		r = &grant.RefreshState{}
	}
	return []any{r.Generation, at(r.RotatedAt), at(r.UsedAt), at(r.ExpiresAt), at(r.IdleUntil), e.confirmation(r.Confirmation)}
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

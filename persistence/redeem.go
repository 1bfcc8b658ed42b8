package persistence

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A code dies with the session it was given in, and with its subject's account, also when its grant was only being
// written while they looked for grants. The session is held, so that it does not end in the midst of this.
const (
	holdSession = `SELECT s.id FROM sessions s WHERE s.tenant_id = :t AND s.id = (SELECT g.session_id FROM grants g WHERE g.tenant_id = :t AND g.id = ?)`
	redeemCode  = `UPDATE grants SET code_redeemed_at = ?, expires_at = ?, refresh_generation = ?, refresh_rotated_at = ?,
		refresh_used_at = ?, refresh_expires_at = ?, refresh_idle_until = ?, refresh_cnf = ?
		WHERE tenant_id = :t AND id = ? AND code_hash = ? AND code_redeemed_at IS NULL AND code_expires_at > ?
		AND revoked_at IS NULL AND expires_at > ? AND (offline OR session_id = '' OR EXISTS (SELECT 1 FROM held))` + enabled + ` RETURNING id`
	enabled = ` AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.tenant_id = :t AND a.subject = grants.subject AND a.disabled)`
)

// RedeemCode implements grant.Store. ev is what happened when the code was used before.
func (db *DB) RedeemCode(ctx context.Context, t tenant.ID, now time.Time, r grant.Redemption, revoked tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	e.let("held", holdSession+keeping[db.engine.Dialect], r.Grant)
	e.guard(redeemCode, append(append([]any{cut(now), cut(r.ExpiresAt)}, e.refresh(r.Refresh)...), r.Grant, r.CodeHash, cut(now), cut(now))...)
	if r.AccessToken != nil {
		e.accessToken(r.AccessToken)
	}
	won, _, err := e.run(ctx, "redeem code")
	if won || err != nil {
		return known(err, grant.ErrNotFound)
	}
	redeemed := false
	err = db.query(ctx, t, "look for code", `SELECT code_redeemed_at IS NOT NULL FROM grants
		WHERE tenant_id = :t AND id = ? AND code_hash = ? AND code_expires_at > ?`, []any{r.Grant, r.CodeHash, cut(now)},
		func(scan scan) error { return scan(&redeemed) })
	switch {
	case err != nil:
		return err
	case !redeemed:
		return grant.ErrNotFound
	}
	if err := db.revoke(ctx, t, r.Grant, now, revoked, ev); err != nil {
		return err
	}
	return grant.ErrReplayed
}

// refreshable is a grant whose refresh tokens can be used at a time, given thrice.
const refreshable = ` AND revoked_at IS NULL AND expires_at > ? AND refresh_expires_at > ?
	AND (refresh_idle_until IS NULL OR refresh_idle_until > ?)` + enabled

// RotateRefresh implements grant.Store. ev is what happened when an older token was presented.
func (db *DB) RotateRefresh(ctx context.Context, t tenant.ID, now time.Time, r grant.Rotation, grace time.Duration, revoked tenant.Revocation, ev audit.Event) (retry bool, err error) {
	e := db.effect(t)
	e.guard(`UPDATE grants SET refresh_generation = ?, refresh_rotated_at = ?, refresh_used_at = ?,
		refresh_idle_until = ?, refresh_cnf = ? WHERE tenant_id = :t AND id = ? AND refresh_generation = ?`+refreshable+` RETURNING id`,
		append(slices.Delete(e.refresh(&r.Next), 3, 4), r.Grant, r.Presented, cut(now), cut(now), cut(now))...) // its end may be another by now
	if r.AccessToken != nil {
		e.accessToken(r.AccessToken)
	}
	won, _, err := e.run(ctx, "rotate refresh token")
	if won || err != nil {
		return false, known(err, grant.ErrNotFound)
	}
	return db.presentedLate(ctx, t, now, r, grace, revoked, ev)
}

// presentedLate settles the use of a refresh token that is not the newest.
func (db *DB) presentedLate(ctx context.Context, t tenant.ID, now time.Time, r grant.Rotation, grace time.Duration, revoked tenant.Revocation, ev audit.Event) (retry bool, err error) {
	newest := int64(-1)
	var rotated moment
	err = db.query(ctx, t, "look for refresh token", `SELECT refresh_generation, refresh_rotated_at FROM grants WHERE tenant_id = :t AND id = ?`+
		refreshable, []any{r.Grant, cut(now), cut(now), cut(now)}, func(scan scan) error { return scan(&newest, &rotated) })
	switch {
	case err != nil:
		return false, err
	case newest < r.Presented:
		return false, grant.ErrNotFound // no such grant any more, or no such token ever
	case newest == r.Presented:
		return false, oauth.Unavailable().Because(errors.New("persistence: the refresh token became the newest only now"))
	case newest == r.Presented+1 && now.Before(rotated.Add(grace)):
		return db.repeat(ctx, t, now, r, newest)
	}
	if err := db.revoke(ctx, t, r.Grant, now, revoked, ev); err != nil {
		return false, err
	}
	return false, grant.ErrReplayed
}

// repeat records what was minted for a refresh token presented again within the grace.
func (db *DB) repeat(ctx context.Context, t tenant.ID, now time.Time, r grant.Rotation, newest int64) (retry bool, err error) {
	if r.AccessToken == nil {
		return true, nil
	}
	e := db.effect(t)
	e.guard(`SELECT id FROM grants WHERE tenant_id = :t AND id = ? AND refresh_generation = ?`+refreshable,
		r.Grant, newest, cut(now), cut(now), cut(now))
	e.accessToken(r.AccessToken)
	won, _, err := e.run(ctx, "repeat refresh")
	if err == nil && !won {
		err = grant.ErrNotFound
	}
	return won && err == nil, err
}

package persistence

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// totpPlace binds a sealed TOTP secret to its tenant and account.
func totpPlace(t tenant.ID, sub string) []byte { return []byte("totp/" + string(t) + "/" + sub) }

// TOTP implements account.Factors.
func (db *DB) TOTP(ctx context.Context, t tenant.ID, sub string) (*account.TOTP, error) {
	var f account.TOTP
	var sealed []byte
	err := db.one(ctx, t, "read TOTP", account.ErrNotFound, `SELECT secret, used_step, created_at, confirmed_at,
		(SELECT count(*) FROM recovery_codes WHERE tenant_id = :t AND recovery_codes.subject = totps.subject) FROM totps WHERE tenant_id = :t AND subject = ?`,
		[]any{sub}, &sealed, &f.UsedStep, when{&f.EnrolledAt}, when{&f.ConfirmedAt}, &f.Recovery)
	if err != nil {
		return nil, err
	}
	if f.Secret, err = db.sealer.Open(sealed, totpPlace(t, sub)); err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	return &f, nil
}

// EnrolTOTP implements account.Factors.
func (db *DB) EnrolTOTP(ctx context.Context, t tenant.ID, sub string, f account.TOTP, ev audit.Event) error {
	sealed, err := db.sealer.Seal(f.Secret, totpPlace(t, sub))
	if err != nil {
		return err
	}
	e := db.effect(t)
	e.guard(`INSERT INTO totps (tenant_id, subject, secret, used_step, created_at) SELECT :t, subject, ?, 0, ? FROM accounts WHERE tenant_id = :t AND subject = ?
		ON CONFLICT (tenant_id, subject) DO UPDATE SET secret = excluded.secret, used_step = 0, created_at = excluded.created_at
		WHERE totps.confirmed_at IS NULL RETURNING subject`, sealed, cut(f.EnrolledAt), sub)
	e.event(ev)
	won, _, err := e.run(ctx, "enrol TOTP")
	if won || err != nil {
		return known(err, account.ErrNotFound)
	}
	if _, err := db.Account(ctx, t, sub); err != nil {
		return err
	}
	return account.ErrExists
}

// ConfirmTOTP implements account.Factors.
func (db *DB) ConfirmTOTP(ctx context.Context, t tenant.ID, sub string, enrolled, now time.Time, step int64, recovery [][]byte, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE totps SET confirmed_at = ?, used_step = ? WHERE tenant_id = :t AND subject = ? AND created_at = ? AND confirmed_at IS NULL RETURNING subject`,
		cut(now), step, sub, cut(enrolled))
	for _, hash := range recovery {
		e.insert("recovery_codes (tenant_id, subject, hash)", "", sub, hash)
	}
	e.event(ev)
	return e.needs(ctx, "confirm TOTP", account.ErrConflict)
}

// UseTOTP implements account.Factors.
func (db *DB) UseTOTP(ctx context.Context, t tenant.ID, sub string, enrolled time.Time, step int64) error {
	e := db.effect(t)
	e.guard(`UPDATE totps SET used_step = ? WHERE tenant_id = :t AND subject = ? AND created_at = ? AND confirmed_at IS NOT NULL AND used_step < ? RETURNING subject`,
		step, sub, cut(enrolled), step)
	return e.needs(ctx, "use TOTP", account.ErrReplayed)
}

// UseRecoveryCode implements account.Factors.
func (db *DB) UseRecoveryCode(ctx context.Context, t tenant.ID, sub string, hash []byte, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM recovery_codes WHERE tenant_id = :t AND subject = ? AND hash = ? RETURNING subject`, sub, hash)
	e.event(ev)
	return known(e.needs(ctx, "use recovery code", account.ErrReplayed), account.ErrReplayed)
}

// RemoveTOTP implements account.Factors. The recovery codes go with it.
func (db *DB) RemoveTOTP(ctx context.Context, t tenant.ID, sub string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM totps WHERE tenant_id = :t AND subject = ? RETURNING subject`, sub)
	e.event(ev)
	return known(e.needs(ctx, "remove TOTP", account.ErrNotFound), account.ErrNotFound)
}

// PutCode implements account.Factors.
func (db *DB) PutCode(ctx context.Context, t tenant.ID, c account.OneTimeCode) error {
	e := db.effect(t)
	e.insert("one_time_codes (tenant_id, exchange, subject, hash, attempts, expires_at)",
		` ON CONFLICT (tenant_id, exchange, subject) DO UPDATE SET hash = excluded.hash, attempts = 0, expires_at = excluded.expires_at, used_at = NULL`,
		c.Exchange, c.Subject, c.Hash, 0, cut(c.ExpiresAt))
	_, _, err := e.run(ctx, "put one-time code")
	return err
}

// TryCode implements account.Factors.
func (db *DB) TryCode(ctx context.Context, t tenant.ID, exchange []byte, sub string, hash []byte, now time.Time, most int) (right bool, err error) {
	found := false
	err = db.returning(ctx, writes, t, "try one-time code", `UPDATE one_time_codes SET attempts = attempts + 1, used_at = CASE WHEN hash = ? THEN expires_at END
		WHERE tenant_id = :t AND exchange = ? AND subject = ? AND used_at IS NULL AND attempts < ? AND expires_at > ? RETURNING used_at IS NOT NULL`,
		[]any{hash, exchange, sub, most, cut(now)}, func(scan scan) error {
			found = true
			return scan(&right)
		})
	switch {
	case errors.Is(err, errIllegible), err == nil && !found:
		return false, account.ErrReplayed
	}
	return right, err
}

package persistence

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// accountRow is an account as it is stored.
type accountRow struct {
	TenantID     string `gorm:"primaryKey"`
	Subject      string `gorm:"primaryKey"`
	Username     string
	PasswordHash string
	UserCodeHash string
	Disabled     bool
	Claims       document[map[string]json.RawMessage]
	CreatedAt    moment
	UpdatedAt    moment
}

// TableName is gorm's.
func (accountRow) TableName() string { return "accounts" }

func (r *accountRow) account() *account.Account {
	return &account.Account{Subject: r.Subject, Username: r.Username, PasswordHash: r.PasswordHash, UserCodeHash: r.UserCodeHash, Claims: r.Claims.V,
		Disabled: r.Disabled, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
}

// folded is a user name as it is compared; an account without one is NULL, of which there may be many.
func folded(username string) any {
	if username == "" {
		return nil
	}
	return account.Fold(username)
}

// claims returns an account's claims, never nil, so that their JSON is an object.
func claims(c map[string]json.RawMessage) map[string]json.RawMessage {
	if c == nil {
		return map[string]json.RawMessage{}
	}
	return c
}

// Account implements account.Store.
func (db *DB) Account(ctx context.Context, t tenant.ID, sub string) (*account.Account, error) {
	return db.account(ctx, t, "subject", sub)
}

// AccountByName implements account.Store.
func (db *DB) AccountByName(ctx context.Context, t tenant.ID, folded string) (*account.Account, error) {
	return db.account(ctx, t, "folded", folded)
}

// account reads the account whose key has a value.
func (db *DB) account(ctx context.Context, t tenant.ID, key, value string) (*account.Account, error) {
	var a account.Account
	if err := db.one(ctx, t, "read account", account.ErrNotFound, `SELECT subject, username, password_hash, user_code_hash, claims, disabled, created_at, updated_at,
		EXISTS (SELECT 1 FROM totps WHERE tenant_id = :t AND totps.subject = accounts.subject AND confirmed_at IS NOT NULL)
		FROM accounts WHERE tenant_id = :t AND `+key+` = ?`, []any{value}, &a.Subject, &a.Username, &a.PasswordHash, &a.UserCodeHash, into{&a.Claims}, &a.Disabled,
		when{&a.CreatedAt}, when{&a.UpdatedAt}, &a.HasTOTP); err != nil {
		return nil, err
	}
	return &a, nil
}

// Accounts implements account.Store.
func (db *DB) Accounts(ctx context.Context, t tenant.ID, after string, n int) ([]account.Account, error) {
	var rows []accountRow
	err := db.find(ctx, t, "list accounts", &rows, "subject", n, "subject > ?", after)
	out := make([]account.Account, len(rows))
	for i := range rows {
		out[i] = *rows[i].account()
	}
	return out, err
}

// CreateAccount implements account.Store.
func (db *DB) CreateAccount(ctx context.Context, t tenant.ID, a account.Account, ev audit.Event) error {
	e := db.effect(t)
	e.insert("accounts (tenant_id, subject, username, folded, password_hash, user_code_hash, disabled, claims, created_at, updated_at)", "",
		a.Subject, a.Username, folded(a.Username), a.PasswordHash, a.UserCodeHash, a.Disabled, e.json(claims(a.Claims)), cut(a.CreatedAt), cut(a.UpdatedAt))
	e.event(ev)
	_, _, err := e.run(ctx, "create account")
	return taken(err, account.ErrExists)
}

// taken returns exists where a unique key is taken.
func taken(err, exists error) error {
	if errors.Is(err, errDuplicate) {
		return exists
	}
	return err
}

// UpdateAccount implements account.Store.
func (db *DB) UpdateAccount(ctx context.Context, t tenant.ID, a account.Account, read time.Time, ev audit.Event) error {
	updated := cut(a.UpdatedAt)
	if least := cut(read).Add(time.Microsecond); updated.Before(least) {
		updated = least
	}
	e := db.effect(t)
	e.guard(`UPDATE accounts SET username = ?, folded = ?, password_hash = ?, user_code_hash = ?, claims = ?, updated_at = ?
		WHERE tenant_id = :t AND subject = ? AND updated_at = ? RETURNING subject`,
		a.Username, folded(a.Username), a.PasswordHash, a.UserCodeHash, e.json(claims(a.Claims)), updated, a.Subject, cut(read))
	e.event(ev)
	won, _, err := e.run(ctx, "update account")
	if won || err != nil {
		return taken(err, account.ErrExists)
	}
	if _, err := db.Account(ctx, t, a.Subject); err != nil {
		return err
	}
	return account.ErrConflict
}

// needs runs an effect whose guard misses only what is not there.
func (e *effect) needs(ctx context.Context, what string, missing error) error {
	won, _, err := e.run(ctx, what)
	if err == nil && !won {
		return missing
	}
	return err
}

// DisableAccount implements account.Store.
func (db *DB) DisableAccount(ctx context.Context, t tenant.ID, sub string, now time.Time, revoked *tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE accounts SET disabled = ?, updated_at = ? WHERE tenant_id = :t AND subject = ? RETURNING subject`,
		revoked != nil, cut(now), sub)
	if revoked != nil {
		e.forsake(sub, now, *revoked)
	}
	e.event(ev)
	return e.needs(ctx, "disable account", account.ErrNotFound)
}

// DeleteAccount implements account.Store.
func (db *DB) DeleteAccount(ctx context.Context, t tenant.ID, sub string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM accounts WHERE tenant_id = :t AND subject = ? RETURNING subject`, sub)
	e.forsake(sub, now, revoked)
	e.then(`DELETE FROM authorizations WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard)`, sub)
	e.then(`DELETE FROM granted_scopes WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard)`, sub)
	e.event(ev)
	return e.needs(ctx, "delete account", account.ErrNotFound)
}

// forsake ends a subject's sessions and revokes its grants.
func (e *effect) forsake(sub string, now time.Time, revoked tenant.Revocation) {
	e.let("gone", `DELETE FROM sessions WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard) RETURNING id`, sub)
	if e.db.engine.Dialect == PostgreSQL {
		e.let("revoked", `SELECT r.id FROM guard, (SELECT count(*) AS n FROM gone) AS g, revoke_subject(:t, ?, ?, g.n) AS r(id)`, sub, cut(now))
	} else {
		e.let("revoked", `UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND subject = ? AND revoked_at IS NULL
			AND EXISTS (SELECT 1 FROM guard) RETURNING id`, cut(now), sub)
	}
	e.returning("revoked", "id")
	e.enter(revoked)
	e.owes = true // by the ends of sessions
}

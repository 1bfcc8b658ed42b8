package persistence

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

const initialToken = `SELECT id, hash, label, scope, grant_types, uses_left, created_at, expires_at FROM initial_tokens WHERE tenant_id = :t`

func scanInitialToken(scan scan) (k registration.InitialToken, err error) {
	err = scan(&k.ID, &k.Hash, &k.Label, &k.Scope, into{&k.GrantTypes}, &k.Uses, when{&k.CreatedAt}, when{&k.ExpiresAt})
	return k, err
}

// PutInitialToken implements registration.InitialTokens.
func (db *DB) PutInitialToken(ctx context.Context, t tenant.ID, k registration.InitialToken, most int, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`INSERT INTO initial_tokens (tenant_id, id, hash, label, scope, grant_types, uses_left, created_at, expires_at)
		SELECT :t, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM initial_tokens WHERE tenant_id = :t) < ? RETURNING id`,
		k.ID, k.Hash, k.Label, k.Scope, e.json(list(k.GrantTypes)), k.Uses, cut(k.CreatedAt), cut(k.ExpiresAt), most)
	e.event(ev)
	return taken(e.needs(ctx, "create initial token", registration.ErrFull), registration.ErrExists)
}

// InitialToken implements registration.InitialTokens.
func (db *DB) InitialToken(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*registration.InitialToken, error) {
	var found *registration.InitialToken
	err := db.query(ctx, t, "read initial token", initialToken+` AND hash = ? AND uses_left > 0 AND expires_at > ?`, []any{hash, cut(now)},
		func(scan scan) error {
			k, err := scanInitialToken(scan)
			found = &k
			return err
		})
	if err == nil && found == nil {
		err = registration.ErrNotFound
	}
	return found, known(err, registration.ErrNotFound)
}

// InitialTokens implements registration.InitialTokens.
func (db *DB) InitialTokens(ctx context.Context, t tenant.ID) (ks []registration.InitialToken, err error) {
	err = db.query(ctx, t, "list initial tokens", initialToken+` ORDER BY created_at, id`, nil, func(scan scan) error {
		k, err := scanInitialToken(scan)
		ks = append(ks, k)
		return err
	})
	return ks, err
}

// DeleteInitialToken implements registration.InitialTokens.
func (db *DB) DeleteInitialToken(ctx context.Context, t tenant.ID, id string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM initial_tokens WHERE tenant_id = :t AND id = ? RETURNING id`, id)
	e.event(ev)
	return known(e.needs(ctx, "delete initial token", registration.ErrNotFound), registration.ErrNotFound)
}

// CreateClientWith implements registration.InitialTokens.
func (db *DB) CreateClientWith(ctx context.Context, t tenant.ID, c tenant.Client, most int, hash []byte, now time.Time, ev audit.Event) (tenant.Client, error) {
	if most <= 0 {
		most = math.MaxInt32
	}
	e := db.effect(t)
	e.let("initial", `SELECT id FROM initial_tokens WHERE tenant_id = :t AND hash = ? AND uses_left > 0 AND expires_at > ?`+locking[db.engine.Dialect],
		hash, cut(now))
	e.guard(`UPDATE tenants SET client_count = client_count + 1, client_last = client_last + 1
		WHERE tenant_id = :t AND client_count < ? AND EXISTS (SELECT 1 FROM initial) RETURNING client_last`, most)
	e.then(`UPDATE initial_tokens SET uses_left = uses_left - 1 WHERE tenant_id = :t AND hash = ? AND EXISTS (SELECT 1 FROM guard)`, hash)
	c, won, err := e.client(ctx, c, ev)
	if won || err != nil {
		return c, err
	}
	if _, err := db.InitialToken(ctx, t, now, hash); errors.Is(err, registration.ErrNotFound) {
		return c, registration.ErrUsedUp
	}
	return c, db.full(ctx, t, c.ID)
}

// CreateClientBy implements registration.Granted.
func (db *DB) CreateClientBy(ctx context.Context, t tenant.ID, c tenant.Client, most int, grantID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (tenant.Client, error) {
	if most <= 0 {
		most = math.MaxInt32
	}
	e := db.effect(t)
	e.let("held", `SELECT id FROM grants WHERE tenant_id = :t AND id = ? AND revoked_at IS NULL AND expires_at > ?`+locking[db.engine.Dialect],
		grantID, cut(now))
	e.guard(`UPDATE tenants SET client_count = client_count + 1, client_last = client_last + 1
		WHERE tenant_id = :t AND client_count < ? AND EXISTS (SELECT 1 FROM held) RETURNING client_last`, most)
	e.then(`UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND id = ? AND EXISTS (SELECT 1 FROM guard)`, cut(now), grantID)
	e.enter(revoked)
	c, won, err := e.client(ctx, c, ev)
	if won || err != nil {
		return c, err
	}
	switch g, err := db.Grant(ctx, t, grantID); {
	case errors.Is(err, grant.ErrNotFound), err == nil && !g.Live(now):
		return c, registration.ErrUsedUp
	case err != nil:
		return c, err
	}
	return c, db.full(ctx, t, c.ID)
}

package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// ManagedGrants implements grant.Managed.
func (db *DB) ManagedGrants(ctx context.Context, t tenant.ID, now time.Time, id string) (out []grant.Grant, err error) {
	if id == "" {
		return nil, nil
	}
	err = db.query(ctx, t, "list managed grants", `SELECT `+grantColumns+` FROM grants WHERE tenant_id = :t AND managed <> '' AND managed = ? AND revoked_at IS NULL AND expires_at > ?
		ORDER BY created_at DESC, id DESC`, []any{id, cut(now)}, func(scan scan) error {
		var r grantRow
		err := scan(r.columns()...)
		out = append(out, *r.whole())
		return err
	})
	return out, known(err, nil)
}

// RevokeManaged implements grant.Managed.
func (db *DB) RevokeManaged(ctx context.Context, t tenant.ID, id, clientID string, now, until time.Time, ev audit.Event) ([]tenant.Revocation, error) {
	if id == "" {
		return nil, grant.ErrNotFound
	}
	e := db.effect(t)
	e.guard(`UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND managed <> '' AND managed = ? AND client_id = ? AND revoked_at IS NULL AND expires_at > ? RETURNING id`,
		cut(now), id, clientID, cut(now))
	e.returning(guard, "id")
	e.enterEach(guard, now, until)
	e.event(ev) // once for each
	won, ids, err := e.run(ctx, "revoke managed grant")
	if err == nil && !won {
		err = grant.ErrNotFound
	}
	return revocationsOf(ids, now, until), known(err, grant.ErrNotFound)
}

// giving keeps a row for whoever is about to change it. Who only had it standing would wait for others who have, and they for it.
var giving = [...]string{PostgreSQL: ` FOR NO KEY UPDATE`, SQLite: ``}

// stands asks, for the guard of e, that the grant of that id stands, and goes on doing so until e is through, or e supersedes it.
func (e *effect) stands(id, replaces string, now time.Time) (condition string) {
	if id == "" {
		return ""
	}
	held := standing
	if replaces != "" {
		held = giving
	}
	e.let("managed", `SELECT id FROM grants WHERE tenant_id = :t AND id = ? AND revoked_at IS NULL AND expires_at > ?`+held[e.db.engine.Dialect], id, cut(now))
	return ` AND EXISTS (SELECT 1 FROM managed)`
}

// supersede revokes the grants of a managed id but the one that takes their place.
func (e *effect) supersede(managed, by string, now, until time.Time) {
	if managed == "" {
		return
	}
	e.let("replaced", `UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND managed <> '' AND managed = ? AND id <> ? AND revoked_at IS NULL
		AND EXISTS (SELECT 1 FROM guard) RETURNING id`, cut(now), managed, by)
	e.enterEach("replaced", now, until)
}

package persistence

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// standing is how a row is read that must not change before the statement is through, by dialect.
var standing = [...]string{PostgreSQL: ` FOR SHARE`, SQLite: ``}

// Derive implements grant.Store.
func (db *DB) Derive(ctx context.Context, t tenant.ID, now time.Time, d grant.Derivation) error {
	e, held := db.effect(t), ""
	if d.From != "" {
		e.let("held", `SELECT id FROM grants WHERE tenant_id = :t AND id = ? AND revoked_at IS NULL AND expires_at > ?`+standing[db.engine.Dialect],
			d.From, cut(now))
		held = ` AND EXISTS (SELECT 1 FROM held)`
	}
	e.guard(`SELECT 1 AS version WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.tenant_id = :t AND a.subject = ? AND a.disabled)`+held, d.Subject)
	if d.Grant != nil {
		e.grant(d.Grant)
	}
	if d.AccessToken != nil {
		e.accessToken(d.AccessToken)
	}
	e.event(d.Event)
	err := known(e.needs(ctx, "derive tokens", grant.ErrNotFound), grant.ErrNotFound)
	if errors.Is(err, errDuplicate) {
		return grant.ErrTaken
	}
	return err
}

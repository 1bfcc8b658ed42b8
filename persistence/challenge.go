package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/tenant"
)

// Advance implements challenge.Store.
func (db *DB) Advance(ctx context.Context, t tenant.ID, now time.Time, i authorize.Interaction) error {
	e := db.effect(t)
	e.guard(`UPDATE interactions SET version = version + 1, request = ?, data = ?
		WHERE tenant_id = :t AND hash = ? AND version = ? AND expires_at > ? RETURNING version`,
		e.json(i.Request), raw(i.Data), i.Hash, i.Version, cut(now))
	won, _, err := e.run(ctx, "advance interaction")
	if err == nil && !won {
		err = db.moved(ctx, t, now, i.Hash)
	}
	return err
}

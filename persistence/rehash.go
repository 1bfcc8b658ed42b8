package persistence

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// ReplaceHash implements account.Rehasher.
func (db *DB) ReplaceHash(ctx context.Context, t tenant.ID, sub, old, hash string) error {
	e := db.effect(t)
	e.guard(`UPDATE accounts SET password_hash = ? WHERE tenant_id = :t AND subject = ? AND password_hash = ? RETURNING subject`, hash, sub, old)
	_, _, err := e.run(ctx, "replace password hash")
	return err
}

package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// UseOnce implements clientauth.Replay and proof.Replay. A use that is over may still be in the way until it is swept.
func (db *DB) UseOnce(ctx context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (first bool, err error) {
	e := db.effect(t)
	e.guard(`INSERT INTO replays (tenant_id, kind, hash, expires_at) VALUES (:t, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING kind`,
		kind, hash, cut(expires))
	first, _, err = e.run(ctx, "use once")
	return first, err
}

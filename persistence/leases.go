package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// TakeLease gives holder the lease on a work until that time, if nobody else has it at now, and reports whether it did. Who
// has it renews it by the same call. The work itself must bear to be done by two at once, as clocks differ and a holder may
// be held up.
func (db *DB) TakeLease(ctx context.Context, work, holder string, now, until time.Time) (bool, error) {
	e := db.effect(tenant.Platform)
	e.every = true
	e.guard(`INSERT INTO leases (tenant_id, work, holder, leased_until) SELECT :t, ?, ?, ? WHERE true
		ON CONFLICT (tenant_id, work) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
		WHERE leases.holder = excluded.holder OR leases.leased_until <= ? RETURNING work`, work, holder, cut(until), cut(now))
	won, _, err := e.run(ctx, "take lease")
	return won, err
}

// EndLeases gives up all leases of holder.
func (db *DB) EndLeases(ctx context.Context, holder string) error {
	e := db.effect(tenant.Platform)
	e.every = true
	e.then(`DELETE FROM leases WHERE tenant_id = :t AND holder = ?`, holder)
	_, _, err := e.run(ctx, "end leases")
	return err
}

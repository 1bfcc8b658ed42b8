package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// sweepClients deletes at most batch clients that registered themselves, and that nobody has used until their end. Each
// goes as if it were deleted by its owner; it has neither grants nor consent.
func (db *DB) sweepClients(ctx context.Context, now time.Time, batch int) (deleted int, err error) {
	type client struct{ TenantID, ID string }
	var unused []client
	err = db.do(ctx, reads, "look for unused clients", func(ctx context.Context) error {
		unused = nil
		return db.everyTenant.write.WithContext(ctx).Raw(`SELECT tenant_id, id FROM clients WHERE expires_at <= ? LIMIT ?`, cut(now), batch).Scan(&unused).Error
	})
	if err != nil {
		return 0, err
	}
	for _, c := range unused {
		e := db.effect(tenant.ID(c.TenantID))
		e.guard(`DELETE FROM clients WHERE tenant_id = :t AND id = ? AND expires_at <= ? RETURNING id`, c.ID, cut(now))
		e.then(`UPDATE tenants SET client_count = client_count - 1 WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard)`)
		e.changed(c.ID)
		e.event(audit.Event{At: now, Kind: audit.ClientExpired, ClientID: c.ID})
		won, _, err := e.run(ctx, "sweep client")
		if err != nil {
			return deleted, err
		}
		if won {
			deleted++
		}
	}
	return deleted, nil
}

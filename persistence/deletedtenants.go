package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// there is the condition that a tenant was not deleted.
const there = `purge_at IS NULL`

// MarkDeleted implements admin.Store.
func (db *DB) MarkDeleted(ctx context.Context, id tenant.ID, now, purgeAt time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.every = true
	e.guard(`UPDATE tenants SET version = version + 1, updated_at = ?, deleted_at = ?, purge_at = ?, was_enabled = enabled, enabled = false
		WHERE tenant_id = :t AND `+there+` RETURNING version`, cut(now), cut(now), cut(purgeAt))
	e.notified()
	e.event(ev)
	e.toldPlatform(ev)
	return e.needs(ctx, "mark tenant deleted", tenant.ErrUnknown)
}

// RestoreTenant implements admin.Store.
func (db *DB) RestoreTenant(ctx context.Context, id tenant.ID, now time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.every = true
	e.guard(`UPDATE tenants SET version = version + 1, updated_at = ?, deleted_at = NULL, purge_at = NULL, enabled = was_enabled
		WHERE tenant_id = :t AND purge_at > ? RETURNING version`, cut(now), cut(now))
	e.notified()
	e.event(ev)
	e.toldPlatform(ev)
	return e.needs(ctx, "restore tenant", tenant.ErrUnknown)
}

// RemoveDeleted implements admin.Store. Who takes the time to be restored away removes the rows, the tenant's own last;
// should it stop half way, the sweeper goes on.
func (db *DB) RemoveDeleted(ctx context.Context, id tenant.ID, now time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.every = true
	e.guard(`UPDATE tenants SET version = version + 1, purge_at = ? WHERE tenant_id = :t AND purge_at > ? RETURNING version`, cut(now), cut(now))
	e.toldPlatform(ev)
	if err := e.needs(ctx, "take deleted tenant", tenant.ErrUnknown); err != nil {
		return err
	}
	if err := db.purge(ctx, id); err != nil {
		return err
	}
	e = db.effect(id)
	e.every = true
	e.guard(`DELETE FROM tenants WHERE tenant_id = :t AND purge_at <= ? RETURNING version`, cut(now))
	e.notified()
	return e.needs(ctx, "remove deleted tenant", tenant.ErrUnknown)
}

// toldPlatform records ev among the platform's events too.
func (e *effect) toldPlatform(ev audit.Event) {
	e.then(`INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM guard WHERE :t <> ''`, string(tenant.Platform), cut(ev.At), string(ev.Kind), ev.Actor,
		ev.Subject, ev.ClientID, ev.Session, ev.Grant, ev.Address, e.json(withTenant(ev.Detail, e.tenant)))
}

// purgeLag is how long after its end a deleted tenant begins to go: an instance whose clock is behind may restore it until
// then.
const purgeLag = time.Minute

// tenantsAtOnce is how many deleted tenants one call of Sweep looks at.
const tenantsAtOnce = 10

// sweepTenants removes at most batch rows of tenants that were deleted and whose time to be restored is over. The tenant's
// own row goes last, so that one that was begun is found again.
func (db *DB) sweepTenants(ctx context.Context, now time.Time, batch int) (deleted int, err error) {
	end := now.Add(-purgeLag)
	var due []string
	err = db.do(ctx, reads, "look for deleted tenants", func(ctx context.Context) error {
		due = nil
		return db.everyTenant.write.WithContext(ctx).Raw(`SELECT tenant_id FROM tenants WHERE purge_at <= ? ORDER BY purge_at LIMIT ?`,
			cut(end), tenantsAtOnce).Scan(&due).Error
	})
	if err != nil {
		return 0, err
	}
	for _, name := range due {
		id := tenant.ID(name)
		for _, table := range owned {
			n, err := db.purgeStep(ctx, id, table, batch-deleted, end)
			if deleted += n; err != nil || deleted >= batch {
				return deleted, err
			}
		}
		ev := audit.Event{At: now, Kind: audit.TenantPurged, Actor: "system"}
		e := db.effect(id)
		e.every = true
		e.guard(`DELETE FROM tenants WHERE tenant_id = :t AND purge_at <= ? RETURNING version`, cut(end))
		e.notified()
		e.toldPlatform(ev)
		won, _, err := e.run(ctx, "purge tenant")
		if err != nil {
			return deleted, err
		}
		if won {
			deleted++
		}
		if err := db.purge(ctx, id); err != nil { // what came in the meantime, such as a seal
			return deleted, err
		}
	}
	return deleted, nil
}

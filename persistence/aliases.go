package persistence

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// facedRow is a tenant with its aliases.
type facedRow struct {
	Row     tenantRow `gorm:"embedded"`
	Aliases document[[]string]
}

// TableName is gorm's.
func (facedRow) TableName() string { return tenantRow{}.TableName() }

// aliases are those of a row of tenants, as a column of it, by dialect.
var aliases = [...]string{
	PostgreSQL: `(SELECT json_agg(i.issuer ORDER BY i.issuer) FROM tenant_issuers i WHERE i.tenant_id = tenants.tenant_id AND i.alias) AS aliases`,
	SQLite:     `(SELECT json_group_array(i.issuer ORDER BY i.issuer) FROM tenant_issuers i WHERE i.tenant_id = tenants.tenant_id AND i.alias) AS aliases`,
}

// Aliases implements admin.Aliases.
func (db *DB) Aliases(ctx context.Context, id tenant.ID) (as []admin.Alias, err error) {
	err = db.query(ctx, id, "list aliases", `SELECT id, issuer, created_at FROM tenant_issuers WHERE tenant_id = :t AND alias ORDER BY issuer`, nil, func(scan scan) error {
		var a admin.Alias
		err := scan(&a.ID, &a.Issuer, when{&a.CreatedAt})
		if len(as) > 0 && as[len(as)-1].Issuer >= a.Issuer {
			as = nil // the list is read anew, as it broke off
		}
		as = append(as, a)
		return err
	})
	return as, err
}

// PutAlias implements admin.Aliases.
func (db *DB) PutAlias(ctx context.Context, id tenant.ID, version int64, a admin.Alias, ev audit.Event) error {
	e := db.effect(id)
	e.every = true // to look at all of them
	e.guard(raise+` AND version = ? AND NOT EXISTS (SELECT 1 FROM tenants AS other WHERE other.issuer = ? AND :t <> '') RETURNING version`,
		cut(a.CreatedAt), version, a.Issuer)
	e.insert("tenant_issuers (tenant_id, id, issuer, alias, created_at)", "", a.ID, a.Issuer, true, cut(a.CreatedAt))
	e.notified()
	e.event(ev)
	err := db.atVersion(ctx, e, "put alias")
	if errors.Is(err, errDuplicate) {
		return tenant.ErrExists
	}
	return err
}

// DropAlias implements admin.Aliases.
func (db *DB) DropAlias(ctx context.Context, id tenant.ID, alias string, now time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.guard(`DELETE FROM tenant_issuers WHERE tenant_id = :t AND id = ? AND alias RETURNING id`, alias)
	e.then(raise+` AND EXISTS (SELECT 1 FROM guard)`, cut(now))
	e.notified()
	e.event(ev)
	return e.needs(ctx, "drop alias", admin.ErrNoAlias)
}

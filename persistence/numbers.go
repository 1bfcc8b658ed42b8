package persistence

import (
	"context"
	"math"
	"strconv"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// CreateNumbered implements registration.Numbers.
func (db *DB) CreateNumbered(ctx context.Context, t tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error) {
	if most <= 0 {
		most = math.MaxInt32
	}
	e := db.effect(t)
	e.guard(`UPDATE tenants SET client_count = client_count + 1, client_last = client_last + 1
		WHERE tenant_id = :t AND client_count < ? RETURNING client_last`, most)
	e.then(`INSERT INTO clients (tenant_id, id, number, disabled, self_registered, registration_token, secrets, metadata, localized,
		updated_at, created_at) SELECT :t, CAST(client_last AS text), client_last, ?, ?, ?, ?, ?, ?, ?, ? FROM guard`,
		append(e.clientArgs(&c, c.UpdatedAt), cut(c.CreatedAt))...)
	var detail any
	if len(ev.Detail) > 0 {
		detail = e.json(ev.Detail)
	}
	e.then(`INSERT INTO changes (tenant_id, client_id) SELECT :t, CAST(client_last AS text) FROM guard`)
	e.tells = true
	e.then(`INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
		SELECT :t, ?, ?, ?, ?, CAST(client_last AS text), ?, ?, ?, ? FROM guard`,
		cut(ev.At), string(ev.Kind), ev.Actor, ev.Subject, ev.Session, ev.Grant, ev.Address, detail)
	e.returning(guard, "client_last")
	won, number, err := e.run(ctx, "create numbered client")
	switch {
	case err != nil:
		return c, taken(err, registration.ErrExists)
	case !won:
		return c, registration.ErrFull
	}
	c.ID = number[0]
	c.Number, err = strconv.ParseInt(number[0], 10, 64)
	c.CreatedAt, c.UpdatedAt = cut(c.CreatedAt), cut(c.UpdatedAt)
	return c, err
}

// NumberedClient implements registration.Numbers.
func (db *DB) NumberedClient(ctx context.Context, t tenant.ID, number int64) (string, error) {
	var r clientRow
	err := db.take(ctx, t, "find client by number", &r, registration.ErrNotFound, "number = ?", number)
	return r.ID, err
}

// developed is the condition that a client was noted as a developer's.
const developed = `metadata->'noted'->>'developer' = ?`

// NumberedClients implements registration.Numbers.
func (db *DB) NumberedClients(ctx context.Context, t tenant.ID, developer string, start, n int) ([]tenant.Client, int, error) {
	var rows []clientRow
	var total int64
	err := db.do(ctx, reads, "list clients by number", func(ctx context.Context) error {
		rows = nil
		q := db.look(ctx, t).Model(&clientRow{})
		if developer != "" {
			q = q.Where(developed, developer)
		}
		q = q.Session(&gorm.Session{})
		if err := q.Count(&total).Error; err != nil || n <= 0 {
			return err
		}
		return q.Order("number").Offset(start).Limit(n).Find(&rows).Error
	})
	if err != nil {
		return nil, int(total), known(err, nil)
	}
	out, err := db.clients(rows)
	return out, int(total), err
}

// NumberedTenants implements admin.Numbers.
func (db *DB) NumberedTenants(ctx context.Context, start, n int) ([]tenant.Record, int, error) {
	var rows []tenantRow
	var total int64
	err := db.do(ctx, reads, "list tenants by number", func(ctx context.Context) error {
		rows = nil
		q := db.everyTenant.read.WithContext(ctx).Model(&tenantRow{}).Where("tenant_id <> ?", string(tenant.Platform)).Where(there).Session(&gorm.Session{})
		if err := q.Count(&total).Error; err != nil || n <= 0 {
			return err
		}
		return q.Omit("secret").Order("service_id").Offset(start).Limit(n).Find(&rows).Error
	})
	out := make([]tenant.Record, len(rows))
	for i := range rows {
		out[i], _ = rows[i].record()
	}
	return out, int(total), known(err, nil)
}

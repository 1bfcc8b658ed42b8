package persistence

import (
	"context"
	"encoding/hex"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// sealRow is a seal as it is stored, and as it is handed to the statement that records it.
type sealRow struct {
	TenantID string            `gorm:"primaryKey" json:"tenant_id"`
	Number   int64             `gorm:"primaryKey" json:"number"`
	SealedAt moment            `json:"-"`
	Hash     []byte            `json:"-"`
	Hex      string            `gorm:"-" json:"hash"`
	Events   document[[]int64] `json:"-"`
	Seqs     []int64           `gorm:"-" json:"events"`
}

// TableName is gorm's.
func (sealRow) TableName() string { return "audit_seals" }

// sealLease is for how long one instance seals, unless it goes on.
const sealLease = 30 * time.Second

// sealedLate is how far in the future the time of an event may lie without being taken for a broken clock's.
const sealedLate = time.Hour

// SealEvents seals up to n events, of whatever tenants, that were written before horizon, and returns how many. Of
// several instances one does so at a time, under a lease; holder names this one. Seals and how far they reach are one
// effect, so that an instance may stop at any point, and none can seal an event twice.
func (db *DB) SealEvents(ctx context.Context, holder string, now, horizon time.Time, n int) (sealed int, err error) {
	var due []eventRow
	var seals []sealRow
	from := int64(-1)
	err = db.do(ctx, writes, "seal events", func(ctx context.Context) (err error) {
		g := db.everyTenant.write.WithContext(ctx)
		from = -1
		rows, err := g.Raw(`UPDATE audit_sealer SET holder = ?, leased_until = ? WHERE tenant_id = ? AND (holder = ? OR leased_until <= ?) RETURNING position`,
			holder, cut(now.Add(sealLease)), string(tenant.Platform), holder, cut(now)).Rows()
		if err := eachRow(rows, err, func(scan scan) error { return scan(&from) }); err != nil || from < 0 {
			return err
		}
		if due, err = db.due(g, from, horizon, n); err == nil && len(due) > 0 {
			seals, err = db.seals(g, due)
		}
		return err
	})
	if err != nil || len(due) == 0 {
		return 0, err
	}
	e := db.effect(tenant.Platform)
	e.every = true
	e.guard(`UPDATE audit_sealer SET position = ? WHERE tenant_id = :t AND position = ? AND holder = ? RETURNING position`, due[len(due)-1].Seq, from, holder)
	e.then(putSeals[db.engine.Dialect], cut(now), e.json(seals))
	won, _, err := e.run(ctx, "seal events")
	if !won || err != nil {
		return 0, err
	}
	return len(due), nil
}

// putSeals records seals, by dialect.
var putSeals = [...]string{
	PostgreSQL: `INSERT INTO audit_seals (sealed_at, tenant_id, number, hash, events)
		SELECT ?, j.tenant_id, j.number, decode(j.hash, 'hex'), j.events FROM guard,
		json_to_recordset(CAST(CAST(? AS text) AS json)) AS j (tenant_id text, number bigint, hash text, events json) WHERE :t <> ''`,
	SQLite: `INSERT INTO audit_seals (sealed_at, tenant_id, number, hash, events)
		SELECT ?, value ->> 'tenant_id', value ->> 'number', unhex(value ->> 'hash'), value -> 'events' FROM guard, json_each(?) WHERE :t <> ''`,
}

// due are the events after from, up to the first that is not old enough.
func (db *DB) due(g *gorm.DB, from int64, horizon time.Time, n int) ([]eventRow, error) {
	var rows []eventRow
	if err := g.Where("seq > ?", from).Order("seq").Limit(n).Find(&rows).Error; err != nil {
		return nil, err
	}
	for i, r := range rows {
		if r.At.After(horizon) && r.At.Before(horizon.Add(sealedLate)) {
			return rows[:i], nil
		}
	}
	return rows, nil
}

// seals are the next seals of the tenants of these events. Those of a tenant that is not there any more are passed over.
func (db *DB) seals(g *gorm.DB, due []eventRow) ([]sealRow, error) {
	events, order := map[string][]audit.Recorded{}, []string{}
	for i := range due {
		id := due[i].TenantID
		if events[id] == nil {
			order = append(order, id)
		}
		events[id] = append(events[id], due[i].recorded())
	}
	var tenants []tenantRow
	if err := g.Select("tenant_id", "secret").Where("tenant_id IN ?", order).Find(&tenants).Error; err != nil {
		return nil, err
	}
	var heads []sealRow
	if err := g.Select("tenant_id", "number", "hash").Where(`tenant_id IN ? AND number = (SELECT max(number) FROM audit_seals newer WHERE newer.tenant_id = audit_seals.tenant_id)`, order).
		Find(&heads).Error; err != nil {
		return nil, err
	}
	head := map[string]sealRow{}
	for _, h := range heads {
		head[h.TenantID] = h
	}
	out := []sealRow{}
	for _, t := range tenants {
		plain, err := db.sealer.Open(t.Secret, secretPlace(tenant.ID(t.TenantID)))
		if err != nil {
			continue // a broken row is the trouble of its tenant alone
		}
		secret, err := keys.NewSecret(plain)
		if err != nil {
			continue
		}
		es := events[t.TenantID]
		s := sealRow{TenantID: t.TenantID, Number: head[t.TenantID].Number + 1}
		for _, e := range es {
			s.Seqs = append(s.Seqs, e.Seq)
		}
		s.Hex = hex.EncodeToString(audit.Hash(admin.SealMAC(secret), head[t.TenantID].Hash, s.Number, es))
		out = append(out, s)
	}
	return out, nil
}

// Seals implements admin.Trail.
func (db *DB) Seals(ctx context.Context, id tenant.ID, after int64, n int) ([]audit.Seal, error) {
	var rows []sealRow
	if err := db.find(ctx, id, "list seals", &rows, "number", n, "number > ?", after); err != nil {
		return nil, err
	}
	out := make([]audit.Seal, len(rows))
	for i, r := range rows {
		out[i] = audit.Seal{Number: r.Number, SealedAt: r.SealedAt.Time, Events: r.Events.V, Hash: r.Hash}
	}
	return out, nil
}

// SealedEvents implements admin.Trail.
func (db *DB) SealedEvents(ctx context.Context, id tenant.ID, seqs []int64) ([]audit.Recorded, error) {
	var rows []eventRow
	if err := db.find(ctx, id, "list events", &rows, "seq", 0, "seq IN ?", seqs); err != nil {
		return nil, err
	}
	return recorded(rows), nil
}

// Unsealed implements admin.Trail.
func (db *DB) Unsealed(ctx context.Context, id tenant.ID, before time.Time) (n int, err error) {
	q := `SELECT count(*) FROM audit_events e WHERE e.tenant_id = :t AND e.at < ? AND e.seq NOT IN (SELECT CAST(x.value AS bigint) FROM audit_seals s, ` +
		elements[db.engine.Dialect] + ` x WHERE s.tenant_id = :t)`
	err = db.one(ctx, id, "count unsealed events", nil, q, []any{cut(before)}, &n)
	return n, err
}

// elements are those of a list in a column, by dialect.
var elements = [...]string{
	PostgreSQL: `json_array_elements_text(s.events)`,
	SQLite:     `json_each(s.events)`,
}

// FindEvents implements admin.Trail.
func (db *DB) FindEvents(ctx context.Context, id tenant.ID, f admin.EventFilter, n int) ([]audit.Recorded, error) {
	var rows []eventRow
	err := db.do(ctx, reads, "list events", func(ctx context.Context) error {
		rows = nil
		q := db.look(ctx, id)
		for _, is := range []struct{ column, value string }{
			{"kind", string(f.Kind)}, {"actor", f.Actor}, {"subject", f.Subject}, {"client_id", f.ClientID},
		} {
			if is.value != "" {
				q = q.Where(is.column+" = ?", is.value)
			}
		}
		if !f.Since.IsZero() {
			q = q.Where("at >= ?", cut(f.Since))
		}
		if !f.Before.IsZero() {
			q = q.Where("at < ?", cut(f.Before))
		}
		order, beyond := "at DESC, seq DESC", "(at, seq) < (?, ?)"
		if f.Oldest {
			order, beyond = "at, seq", "(at, seq) > (?, ?)"
		}
		if f.After.Seq != 0 {
			q = q.Where(beyond, cut(f.After.At), f.After.Seq)
		}
		return q.Order(order).Limit(n).Find(&rows).Error
	})
	return recorded(rows), known(err, nil)
}

func recorded(rows []eventRow) []audit.Recorded {
	out := make([]audit.Recorded, len(rows))
	for i := range rows {
		out[i] = rows[i].recorded()
	}
	return out
}

package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// began records the settings that a tenant begins with.
func (e *effect) began(version int64, s tenant.Settings, at time.Time, ev audit.Event) {
	e.insert("settings_history (tenant_id, version, at, actor, address, detail, settings)", "",
		version, cut(at), ev.Actor, ev.Address, e.detail(ev), e.json(s))
}

// revised records what the settings are after a change whose guard returns the version, if they are not what they were,
// and forgets the oldest revision once there are too many. What it reads is as it was before: the parts of an effect see
// nothing of each other on PostgreSQL, and on SQLite the new revision comes last.
func (e *effect) revised(s tenant.Settings, now time.Time, ev audit.Event) {
	doc := e.json(s)
	e.then(`DELETE FROM settings_history WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard) AND version < (
		SELECT version FROM settings_history WHERE tenant_id = :t ORDER BY version DESC LIMIT 1 OFFSET ?) AND `+anew[e.db.engine.Dialect],
		admin.KeptRevisions-2, doc)
	e.then(`INSERT INTO settings_history (tenant_id, version, at, actor, address, detail, settings)
		SELECT :t, version, ?, ?, ?, ?, ? FROM guard WHERE `+anew[e.db.engine.Dialect], cut(now), ev.Actor, ev.Address, e.detail(ev), doc, doc)
}

// anew is the condition that settings are not those of the newest revision, by dialect.
var anew = [...]string{
	PostgreSQL: `CAST(? AS jsonb) IS DISTINCT FROM (` + newest + `)`,
	SQLite:     `? IS NOT (` + newest + `)`,
}

const newest = `SELECT settings FROM settings_history WHERE tenant_id = :t ORDER BY version DESC LIMIT 1`

// detail is what ev says beside its members, or NULL.
func (e *effect) detail(ev audit.Event) any {
	if len(ev.Detail) == 0 {
		return nil
	}
	return e.json(ev.Detail)
}

const revisionColumns = `SELECT version, at, actor, address, detail, settings FROM settings_history WHERE tenant_id = :t`

func revision(scan scan) (r admin.Revision, err error) {
	err = scan(&r.Version, when{&r.At}, &r.Actor, &r.Address, into{&r.Detail}, (*raw)(&r.Settings))
	return r, err
}

// Revisions implements admin.History.
func (db *DB) Revisions(ctx context.Context, id tenant.ID, before int64, n int) (rs []admin.Revision, err error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	err = db.query(ctx, id, "list revisions", revisionColumns+` AND version < ? ORDER BY version DESC LIMIT ?`, []any{before, n}, func(scan scan) error {
		r, err := revision(scan)
		if len(rs) > 0 && rs[len(rs)-1].Version <= r.Version {
			rs = nil // the list is read anew, as it broke off
		}
		rs = append(rs, r)
		return err
	})
	return rs, err
}

// Revision implements admin.History.
func (db *DB) Revision(ctx context.Context, id tenant.ID, version int64) (r admin.Revision, err error) {
	err = db.query(ctx, id, "read revision", revisionColumns+` AND version = ?`, []any{version}, func(scan scan) (err error) {
		r, err = revision(scan)
		return err
	})
	if err == nil && r.Settings == nil {
		err = admin.ErrNoRevision
	}
	return r, err
}

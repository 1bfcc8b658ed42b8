package persistence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

func messagePlace(t tenant.ID, id string) []byte {
	return []byte("outbox message\x00" + string(t) + "\x00" + id)
}

// owe records messages with the effect, once for each of its guard's rows if it has a guard. Whoever delivers is told
// when it is through.
func (e *effect) owe(ms ...outbox.Message) {
	for i := range ms {
		m := &ms[i]
		var b []byte
		var err error
		if !m.Content.Empty() {
			if b, err = json.Marshal(&m.Content); err == nil {
				b, err = e.db.sealer.Seal(b, messagePlace(e.tenant, m.ID))
			}
		}
		e.err = cmp.Or(e.err, err)
		e.insert("outbox (tenant_id, id, kind, target, object, webhook, detail, sealed, attempts, cause, created_at, begins_at, due_at, ends_at, expires_at)", "",
			m.ID, string(m.Kind), m.Target, m.Object, orNull(m.Webhook), raw(m.Detail), b, 0, "", cut(m.CreatedAt), cut(m.Due()), cut(m.Due()), cut(m.End()), cut(m.End().Add(outbox.Kept)))
		e.owes = true
	}
}

// Owes has f called with the tenant whenever messages were recorded here. It is set before db is used.
func (db *DB) Owes(f func(tenant.ID)) { db.owed = f }

// Happens has f called with the tenant whenever an event was recorded here, which webhooks may be owed: a trigger knows. It is
// set before db is used.
func (db *DB) Happens(f func(tenant.ID)) { db.happened = f }

// Owe implements outbox.Store.
func (db *DB) Owe(ctx context.Context, t tenant.ID, ms ...outbox.Message) error {
	e := db.effect(t)
	e.owe(ms...)
	_, _, err := e.run(ctx, "owe messages")
	return err
}

// owing steps from tenant to tenant through the index, so that one with much to be told does not hide the others.
const owing = `WITH RECURSIVE tenant(id, n) AS (
		SELECT (SELECT min(tenant_id) FROM outbox WHERE dead_at IS NULL AND tenant_id > ?), 1
		UNION ALL SELECT (SELECT min(o.tenant_id) FROM outbox o WHERE o.dead_at IS NULL AND o.tenant_id > tenant.id), n + 1
			FROM tenant WHERE tenant.id IS NOT NULL AND n < ?)
	SELECT id, (SELECT min(due_at) FROM outbox o WHERE o.tenant_id = tenant.id AND o.dead_at IS NULL) FROM tenant WHERE id IS NOT NULL`

// Owing implements outbox.Store. What is read at once are owingStep tenants, due or not.
func (db *DB) Owing(ctx context.Context, now time.Time, after tenant.ID, n int) (ids []tenant.ID, err error) {
	const owingStep = 256
	for seen := owingStep; seen == owingStep && len(ids) < n; {
		var found []tenant.ID
		var last tenant.ID
		err := db.do(ctx, reads, "list tenants that owe", func(ctx context.Context) error {
			found, last, seen = nil, after, 0
			rows, err := db.everyTenant.read.WithContext(ctx).Raw(owing, string(after), owingStep).Rows()
			return eachRow(rows, err, func(scan scan) error {
				var due time.Time
				err := scan(&last, when{&due})
				if seen++; !due.After(now) {
					found = append(found, last)
				}
				return err
			})
		})
		if err != nil {
			return nil, known(err, nil)
		}
		ids, after = append(ids, found...), last
	}
	return ids[:min(len(ids), n)], nil
}

// Backlog implements outbox.Store.
func (db *DB) Backlog(ctx context.Context, most int) (b outbox.Backlog, err error) {
	err = db.do(ctx, reads, "count what is owed", func(ctx context.Context) error {
		rows, err := db.everyTenant.read.WithContext(ctx).Raw(`SELECT count(*), min(o.created_at)
			FROM (SELECT created_at FROM outbox WHERE dead_at IS NULL LIMIT ?) o`, most).Rows()
		return eachRow(rows, err, func(scan scan) error { return scan(&b.Waiting, when{&b.Oldest}) })
	})
	return b, known(err, nil)
}

// What is leased is chosen by candidates: the first of their objects that are due.
const (
	candidates = `SELECT o.id FROM outbox o WHERE o.tenant_id = :t AND o.dead_at IS NULL AND o.due_at <= ?
		AND (o.object = '' OR NOT EXISTS (SELECT 1 FROM outbox b WHERE b.tenant_id = :t AND b.object = o.object AND b.object <> ''
			AND b.dead_at IS NULL AND b.seq < o.seq))`
	leased = `UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE tenant_id = :t AND due_at <= ? AND dead_at IS NULL AND id `
	// column list of a message, in the order of messageOf
	messageColumns = ` id, kind, target, object, coalesce(webhook, ''), detail, sealed, attempts, cause, created_at, begins_at, ends_at`
)

// leasing is the statement of Lease by dialect. PostgreSQL passes by what another is just taking up.
var leasing = [...]string{
	PostgreSQL: leased + `= ANY (ARRAY(` + candidates + ` AND o.target NOT IN (SELECT json_array_elements_text(CAST(? AS json)))
		ORDER BY o.due_at, o.seq LIMIT ? FOR UPDATE SKIP LOCKED)) RETURNING` + messageColumns,
	SQLite: leased + `IN (` + candidates + ` AND o.target NOT IN (SELECT value FROM json_each(?))
		ORDER BY o.due_at, o.seq LIMIT ?) RETURNING` + messageColumns,
}

// Lease implements outbox.Store.
func (db *DB) Lease(ctx context.Context, t tenant.ID, now, until time.Time, n int, except []string) (ms []outbox.Message, err error) {
	none, err := json.Marshal(list(except))
	if err != nil {
		return nil, err
	}
	var broken error
	err = db.returning(ctx, writes, t, "lease messages", leasing[db.engine.Dialect], []any{cut(until), cut(now), cut(now), string(none), n}, func(scan scan) error {
		m, err := db.message(t, scan)
		if errors.Is(err, errUnreadable) { // it comes up again with every lease, and leaves room for others
			broken = err
			return nil
		}
		ms = append(ms, m)
		return err
	})
	if err != nil || len(ms) == 0 {
		return nil, cmp.Or(known(err, nil), broken)
	}
	return ms, nil
}

// errUnreadable: a message was sealed under another key, or altered.
var errUnreadable = errors.New("persistence: a message cannot be opened")

// message reads the row at hand.
func (db *DB) message(t tenant.ID, scan scan) (m outbox.Message, err error) {
	var sealed []byte
	if err = scan(&m.ID, &m.Kind, &m.Target, &m.Object, &m.Webhook, (*raw)(&m.Detail), &sealed, &m.Attempts, &m.Cause, when{&m.CreatedAt}, when{&m.NotBefore}, when{&m.EndsAt}); err != nil || sealed == nil {
		return m, err
	}
	b, err := db.sealer.Open(sealed, messagePlace(t, m.ID))
	if err != nil {
		return m, fmt.Errorf("%w: tenant %s, %s", errUnreadable, t, m.ID)
	}
	m.Content = outbound.Content{}
	return m, json.Unmarshal(b, &m.Content)
}

// Delivered implements outbox.Store.
func (db *DB) Delivered(ctx context.Context, t tenant.ID, id string, attempt int) error {
	e := db.effect(t)
	e.then(`DELETE FROM outbox WHERE tenant_id = :t AND id = ? AND attempts = ? AND dead_at IS NULL`, id, attempt)
	_, _, err := e.run(ctx, "end message")
	return known(err, nil)
}

// PutOff implements outbox.Store.
func (db *DB) PutOff(ctx context.Context, t tenant.ID, id string, attempt int, again time.Time, cause string) error {
	e := db.effect(t)
	e.then(`UPDATE outbox SET due_at = ?, cause = ? WHERE tenant_id = :t AND id = ? AND attempts = ? AND dead_at IS NULL`, cut(again), cause, id, attempt)
	_, _, err := e.run(ctx, "put message off")
	return known(err, nil)
}

// Bury implements outbox.Store.
func (db *DB) Bury(ctx context.Context, t tenant.ID, id string, attempt int, now time.Time, cause string) error {
	e := db.effect(t)
	e.then(`UPDATE outbox SET dead_at = ?, cause = ? WHERE tenant_id = :t AND id = ? AND attempts = ? AND dead_at IS NULL`, cut(now), cause, id, attempt)
	_, _, err := e.run(ctx, "bury message")
	return known(err, nil)
}

// Messages implements outbox.Store. What cannot be opened is listed without its content.
func (db *DB) Messages(ctx context.Context, t tenant.ID, dead bool, after string, n int) (ms []outbox.Message, err error) {
	err = db.query(ctx, t, "list messages", `SELECT`+messageColumns+` FROM outbox WHERE tenant_id = :t AND id > ? AND (dead_at IS NOT NULL) = ? ORDER BY id LIMIT ?`,
		[]any{after, dead, n}, func(scan scan) error {
			m, err := db.message(t, scan)
			if err == nil || errors.Is(err, errUnreadable) {
				ms, err = append(ms, m), nil
			}
			return err
		})
	return ms, known(err, nil)
}

// these are the ids of the messages that l names, up to a number of them. Those of an id are told by its column, waiting or not.
const these = `SELECT o.id FROM outbox o WHERE o.tenant_id = :t AND (o.id = ? OR ? = '' AND o.dead_at IS NOT NULL
	AND (? = '' OR o.target = ? OR substr(o.target, 1, ?) IN (?, ?))) ORDER BY o.id LIMIT ?`

// named are the arguments of these.
func named(l outbox.Letters, n int) []any {
	return []any{l.ID, l.ID, l.Target, l.Target, utf8.RuneCountInString(l.Target) + 1, l.Target + "/", l.Target + "?", n}
}

// touched runs an effect whose part hit returns the id of each message that it changes, with one event for all.
func (e *effect) touched(ctx context.Context, what string, ev audit.Event) (int, error) {
	e.guard(`SELECT min(id) AS id FROM hit HAVING count(*) > 0`)
	e.event(ev)
	e.returning("hit", "id")
	won, ids, err := e.run(ctx, what)
	switch {
	case err != nil:
		return 0, known(err, outbox.ErrNotFound)
	case !won:
		return 0, outbox.ErrNotFound
	}
	return len(ids), nil
}

// Replay implements outbox.Store.
func (db *DB) Replay(ctx context.Context, t tenant.ID, which outbox.Letters, n int, now time.Time, ev audit.Event) (int, error) {
	e, end := db.effect(t), now.Add(outbox.Patience)
	e.let("hit", `UPDATE outbox SET dead_at = NULL, due_at = ?, begins_at = ?, ends_at = ?, expires_at = ?
		WHERE tenant_id = :t AND dead_at IS NOT NULL AND id IN (`+these+`) RETURNING id`,
		append([]any{cut(now), cut(now), cut(end), cut(end.Add(outbox.Kept))}, named(which, n)...)...)
	e.owes = true
	return e.touched(ctx, "replay messages", ev)
}

// Drop implements outbox.Store.
func (db *DB) Drop(ctx context.Context, t tenant.ID, which outbox.Letters, n int, ev audit.Event) (int, error) {
	e := db.effect(t)
	e.let("hit", `DELETE FROM outbox WHERE tenant_id = :t AND id IN (`+these+`) RETURNING id`, named(which, n)...)
	return e.touched(ctx, "drop messages", ev)
}

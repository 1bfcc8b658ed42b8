package persistence

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/script"
)

// The sweeper removes what has expired. Nothing depends on it: every read asks for the time itself.

// expiring are the tables that are swept.
var expiring = []struct {
	table string
	over  [2]string     // by dialect, the condition that a row's time is over; both question marks are that time
	kept  time.Duration // how long rows stay after their time
}{
	{"interactions", [...]string{expired, expired}, 0},
	{"access_tokens", [...]string{expired, expired}, 0},
	{"grants", [...]string{expired, expired}, 0},
	{"authentications", [...]string{expired, expired}, 0},
	{"pushed_requests", [...]string{expired, expired}, 0},
	{"initial_tokens", [...]string{expired, expired}, 0},
	{"sessions", sessionsOver, 0},
	{"one_time_codes", [...]string{expired, expired}, 0},
	{"script_lines", [...]string{`at <= ? AND at <= ?`, `at <= ? AND at <= ?`}, script.EntriesKept},
	{"replays", [...]string{expired, expired}, 0},
	{"outbox", [...]string{expired, expired}, 0},
	{"revocations", [...]string{expired, expired}, 0},
	{"idempotency", [...]string{expired, expired}, 0},
	{"token_batches", [...]string{expired, expired}, 0},
	{"changes", [...]string{`at <= ? AND at <= ?`, `at <= ? AND at <= ?`}, changesKept},
	{"usage_days", [...]string{expired, expired}, 0},
	{"usage_subjects", [...]string{expired, expired}, 0},
	{"settings_history", [...]string{outdated, outdated}, admin.RevisionsKept},
}

// sessionsOver is a session that is over, by dialect.
var sessionsOver = [...]string{
	// Of what would be no time at all, so far off it lies, the end is taken to be in two hundred years.
	PostgreSQL: `(max_life >= 0 AND created_at + LEAST(GREATEST(max_life, 0), 100000000) * interval '1 minute' <= ?
		OR max_idle >= 0 AND used_at + LEAST(GREATEST(max_idle, 0), 100000000) * interval '1 minute' <= ?)`,
	SQLite: `(max_life >= 0 AND datetime(created_at, max_life || ' minutes', '1 second') <= datetime(?)
		OR max_idle >= 0 AND datetime(used_at, max_idle || ' minutes', '1 second') <= datetime(?))`, // whole seconds
}

const expired = `expires_at <= ? AND expires_at <= ?`

// outdated is a revision of settings, but not the newest of its tenant.
const outdated = `at <= ? AND at <= ? AND EXISTS (SELECT 1 FROM settings_history AS later
	WHERE later.tenant_id = settings_history.tenant_id AND later.version > settings_history.version)`

// changesKept is how long a change stays to be read.
const changesKept = 10 * time.Minute

// walk is how far this process has come through each table. An index on the end of a grant would be written with
// every grant, and written again with every redeemed code; reading the pages in turn costs the writers nothing.
type walk struct {
	mu   sync.Mutex
	page map[string]int64
}

// pagesAtOnce is how many pages of 8 KiB one step reads at most.
const pagesAtOnce = 512

// stepsAtOnce bounds the reading that one call of Sweep does in a table in which little has expired.
const stepsAtOnce = 16

// Sweep deletes at most batch rows that have expired at now from each table, and returns how many it deleted. Several
// processes may sweep at once. Zero means that there is nothing to do for now.
func (db *DB) Sweep(ctx context.Context, now time.Time, batch int) (deleted int, err error) {
	db.walk.mu.Lock()
	defer db.walk.mu.Unlock()
	for _, x := range expiring {
		n, err := sweeps[db.engine.Dialect](db, ctx, x.table, x.over[db.engine.Dialect], cut(now.Add(-x.kept)), batch)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	n, err := db.sweepClients(ctx, now, batch)
	if deleted += n; err != nil {
		return deleted, err
	}
	n, err = db.sweepTenants(ctx, now, batch)
	return deleted + n, err
}

var sweeps = [...]func(db *DB, ctx context.Context, table, over string, end time.Time, batch int) (int, error){
	PostgreSQL: (*DB).sweepPages,
	SQLite:     (*DB).sweepIndex,
}

// sweepIndex sweeps by an index.
func (db *DB) sweepIndex(ctx context.Context, table, over string, end time.Time, batch int) (n int, err error) {
	q := `DELETE FROM ` + table + ` WHERE rowid IN (SELECT rowid FROM ` + table + ` WHERE ` + over + ` LIMIT ?)`
	if table == "revocations" { // keyed without rowid, and few
		q = `DELETE FROM revocations WHERE ` + over + ` AND ? > 0`
	}
	err = db.do(ctx, reads, "sweep "+table, func(ctx context.Context) error {
		r := db.everyTenant.write.WithContext(ctx).Exec(q, end, end, batch)
		n = int(r.RowsAffected)
		return r.Error
	})
	return n, err
}

// sweepPages sweeps a range of pages after the other, and begins again after the last.
func (db *DB) sweepPages(ctx context.Context, table, over string, end time.Time, batch int) (deleted int, err error) {
	q := strings.NewReplacer("TABLE", table, "OVER", over).Replace(`WITH gone AS (
		DELETE FROM TABLE WHERE ctid = ANY (ARRAY(SELECT ctid FROM TABLE
			WHERE ctid >= CAST(CAST(? AS text) AS tid) AND ctid < CAST(CAST(? AS text) AS tid) AND OVER LIMIT ? FOR UPDATE SKIP LOCKED)) RETURNING 1)
		SELECT (SELECT count(*) FROM gone), pg_relation_size('TABLE') / current_setting('block_size')::bigint`)
	if db.walk.page == nil {
		db.walk.page = map[string]int64{}
	}
	for range stepsAtOnce {
		from := db.walk.page[table]
		var n int
		var pages int64
		err := db.do(ctx, reads, "sweep "+table, func(ctx context.Context) error {
			rows, err := db.everyTenant.write.WithContext(ctx).Raw(q, page(from), page(from+pagesAtOnce), end, end, batch-deleted).Rows()
			return eachRow(rows, err, func(scan scan) error { return scan(&n, &pages) })
		})
		if err != nil {
			return deleted, err
		}
		if deleted += n; deleted >= batch {
			return deleted, nil // and from the same page the next time
		}
		db.walk.page[table] = from + pagesAtOnce
		if from+pagesAtOnce >= pages {
			db.walk.page[table] = 0
			return deleted, nil
		}
	}
	return deleted, nil
}

// page is the place of the first row of a page.
func page(n int64) string { return fmt.Sprintf("(%d,0)", n) }

package persistence

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/tenant"
)

// PutUsage implements limit.UsageStore. It is not repeated where it is not known whether it happened.
func (db *DB) PutUsage(ctx context.Context, issued []limit.Issued, active []limit.Active) error {
	if len(issued)+len(active) == 0 {
		return nil
	}
	return db.do(ctx, writes, "put usage", func(ctx context.Context) error {
		return putUsage[db.engine.Dialect](db.everyTenant.write.WithContext(ctx), issued, active)
	})
}

// since is the latest that a tenant may have been made whose tokens were counted from first on, which is in whole seconds.
func since(first time.Time) time.Time { return cut(first.Add(time.Second)) }

// putUsage are the ways to record usage, by dialect: one statement, where each costs a round trip.
var putUsage = [...]func(g *gorm.DB, issued []limit.Issued, active []limit.Active) error{
	PostgreSQL: func(g *gorm.DB, issued []limit.Issued, active []limit.Active) error {
		type row struct {
			Tenant  tenant.ID `json:"tenant"`
			Day     int32     `json:"day"`
			Client  string    `json:"client"`
			Kind    string    `json:"kind"`
			Tokens  int64     `json:"tokens"`
			Month   int32     `json:"month"`
			Subject string    `json:"subject"`
			Days    int64     `json:"days"`
			Since   time.Time `json:"since"`
			EndsAt  time.Time `json:"ends_at"`
		}
		tokens, subjects := make([]row, len(issued)), make([]row, len(active))
		for i, r := range issued {
			tokens[i] = row{Tenant: r.Tenant, Day: r.Day, Client: r.ClientID, Kind: r.Kind, Tokens: r.Tokens, Since: since(r.First), EndsAt: cut(r.EndsAt)}
		}
		for i, r := range active {
			subjects[i] = row{Tenant: r.Tenant, Month: r.Month, Subject: hex.EncodeToString(r.Subject[:]), Days: int64(r.Days), Since: since(r.First), EndsAt: cut(r.EndsAt)}
		}
		return g.Exec(`WITH put AS (INSERT INTO usage_days (tenant_id, day, client_id, kind, tokens, expires_at)
			SELECT u.tenant, u.day, u.client, u.kind, u.tokens, u.ends_at FROM json_to_recordset(CAST(CAST(? AS text) AS json))
				AS u (tenant text, day integer, client text, kind text, tokens bigint, since timestamptz, ends_at timestamptz)
				JOIN tenants t ON t.tenant_id = u.tenant AND t.created_at <= u.since
			ON CONFLICT (tenant_id, day, client_id, kind) DO UPDATE SET tokens = usage_days.tokens + excluded.tokens, expires_at = excluded.expires_at)
			INSERT INTO usage_subjects (tenant_id, month, subject, days, expires_at)
			SELECT a.tenant, a.month, decode(a.subject, 'hex'), a.days, a.ends_at FROM json_to_recordset(CAST(CAST(? AS text) AS json))
				AS a (tenant text, month integer, subject text, days bigint, since timestamptz, ends_at timestamptz)
				JOIN tenants t ON t.tenant_id = a.tenant AND t.created_at <= a.since
			ON CONFLICT (tenant_id, month, subject) DO UPDATE SET days = usage_subjects.days | excluded.days, expires_at = excluded.expires_at
			WHERE usage_subjects.days | excluded.days <> usage_subjects.days`, document[[]row]{tokens}, document[[]row]{subjects}).Error
	},
	SQLite: func(g *gorm.DB, issued []limit.Issued, active []limit.Active) error {
		return g.Transaction(func(tx *gorm.DB) error {
			for _, r := range issued {
				err := tx.Exec(`INSERT INTO usage_days (tenant_id, day, client_id, kind, tokens, expires_at) SELECT tenant_id, ?, ?, ?, ?, ? FROM tenants WHERE tenant_id = ? AND created_at <= ?
					ON CONFLICT (tenant_id, day, client_id, kind) DO UPDATE SET tokens = tokens + excluded.tokens, expires_at = excluded.expires_at`,
					r.Day, r.ClientID, r.Kind, r.Tokens, cut(r.EndsAt), string(r.Tenant), since(r.First)).Error
				if err != nil {
					return err
				}
			}
			for _, r := range active {
				err := tx.Exec(`INSERT INTO usage_subjects (tenant_id, month, subject, days, expires_at) SELECT tenant_id, ?, ?, ?, ? FROM tenants WHERE tenant_id = ? AND created_at <= ?
					ON CONFLICT (tenant_id, month, subject) DO UPDATE SET days = days | excluded.days, expires_at = excluded.expires_at`,
					r.Month, r.Subject[:], int64(r.Days), cut(r.EndsAt), string(r.Tenant), since(r.First)).Error
				if err != nil {
					return err
				}
			}
			return nil
		})
	},
}

// groups are the columns that usage is told apart by.
var groups = map[admin.UsageGroup]string{admin.ByNothing: `CAST('' AS text)`, admin.ByClient: `client_id`, admin.ByKind: `kind`, admin.ByTenant: `tenant_id`}

// usage is the sentence that lists usage by a group, of rows that fulfil a condition.
func usage(of admin.UsageGroup, where string) string {
	return strings.NewReplacer("GROUPED", groups[of], "WHERE", "WHERE "+where).Replace(`SELECT day, GROUPED, CAST(sum(tokens) AS bigint) FROM usage_days WHERE day >= ? AND day <= ?
		AND (day > ? OR day = ? AND GROUPED > ?) GROUP BY day, GROUPED ORDER BY day, GROUPED LIMIT ?`)
}

// usageArgs are its arguments. Before a first row come all: no group is before the empty one, which an empty name of one stands for.
func usageArgs(q admin.UsageQuery, after admin.UsageRow, n int) []any {
	day := after.Day
	if after == (admin.UsageRow{}) {
		day = q.From - 1
	}
	return []any{q.From, q.To, day, day, after.Group, n}
}

func usageRow(scan scan) (r admin.UsageRow, err error) {
	err = scan(&r.Day, &r.Group, &r.Tokens)
	return r, err
}

// TokensIssued implements admin.Usage.
func (db *DB) TokensIssued(ctx context.Context, id tenant.ID, q admin.UsageQuery, after admin.UsageRow, n int) (rows []admin.UsageRow, err error) {
	err = db.query(ctx, id, "list usage", usage(q.By, "tenant_id = :t AND"), usageArgs(q, after, n), func(scan scan) error {
		r, err := usageRow(scan)
		if last := len(rows) - 1; last >= 0 && (rows[last].Day > r.Day || rows[last].Day == r.Day && rows[last].Group >= r.Group) {
			rows = nil // the list is read anew, as it broke off
		}
		rows = append(rows, r)
		return err
	})
	return rows, err
}

// AllTokensIssued implements admin.Usage.
func (db *DB) AllTokensIssued(ctx context.Context, q admin.UsageQuery, after admin.UsageRow, n int) (rows []admin.UsageRow, err error) {
	err = db.do(ctx, reads, "list usage of all", func(ctx context.Context) error {
		rows = nil
		found, err := db.everyTenant.read.WithContext(ctx).Raw(usage(q.By, ""), usageArgs(q, after, n)...).Rows()
		return eachRow(found, err, func(scan scan) error {
			r, err := usageRow(scan)
			rows = append(rows, r)
			return err
		})
	})
	return rows, err
}

// activeDays counts subjects by month, and by each day of it.
var activeDays = func() string {
	var b strings.Builder
	b.WriteString(`SELECT month, count(*)`)
	for i := range 31 {
		fmt.Fprintf(&b, `, CAST(sum((days >> %d) & 1) AS bigint)`, i)
	}
	return b.String() + ` FROM usage_subjects WHERE tenant_id = :t AND month >= ? AND month <= ? GROUP BY month ORDER BY month`
}()

// ActiveSubjects implements admin.Usage.
func (db *DB) ActiveSubjects(ctx context.Context, id tenant.ID, from, to admin.Month) (ms []admin.ActiveMonth, err error) {
	err = db.query(ctx, id, "count active subjects", activeDays, []any{int32(from), int32(to)}, func(scan scan) error {
		var m admin.ActiveMonth
		dest := []any{&m.Month, &m.Subjects}
		for i := range m.Days {
			dest = append(dest, &m.Days[i])
		}
		err := scan(dest...)
		if last := len(ms) - 1; last >= 0 && ms[last].Month >= m.Month {
			ms = nil // the list is read anew, as it broke off
		}
		ms = append(ms, m)
		return err
	})
	return ms, err
}

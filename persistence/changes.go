package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// changed records that a snapshot of the tenant, or of one client of it, is out of date.
func (e *effect) changed(clientID string) {
	e.insert("changes (tenant_id, client_id)", "", clientID)
}

// notified records the same of the whole tenant, and wakes whoever listens.
func (e *effect) notified() {
	if e.db.engine.Dialect == PostgreSQL {
		e.insert("changes (tenant_id)", " RETURNING pg_notify('"+Channel+"', '')")
	} else {
		e.insert("changes (tenant_id)", "")
	}
}

// Channel is what listeners for changes listen to, on engines that can notify.
const Channel = "chancery_changes"

// latest lets a revocation that is entered twice keep what reaches further.
const latest = ` ON CONFLICT (tenant_id, grant_id, token_id, subject, actor, client_id) DO UPDATE SET
	at = CASE WHEN excluded.at > revocations.at THEN excluded.at ELSE revocations.at END,
	expires_at = CASE WHEN excluded.expires_at > revocations.expires_at THEN excluded.expires_at ELSE revocations.expires_at END`

// enter enters r into the journal, also those of other instances.
func (e *effect) enter(r tenant.Revocation) {
	args := []any{r.Grant, r.Token, r.Subject, r.Actor, r.ClientID, cut(r.At), cut(r.ExpiresAt)}
	e.insert("revocations (tenant_id, grant_id, token_id, subject, actor, client_id, at, expires_at)", latest, args...)
	e.insert("changes (tenant_id, grant_id, token_id, subject, actor, client_id, revoked_at, expires_at)", "", args...)
}

// enterEach does the same for each grant whose id the part named from returned, as revoke_hanging does on PostgreSQL.
func (e *effect) enterEach(from string, now, until time.Time) {
	e.then(`INSERT INTO revocations (tenant_id, grant_id, token_id, subject, actor, client_id, at, expires_at)
		SELECT :t, id, '', '', '', '', ?, ? FROM `+from+` WHERE true`+latest, cut(now), cut(until))
	e.then(`INSERT INTO changes (tenant_id, grant_id, revoked_at, expires_at) SELECT :t, id, ?, ? FROM `+from, cut(now), cut(until))
}

// revocationsOf are those that enterEach enters.
func revocationsOf(ids []string, now, until time.Time) (rs []tenant.Revocation) {
	for _, id := range ids {
		rs = append(rs, tenant.Revocation{Grant: id, At: cut(now), ExpiresAt: cut(until)})
	}
	return rs
}

// clock is the database's, by dialect.
var clock = [...]string{
	PostgreSQL: `clock_timestamp()`,
	SQLite:     `strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')`,
}

// Changes implements tenant.Directory.
func (db *DB) Changes(ctx context.Context, since time.Time) (cs []tenant.Change, now time.Time, err error) {
	q := `SELECT c.now, x.seq, x.tenant_id, x.at, x.grant_id, x.token_id, x.subject, x.actor, x.client_id, x.revoked_at, x.expires_at
		FROM (SELECT ` + clock[db.engine.Dialect] + ` AS now) c LEFT JOIN changes x ON x.at >= ?`
	err = db.do(ctx, reads, "read changes", func(ctx context.Context) error {
		cs = nil
		rows, err := db.everyTenant.read.WithContext(ctx).Raw(q, cut(since)).Rows()
		return eachRow(rows, err, func(scan scan) error {
			var clock, at, revoked, expires moment
			var seq *int64
			var id, grant, token, sub, actor, client *string
			if err := scan(&clock, &seq, &id, &at, &grant, &token, &sub, &actor, &client, &revoked, &expires); err != nil {
				return err
			}
			now = clock.Time
			if seq == nil {
				return nil // nothing changed; the row is there for the clock
			}
			c := tenant.Change{Seq: *seq, Tenant: tenant.ID(*id), At: at.Time}
			if expires.IsZero() {
				c.ClientID = *client
			} else {
				c.Revocation = &tenant.Revocation{Grant: *grant, Token: *token, Subject: *sub, Actor: *actor, ClientID: *client,
					At: revoked.Time, ExpiresAt: expires.Time}
			}
			cs = append(cs, c)
			return nil
		})
	})
	return cs, now, err
}

// Listen implements tenant.Directory.
func (db *DB) Listen(ctx context.Context, wake func()) error {
	if db.engine.Listen == nil {
		return nil
	}
	return db.engine.Listen(ctx, wake)
}

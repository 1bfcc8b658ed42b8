package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// What waits for the subject of a session, in one statement, by dialect. PostgreSQL is made to look for it with the subject in
// hand, as for what a subject allowed.
const (
	queueColumns = `SELECT ` + sessionColumns + `, COALESCE(c.disabled, false), a.id, a.state, a.client_id, a.subject, a.request, a.pace, a.created_at,
		a.ends_at FROM sessions s`
	queueWhere = ` WHERE s.tenant_id = :t AND s.id = ?`
	isQueued   = ` AND subject <> '' AND state = 'waiting' AND ends_at > ? AND (? = '' OR id = ?)`
)

var queues = [...]string{
	PostgreSQL: queueColumns + ` LEFT JOIN LATERAL (SELECT disabled FROM accounts WHERE tenant_id = :t AND subject = s.subject LIMIT 1) c ON true
		LEFT JOIN LATERAL (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY created_at DESC, id DESC) AS turn FROM authentications
			WHERE tenant_id = :t AND subject = s.subject` + isQueued + ` ORDER BY turn, created_at DESC, id DESC LIMIT ?) a ON true` +
		queueWhere + ` ORDER BY a.turn, a.created_at DESC, a.id DESC`,
	SQLite: queueColumns + ` LEFT JOIN accounts c ON c.tenant_id = :t AND c.subject = s.subject
		LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY created_at DESC, id DESC) AS turn FROM authentications
			WHERE tenant_id = :t AND subject = (SELECT subject FROM sessions WHERE tenant_id = :t AND id = ?)` + isQueued + `
			ORDER BY turn, created_at DESC, id DESC LIMIT ?) a ON true` +
		queueWhere + ` ORDER BY a.turn, a.created_at DESC, a.id DESC`,
}

// Queue implements ciba.Register.
func (db *DB) Queue(ctx context.Context, t tenant.ID, now time.Time, sessionID, id string, n int) (q *ciba.Queue, err error) {
	args := []any{cut(now), id, id, n, sessionID}
	if db.engine.Dialect == SQLite {
		args = append([]any{sessionID}, args...)
	}
	err = db.query(ctx, t, "read queue", queues[db.engine.Dialect], args, func(scan scan) error {
		if q == nil {
			q = &ciba.Queue{}
		}
		q.Session = session.Session{}
		var found, state, client, subject *string
		var pace *int64
		var r authenticationRow
		if err := scan(append(columnsOf(&q.Session), &q.Disabled, &found, &state, &client, &subject, &r.Request, &pace, &r.CreatedAt, &r.EndsAt)...); err != nil {
			return err
		}
		if found == nil {
			return nil
		}
		r.ID, r.State, r.ClientID, r.Subject, r.Pace = *found, decoupled.State(*state), *client, *subject, *pace
		a, err := r.authentication()
		if err != nil {
			return err
		}
		q.Waiting = append(q.Waiting, *a)
		return nil
	})
	if err == nil && q == nil {
		err = session.ErrNotFound
	}
	if err != nil {
		return nil, known(err, session.ErrNotFound)
	}
	return q, nil
}

// Redeemable implements ciba.Register.
func (db *DB) Redeemable(ctx context.Context, t tenant.ID, now time.Time, after string, n int) ([]string, error) {
	return db.texts(ctx, t, "list redeemable authentications", `SELECT a.id FROM authentications a JOIN grants g ON g.tenant_id = :t AND g.id = a.id
		WHERE a.tenant_id = :t AND a.state = 'granted' AND a.ends_at > ? AND a.id > ? AND g.code_redeemed_at IS NULL AND g.code_expires_at > ?
		AND g.revoked_at IS NULL ORDER BY a.id LIMIT ?`, cut(now), after, cut(now), n)
}

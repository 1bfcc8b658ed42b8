package persistence

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// sessionColumns are those of a session s, in the order of columnsOf.
const sessionColumns = `s.id, s.subject, s.turn, s.max_life, s.auth_life, s.max_idle, s.acr, s.amr, s.claims, s.data, s.clients, s.created_at,
	s.auth_time, s.used_at, s.jkt, s.fpt, s.ctx`

func columnsOf(s *session.Session) []any {
	return []any{&s.ID, &s.Subject, &s.Turn, &s.MaxLife, &s.AuthLife, &s.MaxIdle, &s.ACR, into{&s.AMR}, (*raw)(&s.Claims), (*raw)(&s.Data),
		into{&s.Clients}, when{&s.CreatedAt}, when{&s.AuthTime}, when{&s.UsedAt}, &s.JKT, &s.FPT, &s.Context}
}

// has says whether a client is noted as a relying party of the session, and noting how it is, by dialect.
var (
	has = [...]string{
		PostgreSQL: `EXISTS (SELECT 1 FROM jsonb_array_elements_text(sessions.clients) AS e WHERE e = ?)`,
		SQLite:     `EXISTS (SELECT 1 FROM json_each(sessions.clients) WHERE value = ?)`,
	}
	noting = [...]string{
		PostgreSQL: `sessions.clients || jsonb_build_array(CAST(? AS text))`,
		SQLite:     `json_insert(sessions.clients, '$[#]', ?)`,
	}
)

// noted is what becomes of a session's relying parties. Its arguments are the client, twice.
func (d Dialect) noted() string {
	return `clients = CASE WHEN ` + has[d] + ` THEN sessions.clients ELSE ` + noting[d] + ` END`
}

// put inserts a session, or replaces all of it but when it began, its context, what it is bound to, and its relying parties. clientID, if set, becomes
// one of them.
func (e *effect) put(s *session.Session, clientID string) {
	parties, suffix := list(s.Clients), ` ON CONFLICT (tenant_id, id) DO UPDATE SET subject = excluded.subject, turn = excluded.turn,
		max_life = excluded.max_life, auth_life = excluded.auth_life, max_idle = excluded.max_idle, acr = excluded.acr,
		amr = excluded.amr, claims = excluded.claims, data = excluded.data, auth_time = excluded.auth_time, used_at = excluded.used_at`
	var more []any
	if clientID != "" {
		if !slices.Contains(parties, clientID) {
			parties = append(slices.Clone(parties), clientID)
		}
		suffix += `, ` + e.db.engine.Dialect.noted()
		more = []any{clientID, clientID}
	}
	if e.fresh(s.CreatedAt, s.UsedAt) {
		suffix, more = "", nil
	}
	e.insertOr(`sessions (tenant_id, id, subject, turn, max_life, auth_life, max_idle, acr, amr, claims, data, clients, created_at,
		auth_time, used_at, jkt, fpt, ctx)`, suffix, more, s.ID, s.Subject, s.Turn, s.MaxLife, s.AuthLife, s.MaxIdle, s.ACR, e.json(list(s.AMR)),
		raw(s.Claims), raw(s.Data), e.json(parties), cut(s.CreatedAt), cut(s.AuthTime), cut(s.UsedAt), s.JKT, s.FPT, s.Context)
}

// touch raises a session's last use.
func (e *effect) touch(s *session.Session) {
	e.then(`UPDATE sessions SET used_at = ? WHERE tenant_id = :t AND id = ? AND used_at < ?`, cut(s.UsedAt), s.ID, cut(s.UsedAt))
}

// visit notes that a client got something in a session, if clientID is set, and raises its last use to now, if touch
// is. It writes nothing that is so already.
func (e *effect) visit(id, clientID string, touch bool, now time.Time) {
	var set, where []string
	var setArgs, whereArgs []any
	if touch {
		set, setArgs = append(set, `used_at = CASE WHEN used_at < ? THEN ? ELSE used_at END`), append(setArgs, cut(now), cut(now))
		where, whereArgs = append(where, `used_at < ?`), append(whereArgs, cut(now))
	}
	if clientID != "" {
		d := e.db.engine.Dialect
		set, setArgs = append(set, d.noted()), append(setArgs, clientID, clientID)
		where, whereArgs = append(where, `NOT `+has[d]), append(whereArgs, clientID)
	}
	if set == nil {
		return
	}
	e.then(`UPDATE sessions SET `+strings.Join(set, ", ")+` WHERE tenant_id = :t AND id = ? AND (`+strings.Join(where, " OR ")+
		`) AND EXISTS (SELECT 1 FROM guard)`, slices.Concat(setArgs, []any{id}, whereArgs)...)
}

// end ends the session that another replaces, and those of written's subject beyond the newest alike of its context, and then
// keep of any (zero: all may stay), the oldest first, with the grants that hang on them. The answer is the grants' ids. written, which may be
// nil, is being written by the same effect and stays. An event tells of each, with the actor and the address of by.
func (e *effect) end(replaced string, written *session.Session, keep, alike int, now, tokensUntil time.Time, by audit.Event) {
	if written == nil {
		written, keep, alike = &session.Session{}, 0, 0
	}
	if keep, alike = max(keep, 0), max(alike, 0); replaced == "" && keep == 0 && alike == 0 {
		return
	}
	if e.db.engine.Dialect == PostgreSQL {
		e.let("revoked", `SELECT r.id FROM guard, end_sessions(:t, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS r(id)`,
			replaced, written.ID, written.Subject, written.Context, alike, keep, cut(now), cut(tokensUntil), by.Actor, by.Address)
		e.returning("revoked", "id")
		return
	}
	const beyond = `SELECT id FROM (SELECT id FROM sessions WHERE tenant_id = :t AND ? > 0 AND subject = ? AND ctx = ? AND id <> ? AND id <> ?
		ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET ?)`
	alikes := []any{alike, written.Subject, written.Context, written.ID, replaced, max(alike-1, 0)}
	e.let("gone", `DELETE FROM sessions WHERE tenant_id = :t AND id <> ? AND id IN (SELECT ? UNION ALL `+beyond+` UNION ALL SELECT id FROM
		(SELECT id FROM sessions WHERE tenant_id = :t AND ? > 0 AND subject = ? AND id <> ? AND id <> ? AND id NOT IN (`+beyond+`)
			ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET ?)) AND EXISTS (SELECT 1 FROM guard) RETURNING id, subject`,
		slices.Concat([]any{written.ID, replaced}, alikes, []any{keep, written.Subject, written.ID, replaced}, alikes, []any{max(keep-1, 0)})...)
	e.then(`INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
		SELECT :t, ?, ?, ?, g.subject, '', g.id, '', ?, json_object('cause', CASE WHEN g.id = ? THEN 'replaced' ELSE 'quota' END) FROM gone AS g`,
		cut(now), string(audit.SessionEnded), by.Actor, by.Address, replaced)
	e.revokeHanging(now, tokensUntil)
}

// revokeHanging revokes the grants that hang on the sessions that are gone, and enters the revocations. Those that are
// offline stay, and those that have expired need no revocation.
func (e *effect) revokeHanging(now, tokensUntil time.Time) {
	if e.db.engine.Dialect == PostgreSQL {
		e.let("revoked", `SELECT r.id FROM gone, revoke_hanging(:t, gone.id, ?, ?) AS r(id)`, cut(now), cut(tokensUntil))
	} else {
		e.let("revoked", `UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND session_id IN (SELECT id FROM gone)
			AND session_id <> '' AND NOT offline AND revoked_at IS NULL AND expires_at > ? RETURNING id`, cut(now), cut(now))
		e.enterEach("revoked", now, tokensUntil)
	}
	e.returning("revoked", "id")
}

// keeping is how a row is read that must not go before the statement is through, by dialect; SQLite writes one at a time.
var keeping = [...]string{PostgreSQL: ` FOR KEY SHARE`, SQLite: ``}

// Session implements session.Store.
func (db *DB) Session(ctx context.Context, t tenant.ID, id string) (*session.Session, error) {
	var s session.Session
	if err := db.one(ctx, t, "read session", session.ErrNotFound, `SELECT `+sessionColumns+` FROM sessions s WHERE s.tenant_id = :t AND s.id = ?`,
		[]any{id}, columnsOf(&s)...); err != nil {
		return nil, err
	}
	return &s, nil
}

// Sessions implements session.Store.
func (db *DB) Sessions(ctx context.Context, t tenant.ID, sub string) (out []session.Session, err error) {
	err = db.query(ctx, t, "list sessions", `SELECT `+sessionColumns+` FROM sessions s WHERE s.tenant_id = :t AND s.subject = ?
		ORDER BY s.created_at DESC, s.id DESC`, []any{sub}, func(scan scan) error {
		var s session.Session
		err := scan(columnsOf(&s)...)
		out = append(out, s)
		return err
	})
	return out, known(err, nil)
}

// ListSessions implements session.Register.
func (db *DB) ListSessions(ctx context.Context, t tenant.ID, sub, after string, n int) (out []session.Session, err error) {
	q, args := `SELECT `+sessionColumns+` FROM sessions s WHERE s.tenant_id = :t AND s.id > ? `, []any{after}
	if sub != "" {
		q, args = q+`AND s.subject = ? `, append(args, sub)
	}
	err = db.query(ctx, t, "list sessions", q+`ORDER BY s.id LIMIT ?`, append(args, n), func(scan scan) error {
		var s session.Session
		err := scan(columnsOf(&s)...)
		out = append(out, s)
		return err
	})
	return out, known(err, nil)
}

// EndSessions implements session.Register.
func (db *DB) EndSessions(ctx context.Context, t tenant.ID, sub, except string, now, tokensUntil time.Time, ev audit.Event) ([]tenant.Revocation, error) {
	e := db.effect(t)
	e.guard(`DELETE FROM sessions WHERE tenant_id = :t AND subject = ? AND id <> ? RETURNING id`, sub, except)
	e.let("gone", `SELECT id FROM guard`)
	e.revokeHanging(now, tokensUntil)
	e.event(ev)
	e.owes = true // as EndSession
	won, ids, err := e.run(ctx, "end sessions")
	if err == nil && !won {
		err = session.ErrNotFound
	}
	return revocationsOf(ids, now, tokensUntil), known(err, session.ErrNotFound)
}

// AmendSession implements session.Register.
func (db *DB) AmendSession(ctx context.Context, t tenant.ID, id string, a session.Amendment, ev audit.Event) error {
	var set []string
	var args []any
	change := func(text string, values ...any) { set, args = append(set, text), append(args, values...) }
	if !a.UsedAt.IsZero() {
		change(`used_at = CASE WHEN used_at < ? THEN ? ELSE used_at END`, cut(a.UsedAt), cut(a.UsedAt))
	}
	if !a.AuthTime.IsZero() {
		change(`auth_time = ?`, cut(a.AuthTime))
	}
	if a.ACR != nil {
		change(`acr = ?`, *a.ACR)
	}
	e := db.effect(t)
	if a.AMR != nil {
		change(`amr = ?`, e.json(a.AMR))
	}
	if a.AuthLife != nil {
		change(`auth_life = ?`, *a.AuthLife)
	}
	if a.Claims != nil {
		change(`claims = ?`, raw(a.Claims))
	}
	if a.Data != nil {
		change(`data = ?`, raw(a.Data))
	}
	if set == nil {
		change(`used_at = used_at`)
	}
	e.guard(`UPDATE sessions SET `+strings.Join(set, ", ")+` WHERE tenant_id = :t AND id = ? RETURNING id`, append(args, id)...)
	e.event(ev)
	won, _, err := e.run(ctx, "amend session")
	if err == nil && !won {
		err = session.ErrNotFound
	}
	return known(err, session.ErrNotFound)
}

// EndSession implements session.Store.
func (db *DB) EndSession(ctx context.Context, t tenant.ID, id string, now, tokensUntil time.Time, ev audit.Event) ([]tenant.Revocation, error) {
	e := db.effect(t)
	e.guard(`DELETE FROM sessions WHERE tenant_id = :t AND id = ? RETURNING id`, id)
	e.let("gone", `SELECT id FROM guard`)
	e.revokeHanging(now, tokensUntil)
	e.event(ev)
	e.owes = true // what relying parties are owed a trigger records, whatever ends a session
	won, ids, err := e.run(ctx, "end session")
	if err == nil && !won {
		err = session.ErrNotFound
	}
	return revocationsOf(ids, now, tokensUntil), known(err, session.ErrNotFound)
}

// CountSessions implements session.Register.
func (db *DB) CountSessions(ctx context.Context, t tenant.ID, sub string, now time.Time) (sessions, subjects int64, err error) {
	q, args := `SELECT count(*), count(DISTINCT subject) FROM sessions WHERE tenant_id = :t AND NOT `+sessionsOver[db.engine.Dialect], []any{cut(now), cut(now)}
	if sub != "" {
		q, args = q+` AND subject = ?`, append(args, sub)
	}
	err = db.one(ctx, t, "count sessions", session.ErrNotFound, q, args, &sessions, &subjects)
	return sessions, subjects, known(err, nil)
}

// ListSubjects implements session.Register.
func (db *DB) ListSubjects(ctx context.Context, t tenant.ID, after string, now time.Time, n int) ([]string, error) {
	return db.texts(ctx, t, "list subjects", `SELECT DISTINCT subject FROM sessions WHERE tenant_id = :t AND subject > ? AND NOT `+
		sessionsOver[db.engine.Dialect]+` ORDER BY subject LIMIT ?`, after, cut(now), cut(now), n)
}

// texts returns the one column that a query has.
func (db *DB) texts(ctx context.Context, t tenant.ID, what, query string, args ...any) (out []string, err error) {
	err = db.query(ctx, t, what, query, args, func(scan scan) error {
		var s string
		err := scan(&s)
		out = append(out, s)
		return err
	})
	return out, known(err, nil)
}

// PurgeSessions implements session.Register.
func (db *DB) PurgeSessions(ctx context.Context, t tenant.ID, now time.Time, n int) (int, error) {
	e := db.effect(t)
	e.let("gone", `DELETE FROM sessions WHERE tenant_id = :t AND id IN (SELECT id FROM sessions WHERE tenant_id = :t AND `+
		sessionsOver[db.engine.Dialect]+` LIMIT ?) RETURNING id`, cut(now), cut(now), n)
	e.returning("gone", "id")
	e.owes = true // as EndSession
	_, gone, err := e.run(ctx, "purge sessions")
	return len(gone), known(err, nil)
}

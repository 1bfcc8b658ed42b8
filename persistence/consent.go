package persistence

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// authorizationRow is remembered consent as it is stored.
type authorizationRow struct {
	TenantID  string `gorm:"primaryKey"`
	Subject   string `gorm:"primaryKey"`
	ClientID  string `gorm:"primaryKey"`
	Actor     string `gorm:"primaryKey"`
	Scope     string
	Claims    document[[]string]
	Terms     raw
	CreatedAt moment
	UpdatedAt moment
}

// TableName is gorm's.
func (authorizationRow) TableName() string { return "authorizations" }

// remember writes consent, which its caller has merged with what was on record. Where another has written meanwhile, what it
// wrote stays too.
func (e *effect) remember(a *grant.Authorization) {
	suffix, args := ` ON CONFLICT (tenant_id, subject, client_id, actor) DO UPDATE SET `+united[e.db.engine.Dialect]+`,
		terms = excluded.terms, updated_at = excluded.updated_at`, []any{cut(a.Merged), cut(a.Merged)}
	if e.fresh(a.CreatedAt, a.UpdatedAt) {
		suffix, args = "", nil
	}
	e.insertOr("authorizations (tenant_id, subject, client_id, actor, scope, claims, terms, created_at, updated_at)", suffix, args,
		a.Subject, a.ClientID, a.Actor, a.Scope.String(), e.json(list(a.Claims)), raw(a.Terms), cut(a.CreatedAt), cut(a.UpdatedAt))
}

// united is what becomes of scope and claims on record. The argument of each is when the record was written that they were
// merged with: where it is another, they are merged with what there is.
var united = map[Dialect]string{
	PostgreSQL: `scope = CASE WHEN authorizations.updated_at = ? THEN excluded.scope ELSE (
			SELECT coalesce(string_agg(v, ' ' ORDER BY o), '') FROM (SELECT v, min(o) AS o FROM
				unnest(string_to_array(authorizations.scope || ' ' || excluded.scope, ' ')) WITH ORDINALITY AS x (v, o) WHERE v <> '' GROUP BY v) AS y) END,
		claims = CASE WHEN authorizations.updated_at = ? THEN excluded.claims ELSE (
			SELECT coalesce(json_agg(v ORDER BY o), '[]') FROM (SELECT v, min(o) AS o FROM (
				SELECT v, o FROM json_array_elements_text(authorizations.claims) WITH ORDINALITY AS x (v, o) UNION ALL
				SELECT v, o + json_array_length(authorizations.claims) FROM json_array_elements_text(excluded.claims) WITH ORDINALITY AS x (v, o)) AS y
				GROUP BY v) AS z) END`,
	SQLite: `scope = CASE WHEN authorizations.updated_at = ? THEN excluded.scope ELSE (
			SELECT coalesce(group_concat(v, ' '), '') FROM (SELECT value AS v FROM
				json_each('["' || replace(authorizations.scope || ' ' || excluded.scope, ' ', '","') || '"]') WHERE value <> '' GROUP BY value ORDER BY min(key))) END,
		claims = CASE WHEN authorizations.updated_at = ? THEN excluded.claims ELSE (
			SELECT json_group_array(v) FROM (SELECT v FROM (
				SELECT value AS v, key AS o FROM json_each(authorizations.claims) UNION ALL
				SELECT value, key + json_array_length(authorizations.claims) FROM json_each(excluded.claims)) GROUP BY v ORDER BY min(o))) END`,
}

// Authorizations implements grant.Store.
func (db *DB) Authorizations(ctx context.Context, t tenant.ID, sub string) ([]grant.Authorization, error) {
	return db.authorizations(ctx, t, "client_id, actor", 0, "subject = ?", sub)
}

// ListAuthorizations implements grant.Register.
func (db *DB) ListAuthorizations(ctx context.Context, t tenant.ID, sub, clientID, actor string, n int) ([]grant.Authorization, error) {
	where, args := between(sub, clientID, actor)
	return db.authorizations(ctx, t, "subject, client_id, actor", n, where, args...)
}

// between is the condition that a row is of a subject, of a client and of an actor, each where it is not empty.
func between(sub, clientID, actor string) (text string, args []any) {
	where := []string{"true"}
	for _, f := range [][2]string{{"subject = ?", sub}, {"client_id = ?", clientID}, {"actor = ?", actor}} {
		if f[1] != "" {
			where, args = append(where, f[0]), append(args, f[1])
		}
	}
	return strings.Join(where, " AND "), args
}

// CountAuthorizations implements grant.Register.
func (db *DB) CountAuthorizations(ctx context.Context, t tenant.ID, sub, clientID, actor string) (c grant.Counts, err error) {
	where, args := between(sub, clientID, actor)
	err = db.one(ctx, t, "count authorizations", grant.ErrNotFound, `SELECT count(*), count(DISTINCT subject), count(DISTINCT client_id)
		FROM authorizations WHERE tenant_id = :t AND `+where, args, &c.Authorizations, &c.Subjects, &c.Clients)
	return c, known(err, nil)
}

// ListConsenting implements grant.Register.
func (db *DB) ListConsenting(ctx context.Context, t tenant.ID, after string, n int) ([]string, error) {
	return db.texts(ctx, t, "list subjects", `SELECT DISTINCT subject FROM authorizations WHERE tenant_id = :t AND subject > ? ORDER BY subject LIMIT ?`, after, n)
}

// ListConsented implements grant.Register.
func (db *DB) ListConsented(ctx context.Context, t tenant.ID, after string, n int) ([]string, error) {
	return db.texts(ctx, t, "list clients", `SELECT DISTINCT client_id FROM authorizations WHERE tenant_id = :t AND client_id > ? ORDER BY client_id LIMIT ?`, after, n)
}

// PutAuthorization implements grant.Register.
func (db *DB) PutAuthorization(ctx context.Context, t tenant.ID, a grant.Authorization, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE authorizations SET scope = ?, claims = ?, terms = ?, updated_at = ? WHERE tenant_id = :t AND subject = ? AND client_id = ? AND actor = ?
		RETURNING subject`, a.Scope.String(), e.json(list(a.Claims)), raw(a.Terms), cut(a.UpdatedAt), a.Subject, a.ClientID, a.Actor)
	e.event(ev)
	return known(e.needs(ctx, "put authorization", grant.ErrNotFound), grant.ErrNotFound)
}

// Renounce implements grant.Register.
func (db *DB) Renounce(ctx context.Context, t tenant.ID, now time.Time, what tenant.Revocation, ev audit.Event) (int, error) {
	of, args := between(what.Subject, what.ClientID, what.Actor)
	if len(args) == 0 {
		return 0, nil
	}
	end := cut(what.At.Truncate(time.Second).Add(time.Second))
	e := db.effect(t)
	e.let("forgotten", `DELETE FROM authorizations WHERE tenant_id = :t AND `+of+` AND updated_at < ? RETURNING client_id`, append(args[:len(args):len(args)], end)...)
	if what.Actor == "" {
		e.then(`DELETE FROM granted_scopes WHERE tenant_id = :t AND `+of+` AND granted_at < ?`, append(args[:len(args):len(args)], end)...)
	}
	e.then(`UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND `+of+` AND created_at < ? AND revoked_at IS NULL`,
		append(append([]any{cut(now)}, args...), end)...)
	e.enter(what)
	e.event(ev)
	e.returning("forgotten", "client_id")
	_, forgotten, err := e.run(ctx, "renounce")
	return len(forgotten), known(err, nil)
}

func (db *DB) authorizations(ctx context.Context, t tenant.ID, order string, n int, where string, args ...any) ([]grant.Authorization, error) {
	var rows []authorizationRow
	err := db.find(ctx, t, "list authorizations", &rows, order, n, where, args...)
	out := make([]grant.Authorization, len(rows))
	for i, r := range rows {
		sc, _ := oauth.ParseScope(r.Scope) // it was one when it was written
		out[i] = grant.Authorization{Subject: r.Subject, Actor: r.Actor, ClientID: r.ClientID, Scope: sc, Claims: r.Claims.V,
			Terms: json.RawMessage(r.Terms), CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
	}
	return out, err
}

// Withdraw implements grant.Store.
func (db *DB) Withdraw(ctx context.Context, t tenant.ID, sub, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (int, error) {
	e, of, args := db.effect(t), "subject = ?", []any{sub}
	switch {
	case sub == "" && clientID == "":
		return 0, nil
	case sub == "":
		of, args = "client_id = ?", []any{clientID}
	case clientID != "":
		of, args = "subject = ? AND client_id = ?", append(args, clientID)
	}
	e.let("forgotten", `DELETE FROM authorizations WHERE tenant_id = :t AND `+of+` RETURNING client_id`, args...)
	e.then(`DELETE FROM granted_scopes WHERE tenant_id = :t AND `+of, args...)
	e.then(`UPDATE grants SET revoked_at = ? WHERE tenant_id = :t AND `+of+` AND revoked_at IS NULL`, append([]any{cut(now)}, args...)...)
	e.enter(revoked)
	e.event(ev)
	e.returning("forgotten", "client_id")
	_, forgotten, err := e.run(ctx, "withdraw consent")
	return len(forgotten), err
}

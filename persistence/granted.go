package persistence

import (
	"context"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// listed are the elements of a list that is an argument, by dialect.
var listed = [...]string{
	PostgreSQL: `json_array_elements_text(CAST(? AS json)) AS x(value)`,
	SQLite:     `json_each(?) AS x`,
}

// granted enters the scope of g as what its subject granted its client: in order, so that no two wait for each other.
func (e *effect) granted(g *grant.Grant, now time.Time) {
	values := append([]string{""}, g.Terms.Scope...)
	slices.Sort(values)
	e.then(`INSERT INTO granted_scopes (tenant_id, subject, client_id, scope, granted_at) SELECT :t, ?, ?, x.value, ? FROM guard, `+
		listed[e.db.engine.Dialect]+` WHERE true ORDER BY x.value
		ON CONFLICT (tenant_id, subject, client_id, scope) DO UPDATE SET granted_at = excluded.granted_at`,
		g.Subject, g.ClientID, cut(now), e.json(slices.Compact(values)))
}

// GrantedScopes implements grant.Ledger.
func (db *DB) GrantedScopes(ctx context.Context, t tenant.ID, sub, clientID string) (*grant.GrantedScopes, error) {
	out := &grant.GrantedScopes{}
	err := db.query(ctx, t, "read granted scopes", `SELECT scope, granted_at FROM granted_scopes WHERE tenant_id = :t AND subject = ? AND client_id = ? ORDER BY scope`,
		[]any{sub, clientID}, func(scan scan) error {
			var value string
			var at time.Time
			if err := scan(&value, when{&at}); err != nil {
				return err
			}
			if value == "" { // it comes first
				out.GrantedAt = at
				return nil
			}
			out.Merged = append(out.Merged, value)
			if at.Equal(out.GrantedAt) {
				out.Latest = append(out.Latest, value)
			}
			return nil
		})
	switch {
	case err != nil:
		return nil, known(err, nil)
	case out.GrantedAt.IsZero():
		return nil, grant.ErrNotFound
	}
	return out, nil
}

// RevokeGrants implements grant.Ledger.
func (db *DB) RevokeGrants(ctx context.Context, t tenant.ID, sub, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (int, error) {
	e, of, args := db.effect(t), "", []any{cut(now)}
	for _, one := range []struct{ column, value string }{{"subject", sub}, {"client_id", clientID}} {
		if one.value != "" {
			of, args = of+` AND `+one.column+` = ?`, append(args, one.value)
		}
	}
	if of == "" {
		return 0, nil
	}
	e.let("gone", `UPDATE grants SET revoked_at = ? WHERE tenant_id = :t`+of+` AND revoked_at IS NULL AND expires_at > ? RETURNING id`, append(args, cut(now))...)
	e.enter(revoked)
	e.event(ev)
	e.returning("gone", "id")
	_, gone, err := e.run(ctx, "revoke grants")
	return len(gone), err
}

// ForgetScopes implements grant.Ledger.
func (db *DB) ForgetScopes(ctx context.Context, t tenant.ID, sub, clientID string, ev audit.Event) (bool, error) {
	e := db.effect(t)
	e.let("gone", `DELETE FROM granted_scopes WHERE tenant_id = :t AND subject = ? AND client_id = ? RETURNING client_id`, sub, clientID)
	e.event(ev)
	e.returning("gone", "client_id")
	_, gone, err := e.run(ctx, "forget granted scopes")
	return len(gone) > 0, err
}

package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// accessToken records an opaque access token.
func (e *effect) accessToken(a *grant.AccessToken) {
	e.insert("access_tokens (tenant_id, hash, id, grant_id, subject, actor, client_id, scope, audience, data, cnf, details, delegation, fed, issued_at, expires_at)", "",
		a.Hash, a.ID, a.Grant, a.Subject, a.Actor, a.ClientID, a.Scope.String(), e.json(list(a.Audience)), raw(a.Data), e.confirmation(a.Confirmation), e.details(a.Details), e.delegation(a.Delegation), e.fed(a.Fed),
		cut(a.IssuedAt), cut(a.ExpiresAt))
}

// confirmation is c as an argument: NULL where there is none.
func (e *effect) confirmation(c oauth.Confirmation) any {
	if c == (oauth.Confirmation{}) {
		return nil
	}
	return e.json(c)
}

// details are d as an argument: NULL where there are none.
func (e *effect) details(d oauth.Details) any {
	if len(d) == 0 {
		return nil
	}
	return e.json(d)
}

// delegation is d as an argument: NULL where there is none.
func (e *effect) delegation(d grant.Delegation) any {
	if d == (grant.Delegation{}) {
		return nil
	}
	return e.json(d)
}

// fed is f as an argument: NULL where there is none.
func (e *effect) fed(f *grant.Fed) any {
	if f == nil {
		return nil
	}
	return e.json(f)
}

// A token of a grant lives as long as the grant stands.
const readToken = `SELECT a.id, a.grant_id, a.subject, a.actor, a.client_id, a.scope, a.audience, a.data, a.cnf, a.details, a.delegation, a.fed, a.issued_at, a.expires_at,
	g.terms -> 'login' FROM access_tokens a LEFT JOIN grants g ON g.tenant_id = :t AND g.id = a.grant_id
	WHERE a.tenant_id = :t AND a.hash = ? AND a.expires_at > ? AND (a.grant_id = '' OR g.revoked_at IS NULL AND g.expires_at > ?)`

// AccessToken implements grant.Store.
func (db *DB) AccessToken(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*grant.AccessToken, error) {
	a, scope := grant.AccessToken{Hash: hash}, ""
	var login grant.Login
	if err := db.one(ctx, t, "read access token", grant.ErrNotFound, readToken, []any{hash, cut(now), cut(now)}, &a.ID, &a.Grant, &a.Subject, &a.Actor,
		&a.ClientID, &scope, into{&a.Audience}, (*raw)(&a.Data), into{&a.Confirmation}, into{&a.Details}, into{&a.Delegation}, into{&a.Fed}, when{&a.IssuedAt}, when{&a.ExpiresAt}, into{&login}); err != nil {
		return nil, err
	}
	a.ACR, a.AuthTime = login.ACR, login.AuthTime
	a.Scope, _ = oauth.ParseScope(scope) // it was one when it was written
	return &a, nil
}

// RevokeToken implements grant.Store.
func (db *DB) RevokeToken(ctx context.Context, t tenant.ID, hash []byte, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	if len(hash) > 0 {
		e.then(`DELETE FROM access_tokens WHERE tenant_id = :t AND hash = ?`, hash)
	}
	e.enter(revoked)
	e.event(ev)
	_, _, err := e.run(ctx, "revoke token")
	return err
}

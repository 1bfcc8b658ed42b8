package persistence

import (
	"context"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Push implements request.Store.
func (db *DB) Push(ctx context.Context, t tenant.ID, p request.PushedRequest) error {
	e := db.effect(t)
	e.insert("pushed_requests (tenant_id, hash, client_id, params, ends_at, expires_at)", "",
		p.Hash, p.ClientID, p.Params.Encode(), cut(p.EndsAt), cut(p.EndsAt))
	_, _, err := e.run(ctx, "push request")
	return err
}

// Pushed implements request.Store.
func (db *DB) Pushed(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*request.PushedRequest, error) {
	var p request.PushedRequest
	var params string
	err := db.one(ctx, t, "read pushed request", request.ErrNotFound, `SELECT hash, client_id, params, ends_at FROM pushed_requests
		WHERE tenant_id = :t AND hash = ? AND ends_at > ?`, []any{hash, cut(now)}, &p.Hash, &p.ClientID, &params, when{&p.EndsAt})
	if err != nil {
		return nil, err
	}
	p.Params, err = url.ParseQuery(params)
	return &p, err
}

// keep makes a pushed request outlive the interaction that begins with it, so that its end can use it up. Used up already,
// it lets nothing begin.
func (e *effect) keep(hash []byte, until time.Time) {
	e.guard(`UPDATE pushed_requests SET expires_at = CASE WHEN expires_at < ? THEN ? ELSE expires_at END
		WHERE tenant_id = :t AND hash = ? RETURNING hash`, cut(until), cut(until), hash)
}

// locking is how a row is read that nobody else may use up before the statement is through, by dialect.
var locking = [...]string{PostgreSQL: ` FOR UPDATE`, SQLite: ``}

// unused reads a pushed request for a guard to ask for, under the name pushed.
func (e *effect) unused(hash []byte) (condition string) {
	e.let("pushed", `SELECT hash FROM pushed_requests WHERE tenant_id = :t AND hash = ?`+locking[e.db.engine.Dialect], hash)
	return ` AND EXISTS (SELECT 1 FROM pushed)`
}

// useUp deletes a pushed request, if the guard hit.
func (e *effect) useUp(hash []byte) {
	e.then(`DELETE FROM pushed_requests WHERE tenant_id = :t AND hash = ? AND EXISTS (SELECT 1 FROM guard)`, hash)
}

// isUsed reports whether a pushed request is not there any more.
func (db *DB) isUsed(ctx context.Context, t tenant.ID, hash []byte) (bool, error) {
	used := true
	err := db.query(ctx, t, "look for pushed request", `SELECT 1 FROM pushed_requests WHERE tenant_id = :t AND hash = ?`, []any{hash},
		func(scan scan) error {
			used = false
			return scan(new(int))
		})
	return used, err
}

package persistence

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Independent rows that concurrent requests of a tenant record share a statement and a commit: one alone costs as much
// as many. Nobody waits for company: the first goes at once, and who comes while it is on its way goes next, together.

const (
	atOnce    = 2  // statements of one tenant on their way
	companion = 64 // rows in one statement
)

// together collects access tokens by tenant.
type together struct {
	mu      sync.Mutex
	tenants map[tenant.ID]*queue
}

type queue struct {
	waiting []*waiting
	running int
}

// waiting is a token whose caller waits for it to be recorded.
type waiting struct {
	token *grant.AccessToken
	done  chan error
}

// PutAccessToken implements grant.Store.
func (db *DB) PutAccessToken(ctx context.Context, t tenant.ID, a grant.AccessToken) error {
	w := &waiting{&a, make(chan error, 1)}
	db.together.mu.Lock()
	q := db.together.tenants[t]
	if q == nil {
		q = &queue{}
		if db.together.tenants == nil {
			db.together.tenants = map[tenant.ID]*queue{}
		}
		db.together.tenants[t] = q
	}
	q.waiting = append(q.waiting, w)
	if q.running < atOnce {
		q.running++
		go db.record(context.WithoutCancel(ctx), t, q)
	}
	db.together.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done(): // it may still be recorded
		return oauth.Unavailable().Because(context.Cause(ctx))
	}
}

// record records what waits until nothing does.
func (db *DB) record(ctx context.Context, t tenant.ID, q *queue) {
	for {
		db.together.mu.Lock()
		n := min(len(q.waiting), companion)
		if n == 0 {
			if q.running--; q.running == 0 {
				delete(db.together.tenants, t)
			}
			db.together.mu.Unlock()
			return
		}
		ws := q.waiting[:n:n]
		q.waiting = q.waiting[n:]
		db.together.mu.Unlock()
		err := db.putTokens(ctx, t, ws)
		if err != nil && n > 1 && !errors.Is(err, oauth.Unavailable()) {
			for i := range ws { // each has its own fault, or none
				ws[i].done <- db.putTokens(ctx, t, ws[i:i+1])
			}
			continue
		}
		for _, w := range ws {
			w.done <- err
		}
	}
}

const manyTokens = `INSERT INTO access_tokens (tenant_id, hash, id, grant_id, subject, actor, client_id, scope, audience, data, cnf, details, issued_at, expires_at)
	SELECT :t, hash, id, grant_id, subject, actor, client_id, scope, CAST(audience AS json), CAST(data AS json), CAST(cnf AS json), CAST(details AS json), issued_at, expires_at
	FROM unnest(?::bytea[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::timestamptz[])
	AS x(hash, id, grant_id, subject, actor, client_id, scope, audience, data, cnf, details, issued_at, expires_at)`

// putTokens records tokens with one commit.
func (db *DB) putTokens(ctx context.Context, t tenant.ID, ws []*waiting) error {
	if len(ws) == 1 || db.engine.Dialect == SQLite {
		return db.putEach(ctx, t, ws)
	}
	e := db.effect(t)
	var hashes [][]byte
	var texts [7][]string
	var data, cnfs, details []*string
	var issued, expires []time.Time
	for _, w := range ws {
		a := w.token
		audience, err := json.Marshal(list(a.Audience))
		if err != nil {
			return err
		}
		hashes = append(hashes, a.Hash)
		for i, v := range []string{a.ID, a.Grant, a.Subject, a.Actor, a.ClientID, a.Scope.String(), string(audience)} {
			texts[i] = append(texts[i], v)
		}
		var d *string
		if len(a.Data) > 0 {
			d = new(string(a.Data))
		}
		var cnf *string
		if c, ok := e.confirmation(a.Confirmation).(string); ok {
			cnf = &c
		}
		var detail *string
		if v, ok := e.details(a.Details).(string); ok {
			detail = &v
		}
		details = append(details, detail)
		data, cnfs, issued, expires = append(data, d), append(cnfs, cnf), append(issued, cut(a.IssuedAt)), append(expires, cut(a.ExpiresAt))
	}
	e.then(manyTokens, hashes, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], data, cnfs, details, issued, expires)
	_, _, err := e.run(ctx, "put access tokens")
	return err
}

// putEach records tokens one after the other, in one transaction if there are several.
func (db *DB) putEach(ctx context.Context, t tenant.ID, ws []*waiting) error {
	e := db.effect(t)
	for _, w := range ws {
		e.accessToken(w.token)
	}
	_, _, err := e.run(ctx, "put access token")
	return err
}

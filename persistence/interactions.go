package persistence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Begin implements authorize.Store.
func (db *DB) Begin(ctx context.Context, t tenant.ID, i authorize.Interaction, touch *session.Session) error {
	e := db.effect(t)
	if i.Request != nil && i.Request.Pushed != nil {
		e.keep(i.Request.Pushed, i.ExpiresAt)
	}
	e.interaction(&i)
	if touch != nil {
		e.touch(touch)
	}
	if !e.guarded() {
		_, _, err := e.run(ctx, "begin interaction")
		return err
	}
	return e.needs(ctx, "begin interaction", authorize.ErrNotFound)
}

// interaction records a new one.
func (e *effect) interaction(i *authorize.Interaction) {
	e.insert("interactions (tenant_id, hash, version, step, session_id, answered, binding, request, data, created_at, expires_at)", "",
		i.Hash, i.Version, string(i.Step), i.SessionID, i.Answered, i.Binding, e.json(i.Request), raw(i.Data), cut(i.CreatedAt), cut(i.ExpiresAt))
}

// readInteraction reads an interaction while it lives.
const readInteraction = `SELECT hash, step, request, session_id, answered, binding, data, version, created_at, expires_at FROM interactions
	WHERE tenant_id = :t AND hash = ? AND expires_at > ?`

// Load implements authorize.Store.
func (db *DB) Load(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	var i authorize.Interaction
	if err := db.one(ctx, t, "load interaction", authorize.ErrNotFound, readInteraction, []any{hash, cut(now)}, &i.Hash, &i.Step, into{&i.Request},
		&i.SessionID, &i.Answered, &i.Binding, (*raw)(&i.Data), &i.Version, when{&i.CreatedAt}, when{&i.ExpiresAt}); err != nil {
		return nil, err
	}
	if i.Request == nil {
		return nil, errors.New("persistence: load interaction: it has no request")
	}
	return &i, nil
}

// PutData implements authorize.Store.
func (db *DB) PutData(ctx context.Context, t tenant.ID, now time.Time, hash []byte, data json.RawMessage) error {
	e := db.effect(t)
	e.guard(`UPDATE interactions SET data = ? WHERE tenant_id = :t AND hash = ? AND expires_at > ? RETURNING version`, raw(data), hash, cut(now))
	return e.needs(ctx, "put interaction data", authorize.ErrNotFound)
}

// Login implements authorize.Store. The interaction's data stays as it is: PutData may have come in between.
func (db *DB) Login(ctx context.Context, t tenant.ID, now time.Time, l authorize.LoginEffect) ([]tenant.Revocation, error) {
	won, ids, err := twice(func(again bool) (bool, []string, error) { return db.login(t, now, &l, again).run(ctx, "log in") })
	if err == nil && !won {
		err = db.moved(ctx, t, now, l.Interaction.Hash)
	}
	return revocationsOf(ids, now, l.TokensUntil), err
}

func (db *DB) login(t tenant.ID, now time.Time, l *authorize.LoginEffect, again bool) *effect {
	e, i := db.effect(t), &l.Interaction
	e.again = again
	e.guard(`UPDATE interactions SET version = version + 1, step = ?, session_id = ?, answered = ?, binding = ?, request = ?,
		expires_at = ? WHERE tenant_id = :t AND hash = ? AND version = ? AND expires_at > ? RETURNING version`,
		string(i.Step), i.SessionID, i.Answered, i.Binding, e.json(i.Request), cut(i.ExpiresAt), i.Hash, i.Version, cut(now))
	if l.Session != nil {
		e.put(l.Session, "")
	}
	e.end(l.Ended, l.Session, l.KeepNewest, 0, now, l.TokensUntil, l.Event)
	e.event(l.Event)
	return e
}

// Finish implements authorize.Store.
func (db *DB) Finish(ctx context.Context, t tenant.ID, now time.Time, f authorize.FinishEffect) ([]tenant.Revocation, error) {
	won, ids, err := twice(func(again bool) (bool, []string, error) {
		return db.finish(t, now, &f, again).run(ctx, "finish interaction")
	})
	if err == nil && !won {
		err = db.moved(ctx, t, now, f.Hash)
	}
	if f.Pushed != nil && errors.Is(err, authorize.ErrConflict) {
		if used, failed := db.isUsed(ctx, t, f.Pushed); used || failed != nil {
			err = cmp.Or(failed, authorize.ErrNotFound)
		}
	}
	return revocationsOf(ids, now, f.TokensUntil), err
}

func (db *DB) finish(t tenant.ID, now time.Time, f *authorize.FinishEffect, again bool) *effect {
	e, held := db.effect(t), ""
	e.again = again
	if f.Session == nil && f.Grant != nil && (f.Grant.Code == nil || f.AtOnce) && f.Grant.SessionID != "" && !f.Grant.Outlives() {
		// Without a code, and for tokens beside one, there is no later moment to ask whether the session still is.
		e.let("held", `SELECT id FROM sessions WHERE tenant_id = :t AND id = ?`+keeping[db.engine.Dialect], f.Grant.SessionID)
		held = ` AND EXISTS (SELECT 1 FROM held)`
	}
	held += e.stands(f.Stands, f.Replaces, now)
	if f.Pushed != nil {
		held += e.unused(f.Pushed)
	}
	switch {
	case len(f.Hash) > 0 && f.Kept != nil:
		e.guard(`UPDATE interactions SET version = version + 1, request = ?, data = ?
			WHERE tenant_id = :t AND hash = ? AND version = ? AND expires_at > ?`+held+` RETURNING version`,
			e.json(f.Kept.Request), raw(f.Kept.Data), f.Hash, f.Version, cut(now))
	case len(f.Hash) > 0:
		e.guard(`DELETE FROM interactions WHERE tenant_id = :t AND hash = ? AND version = ? AND expires_at > ?`+held+` RETURNING version`,
			f.Hash, f.Version, cut(now))
	default:
		e.guard(`SELECT 1 AS version WHERE true` + held)
	}
	if len(f.Hash) == 0 && f.Kept != nil {
		e.interaction(f.Kept)
	}
	if f.Pushed != nil {
		e.useUp(f.Pushed)
	}
	if f.Authorization != nil {
		e.remember(f.Authorization)
	}
	if f.Grant != nil {
		e.grant(f.Grant)
		e.supersede(f.Replaces, f.Grant.ID, now, f.TokensUntil)
	}
	if f.Granted {
		e.granted(f.Grant, now)
	}
	if f.AccessToken != nil {
		e.accessToken(f.AccessToken)
	}
	if f.FirstUse != "" {
		e.then(`UPDATE clients SET expires_at = NULL WHERE tenant_id = :t AND id = ? AND expires_at IS NOT NULL AND EXISTS (SELECT 1 FROM guard)`, f.FirstUse)
	}
	switch {
	case f.Session != nil:
		e.put(f.Session, f.ClientID)
	case f.Grant != nil && f.Grant.SessionID != "":
		e.visit(f.Grant.SessionID, f.ClientID, f.Touch, now)
	}
	var by audit.Event
	if len(f.Events) > 0 {
		by = f.Events[0]
	}
	e.end(f.Ended, f.Session, f.KeepNewest, f.KeepAlike, now, f.TokensUntil, by)
	for _, ev := range f.Events {
		e.event(ev)
	}
	return e
}

// moved says why an interaction could not be changed.
func (db *DB) moved(ctx context.Context, t tenant.ID, now time.Time, hash []byte) error {
	if _, err := db.Load(ctx, t, now, hash); err != nil {
		return err
	}
	return authorize.ErrConflict
}

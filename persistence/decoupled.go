package persistence

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// authenticationRow is a backchannel authentication as it is stored.
type authenticationRow struct {
	TenantID  string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	State     decoupled.State
	ClientID  string
	Subject   string
	Request   document[*request.Request]
	Refusal   document[*decoupled.Refusal]
	Pace      int64
	CreatedAt moment
	EndsAt    moment
}

// TableName is gorm's.
func (authenticationRow) TableName() string { return "authentications" }

func (r *authenticationRow) authentication() (*decoupled.Authentication, error) {
	if r.Request.V == nil {
		return nil, errors.New("persistence: read authentication: it has no request")
	}
	return &decoupled.Authentication{ID: r.ID, State: r.State, ClientID: r.ClientID, Subject: r.Subject, Request: r.Request.V,
		Interval: time.Duration(r.Pace) * time.Millisecond, Refusal: r.Refusal.V, CreatedAt: r.CreatedAt.Time, EndsAt: r.EndsAt.Time}, nil
}

// lateness is how long an authentication that has ended is kept, so that a late poll is told that it has.
const lateness = time.Hour

// refusal is r as an argument.
func (e *effect) refusal(r *decoupled.Refusal) any {
	if r == nil {
		return nil
	}
	return e.json(r)
}

// BeginAuthentication implements decoupled.Store.
func (db *DB) BeginAuthentication(ctx context.Context, t tenant.ID, a decoupled.Authentication) error {
	e := db.effect(t)
	e.insert("authentications (tenant_id, id, state, client_id, subject, request, refusal, polled, pace, too_soon, created_at, ends_at, expires_at)", "",
		a.ID, string(a.State), a.ClientID, a.Subject, e.json(a.Request), e.refusal(a.Refusal), 0, a.Interval.Milliseconds(), false,
		cut(a.CreatedAt), cut(a.EndsAt), cut(a.EndsAt.Add(lateness)))
	_, _, err := e.run(ctx, "begin authentication")
	return err
}

// Authentication implements decoupled.Store.
func (db *DB) Authentication(ctx context.Context, t tenant.ID, now time.Time, id string) (*decoupled.Authentication, error) {
	var r authenticationRow
	if err := db.take(ctx, t, "read authentication", &r, decoupled.ErrNotFound, "id = ? AND ends_at > ?", id, cut(now)); err != nil {
		return nil, err
	}
	return r.authentication()
}

// eachInTurn is the newest of each client, then the second of each, and so on: no client pushes another's off a list.
const eachInTurn = "row_number() OVER (PARTITION BY client_id ORDER BY created_at DESC, id DESC), created_at DESC, id DESC"

// Authentications implements decoupled.Store.
func (db *DB) Authentications(ctx context.Context, t tenant.ID, now time.Time, subject string, n int) ([]decoupled.Authentication, error) {
	var rows []authenticationRow
	err := db.find(ctx, t, "list authentications", &rows, eachInTurn, n, "subject = ? AND subject <> '' AND state = ? AND ends_at > ?",
		subject, string(decoupled.Waiting), cut(now))
	if err != nil {
		return nil, err
	}
	out := make([]decoupled.Authentication, 0, len(rows))
	for i := range rows {
		a, err := rows[i].authentication()
		if err != nil {
			return nil, err
		}
		out = append(out, *a)
	}
	return out, nil
}

// Acknowledge implements decoupled.Store.
func (db *DB) Acknowledge(ctx context.Context, t tenant.ID, now time.Time, id string, interval time.Duration, endsAt time.Time) error {
	e := db.effect(t)
	e.guard(`UPDATE authentications SET state = ?, pace = ?, ends_at = ?, expires_at = ?
		WHERE tenant_id = :t AND id = ? AND state = ? AND ends_at > ? RETURNING id`,
		string(decoupled.Waiting), interval.Milliseconds(), cut(endsAt), cut(endsAt.Add(lateness)), id, string(decoupled.Identifying), cut(now))
	won, _, err := e.run(ctx, "acknowledge authentication")
	if won || err != nil {
		return known(err, decoupled.ErrNotFound)
	}
	if _, err := db.Authentication(ctx, t, now, id); err != nil {
		return err
	}
	return decoupled.ErrConflict
}

// Settle implements decoupled.Store.
func (db *DB) Settle(ctx context.Context, t tenant.ID, now time.Time, s decoupled.Settlement) error {
	e, state, subject := db.effect(t), decoupled.Refused, ""
	if s.Grant != nil {
		state, subject = decoupled.Granted, s.Grant.Subject
	}
	held := e.stands(s.Joining.Stands, s.Joining.Replaces, now)
	e.guard(`UPDATE authentications SET state = ?, refusal = ? WHERE tenant_id = :t AND id = ? AND state = ? AND ends_at > ?
		AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.tenant_id = :t AND a.subject = ? AND a.disabled)
		AND (? = '' OR EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = :t AND s.id = ?))`+held+` RETURNING id`,
		string(state), e.refusal(s.Refusal), s.ID, string(decoupled.Waiting), cut(now), subject, s.Session, s.Session)
	if s.Grant != nil {
		e.grant(s.Grant)
		e.supersede(s.Joining.Replaces, s.Grant.ID, now, s.TokensUntil)
	}
	if s.AccessToken != nil {
		e.accessToken(s.AccessToken)
	}
	if s.Session != "" {
		e.visit(s.Session, "", s.Touch, now)
	}
	e.owe(s.Owed...)
	e.event(s.Event)
	won, _, err := e.run(ctx, "settle authentication")
	if won || err != nil {
		return known(err, decoupled.ErrNotFound)
	}
	a, err := db.Authentication(ctx, t, now, s.ID)
	switch {
	case err != nil:
		return err
	case a.State != decoupled.Waiting:
		return decoupled.ErrConflict
	}
	if s.Session != "" {
		if _, err := db.Session(ctx, t, s.Session); err != nil {
			return err
		}
	}
	if s.Joining.Stands == "" {
		return decoupled.ErrDisabled // it is the only other thing that was asked for
	}
	g, err := db.Grant(ctx, t, s.Joining.Stands)
	switch {
	case errors.Is(err, grant.ErrNotFound), err == nil && !g.Live(now):
		return decoupled.ErrOver
	case err != nil:
		return err
	}
	return decoupled.ErrDisabled
}

// DropAuthentication implements decoupled.Store.
func (db *DB) DropAuthentication(ctx context.Context, t tenant.ID, id string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM authentications WHERE tenant_id = :t AND id = ? RETURNING id`, id)
	e.event(ev)
	_, _, err := e.run(ctx, "drop authentication")
	return known(err, nil)
}

// A poll is written in one statement, which sees the one before it.
const poll = `UPDATE authentications SET too_soon = (state = ? AND polled + pace > ?),
	pace = CASE WHEN state = ? AND polled + pace > ? THEN pace + ? ELSE pace END, polled = CASE WHEN polled < ? THEN ? ELSE polled END
	WHERE tenant_id = :t AND id = ? AND client_id = ? AND state <> ? RETURNING state, too_soon, refusal, ends_at`

// Poll implements decoupled.Store.
func (db *DB) Poll(ctx context.Context, t tenant.ID, now time.Time, id, clientID string, leeway, raise time.Duration) (p *decoupled.Polled, err error) {
	at, waiting := now.UnixMilli(), string(decoupled.Waiting)
	soon := at + leeway.Milliseconds()
	err = db.returning(ctx, writes, t, "poll authentication", poll,
		[]any{waiting, soon, waiting, soon, raise.Milliseconds(), at, at, id, clientID, string(decoupled.Identifying)}, func(scan scan) error {
			var refusal document[*decoupled.Refusal]
			var ends moment
			p = &decoupled.Polled{}
			err := scan(&p.State, &p.TooSoon, &refusal, &ends)
			p.Refusal, p.EndsAt = refusal.V, ends.Time
			return err
		})
	if err == nil && p == nil {
		err = decoupled.ErrNotFound
	}
	if err != nil {
		return nil, known(err, decoupled.ErrNotFound)
	}
	return p, nil
}

// The grant hangs on no session: it dies with its subject's account alone.
const redeemAuthentication = `UPDATE grants SET code_redeemed_at = ?, expires_at = ?, refresh_generation = ?, refresh_rotated_at = ?,
	refresh_used_at = ?, refresh_expires_at = ?, refresh_idle_until = ?, refresh_cnf = ?
	WHERE tenant_id = :t AND id = ? AND code_hash = ? AND code_redeemed_at IS NULL AND code_expires_at > ?
	AND revoked_at IS NULL AND expires_at > ?` + enabled + ` RETURNING id`

// RedeemAuthentication implements decoupled.Store.
func (db *DB) RedeemAuthentication(ctx context.Context, t tenant.ID, now time.Time, r grant.Redemption) error {
	e := db.effect(t)
	e.guard(redeemAuthentication, append(append([]any{cut(now), cut(r.ExpiresAt)}, e.refresh(r.Refresh)...), r.Grant, r.CodeHash, cut(now), cut(now))...)
	if r.AccessToken != nil {
		e.accessToken(r.AccessToken)
	}
	e.then(`DELETE FROM authentications WHERE tenant_id = :t AND id = ? AND EXISTS (SELECT 1 FROM guard)`, r.Grant)
	won, _, err := e.run(ctx, "redeem authentication")
	if err == nil && !won {
		err = decoupled.ErrNotFound
	}
	return known(err, decoupled.ErrNotFound)
}

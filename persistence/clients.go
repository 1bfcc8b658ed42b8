package persistence

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// clientRow is a client as it is stored.
type clientRow struct {
	TenantID          string `gorm:"primaryKey"`
	ID                string `gorm:"primaryKey"`
	Number            int64
	Disabled          bool
	SelfRegistered    bool
	RegistrationToken []byte
	Secrets           document[[]storedSecret]
	Metadata          document[tenant.Metadata]
	Localized         document[map[string]string]
	CreatedAt         moment
	UpdatedAt         moment
	ExpiresAt         moment
}

// TableName is gorm's.
func (clientRow) TableName() string { return "clients" }

// client returns the client of a row, with its secrets opened.
func (db *DB) client(r *clientRow) (*tenant.Client, error) {
	secrets, err := db.secretsOf(r)
	c := &tenant.Client{ID: r.ID, Number: r.Number, Secrets: secrets, RegistrationToken: r.RegistrationToken,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time, ExpiresAt: r.ExpiresAt.Time, Disabled: r.Disabled, SelfRegistered: r.SelfRegistered, Metadata: r.Metadata.V}
	c.Localized = r.Localized.V
	return c, err
}

// clients returns the clients of rows.
func (db *DB) clients(rows []clientRow) ([]tenant.Client, error) {
	out := make([]tenant.Client, len(rows))
	for i := range rows {
		c, err := db.client(&rows[i])
		if err != nil {
			return nil, err
		}
		out[i] = *c
	}
	return out, nil
}

// Client implements tenant.Directory.
func (db *DB) Client(ctx context.Context, t tenant.ID, clientID string) (*tenant.Client, error) {
	var r clientRow
	if err := db.take(ctx, t, "read client", &r, tenant.ErrNoClient, "id = ?", clientID); err != nil {
		return nil, err
	}
	return db.client(&r)
}

// Clients implements registration.Store.
func (db *DB) Clients(ctx context.Context, t tenant.ID, after string, n int) ([]tenant.Client, error) {
	var rows []clientRow
	err := db.find(ctx, t, "list clients", &rows, "id", n, "id > ?", after)
	if err != nil {
		return nil, err
	}
	return db.clients(rows)
}

// clientArgs are a client's columns from disabled to updated_at.
func (e *effect) clientArgs(c *tenant.Client, updated time.Time) []any {
	localized := c.Localized
	if localized == nil {
		localized = map[string]string{}
	}
	return []any{c.Disabled, c.SelfRegistered, c.RegistrationToken, e.json(e.sealed(c)), e.json(c.Metadata), e.json(localized), cut(updated)}
}

// CreateClient implements registration.Store. The tenant's row counts its clients and gives each its number; most of
// zero or less is no limit.
func (db *DB) CreateClient(ctx context.Context, t tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error) {
	if most <= 0 {
		most = math.MaxInt32
	}
	e := db.effect(t)
	e.guard(`UPDATE tenants SET client_count = client_count + 1, client_last = client_last + 1
		WHERE tenant_id = :t AND client_count < ? RETURNING client_last`, most)
	c, won, err := e.client(ctx, c, ev)
	if err == nil && !won {
		err = db.full(ctx, t, c.ID)
	}
	return c, err
}

// client records a client with the number that the guard returns.
func (e *effect) client(ctx context.Context, c tenant.Client, ev audit.Event) (_ tenant.Client, won bool, err error) {
	e.then(`INSERT INTO clients (tenant_id, number, id, disabled, self_registered, registration_token, secrets, metadata, localized,
		updated_at, created_at, expires_at) SELECT :t, client_last, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM guard`,
		append(append([]any{c.ID}, e.clientArgs(&c, c.UpdatedAt)...), cut(c.CreatedAt), at(c.ExpiresAt))...)
	e.changed(c.ID)
	e.event(ev)
	e.returning(guard, "client_last")
	won, number, err := e.run(ctx, "create client")
	if err != nil || !won {
		return c, won, taken(err, registration.ErrExists)
	}
	c.Number, err = strconv.ParseInt(number[0], 10, 64)
	c.CreatedAt, c.UpdatedAt = cut(c.CreatedAt), cut(c.UpdatedAt)
	if !c.ExpiresAt.IsZero() {
		c.ExpiresAt = cut(c.ExpiresAt)
	}
	return c, true, err
}

// full says why a client could not be created although nothing failed.
func (db *DB) full(ctx context.Context, t tenant.ID, id string) error {
	switch _, err := db.Client(ctx, t, id); {
	case errors.Is(err, tenant.ErrNoClient):
		return registration.ErrFull
	case err != nil:
		return err
	}
	return registration.ErrExists
}

// UpdateClient implements registration.Store. A client is always later than it was: two updates within one tick of the
// clock must not look like one.
func (db *DB) UpdateClient(ctx context.Context, t tenant.ID, c tenant.Client, read time.Time, ev audit.Event) error {
	updated := cut(c.UpdatedAt)
	if least := cut(read).Add(time.Microsecond); updated.Before(least) {
		updated = least
	}
	e := db.effect(t)
	e.guard(`UPDATE clients SET disabled = ?, self_registered = ?, registration_token = ?, secrets = ?, metadata = ?, localized = ?,
		updated_at = ? WHERE tenant_id = :t AND id = ? AND updated_at = ? RETURNING id`,
		append(e.clientArgs(&c, updated), c.ID, cut(read))...)
	e.changed(c.ID)
	e.event(ev)
	won, _, err := e.run(ctx, "update client")
	if won || err != nil {
		return err
	}
	switch _, err := db.Client(ctx, t, c.ID); {
	case errors.Is(err, tenant.ErrNoClient):
		return registration.ErrNotFound
	case err != nil:
		return err
	}
	return registration.ErrConflict
}

// DeleteClient implements registration.Store.
func (db *DB) DeleteClient(ctx context.Context, t tenant.ID, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM clients WHERE tenant_id = :t AND id = ? RETURNING id`, clientID)
	e.then(`UPDATE tenants SET client_count = client_count - 1 WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard)`)
	for _, table := range []string{"grants", "authorizations", "granted_scopes", "access_tokens"} {
		e.then(`DELETE FROM `+table+` WHERE tenant_id = :t AND client_id = ? AND EXISTS (SELECT 1 FROM guard)`, clientID)
	}
	e.changed(clientID)
	e.enter(revoked)
	e.event(ev)
	return known(e.needs(ctx, "delete client", registration.ErrNotFound), registration.ErrNotFound)
}

package persistence

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

const webhook = `SELECT id, url, description, events, enabled, secret, previous_until, suspended_at, version, created_at, updated_at
	FROM webhooks WHERE tenant_id = :t`

func scanWebhook(scan scan) (w outbox.Webhook, err error) {
	err = scan(&w.ID, &w.URL, &w.Description, into{&w.Events}, &w.Enabled, &w.Secret, when{&w.PreviousUntil}, when{&w.SuspendedAt}, &w.Version,
		when{&w.CreatedAt}, when{&w.UpdatedAt})
	return w, err
}

// PutWebhook implements outbox.Webhooks. The tenant's row is locked, so that of two that are recorded at once the second
// counts the first.
func (db *DB) PutWebhook(ctx context.Context, t tenant.ID, w outbox.Webhook, most int, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE tenants SET webhook_count = webhook_count + 1 WHERE tenant_id = :t AND webhook_count < ? RETURNING webhook_count`, most)
	e.insert("webhooks (tenant_id, id, url, description, events, enabled, secret, previous_until, suspended_at, version, created_at, updated_at)", "",
		w.ID, w.URL, w.Description, e.json(w.Events), w.Enabled, w.Secret, at(w.PreviousUntil), nil, w.Version, cut(w.CreatedAt), cut(w.UpdatedAt))
	e.event(ev)
	return e.needs(ctx, "create webhook", outbox.ErrFull)
}

// Webhooks implements outbox.Webhooks.
func (db *DB) Webhooks(ctx context.Context, t tenant.ID) (ws []outbox.Webhook, err error) {
	err = db.query(ctx, t, "list webhooks", webhook+` ORDER BY created_at, id`, nil, func(scan scan) error {
		w, err := scanWebhook(scan)
		ws = append(ws, w)
		return err
	})
	return ws, err
}

// Webhook implements outbox.Webhooks.
func (db *DB) Webhook(ctx context.Context, t tenant.ID, id string) (found *outbox.Webhook, err error) {
	err = db.query(ctx, t, "read webhook", webhook+` AND id = ?`, []any{id}, func(scan scan) error {
		w, err := scanWebhook(scan)
		found = &w
		return err
	})
	if err == nil && found == nil {
		err = outbox.ErrNoWebhook
	}
	return found, known(err, outbox.ErrNoWebhook)
}

// UpdateWebhook implements outbox.Webhooks.
func (db *DB) UpdateWebhook(ctx context.Context, t tenant.ID, w outbox.Webhook, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`UPDATE webhooks SET url = ?, description = ?, events = ?, enabled = ?, secret = ?, previous_until = ?, suspended_at = ?, version = ?, updated_at = ?
		WHERE tenant_id = :t AND id = ? AND version = ? RETURNING id`, w.URL, w.Description, e.json(w.Events), w.Enabled, w.Secret, at(w.PreviousUntil),
		at(w.SuspendedAt), w.Version, cut(w.UpdatedAt), w.ID, w.Version-1)
	if w.Enabled {
		e.then(`UPDATE outbox SET target = ? WHERE tenant_id = :t AND webhook IN (SELECT id FROM guard) AND dead_at IS NULL AND target <> ?`, w.URL, w.URL)
	} else {
		e.then(`UPDATE outbox SET dead_at = ?, cause = ? WHERE tenant_id = :t AND webhook IN (SELECT id FROM guard) AND dead_at IS NULL`, cut(w.UpdatedAt), outbox.CauseDisabled)
	}
	e.event(ev)
	err := known(e.needs(ctx, "change webhook", outbox.ErrConflict), outbox.ErrNoWebhook)
	if errors.Is(err, outbox.ErrConflict) {
		if _, none := db.Webhook(ctx, t, w.ID); none != nil {
			return none
		}
	}
	return err
}

// DeleteWebhook implements outbox.Webhooks.
func (db *DB) DeleteWebhook(ctx context.Context, t tenant.ID, id string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM webhooks WHERE tenant_id = :t AND id = ? RETURNING id`, id)
	e.then(`UPDATE tenants SET webhook_count = webhook_count - 1 WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard)`)
	e.then(`DELETE FROM outbox WHERE tenant_id = :t AND webhook IN (SELECT id FROM guard)`)
	e.event(ev)
	return known(e.needs(ctx, "delete webhook", outbox.ErrNoWebhook), outbox.ErrNoWebhook)
}

// WebhookMessages implements outbox.Webhooks.
func (db *DB) WebhookMessages(ctx context.Context, t tenant.ID, id string, dead bool, after string, n int) (ms []outbox.Message, err error) {
	err = db.query(ctx, t, "list messages of webhook", `SELECT`+messageColumns+` FROM outbox WHERE tenant_id = :t AND webhook = ? AND id > ?
		AND (dead_at IS NOT NULL) = ? ORDER BY id LIMIT ?`, []any{id, after, dead, n}, func(scan scan) error {
		m, err := db.message(t, scan)
		ms = append(ms, m)
		return err
	})
	return ms, known(err, nil)
}

// ReplayWebhook implements outbox.Webhooks.
func (db *DB) ReplayWebhook(ctx context.Context, t tenant.ID, id, message string, now time.Time) (int, error) {
	end, only, args := now.Add(outbox.Patience), "", []any(nil)
	if message != "" {
		only, args = ` AND id = ?`, []any{message}
	}
	n := 0
	err := db.returning(ctx, writes, t, "replay messages of webhook", `UPDATE outbox SET dead_at = NULL, due_at = ?, begins_at = ?, ends_at = ?, expires_at = ?
		WHERE tenant_id = :t AND webhook IN (SELECT w.id FROM webhooks w WHERE w.tenant_id = :t AND w.id = ? AND w.enabled) AND dead_at IS NOT NULL`+only+` RETURNING 1`,
		append([]any{cut(now), cut(now), cut(end), cut(end.Add(outbox.Kept)), id}, args...), counting(&n))
	if n > 0 && db.owed != nil {
		db.owed(t)
	}
	return n, known(err, nil)
}

// DropDeadLetters implements outbox.Webhooks.
func (db *DB) DropDeadLetters(ctx context.Context, t tenant.ID, id string) (n int, err error) {
	err = db.returning(ctx, writes, t, "drop dead letters", `DELETE FROM outbox WHERE tenant_id = :t AND webhook = ? AND dead_at IS NOT NULL RETURNING 1`,
		[]any{id}, counting(&n))
	return n, known(err, nil)
}

// counting counts rows.
func counting(n *int) func(scan) error {
	*n = 0
	return func(scan scan) error {
		var one int
		*n++
		return scan(&one)
	}
}

// suspension suspends webhooks to which too much is owed. It reads what is owed, not what there is of webhooks.
const suspension = `UPDATE webhooks SET suspended_at = ?, updated_at = ?, version = version + 1
	WHERE :t <> '' AND suspended_at IS NULL AND (tenant_id, id) IN (SELECT o.tenant_id, o.webhook FROM outbox o WHERE o.webhook IS NOT NULL AND o.tenant_id || :t <> ''
		GROUP BY o.tenant_id, o.webhook HAVING count(*) >= ?) RETURNING tenant_id, id`

// SuspendWebhooks implements outbox.Webhooks.
func (db *DB) SuspendWebhooks(ctx context.Context, now time.Time, most int, kind audit.Kind) (int, error) {
	e := db.effect(tenant.Platform)
	e.every = true
	e.guard(suspension, cut(now), cut(now), most)
	e.then(`INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
		SELECT guard.tenant_id, ?, ?, '', '', '', '', '', '', `+suspendedDetail[db.engine.Dialect]+` FROM guard WHERE :t <> ''`, cut(now), string(kind), strconv.Itoa(most))
	e.returning(guard, "id")
	_, ids, err := e.run(ctx, "suspend webhooks")
	return len(ids), err
}

// suspendedDetail is the detail of the event, by dialect.
var suspendedDetail = [...]string{
	PostgreSQL: `json_build_object('webhook', guard.id, 'undelivered', CAST(? AS text))`,
	SQLite:     `json_object('webhook', guard.id, 'undelivered', CAST(? AS text))`,
}

package admin

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// How long the secret before signs beside a new one.
const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 7 * 24 * time.Hour
)

var (
	errNoWebhook      = oauth.NotFound("The tenant has no such webhook")
	errNoMessage      = oauth.NotFound("The webhook has no such message that was given up")
	errManyWebhooks   = oauth.InvalidRequest("The tenant has as many webhooks as it may").Because(tenant.ErrConflict)
	errWebhookChanged = oauth.InvalidRequest("The webhook was changed in the meantime").Because(tenant.ErrConflict)
	errWebhookOff     = oauth.InvalidRequest("The webhook is disabled").Because(tenant.ErrConflict)
)

// NewWebhook is a webhook to be created.
type NewWebhook struct {
	URL, Description string
	Events           []audit.Kind
	Disabled         bool
}

// WebhookChange changes a webhook; what is nil stays. One that is enabled is not suspended any more.
type WebhookChange struct {
	URL, Description *string
	Events           []audit.Kind
	Enabled          *bool
	Version          int64 // that the caller has seen; 0: any
}

// WebhookEvents are what a webhook can be told of.
func WebhookEvents() []audit.Kind { return append([]audit.Kind{outbox.EveryEvent}, audit.Kinds()...) }

// hooked returns a tenant that may have webhooks: the platform has none.
func (c *Console) hooked(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	r, err := c.record(ctx, id)
	if err == nil && id == tenant.Platform {
		return nil, oauth.InvalidRequest("The platform has no webhooks")
	}
	return r, err
}

// wordedWebhook turns what the store of webhooks says into what a caller is told.
func wordedWebhook(err error) error {
	switch {
	case errors.Is(err, outbox.ErrNoWebhook):
		return errNoWebhook
	case errors.Is(err, outbox.ErrFull):
		return errManyWebhooks
	case errors.Is(err, outbox.ErrConflict):
		return errWebhookChanged
	}
	return worded(err)
}

// checkWebhook returns what is wrong with w, which was that before, or nil.
func (c *Console) checkWebhook(w, before *outbox.Webhook) error {
	var fields []tenant.FieldError
	if (before == nil || w.URL != before.URL) && c.Permits(w.URL) != nil {
		fields = append(fields, tenant.FieldError{Pointer: "/url", Message: "must be an https URL of a public host, without fragment"})
	}
	if !printable(w.Description) || len(w.Description) > maxLabel {
		fields = append(fields, tenant.FieldError{Pointer: "/description", Message: "must be at most 128 printable characters"})
	}
	if len(w.Events) == 0 {
		fields = append(fields, tenant.FieldError{Pointer: "/events", Message: "must name at least one kind of event, or *"})
	}
	for i, k := range w.Events {
		if k != outbox.EveryEvent && !slices.Contains(audit.Kinds(), k) || slices.Contains(w.Events[:i], k) {
			fields = append(fields, tenant.FieldError{Pointer: "/events/" + itoa(i), Message: "is no kind of event, or occurs twice"})
		}
	}
	if len(fields) > 0 {
		return &Invalid{Fields: fields}
	}
	return nil
}

// CreateWebhook records a webhook, and returns its secret too.
func (c *Console) CreateWebhook(ctx context.Context, id tenant.ID, n NewWebhook, by By) (*outbox.Webhook, string, error) {
	r, err := c.hooked(ctx, id)
	if err != nil {
		return nil, "", err
	}
	webhookID, err := c.tokenID()
	if err != nil {
		return nil, "", err
	}
	now := c.now()
	w := &outbox.Webhook{ID: webhookID, URL: n.URL, Description: n.Description, Events: n.Events, Enabled: !n.Disabled, Secret: 1, Version: 1, CreatedAt: now, UpdatedAt: now}
	if err := c.checkWebhook(w, nil); err != nil {
		return nil, "", err
	}
	err = c.Webhooks.PutWebhook(ctx, id, *w, outbox.MaxWebhooks, c.event(audit.WebhookCreated, by, "webhook", w.ID, "url", shownURL(w.URL)))
	return w, secretOf(r, w), wordedWebhook(err)
}

// shownURL is a URL as it is kept in an event: its host, as path and query may hold a secret.
func shownURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func secretOf(r *tenant.Record, w *outbox.Webhook) string {
	return outbound.SigningSecret(outbox.WebhookKey(r.Secret, w.ID, w.Secret))
}

// ListWebhooks lists the webhooks of a tenant, the oldest first.
func (c *Console) ListWebhooks(ctx context.Context, id tenant.ID) ([]outbox.Webhook, error) {
	if _, err := c.hooked(ctx, id); err != nil {
		return nil, err
	}
	ws, err := c.Webhooks.Webhooks(ctx, id)
	return ws, wordedWebhook(err)
}

// Webhook returns one webhook of a tenant.
func (c *Console) Webhook(ctx context.Context, id tenant.ID, webhook string) (*outbox.Webhook, error) {
	if _, err := c.hooked(ctx, id); err != nil {
		return nil, err
	}
	w, err := c.Webhooks.Webhook(ctx, id, webhook)
	return w, wordedWebhook(err)
}

// changeWebhook changes a webhook by f at the version that is there, or at that version if it is not zero. kind is that of
// the event, which names the webhook and what f returns.
func (c *Console) changeWebhook(ctx context.Context, id tenant.ID, webhook string, version int64, kind audit.Kind, by By, f func(*outbox.Webhook) ([]string, error)) (*outbox.Webhook, error) {
	w, err := c.Webhook(ctx, id, webhook)
	if err != nil {
		return nil, err
	}
	if version != 0 && w.Version != version {
		return nil, errWebhookChanged
	}
	details, err := f(w)
	if err != nil {
		return nil, err
	}
	ev := c.event(kind, by, append([]string{"webhook", w.ID}, details...)...)
	w.Version, w.UpdatedAt = w.Version+1, ev.At
	return w, wordedWebhook(c.Webhooks.UpdateWebhook(ctx, id, *w, ev))
}

// ChangeWebhook changes a webhook.
func (c *Console) ChangeWebhook(ctx context.Context, id tenant.ID, webhook string, n WebhookChange, by By) (*outbox.Webhook, error) {
	return c.changeWebhook(ctx, id, webhook, n.Version, audit.WebhookUpdated, by, func(w *outbox.Webhook) (details []string, err error) {
		before := *w
		if n.URL != nil {
			w.URL, details = *n.URL, append(details, "url", shownURL(*n.URL))
		}
		if n.Description != nil {
			w.Description = *n.Description
		}
		if n.Events != nil {
			w.Events = n.Events
		}
		if n.Enabled != nil {
			w.Enabled, w.SuspendedAt = *n.Enabled, time.Time{}
			details = append(details, "enabled", map[bool]string{true: "true", false: "false"}[w.Enabled])
		}
		return details, c.checkWebhook(w, &before)
	})
}

// DeleteWebhook removes a webhook with all that is owed to it.
func (c *Console) DeleteWebhook(ctx context.Context, id tenant.ID, webhook string, by By) error {
	if _, err := c.hooked(ctx, id); err != nil {
		return err
	}
	return wordedWebhook(c.Webhooks.DeleteWebhook(ctx, id, webhook, c.event(audit.WebhookDeleted, by, "webhook", webhook)))
}

// RotateWebhookSecret gives a webhook a new secret, and returns it. The one before signs too, for overlap (nil: a day).
func (c *Console) RotateWebhookSecret(ctx context.Context, id tenant.ID, webhook string, overlap *time.Duration, by By) (*outbox.Webhook, string, error) {
	both := defaultOverlap
	if overlap != nil {
		both = *overlap
	}
	if both < 0 || both > maxOverlap {
		return nil, "", invalid("/overlap", "must be 0 to 604800 seconds")
	}
	r, err := c.hooked(ctx, id)
	if err != nil {
		return nil, "", err
	}
	w, err := c.changeWebhook(ctx, id, webhook, 0, audit.WebhookRotated, by, func(w *outbox.Webhook) ([]string, error) {
		w.Secret, w.PreviousUntil = w.Secret+1, c.now().Add(both)
		return nil, nil
	})
	if err != nil {
		return nil, "", err
	}
	return w, secretOf(r, w), nil
}

// TryWebhook sends a message to a webhook that tells of no event, and returns it. What becomes of it, the list of messages
// shows: it is there until it is delivered.
func (c *Console) TryWebhook(ctx context.Context, id tenant.ID, webhook string) (*outbox.Message, error) {
	w, err := c.Webhook(ctx, id, webhook)
	if err != nil {
		return nil, err
	}
	if !w.Enabled {
		return nil, errWebhookOff
	}
	m := w.Trial(outbox.NewID(c.Rand), c.now())
	m.EndsAt = m.CreatedAt.Add(trialPatience)
	return &m, worded(c.Owed.Owe(ctx, id, m))
}

// trialPatience is how long a trial is tried: somebody is waiting to see it.
const trialPatience = 10 * time.Minute

// WebhookMessages lists up to n messages to a webhook after that id: what waits, or what was given up.
func (c *Console) WebhookMessages(ctx context.Context, id tenant.ID, webhook string, dead bool, after string, n int) ([]outbox.Message, error) {
	if _, err := c.Webhook(ctx, id, webhook); err != nil {
		return nil, err
	}
	ms, err := c.Webhooks.WebhookMessages(ctx, id, webhook, dead, after, n)
	return ms, worded(err)
}

// ReplayWebhook tries again what was given up: one message, or where message is empty all of them. It returns how many.
func (c *Console) ReplayWebhook(ctx context.Context, id tenant.ID, webhook, message string) (int, error) {
	w, err := c.Webhook(ctx, id, webhook)
	if err != nil {
		return 0, err
	}
	if !w.Enabled {
		return 0, errWebhookOff
	}
	n, err := c.Webhooks.ReplayWebhook(ctx, id, webhook, message, c.now())
	if err == nil && n == 0 && message != "" {
		return 0, errNoMessage
	}
	return n, worded(err)
}

// DropWebhookMessages forgets what was given up, and returns how many messages that were.
func (c *Console) DropWebhookMessages(ctx context.Context, id tenant.ID, webhook string) (int, error) {
	if _, err := c.Webhook(ctx, id, webhook); err != nil {
		return 0, err
	}
	n, err := c.Webhooks.DropDeadLetters(ctx, id, webhook)
	return n, worded(err)
}

package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// Event is the kind of message that tells a webhook what happened. The store records it with the event itself.
const Event Kind = "webhook"

// EveryEvent stands for all kinds of event.
const EveryEvent audit.Kind = "*"

// TestEvent is the kind of what is sent to try a webhook out. It is no event: nothing happened.
const TestEvent audit.Kind = "webhook_test"

// Webhook is a URL of a tenant that is told what happens there, signed as Standard Webhooks says.
type Webhook struct {
	ID          string
	URL         string
	Description string
	Events      []audit.Kind // that it is told of; EveryEvent among them: of all
	Enabled     bool

	Secret        int64     // number of its signing secret, from 1
	PreviousUntil time.Time // until then the secret before signs too
	SuspendedAt   time.Time // since then nothing is recorded for it, as too much was not delivered; zero: it is not suspended
	Version       int64     // raised by each change
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// CauseDisabled is why a message was given up whose webhook was disabled.
const CauseDisabled = "the webhook was disabled"

// The bounds of webhooks.
const (
	MaxWebhooks = 20     // of one tenant
	MostOwed    = 10_000 // messages that wait for one or were given up, beyond which it is suspended
)

// The errors of Webhooks.
var (
	ErrNoWebhook = errors.New("outbox: no such webhook")
	ErrFull      = errors.New("outbox: the tenant has as many webhooks as it may")
	ErrConflict  = errors.New("outbox: the webhook was changed in the meantime")
)

// Webhooks keeps the webhooks of tenants. What happens while one is enabled and not suspended is recorded for it together
// with the event.
type Webhooks interface {
	// PutWebhook records a new webhook, or ErrFull where the tenant has most.
	PutWebhook(ctx context.Context, t tenant.ID, w Webhook, most int, ev audit.Event) error
	// Webhooks lists the webhooks of a tenant, the oldest first.
	Webhooks(ctx context.Context, t tenant.ID) ([]Webhook, error)
	// Webhook returns one, or ErrNoWebhook.
	Webhook(ctx context.Context, t tenant.ID, id string) (*Webhook, error)
	// UpdateWebhook replaces the one that is at the version before that of w: ErrNoWebhook, ErrConflict. What waits goes to
	// its URL; of one that is not enabled it becomes dead letters.
	UpdateWebhook(ctx context.Context, t tenant.ID, w Webhook, ev audit.Event) error
	// DeleteWebhook removes one with all that is owed to it, or is ErrNoWebhook.
	DeleteWebhook(ctx context.Context, t tenant.ID, id string, ev audit.Event) error
	// WebhookMessages lists messages to one as Messages does.
	WebhookMessages(ctx context.Context, t tenant.ID, id string, dead bool, after string, n int) ([]Message, error)
	// ReplayWebhook makes the dead letter of that id to an enabled webhook due at now, as Replay does, or all of them where it
	// is empty, and returns how many.
	ReplayWebhook(ctx context.Context, t tenant.ID, id, message string, now time.Time) (int, error)
	// DropDeadLetters removes the dead letters to one, and returns how many.
	DropDeadLetters(ctx context.Context, t tenant.ID, id string) (int, error)
	// SuspendWebhooks suspends, at whatever tenants, those to which most messages or more are owed, and records an event of
	// that kind for each. It returns how many.
	SuspendWebhooks(ctx context.Context, now time.Time, most int, kind audit.Kind) (int, error)
}

// WebhookKey is the signing secret of that number of a webhook: 256 bits, derived from the tenant's secret.
func WebhookKey(secret keys.Secret, id string, number int64) []byte {
	return secret.MAC("event webhook secret", []byte(id), []byte(strconv.FormatInt(number, 10)))
}

// Keys are the secrets that a message to w is signed with at now, the newest first.
func (w *Webhook) Keys(secret keys.Secret, now time.Time) [][]byte {
	out := [][]byte{WebhookKey(secret, w.ID, w.Secret)}
	if now.Before(w.PreviousUntil) && w.Secret > 1 {
		out = append(out, WebhookKey(secret, w.ID, w.Secret-1))
	}
	return out
}

// Wants reports whether w is told of events of that kind.
func (w *Webhook) Wants(k audit.Kind) bool {
	return slices.Contains(w.Events, k) || slices.Contains(w.Events, EveryEvent)
}

// happened is the detail of a message of kind Event, as the store records it, and with the tenant what its receiver gets
// as data.
type happened struct {
	Tenant  tenant.ID         `json:"tenant_id,omitempty"`
	Seq     int64             `json:"seq,omitempty"`
	At      time.Time         `json:"at"`
	Kind    audit.Kind        `json:"kind"`
	Actor   string            `json:"actor,omitempty"`
	Subject string            `json:"sub,omitempty"`
	Client  string            `json:"client_id,omitempty"`
	Session string            `json:"session_id,omitempty"`
	Grant   string            `json:"grant_id,omitempty"`
	Address string            `json:"address,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}

// KindOf is what a message of kind Event tells of.
func KindOf(m *Message) audit.Kind {
	var h happened
	_ = json.Unmarshal(m.Detail, &h) // what cannot be read tells of nothing
	return h.Kind
}

// Trial is a message that tries w out.
func (w *Webhook) Trial(id string, now time.Time) Message {
	detail, _ := json.Marshal(happened{At: now, Kind: TestEvent}) // texts and times always can be
	return Message{ID: id, Kind: Event, Target: w.URL, Webhook: w.ID, Detail: detail, CreatedAt: now}
}

// Teller prepares messages of kind Event.
type Teller struct {
	Now      func() time.Time
	Webhooks Webhooks
}

var errDisabled = errors.New("the webhook is disabled")

// Tell is a Prepare: it reads the webhook as it is now, and signs what happened for it.
func (s *Teller) Tell(ctx context.Context, t *tenant.Tenant, m *Message) (outbound.Content, error) {
	w, err := s.Webhooks.Webhook(ctx, t.ID, m.Webhook)
	switch {
	case errors.Is(err, ErrNoWebhook):
		return outbound.Content{}, ErrMoot
	case err != nil:
		return outbound.Content{}, err
	case !w.Enabled:
		return outbound.Content{}, errDisabled
	}
	var h happened
	if err := json.Unmarshal(m.Detail, &h); err != nil {
		return outbound.Content{}, err
	}
	h.Tenant, h.At = t.ID, h.At.UTC()
	body, err := json.Marshal(struct {
		Type      audit.Kind `json:"type"`
		Timestamp time.Time  `json:"timestamp"`
		Data      happened   `json:"data"`
	}{h.Kind, h.At, h})
	if err != nil {
		return outbound.Content{}, err
	}
	m.Target = w.URL
	now := s.Now()
	return outbound.Signed(w.Keys(t.Secret, now), m.ID, now, body), nil
}

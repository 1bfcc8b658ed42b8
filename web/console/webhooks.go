package console

import (
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
)

// newWebhook is the body that creates a webhook.
type newWebhook struct {
	URL         string       `json:"url" need:"yes"`
	Events      []audit.Kind `json:"events" need:"yes" doc:"Kinds of events that it is told of, or *"`
	Description string       `json:"description"`
	Disabled    bool         `json:"disabled"`
}

// shownWebhook is a webhook as an administrator sees it. Secret is there only in the answer that makes it.
type shownWebhook struct {
	ID            string       `json:"id"`
	URL           string       `json:"url"`
	Events        []audit.Kind `json:"events"`
	Description   string       `json:"description,omitempty"`
	Enabled       bool         `json:"enabled"`
	SuspendedAt   time.Time    `json:"suspended_at,omitzero" doc:"Since then it is told of nothing, as too much was not delivered; enable it to go on"`
	PreviousUntil time.Time    `json:"previous_secret_until,omitzero" doc:"Until then the secret before signs too"`
	CreatedAt     time.Time    `json:"created_at"`
	UpdatedAt     time.Time    `json:"updated_at"`
	Secret        string       `json:"secret,omitempty" doc:"In the answer that made it"`
}

// webhook shows a webhook, whose version becomes the ETag.
func (q *call) webhook(w *outbox.Webhook, secret string, err error) (shownWebhook, error) {
	if err != nil {
		return shownWebhook{}, err
	}
	q.Header("ETag", etag(w.Version))
	return shownWebhookOf(w, secret), nil
}

func shownWebhookOf(w *outbox.Webhook, secret string) shownWebhook {
	return shownWebhook{w.ID, w.URL, w.Events, w.Description, w.Enabled, w.SuspendedAt, w.PreviousUntil, w.CreatedAt, w.UpdatedAt, secret}
}

func (d *Door) createWebhook(q *call, b *newWebhook) (shownWebhook, error) {
	w, secret, err := d.Console.CreateWebhook(q.Request.Context(), q.id, admin.NewWebhook{URL: b.URL, Description: b.Description, Events: b.Events, Disabled: b.Disabled}, q.by)
	return q.webhook(w, secret, err)
}

// webhookList is every webhook of a tenant.
type webhookList struct {
	Webhooks []shownWebhook `json:"webhooks"`
}

func (d *Door) listWebhooks(q *call) (webhookList, error) {
	ws, err := d.Console.ListWebhooks(q.Request.Context(), q.id)
	list := webhookList{Webhooks: make([]shownWebhook, len(ws))}
	for i := range ws {
		list.Webhooks[i] = shownWebhookOf(&ws[i], "")
	}
	return list, err
}

func (d *Door) readWebhook(q *call) (shownWebhook, error) {
	w, err := d.Console.Webhook(q.Request.Context(), q.id, q.Param("webhook"))
	return q.webhook(w, "", err)
}

// webhookPatch is the body that changes a webhook.
type webhookPatch struct {
	URL         *string      `json:"url"`
	Events      []audit.Kind `json:"events"`
	Description *string      `json:"description"`
	Enabled     *bool        `json:"enabled" doc:"One that is disabled is told of nothing, and what waits is given up; one that is enabled is not suspended any more"`
}

func (d *Door) patchWebhook(q *call, b *webhookPatch) (shownWebhook, error) {
	w, err := d.Console.Webhook(q.Request.Context(), q.id, q.Param("webhook"))
	if err != nil {
		return shownWebhook{}, err
	}
	version, err := match(q.Context, w.Version)
	if err != nil {
		return shownWebhook{}, err
	}
	w, err = d.Console.ChangeWebhook(q.Request.Context(), q.id, w.ID, admin.WebhookChange{URL: b.URL, Events: b.Events, Description: b.Description,
		Enabled: b.Enabled, Version: version}, q.by)
	return q.webhook(w, "", err)
}

func (d *Door) deleteWebhook(q *call) (none, error) {
	return none{}, d.Console.DeleteWebhook(q.Request.Context(), q.id, q.Param("webhook"), q.by)
}

// newWebhookSecret is the body that rotates the secret of a webhook.
type newWebhookSecret struct {
	Overlap *int64 `json:"overlap" doc:"For how many seconds the secret before signs too, a day where left out"`
}

func (d *Door) rotateWebhookSecret(q *call, b *newWebhookSecret) (shownWebhook, error) {
	var overlap *time.Duration
	if b.Overlap != nil {
		both := time.Duration(min(max(*b.Overlap, -1), 1<<31)) * time.Second
		overlap = &both
	}
	w, secret, err := d.Console.RotateWebhookSecret(q.Request.Context(), q.id, q.Param("webhook"), overlap, q.by)
	return q.webhook(w, secret, err)
}

// shownMessage is a message to a webhook. What it tells of is in the event of that number.
type shownMessage struct {
	ID        string     `json:"id" doc:"As in webhook-id"`
	Kind      audit.Kind `json:"kind" doc:"Of the event that it tells of; webhook_test: it is a trial"`
	Attempts  int        `json:"attempts"`
	Cause     string     `json:"cause,omitempty" doc:"Why the last attempt failed"`
	CreatedAt time.Time  `json:"created_at"`
	EndsAt    time.Time  `json:"ends_at" doc:"Until then it is tried again"`
}

func shownMessageOf(m *outbox.Message) shownMessage {
	return shownMessage{m.ID, outbox.KindOf(m), m.Attempts, causeOf(m.Cause), m.CreatedAt, m.EndsAt}
}

// causeOf is what a tenant is told of a failure: the status of the answer, if there was one. What else went wrong would tell
// about our network.
func causeOf(cause string) string {
	const status = "answered with status "
	if i := strings.LastIndex(cause, status); i >= 0 {
		return cause[i:]
	}
	switch cause {
	case "", outbox.CauseDisabled:
		return cause
	}
	return "no answer"
}

// messageList is a page of messages. Next is absent on the last one.
type messageList struct {
	Messages []shownMessage `json:"messages"`
	Next     string         `json:"next_cursor,omitempty"`
}

var messageState = parameter{name: "state", description: "dead: those that were given up, instead of those that wait", values: []string{"waiting", "dead"}}

func (d *Door) listWebhookMessages(q *call) (*messageList, error) {
	dead := q.query.Get("state") == "dead"
	list := strings.Join([]string{"webhook messages", string(q.id), q.Param("webhook"), q.query.Get("state")}, "\x00")
	n, after, err := pageOf(q, list)
	if err != nil {
		return nil, err
	}
	ms, err := d.Console.WebhookMessages(q.Request.Context(), q.id, q.Param("webhook"), dead, after, n+1)
	if err != nil {
		return nil, err
	}
	page := &messageList{Messages: make([]shownMessage, min(n, len(ms)))}
	for i := range page.Messages {
		page.Messages[i] = shownMessageOf(&ms[i])
	}
	if len(ms) > n {
		page.Next = cursor(q.home, list, ms[n-1].ID)
	}
	return page, nil
}

func (d *Door) tryWebhook(q *call) (shownMessage, error) {
	m, err := d.Console.TryWebhook(q.Request.Context(), q.id, q.Param("webhook"))
	if err != nil {
		return shownMessage{}, err
	}
	return shownMessageOf(m), nil
}

// messageCount is how many messages something was done to.
type messageCount struct {
	Messages int `json:"messages"`
}

func (d *Door) replayWebhook(q *call) (messageCount, error) {
	n, err := d.Console.ReplayWebhook(q.Request.Context(), q.id, q.Param("webhook"), "")
	return messageCount{n}, err
}

func (d *Door) replayWebhookMessage(q *call) (messageCount, error) {
	n, err := d.Console.ReplayWebhook(q.Request.Context(), q.id, q.Param("webhook"), q.Param("message"))
	return messageCount{n}, err
}

func (d *Door) dropWebhookMessages(q *call) (messageCount, error) {
	n, err := d.Console.DropWebhookMessages(q.Request.Context(), q.id, q.Param("webhook"))
	return messageCount{n}, err
}

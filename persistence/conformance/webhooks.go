package conformance

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
)

// webhook returns a webhook that is told of events of those kinds.
func (k *kit) webhook(id string, events ...audit.Kind) outbox.Webhook {
	return outbox.Webhook{ID: id, URL: "https://told.example/" + id, Description: mark(k.t), Events: events, Enabled: true, Secret: 1, Version: 1,
		CreatedAt: k.now, UpdatedAt: k.now}
}

// subscribe records a webhook, of which no event is recorded.
func (k *kit) subscribe(id string, events ...audit.Kind) outbox.Webhook {
	k.Helper()
	w := k.webhook(id, events...)
	k.must(k.db.PutWebhook(k.ctx, k.t, w, many, audit.Event{}))
	return w
}

// happens records an event about a subject.
func (k *kit) happens(kind audit.Kind, sub string) {
	k.Helper()
	ev := k.event(kind)
	ev.Subject = sub
	k.must(k.db.Record(k.ctx, k.t, ev))
}

// owedTo returns what waits for a webhook, or its dead letters, in the order in which it was recorded.
func (k *kit) owedTo(id string, dead bool) []outbox.Message {
	k.Helper()
	ms, err := k.db.WebhookMessages(k.ctx, k.t, id, dead, "", 1000)
	k.must(err)
	slices.SortFunc(ms, func(a, b outbox.Message) int { return int(seqOf(a) - seqOf(b)) })
	return ms
}

func seqOf(m outbox.Message) int64 {
	var d struct{ Seq int64 }
	_ = json.Unmarshal(m.Detail, &d)
	return d.Seq
}

// owedKinds are the kinds of events that a webhook is to be told of.
func (k *kit) owedKinds(id string) (kinds []audit.Kind) {
	k.Helper()
	for _, m := range k.owedTo(id, false) {
		kinds = append(kinds, outbox.KindOf(&m))
	}
	return kinds
}

// giveUp owes n messages to a webhook and buries them.
func (k *kit) giveUp(id string, n int) {
	k.Helper()
	for i := range n {
		m := outbox.Message{ID: "lost" + strconv.Itoa(i), Kind: outbox.Event, Target: "https://told.example/", Webhook: id, CreatedAt: k.now}
		k.owe(m)
		k.must(k.db.Bury(k.ctx, k.t, m.ID, 0, k.now, "refused"))
	}
}

var webhooks = []promise{
	{"a webhook is read as it was recorded, and listed, the oldest first, as many as there may be", func(k *kit) {
		first, second := k.webhook("b", audit.LoggedIn, audit.UserCreated), k.webhook("a", outbox.EveryEvent)
		second.CreatedAt = k.at(time.Second)
		k.must(k.db.PutWebhook(k.ctx, k.t, second, 2, k.event(audit.WebhookCreated)))
		k.must(k.db.PutWebhook(k.ctx, k.t, first, 2, audit.Event{}))
		k.is(k.db.PutWebhook(k.ctx, k.t, k.webhook("c"), 2, k.event(audit.WebhookCreated)), outbox.ErrFull)
		ws, err := k.db.Webhooks(k.ctx, k.t)
		k.must(err)
		k.same(ws, []outbox.Webhook{first, second})
		w, err := k.db.Webhook(k.ctx, k.t, "b")
		k.must(err)
		k.same(*w, first)
		for _, id := range []string{"c", "none\x00"} {
			_, err = k.db.Webhook(k.ctx, k.t, id)
			k.is(err, outbox.ErrNoWebhook)
		}
		k.same(k.events(), []audit.Kind{audit.WebhookCreated})
		k.must(k.db.DeleteWebhook(k.ctx, k.t, "a", audit.Event{}))
		k.must(k.db.PutWebhook(k.ctx, k.t, k.webhook("c"), 2, audit.Event{}))
	}},
	{"what happens is owed to the webhooks that want it, in the very effect that records it", func(k *kit) {
		k.subscribe("some", audit.UserDeleted, audit.LoggedIn)
		k.subscribe("all", outbox.EveryEvent)
		off := k.webhook("off", outbox.EveryEvent)
		off.Enabled = false
		k.must(k.db.PutWebhook(k.ctx, k.t, off, many, audit.Event{}))
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		k.must(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, k.revocation(""), k.event(audit.UserDeleted)))
		if err := k.db.DeleteAccount(k.ctx, k.t, "nobody", k.now, k.revocation(""), k.event(audit.UserDeleted)); err == nil {
			k.Error("nobody is deleted")
		}
		k.same(k.owedKinds("some"), []audit.Kind{audit.UserDeleted})
		k.same(k.owedKinds("all"), []audit.Kind{audit.UserCreated, audit.UserDeleted})
		k.same(k.owedKinds("off"), []audit.Kind(nil))
	}},
	{"a message holds all of its event", func(k *kit) {
		k.subscribe("w", outbox.EveryEvent)
		bare := audit.Event{At: k.at(-time.Second), Kind: audit.KeysRotated}
		k.must(k.db.Record(k.ctx, k.t, k.event(audit.GrantIssued)))
		k.must(k.db.Record(k.ctx, k.t, bare))
		ms := k.owedTo("w", false)
		var got, other map[string]any
		k.must(json.Unmarshal(ms[0].Detail, &got))
		k.must(json.Unmarshal(ms[1].Detail, &other))
		at, err := time.Parse(time.RFC3339Nano, got["at"].(string))
		k.must(err)
		k.same(at.UTC(), k.now)
		delete(got, "at")
		delete(got, "seq")
		k.same(got, map[string]any{"kind": "grant", "actor": "admin", "sub": "alice", "client_id": "app", "session_id": "session", "grant_id": "grant",
			"address": "192.0.2.1", "detail": map[string]any{"k": "v"}})
		k.same(other["detail"], nil)
		m := ms[0]
		k.same([]any{m.Kind, m.Target, m.Webhook, m.Attempts, m.EndsAt.Sub(m.CreatedAt)}, []any{outbox.Event, "https://told.example/w", "w", 0, outbox.Patience})
		k.same(len(k.lease(k.now, 10)), 2) // due when it happens
	}},
	{"what is about one subject is told in the order in which it happened, to each webhook by itself", func(k *kit) {
		k.subscribe("a", outbox.EveryEvent)
		k.subscribe("b", outbox.EveryEvent)
		for _, sub := range []string{"alice", "bob", "alice", "alice"} {
			k.happens(audit.LoggedIn, sub)
		}
		now := k.at(time.Minute) // whatever the clock of the database says
		lease := func() (seqs []int64) {
			ms, err := k.db.Lease(k.ctx, k.t, now, now.Add(time.Minute), 100, nil)
			k.must(err)
			for _, m := range ms {
				if m.Webhook == "a" {
					seqs = append(seqs, seqOf(m))
				}
				k.must(k.db.Delivered(k.ctx, k.t, m.ID, m.Attempts))
			}
			slices.Sort(seqs)
			return seqs
		}
		var all []int64
		for _, m := range k.owedTo("a", false) {
			all = append(all, seqOf(m))
		}
		k.same(lease(), []int64{all[0], all[1]})
		k.same(lease(), []int64{all[2]})
		k.same(lease(), []int64{all[3]})
		k.same(lease(), []int64(nil))
	}},
	{"a change is made at the version that was read, and what waits goes to the new URL", func(k *kit) {
		w := k.subscribe("w", audit.LoggedIn)
		k.happens(audit.LoggedIn, "alice")
		w.URL, w.Events, w.Secret, w.PreviousUntil, w.Version, w.UpdatedAt = "https://new.example/", []audit.Kind{audit.UserCreated}, 2, k.at(time.Hour), 2, k.at(time.Second)
		k.must(k.db.UpdateWebhook(k.ctx, k.t, w, k.event(audit.WebhookUpdated)))
		k.is(k.db.UpdateWebhook(k.ctx, k.t, w, k.event(audit.WebhookUpdated)), outbox.ErrConflict)
		none := w
		none.ID = "none\x00"
		k.is(k.db.UpdateWebhook(k.ctx, k.t, none, audit.Event{}), outbox.ErrNoWebhook)
		none.ID = "none"
		k.is(k.db.UpdateWebhook(k.ctx, k.t, none, audit.Event{}), outbox.ErrNoWebhook)
		got, err := k.db.Webhook(k.ctx, k.t, "w")
		k.must(err)
		k.same(*got, w)
		ms := k.owedTo("w", false)
		k.same([]any{len(ms), ms[0].Target}, []any{1, "https://new.example/"})
		k.happens(audit.LoggedIn, "alice")
		k.same(len(k.owedTo("w", false)), 1)
	}},
	{"of one that is disabled what waits is given up, and can be replayed once it is enabled", func(k *kit) {
		w := k.subscribe("w", audit.LoggedIn)
		k.happens(audit.LoggedIn, "alice")
		k.happens(audit.LoggedIn, "bob")
		w.Enabled, w.Version = false, 2
		k.must(k.db.UpdateWebhook(k.ctx, k.t, w, audit.Event{}))
		k.same([]int{len(k.owedTo("w", false)), len(k.owedTo("w", true))}, []int{0, 2})
		n, err := k.db.ReplayWebhook(k.ctx, k.t, "w", "", k.now)
		k.same([]any{n, err}, []any{0, error(nil)})
		w.Enabled, w.Version = true, 3
		k.must(k.db.UpdateWebhook(k.ctx, k.t, w, audit.Event{}))
		one := k.owedTo("w", true)[0].ID
		for _, c := range []struct {
			webhook, message string
			want             int
		}{{"other", one, 0}, {"w", "none", 0}, {"w", one, 1}, {"w", one, 0}, {"w", "", 1}, {"w", "", 0}, {"w", "\x00", 0}} {
			n, err := k.db.ReplayWebhook(k.ctx, k.t, c.webhook, c.message, k.at(time.Hour))
			k.must(err)
			k.same(n, c.want)
		}
		ms := k.owedTo("w", false)
		k.same([]any{len(ms), ms[0].EndsAt}, []any{2, k.at(time.Hour + outbox.Patience)})
	}},
	{"one that is deleted takes along what is owed to it", func(k *kit) {
		k.subscribe("w", outbox.EveryEvent)
		k.subscribe("x", outbox.EveryEvent)
		k.happens(audit.LoggedIn, "alice")
		k.must(k.db.DeleteWebhook(k.ctx, k.t, "w", k.event(audit.WebhookDeleted)))
		k.is(k.db.DeleteWebhook(k.ctx, k.t, "w", k.event(audit.WebhookDeleted)), outbox.ErrNoWebhook)
		k.same(len(k.owedTo("w", false)), 0)
		k.same(k.owedKinds("x"), []audit.Kind{audit.LoggedIn, audit.WebhookDeleted})
	}},
	{"dead letters are dropped, and nothing that waits", func(k *kit) {
		k.subscribe("w", outbox.EveryEvent)
		k.happens(audit.LoggedIn, "alice")
		k.giveUp("w", 3)
		n, err := k.db.DropDeadLetters(k.ctx, k.t, "w")
		k.same([]any{n, err}, []any{3, error(nil)})
		k.same([]int{len(k.owedTo("w", false)), len(k.owedTo("w", true))}, []int{1, 0})
	}},
	{"one to which too much is owed is suspended: that is an event, and nothing more is recorded for it", func(k *kit) {
		k.subscribe("w", audit.LoggedIn)
		k.subscribe("x", audit.LoggedIn, audit.WebhookSuspended)
		k.giveUp("w", 48)
		k.happens(audit.LoggedIn, "alice")
		_, err := k.db.SuspendWebhooks(k.ctx, k.now, 50, audit.WebhookSuspended)
		k.must(err)
		k.same(k.events(), []audit.Kind{audit.LoggedIn})
		k.happens(audit.LoggedIn, "alice")
		for range 2 {
			_, err = k.db.SuspendWebhooks(k.ctx, k.now, 50, audit.WebhookSuspended)
			k.must(err)
		}
		w, err := k.db.Webhook(k.ctx, k.t, "w")
		k.must(err)
		k.same([]any{w.SuspendedAt, w.Version, w.Enabled}, []any{k.now, int64(2), true})
		k.happens(audit.LoggedIn, "alice")
		k.same(len(k.owedTo("w", false)), 2)
		k.same(k.owedKinds("x"), []audit.Kind{audit.LoggedIn, audit.LoggedIn, audit.WebhookSuspended, audit.LoggedIn})
		suspended := k.owedTo("x", false)[2]
		if !strings.Contains(string(suspended.Detail), `"w"`) {
			k.Errorf("%s", suspended.Detail)
		}
	}},
}

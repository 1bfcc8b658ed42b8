package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// outboxCommands look after what a tenant owes others.
type outboxCommands struct {
	List   outboxList   `cmd:"" help:"List what is not delivered yet, or with --dead what was given up."`
	Replay outboxReplay `cmd:"" help:"Try a dead letter again, for another day, or all of them."`
}

type outboxList struct {
	Tenant string `arg:""`
	Dead   bool   `help:"Dead letters."`
	output
}

// shownMessage is a message in JSON. What it carries is not shown.
type shownMessage struct {
	ID        string      `json:"id"`
	Kind      outbox.Kind `json:"kind"`
	Target    string      `json:"target"`
	Attempts  int         `json:"attempts"`
	Cause     string      `json:"cause,omitempty"`
	CreatedAt time.Time   `json:"created_at"`
	EndsAt    time.Time   `json:"ends_at"`
}

// atOnce is how many entries are read at once.
const atOnce = 500

// eachMessage calls f for what waits at a tenant, or its dead letters.
func (a *app) eachMessage(ctx context.Context, t tenant.ID, dead bool, f func(outbox.Message) error) error {
	for after := ""; ; {
		ms, err := a.db.Messages(ctx, t, dead, after, atOnce)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if err := f(m); err != nil {
				return err
			}
			after = m.ID
		}
		if len(ms) < atOnce {
			return nil
		}
	}
}

// Run lists the messages.
func (c *outboxList) Run(ctx context.Context, conf *config) error {
	return conf.at(ctx, c.Tenant, func(a *app, t *tenant.Tenant) error {
		var all []json.RawMessage
		if err := a.eachMessage(ctx, t.ID, c.Dead, func(m outbox.Message) error {
			text, err := json.Marshal(shownMessage{m.ID, m.Kind, m.Target, m.Attempts, m.Cause, m.CreatedAt, m.EndsAt})
			all = append(all, text)
			return err
		}); err != nil {
			return err
		}
		return c.list(all, []string{"ID", "id", "KIND", "kind", "TARGET", "target", "ATTEMPTS", "attempts", "RECORDED", "created_at", "CAUSE", "cause"})
	})
}

type outboxReplay struct {
	Tenant string `arg:""`
	ID     string `arg:"" optional:"" help:"Id of the dead letter, as list shows it."`
	All    bool   `help:"All dead letters of the tenant."`
	output
}

// Run makes dead letters due again.
func (c *outboxReplay) Run(ctx context.Context, conf *config) error {
	if (c.ID == "") != c.All {
		return errors.New("give either an id or --all")
	}
	return conf.at(ctx, c.Tenant, func(a *app, t *tenant.Tenant) error {
		n := 1
		replay := func(id string) error { return a.db.Replay(ctx, t.ID, id, time.Now()) }
		if !c.All {
			if err := replay(c.ID); errors.Is(err, outbox.ErrNotFound) {
				return errors.New("there is no such dead letter")
			} else if err != nil {
				return err
			}
		} else {
			n = 0
			if err := a.eachMessage(ctx, t.ID, true, func(m outbox.Message) error {
				n++
				return replay(m.ID)
			}); err != nil && !errors.Is(err, outbox.ErrNotFound) {
				return err
			}
		}
		return c.done(map[string]int{"replayed": n}, strconv.Itoa(n)+" due again.")
	})
}

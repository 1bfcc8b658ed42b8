package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// In what portions the house is kept.
const (
	sweepBatch  = 500
	rotateBatch = 100
	sealBatch   = 1000
)

// work is something that is done again and again, by one instance at a time. It is done in portions, each of which two
// instances may do at once without harm; between them it goes on only while more says so.
type work struct {
	name  string
	every time.Duration
	do    func(a *app, ctx context.Context, more func() bool) error
	own   bool // each instance does its own
	done  atomic.Int64
}

// works are all there is to do. That which seals has a lease of its own, in the row that says how far it came.
func works(holder string) []*work {
	return []*work{
		{name: "sweep", every: 30 * time.Second, do: (*app).sweep},
		{name: "suspend", every: 30 * time.Second, do: (*app).suspend},
		{name: "rotate", every: 10 * time.Minute, do: (*app).rotate},
		{name: "seal", every: 5 * time.Second, own: true, do: func(a *app, ctx context.Context, more func() bool) error { return a.seal(ctx, holder, more) }},
		{name: "uses", every: 10 * time.Second, own: true, do: (*app).writeUses},
	}
}

// firstAfter is how long after its start an instance begins with works that are rare.
const firstAfter = 30 * time.Second

// keepHouse does all works, each at its own pace, until ctx ends. What fails is tried again in the next round.
func (a *app) keepHouse(ctx context.Context) error {
	holder := holder()
	all := works(holder)
	for _, w := range all {
		w.done.Store(time.Now().Unix()) // it is late from now on
	}
	if err := observeHouse(all); err != nil {
		return err
	}
	var group errgroup.Group
	for _, w := range all {
		group.Go(func() error {
			wait := time.NewTimer(min(w.every, firstAfter))
			defer wait.Stop()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-wait.C:
					a.turn(ctx, w, holder)
					wait.Reset(w.every)
				}
			}
		})
	}
	_ = group.Wait() // no work ends in an error
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := errors.Join(a.db.EndLeases(last, holder), a.writeUses(last, nil)); err != nil {
		a.log.Warn("the house is left untidy", "error", err)
	}
	return nil
}

// turn does a work once, if it is this instance's turn. Its lease lasts until the next round, so that of all instances one does
// the work in each; should that one die, another does in the next.
func (a *app) turn(ctx context.Context, w *work, holder string) {
	mine := func() (bool, error) {
		now := time.Now()
		return a.db.TakeLease(ctx, w.name, holder, now, now.Add(max(w.every-w.every/10, time.Second)))
	}
	more := func() bool { return ctx.Err() == nil }
	if !w.own {
		if won, err := mine(); err != nil || !won {
			a.untidy(ctx, w.name, err)
			return
		}
		more = func() bool {
			if ctx.Err() != nil {
				return false
			}
			won, err := mine()
			return won && err == nil
		}
	}
	err := w.do(a, ctx, more)
	a.untidy(ctx, w.name, err)
	if err == nil {
		w.done.Store(time.Now().Unix())
	}
}

// untidy tells of what went wrong, if anything did.
func (a *app) untidy(ctx context.Context, work string, err error) {
	if err != nil && ctx.Err() == nil {
		a.log.Warn("the house is not kept", "work", work, "error", err)
	}
}

// observeHouse shows when this instance did each work last.
func observeHouse(all []*work) error {
	meter := otel.Meter("github.com/chancery-id/chancery")
	done, err := meter.Int64ObservableGauge("chancery.house.done", metric.WithUnit("s"),
		metric.WithDescription("When this instance last did a work that keeps the house, or began, as Unix time."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, w := range all {
			o.ObserveInt64(done, w.done.Load(), metric.WithAttributes(attribute.String("work", w.name)))
		}
		return nil
	}, done)
	return err
}

// suspend suspends webhooks to which too much is owed.
func (a *app) suspend(ctx context.Context, _ func() bool) error {
	n, err := a.db.SuspendWebhooks(ctx, time.Now(), outbox.MostOwed, audit.WebhookSuspended)
	if n > 0 {
		a.log.Warn("webhooks are suspended, as too much was not delivered", "webhooks", n)
	}
	return err
}

// writeUses records which API tokens were used, and what tokens were issued.
func (a *app) writeUses(ctx context.Context, _ func() bool) error {
	return errors.Join(a.uses.Write(ctx, time.Now()), a.usage.Write(ctx))
}

// sweep deletes in small portions, with a pause after each, so that it never stands in the way.
func (a *app) sweep(ctx context.Context, more func() bool) error {
	for {
		n, err := a.db.Sweep(ctx, time.Now(), sweepBatch)
		if err != nil || n == 0 || !more() {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rotate goes through all tenants whose keys may be due. A tenant whose keys cannot be rotated keeps no other from its turn.
func (a *app) rotate(ctx context.Context, more func() bool) error {
	var errs []error
	for after := tenant.ID(""); ; {
		next, err := a.console.RotateDue(ctx, after, rotateBatch)
		if err != nil {
			errs = append(errs, err)
		}
		if next == "" || next == after || !more() {
			return errors.Join(errs...)
		}
		after = next
	}
}

// holder names this process among those that keep the house.
func holder() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// seal seals what has happened, up to a moment ago.
func (a *app) seal(ctx context.Context, holder string, more func() bool) error {
	for {
		now := time.Now()
		n, err := a.db.SealEvents(ctx, holder, now, now.Add(-admin.SealLag), sealBatch)
		if a.sealed.Add(int64(n)); err != nil || n < sealBatch || !more() {
			return err
		}
	}
}

package main

import (
	"context"
	crypto "crypto/rand"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// backlogEvery is how often it is counted what is owed, and backlogMost how far.
const (
	backlogEvery = 15 * time.Second
	backlogMost  = 10_000
)

// post is the courier of this instance, with what is told of its work.
type post struct {
	courier *outbox.Courier
	app     *app
	done    *busiest[attempt]
	age     metric.Float64Histogram
	backlog atomic.Pointer[outbox.Backlog]
	ended   map[outbox.Outcome]*atomic.Int64
}

// attempt is how an attempt to deliver ended.
type attempt struct {
	kind    outbox.Kind
	outcome outbox.Outcome
}

// newPost returns the courier over the store of a, who is told of what is recorded here.
func (a *app) newPost() (*post, error) {
	p := &post{app: a, ended: map[outbox.Outcome]*atomic.Int64{}}
	for _, o := range []outbox.Outcome{outbox.Sent, outbox.Failed, outbox.Buried, outbox.Moot} {
		p.ended[o] = &atomic.Int64{}
	}
	p.courier = &outbox.Courier{Now: time.Now, Jitter: rand.N[time.Duration], Store: a.db, Post: a.outbound.Post, Kinds: a.kinds(), Observe: p.observe,
		Tenant: func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
			return a.resolver.Resolve(ctx, tenant.Name{ID: string(id)})
		},
		Failed: func(err error) { a.log.Warn("the outbox cannot be read or written", "error", err) }}
	a.db.Owes(p.courier.Recorded)
	a.db.Happens(p.courier.Happened)
	meter := otel.Meter("github.com/chancery-id/chancery")
	var err error
	if p.done, err = byTenant(meter, "chancery.outbox.attempts", "Attempts to deliver messages, by tenant, the busiest by name, kind and outcome.", func(k attempt) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("kind", string(k.kind)), attribute.String("outcome", string(k.outcome))}
	}); err != nil {
		return nil, err
	}
	if p.age, err = meter.Float64Histogram("chancery.outbox.age", metric.WithUnit("s"), metric.WithDescription("Age of messages when they are delivered, by kind."),
		metric.WithExplicitBucketBoundaries(.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 86400)); err != nil {
		return nil, err
	}
	waiting, err := meter.Int64ObservableGauge("chancery.outbox.waiting", metric.WithDescription("Messages that are not delivered yet, of all tenants, counted up to 10,000."))
	if err != nil {
		return nil, err
	}
	oldest, err := meter.Float64ObservableGauge("chancery.outbox.oldest", metric.WithUnit("s"), metric.WithDescription("Age of the oldest message that is not delivered yet."))
	if err != nil {
		return nil, err
	}
	outcomes, err := meter.Int64ObservableCounter("chancery.outbox.outcomes", metric.WithDescription("Attempts to deliver messages, of all tenants, by outcome."))
	if err != nil {
		return nil, err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for outcome, n := range p.ended {
			o.ObserveInt64(outcomes, n.Load(), metric.WithAttributes(attribute.String("outcome", string(outcome))))
		}
		b := p.backlog.Load()
		if b == nil {
			return nil
		}
		age := 0.0
		if !b.Oldest.IsZero() {
			age = time.Since(b.Oldest).Seconds()
		}
		o.ObserveInt64(waiting, int64(b.Waiting))
		o.ObserveFloat64(oldest, age)
		return nil
	}, waiting, oldest, outcomes)
	return p, err
}

// kinds are the kinds of message that are made anew for each attempt.
func (a *app) kinds() map[outbox.Kind]outbox.Prepare {
	issuer := &grant.Issuer{Now: time.Now, Rand: crypto.Reader}
	return map[outbox.Kind]outbox.Prepare{outbox.Logout: (&logout.Service{Issuer: issuer}).Notice,
		outbox.Event: (&outbox.Teller{Now: time.Now, Webhooks: a.db}).Tell}
}

// run delivers until ctx ends.
func (p *post) run(ctx context.Context) error {
	go p.count(ctx)
	p.courier.Run(ctx)
	return nil
}

// count counts now and then what is owed.
func (p *post) count(ctx context.Context) {
	tick := time.NewTicker(backlogEvery)
	defer tick.Stop()
	for {
		if b, err := p.app.db.Backlog(ctx, backlogMost); err == nil {
			p.backlog.Store(&b)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// observe tells of one attempt.
func (p *post) observe(d outbox.Delivery) {
	kind := attribute.String("kind", string(d.Message.Kind))
	p.ended[d.Outcome].Add(1)
	p.done.count(d.Tenant, attempt{d.Message.Kind, d.Outcome})
	switch d.Outcome {
	case outbox.Sent:
		p.age.Record(context.Background(), d.Age.Seconds(), metric.WithAttributes(kind))
	case outbox.Buried:
		p.app.log.Warn("a message became a dead letter", "tenant", string(d.Tenant), "kind", string(d.Message.Kind), "id", d.Message.ID, "attempts", d.Message.Attempts, "error", d.Cause)
	}
}

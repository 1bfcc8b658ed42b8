package main

import (
	"context"
	"crypto/rand"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// How many calls of hooks one tenant, and one host, may have under way. They stand in the way of their requests, so there are
// more than of other calls; and a host that serves the hooks of many tenants takes the calls of others while those of one hang.
const (
	hookCalls  = 64
	hookTarget = 4 * hookCalls
)

// hooks asks tenants' own code.
func (a *app) hooks() *script.Webhook {
	return &script.Webhook{Now: time.Now, Rand: rand.Reader, Post: a.outbound.Apart(hookCalls, hookTarget).Post, Pause: 100 * time.Millisecond,
		Observe: hookObserver()}
}

// hookObserver records how calls of hooks end.
func hookObserver() func(context.Context, tenant.ID, string, string, time.Duration) {
	meter := otel.Meter("github.com/chancery-id/chancery")
	duration, err := meter.Float64Histogram("chancery.hook.duration", metric.WithUnit("s"), metric.WithDescription("Time until a tenant's hook has decided, by hook and outcome."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5))
	if err != nil {
		otel.Handle(err)
		return nil
	}
	type call struct{ hook, outcome string }
	attributes := func(c call) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("hook", c.hook), attribute.String("outcome", c.outcome)}
	}
	tenants, err := byTenant(meter, "chancery.tenant.hooks", "Calls of tenants' hooks, by tenant, the busiest by name, hook and outcome.", attributes)
	if err != nil {
		otel.Handle(err)
		return nil
	}
	return func(ctx context.Context, t tenant.ID, hook, ended string, took time.Duration) {
		c := call{hook, ended}
		tenants.count(t, c)
		duration.Record(ctx, took.Seconds(), metric.WithAttributes(attributes(c)...))
	}
}

package main

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observe tells how many decisions on administrators were made, how many policies were loaded for them, and how many
// events were sealed.
func observe(a *app) error {
	meter := otel.Meter("github.com/chancery-id/chancery")
	decisions, err := meter.Int64ObservableCounter("chancery.admin.decisions", metric.WithDescription("Decisions on what administrators may do, by result."))
	if err != nil {
		return err
	}
	loads, err := meter.Int64ObservableCounter("chancery.admin.policy.loads", metric.WithDescription("Policies of tenants that were loaded."))
	if err != nil {
		return err
	}
	sealed, err := meter.Int64ObservableCounter("chancery.audit.sealed", metric.WithDescription("Audit events that this instance has sealed."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		allowed, refused, loaded := a.console.Policy.Stats()
		o.ObserveInt64(decisions, int64(allowed), metric.WithAttributes(attribute.String("result", "allowed")))
		o.ObserveInt64(decisions, int64(refused), metric.WithAttributes(attribute.String("result", "refused")))
		o.ObserveInt64(loads, int64(loaded))
		o.ObserveInt64(sealed, a.sealed.Load())
		return nil
	}, decisions, loads, sealed)
	return err
}

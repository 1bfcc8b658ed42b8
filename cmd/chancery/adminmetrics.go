package main

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/chancery-id/chancery/admin"
)

// observePolicy tells how many decisions on administrators were made, and how many policies were loaded for them.
func observePolicy(p *admin.Policy) error {
	meter := otel.Meter("github.com/chancery-id/chancery")
	decisions, err := meter.Int64ObservableCounter("chancery.admin.decisions", metric.WithDescription("Decisions on what administrators may do, by result."))
	if err != nil {
		return err
	}
	loads, err := meter.Int64ObservableCounter("chancery.admin.policy.loads", metric.WithDescription("Policies of tenants that were loaded."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		allowed, refused, loaded := p.Stats()
		o.ObserveInt64(decisions, int64(allowed), metric.WithAttributes(attribute.String("result", "allowed")))
		o.ObserveInt64(decisions, int64(refused), metric.WithAttributes(attribute.String("result", "refused")))
		o.ObserveInt64(loads, int64(loaded))
		return nil
	}, decisions, loads)
	return err
}

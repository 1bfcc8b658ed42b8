package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/chancery-id/chancery/web/wire"
)

// telemetry is where the server's metrics and traces go: Prometheus always, OTLP where the standard OTEL_ variables name
// a place.
type telemetry struct {
	tracing  bool
	metrics  http.Handler
	requests requestMetrics
	stop     []func(context.Context) error
}

// newTelemetry reads the OTEL_ variables through getenv.
func newTelemetry(ctx context.Context, getenv func(string) string) (*telemetry, error) {
	t := &telemetry{}
	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "chancery"), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	t.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4,
		EnableOpenMetrics: true}) // it has exemplars, which lead from a slow request to its trace
	prom, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	readers := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(prom)}
	if exports(getenv, "METRICS") {
		exporter, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		readers = append(readers, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	}
	meters := sdkmetric.NewMeterProvider(readers...)
	otel.SetMeterProvider(meters)
	t.stop = append(t.stop, meters.Shutdown)
	if exports(getenv, "TRACES") {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
		otel.SetTracerProvider(traces)
		otel.SetTextMapPropagator(propagation.TraceContext{})
		t.tracing = true
		t.stop = append(t.stop, traces.Shutdown)
	}
	return t, t.requests.init(meters.Meter("github.com/chancery-id/chancery"))
}

// exports reports whether the OTEL_ variables ask for a signal to be sent by OTLP.
func exports(getenv func(string) string, signal string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch getenv("OTEL_" + signal + "_EXPORTER") {
	case "otlp":
		return true
	case "":
		return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
	}
	return false
}

// close sends what is not sent yet.
func (t *telemetry) close(ctx context.Context) error {
	var errs []error
	for _, stop := range t.stop {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// requestMetrics counts requests. It is a wire.Sink.
type requestMetrics struct {
	duration metric.Float64Histogram
	tenants  *busiest[ending]
}

// ending is how a request ended.
type ending struct {
	outcome string
	status  int
}

func (m *requestMetrics) init(meter metric.Meter) (err error) {
	m.duration, err = meter.Float64Histogram("chancery.request.duration", metric.WithUnit("s"), metric.WithDescription("Time to answer a request, by flow and outcome."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		return err
	}
	m.tenants, err = byTenant(meter, "chancery.tenant.requests", "Requests by tenant, the busiest by name, and outcome.", func(e ending) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("outcome", e.outcome), attribute.Int("status", e.status)}
	})
	return err
}

// Request counts one request.
func (m *requestMetrics) Request(ctx context.Context, r *wire.Record) {
	m.tenants.count(r.Tenant, ending{r.Outcome, r.Status})
	m.duration.Record(ctx, r.Duration.Seconds(), metric.WithAttributes(attribute.String("flow", r.Flow),
		attribute.String("outcome", r.Outcome), attribute.Int("status", r.Status)))
}

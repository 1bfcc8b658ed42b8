package outbound

import (
	"context"
	"net/url"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// tracer is the name under which spans are recorded.
const tracer = "github.com/chancery-id/chancery/tenant/outbound"

// A call is the span of one call, or nothing where the span around it is not recorded. It names the host and never path
// or query, which may hold secrets; nor is the target told of our trace.
type call struct{ span trace.Span }

func begin(ctx context.Context, method string, u *url.URL) (context.Context, call) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, call{}
	}
	ctx, span := parent.TracerProvider().Tracer(tracer).Start(ctx, method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", method), attribute.String("url.scheme", u.Scheme), attribute.String("server.address", u.Hostname())))
	if port, err := strconv.Atoi(u.Port()); err == nil {
		span.SetAttributes(attribute.Int("server.port", port))
	}
	return ctx, call{span}
}

func (c call) status(code int) {
	if c.span != nil && code != 0 {
		c.span.SetAttributes(attribute.Int("http.response.status_code", code))
	}
}

func (c call) end(err error) {
	if c.span == nil {
		return
	}
	if err != nil {
		c.span.SetStatus(codes.Error, err.Error())
	}
	c.span.End()
}

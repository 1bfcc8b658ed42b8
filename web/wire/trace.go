package wire

import (
	"context"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace is the middleware that opens the request's span, named after its route, and gives it what the event
// holds in the end. Only a trusted proxy may continue a trace of its own; baggage is not read.
func (g *Gate) Trace() gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		ctx := c.Request.Context()
		if e.trusted {
			ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(c.Request.Header))
		}
		route := c.FullPath()
		if route == "" {
			route = "no route"
		}
		ctx, span := g.Tracer.Start(ctx, e.event.rec.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer))
		var flow trace.Span
		e.event.enter = func(name string) {
			if flow != nil {
				flow.End()
			}
			var inner context.Context
			inner, flow = g.Tracer.Start(ctx, "flow "+name)
			c.Request = c.Request.WithContext(inner)
		}
		defer func() {
			if flow != nil {
				flow.End()
			}
			r := &e.event.rec
			span.SetAttributes(
				attribute.String("http.request.method", r.Method),
				attribute.String("http.route", r.Route),
				attribute.Int("http.response.status_code", r.Status),
				attribute.String("client.address", r.Address.String()),
				attribute.String("tenant", string(r.Tenant)),
				attribute.String("client", r.ClientID),
				attribute.String("flow", r.Flow),
				attribute.String("outcome", r.Outcome),
				attribute.String("code", r.Code),
				attribute.String("request_id", r.RequestID),
			)
			if r.Outcome == Failed {
				span.SetStatus(codes.Error, r.Code)
			}
			span.End()
		}()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

package wire

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// Record is what is known of one request once it is answered. It holds no secret, token, code or query.
type Record struct {
	At        time.Time
	RequestID string
	Method    string
	Route     string // as registered, not as called; empty where no route matched
	Tenant    tenant.ID
	ClientID  string
	Actor     string // id of the API token
	Flow      string
	Outcome   string // ok, refused or failed
	Code      string // error code
	Cause     string // for the operator
	Status    int
	Duration  time.Duration
	Address   netip.Addr
}

// Sink takes one Record per request. It must not block.
type Sink interface {
	Request(ctx context.Context, r Record)
}

// Sinks is several sinks as one.
type Sinks []Sink

// Request hands r to each sink.
func (ss Sinks) Request(ctx context.Context, r Record) {
	for _, s := range ss {
		s.Request(ctx, r)
	}
}

// LogSink writes one line per request to a logger.
type LogSink struct{ Log *slog.Logger }

// Request writes one line.
func (s LogSink) Request(ctx context.Context, r Record) {}

// Event gathers what a handler knows of its request.
type Event struct {
	rec Record
}

// EventOf returns the event of the request.
func EventOf(c *gin.Context) *Event { return &edgeOf(c.Request).event }

// Flow names the flow that the request was handed to, a constant.
func (e *Event) Flow(name string) {}

// Client names the client that the request concerns.
func (e *Event) Client(id string) {}

// Fail records why the request failed. Error calls it.
func (e *Event) Fail(err error) {}

// RequestID returns the id under which the request is logged.
func (e *Event) RequestID() string { return e.rec.RequestID }

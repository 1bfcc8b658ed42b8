package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Canceled is the code in the record of a request whose caller did not wait for the answer.
const Canceled = "canceled"

// Outcomes of a request.
const (
	OK      = "ok"
	Refused = "refused" // the caller's fault
	Failed  = "failed"  // ours
)

// Record is what is known of one request once it is answered. It holds no secret, token, code or query; what
// comes from the request is bounded in length and free of control characters.
type Record struct {
	At        time.Time
	RequestID string
	Method    string
	Route     string // as registered, not as called; empty where none matched
	Tenant    tenant.ID
	ClientID  string
	Actor     string // id of the API token
	Flow      string
	Outcome   string // OK, Refused or Failed
	Code      string // error code
	Cause     string // for the operator
	Stack     string // of a panic
	Status    int
	Duration  time.Duration
	Address   netip.Addr
}

// Sink takes one Record per request. It must not block.
type Sink interface {
	Request(ctx context.Context, r *Record)
}

// Sinks is several sinks as one.
type Sinks []Sink

// Request hands r to each sink.
func (ss Sinks) Request(ctx context.Context, r *Record) {
	for _, s := range ss {
		s.Request(ctx, r)
	}
}

// LogSink writes one line per request: an error where we failed, information otherwise.
type LogSink struct{ Log *slog.Logger }

// Request writes one line.
func (s LogSink) Request(ctx context.Context, r *Record) {
	level := slog.LevelInfo
	if r.Outcome == Failed {
		level = slog.LevelError
	}
	if !s.Log.Enabled(ctx, level) {
		return
	}
	as := append(make([]slog.Attr, 0, 14),
		slog.String("request_id", r.RequestID),
		slog.String("method", r.Method),
		slog.String("route", r.Route),
		slog.Int("status", r.Status),
		slog.String("outcome", r.Outcome),
		slog.Float64("ms", float64(r.Duration.Microseconds())/1000),
	)
	if r.Address.IsValid() {
		as = append(as, slog.String("address", r.Address.String()))
	}
	for _, a := range []struct{ key, value string }{
		{"tenant", string(r.Tenant)}, {"client", r.ClientID}, {"actor", r.Actor}, {"flow", r.Flow},
		{"code", r.Code}, {"cause", r.Cause}, {"stack", r.Stack},
	} {
		if a.value != "" {
			as = append(as, slog.String(a.key, a.value))
		}
	}
	s.Log.LogAttrs(ctx, level, "request", as...)
}

// Event gathers what a handler knows of its request.
type Event struct {
	rec   Record
	enter func(flow string) // opens the flow's span; nil: the request is not traced
	told  bool              // the error is not ours
}

// EventOf returns the event of the request.
func EventOf(c *gin.Context) *Event { return &edgeOf(c.Request).event }

// Flow names the flow that the request is handed to, a constant. What the handler does from here on is in that flow's
// span, if it reads the request's context after the call.
func (e *Event) Flow(name string) {
	if e.rec.Flow = name; e.enter != nil {
		e.enter(name)
	}
}

// Client names the client that the request concerns.
func (e *Event) Client(id string) { e.rec.ClientID = clean(id, 128) }

// Fail records why the request failed, also where the answer does not say so, as in a redirect with an
// error. Error calls it. nil is no failure.
func (e *Event) Fail(err error) {
	if err == nil {
		return
	}
	e.rec.Code = clean(errorOf(err).Code, 64)
	if errors.Is(err, context.Canceled) {
		e.rec.Code = Canceled
	}
	e.rec.Cause = clean(err.Error(), 512)
}

// Tell records err, whatever its code, as one that the caller had us tell its client: it is no failure of ours.
func (e *Event) Tell(err error) {
	e.Fail(err)
	e.told = true
}

// RequestID returns the id under which the request is recorded.
func (e *Event) RequestID() string { return e.rec.RequestID }

func (e *Event) begin(now time.Time, r *http.Request, at *edge) {
	e.rec = Record{At: now, Method: method(r.Method), Address: at.address}
	if id := r.Header.Get("X-Request-Id"); at.trusted && requestID(id) {
		e.rec.RequestID = id
	} else {
		e.rec.RequestID = strconv.FormatUint(rand.Uint64()|1<<63, 36)
	}
}

// end completes the record with what was answered.
func (e *Event) end(now time.Time, c *gin.Context) {
	r := &e.rec
	r.Route = c.FullPath()
	r.Status = c.Writer.Status()
	r.Duration = now.Sub(r.At)
	switch {
	case r.Code == Canceled, e.told && r.Status < 500:
		r.Outcome = Refused
	case r.Status >= 500 || r.Code == "server_error" || r.Code == "temporarily_unavailable":
		r.Outcome = Failed
	case r.Status >= 400 || r.Code != "":
		r.Outcome = Refused
	default:
		r.Outcome = OK
	}
}

// Record is the middleware that ends the request's event and hands its record to the sink. A panic below it
// is answered with server_error, recorded with its stack, and goes no further.
func (g *Gate) Record() gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		defer func() {
			p := recover()
			aborted := p != nil && e.panicked(c, p)
			e.event.end(g.Now(), c)
			if g.Sink != nil {
				g.Sink.Request(c.Request.Context(), &e.event.rec)
			}
			if aborted {
				panic(http.ErrAbortHandler) // net/http closes the connection: the answer is cut, not ended
			}
		}()
		c.Next()
	}
}

// panicked answers for a handler that did not. It reports true when an answer had begun.
func (e *edge) panicked(c *gin.Context, p any) (begun bool) {
	if p == http.ErrAbortHandler {
		return true
	}
	err := oauth.ErrorOf(fmt.Errorf("panic: %v", p))
	begun = c.Writer.Written()
	if !begun {
		func() {
			defer func() {
				if recover() != nil { // in the door's own error page
					e.page = nil
				}
			}()
			refuse(c, e, err)
		}()
		if !c.Writer.Written() {
			Error(c, err)
		}
	}
	e.event.Fail(err)
	e.event.rec.Stack = string(debug.Stack())
	return begun
}

// errorOf is oauth.ErrorOf, except that a request which ran out of time is temporarily_unavailable.
func errorOf(err error) *oauth.Error {
	if _, ok := errors.AsType[*oauth.Error](err); !ok &&
		(errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return oauth.Unavailable().Because(err)
	}
	return oauth.ErrorOf(err)
}

// method returns m where it is one of HTTP's, so that records have few different ones.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "other"
}

// requestID reports whether id may stand in a record: 1 to 64 letters, digits and -._
func requestID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// clean returns s cut to max bytes, with what does not print as an escape.
func clean(s string, max int) string {
	cut := len(s) > max
	if cut {
		s = s[:max]
	}
	plain := !cut
	for i := 0; plain && i < len(s); i++ {
		plain = ' ' <= s[i] && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	if cut {
		b.WriteString("…")
	}
	return b.String()
}

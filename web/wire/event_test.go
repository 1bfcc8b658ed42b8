package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

func TestRecord(t *testing.T) {
	var w *world
	w = newWorld(t,
		public("GET", "/one", func(c *gin.Context) {
			wire.EventOf(c).Flow("token")
			wire.EventOf(c).Client("web")
			w.advance(3 * time.Millisecond)
			wire.NoContent(c)
		}),
		public("GET", "/two", func(c *gin.Context) { wire.Error(c, oauth.InvalidGrant("x").Because(errors.New("why"))) }),
		public("GET", "/redirect", func(c *gin.Context) {
			wire.EventOf(c).Fail(oauth.AccessDenied("x"))
			c.Redirect(http.StatusFound, "https://app.example/cb?error=access_denied")
		}),
		public("GET", "/told", func(c *gin.Context) {
			wire.EventOf(c).Tell(oauth.Custom("server_error", "", ""))
			wire.NoContent(c)
		}),
		public("GET", "/gone", func(c *gin.Context) { wire.Error(c, oauth.Unavailable().Because(context.Canceled)) }),
		public("GET", "/panic", func(*gin.Context) { panic(errors.New("boom")) }),
	)
	for _, tt := range []struct {
		rule string
		r    *http.Request
		want wire.Record
	}{
		{"a success", call("GET", "https://id.example/t/acme/one"),
			wire.Record{Route: "/one", Tenant: "acme", ClientID: "web", Flow: "token", Outcome: wire.OK, Status: 204, Duration: 3 * time.Millisecond}},
		{"a refusal", call("GET", "https://id.example/t/acme/two"),
			wire.Record{Route: "/two", Tenant: "acme", Outcome: wire.Refused, Code: "invalid_grant", Cause: "invalid_grant: x: why", Status: 400}},
		{"a refusal by redirect", call("GET", "https://id.example/t/acme/redirect"),
			wire.Record{Route: "/redirect", Tenant: "acme", Outcome: wire.Refused, Code: "access_denied", Cause: "access_denied: x", Status: 302}},
		{"an error that the caller had us tell is no failure of ours", call("GET", "https://id.example/t/acme/told"),
			wire.Record{Route: "/told", Tenant: "acme", Outcome: wire.Refused, Code: "server_error", Cause: "server_error", Status: 204}},
		{"a caller that did not wait is no failure of ours", call("GET", "https://id.example/t/acme/gone"),
			wire.Record{Route: "/gone", Tenant: "acme", Outcome: wire.Refused, Code: wire.Canceled,
				Cause: "temporarily_unavailable: The service is temporarily unavailable: context canceled", Status: 503}},
		{"a panic", call("GET", "https://id.example/t/acme/panic"),
			wire.Record{Route: "/panic", Tenant: "acme", Outcome: wire.Failed, Code: "server_error", Cause: "server_error: panic: boom", Stack: "TestRecord", Status: 500}},
		{"no route: what was asked for is not recorded", call("GET", "https://id.example/t/acme/secret?code=secret"),
			wire.Record{Outcome: wire.Refused, Code: "not_found", Cause: "not_found: There is nothing here", Status: 404}},
		{"an API call", call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all"),
			wire.Record{Route: "/authz-sessions/rest/v1", Tenant: "acme", Actor: "acme-all", Outcome: wire.OK, Status: 200}},
		{"a wrong token is recorded for its tenant", call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "Bearer chy_secret"),
			wire.Record{Route: "/authz-sessions/rest/v1", Tenant: "acme", Outcome: wire.Refused, Code: "invalid_token", Cause: "invalid_token: The token is not valid", Status: 401}},
		{"an unknown tenant's is not", call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "nobody", bearer, "Bearer chy_secret"),
			wire.Record{Route: "/authz-sessions/rest/v1", Outcome: wire.Refused, Code: "invalid_token", Cause: "invalid_token: The token is not valid", Status: 401}},
	} {
		at := w.Now()
		before := len(w.sink.records)
		w.do(tt.r)
		if n := len(w.sink.records) - before; n != 1 {
			t.Errorf("%s: %d records", tt.rule, n)
		}
		got := w.sink.last(t)
		if !got.At.Equal(at) || got.Method != "GET" || got.Address.String() != "192.0.2.1" || len(got.RequestID) < 8 {
			t.Errorf("%s: %+v", tt.rule, got)
		}
		if !strings.Contains(got.Stack, tt.want.Stack) || (tt.want.Stack == "") != (got.Stack == "") {
			t.Errorf("%s: stack %q", tt.rule, got.Stack)
		}
		tt.want.At, tt.want.Method, tt.want.Address, tt.want.RequestID, tt.want.Stack = got.At, got.Method, got.Address, got.RequestID, got.Stack
		if got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.rule, got, tt.want)
		}
	}
}

// S189, S190: one line per request, which input can neither forge nor blow up, and no secret in it.
func TestLogLines(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t,
		public("POST", "/x/:id", func(c *gin.Context) {
			form, _ := wire.Form(c, 1<<20)
			wire.EventOf(c).Client(form.Get("client_id"))
			wire.Error(c, oauth.InvalidGrant("x").Because(errors.New("no client "+form.Get("client_id"))))
		}),
	)
	w.gate.Sink = wire.Sinks{w.sink, wire.LogSink{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
	hostile := []string{
		"a\r\nlevel=ERROR msg=forged", "\x1b[2J\x1b[31m", `","level":"ERROR","x":"`, "\u202egnp.exe", "\u2028\u2029", "\x00\x7f", "a\xff", strings.Repeat("a", 100_000),
	}
	for _, evil := range hostile {
		log.Reset()
		form := "client_id=" + urlEscape(evil)
		r := call("POST", "https://id.example/t/acme/x/SECRET1?state=SECRET2", bearer, "Basic SECRET3",
			"X-Request-Id", evil, "User-Agent", "SECRET4", "Traceparent", evil, "Baggage", evil, "Content-Type", "application/x-www-form-urlencoded", "Cookie", "s=SECRET5")
		r.Body, r.ContentLength = newBody(form + "&code=SECRET6")
		w.do(r)
		line := log.String()
		if strings.Count(line, "\n") != 1 || len(line) > 2000 || strings.Contains(line, "SECRET") {
			t.Errorf("%.20q: %d bytes: %.3000s", evil, len(line), line)
		}
		var got map[string]any
		d := json.NewDecoder(&log)
		if err := d.Decode(&got); err != nil || got["level"] != "INFO" || got["tenant"] != "acme" || got["code"] != "invalid_grant" {
			t.Errorf("%.20q: %v %s", evil, err, line)
		}
		for key, v := range got {
			s, _ := v.(string)
			if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' || r == '\u2028' || r == '\ufffd' }) {
				t.Errorf("%.20q: %s is %q", evil, key, s)
			}
		}
	}
	log.Reset()
	w.do(call("GET", "https://id.example/t/acme/login/broken"))
	if !strings.Contains(log.String(), `"level":"ERROR"`) || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "panic: broken") {
		t.Errorf("a panic: %s", log.String())
	}
	log.Reset()
	w.do(call("INVENTED", "https://id.example/t/acme/token"))
	if got := w.sink.last(t).Method; got != "other" {
		t.Errorf("an invented method is recorded as %q", got)
	}
}

func TestRequestID(t *testing.T) {
	var seen string
	w := newWorld(t, public("GET", "/id", func(c *gin.Context) { seen = wire.EventOf(c).RequestID(); wire.NoContent(c) }))
	ask := func(header ...string) string {
		w.do(call("GET", "https://id.example/t/acme/id", header...))
		if got := w.sink.last(t).RequestID; got != seen {
			t.Errorf("recorded %q, handler saw %q", got, seen)
		}
		return seen
	}
	if a, b := ask(), ask(); a == b || a == "" {
		t.Errorf("ids %q and %q", a, b)
	}
	if got := ask("X-Request-Id", "abc"); got == "abc" {
		t.Error("a stranger chooses the id")
	}
	if got := ask("X-Peer", proxy, "X-Request-Id", "aB-3._"); got != "aB-3._" {
		t.Errorf("a proxy's id became %q", got)
	}
	for _, bad := range []string{"", "a b", "a\n", strings.Repeat("a", 65), "ä"} {
		if got := ask("X-Peer", proxy, "X-Request-Id", bad); got == bad {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTrace(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	w := newWorld(t)
	w.gate.Tracer = trace.NewTracerProvider(trace.WithSpanProcessor(spans)).Tracer("test")
	w.Handler = w.gate.Handler(mount(routes))
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, tt := range []struct {
		rule, peer, name string
		r                []string
		continued        bool
	}{
		{"a stranger's trace is not continued", "192.0.2.1", "POST /token", []string{"POST", "/t/acme/token?code=SECRET"}, false},
		{"a proxy's is", proxy, "POST /token", []string{"POST", "/t/acme/token"}, true},
		{"what was asked for does not name a span", proxy, "GET no route", []string{"GET", "/t/acme/SECRET"}, true},
		{"a panic", proxy, "GET /login/broken", []string{"GET", "/t/acme/login/broken"}, true},
	} {
		w.do(call(tt.r[0], "https://id.example"+tt.r[1], "X-Peer", tt.peer, "Traceparent", parent, "Baggage", "x=SECRET"))
		ended := spans.Ended()
		s := ended[len(ended)-1]
		if s.Name() != tt.name || s.Parent().IsValid() != tt.continued {
			t.Errorf("%s: span %q with parent %v", tt.rule, s.Name(), s.Parent())
		}
		for _, a := range s.Attributes() {
			if strings.Contains(a.Value.String(), "SECRET") {
				t.Errorf("%s: %s = %s", tt.rule, a.Key, a.Value.String())
			}
		}
		if failed := s.Status().Description == "server_error"; failed != (tt.rule == "a panic") {
			t.Errorf("%s: status %v", tt.rule, s.Status())
		}
	}
}

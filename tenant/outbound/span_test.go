package outbound

import (
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestACallIsASpanThatNamesTheHostAlone(t *testing.T) {
	s, roots := server(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/secret-path" {
			http.NotFound(w, r)
		}
		for name := range r.Header {
			if strings.EqualFold(name, "traceparent") {
				t.Error("the target is told of our trace")
			}
		}
	})
	c := New(Options{Allow: loopback, Roots: roots})
	recorder := tracetest.NewSpanRecorder()
	traces := trace.NewTracerProvider(trace.WithSpanProcessor(recorder))
	ctx, parent := traces.Tracer("test").Start(t.Context(), "request")
	_, _, _ = c.Get(ctx, "acme", s.URL+"/secret-path?secret=query", 64)
	_, _, _ = c.Get(ctx, "acme", s.URL+"/secret-missing", 64)
	parent.End()
	spans := recorder.Ended()
	if len(spans) != 3 {
		t.Fatalf("%d spans", len(spans))
	}
	for i, want := range []struct {
		status int
		code   codes.Code
	}{{200, codes.Unset}, {404, codes.Error}} {
		var text strings.Builder
		status := 0
		for _, a := range spans[i].Attributes() {
			text.WriteString(string(a.Key) + "=" + a.Value.String() + " ")
			if a.Key == attribute.Key("http.response.status_code") {
				status = int(a.Value.AsInt64())
			}
		}
		text.WriteString(spans[i].Name() + " " + spans[i].Status().Description)
		if status != want.status || spans[i].Status().Code != want.code || strings.Contains(text.String(), "secret") || !strings.Contains(text.String(), "server.address=127.0.0.1") {
			t.Errorf("span %d: %s", i, &text)
		}
	}
	if _, _, err := c.Get(t.Context(), "acme", s.URL+"/secret-path", 64); err != nil || len(recorder.Ended()) != 3 {
		t.Errorf("a call outside of a trace: %v, %d spans", err, len(recorder.Ended()))
	}
}

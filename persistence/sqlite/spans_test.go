package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence/sqlite"
)

// recorder is a tracer that keeps what spans say.
type recorder struct {
	noop.TracerProvider
	mu    sync.Mutex
	spans []*span
}

type span struct {
	noop.Span
	texts []string
	code  codes.Code
	ended bool
}

func (r *recorder) Tracer(string, ...trace.TracerOption) trace.Tracer { return recording{r: r} }

type recording struct {
	noop.Tracer
	r *recorder
}

func (r recording) Start(ctx context.Context, _ string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &span{}
	r.r.mu.Lock()
	r.r.spans = append(r.r.spans, s)
	r.r.mu.Unlock()
	return trace.ContextWithSpan(ctx, s), s
}

func (s *span) SetAttributes(as ...attribute.KeyValue) {
	for _, a := range as {
		s.texts = append(s.texts, a.Value.String())
	}
}
func (s *span) SetStatus(c codes.Code, _ string) { s.code = c }
func (s *span) End(...trace.SpanEndOption)       { s.ended = true }

func TestSpans(t *testing.T) {
	r := &recorder{}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{Sealer: sealer(t), Tracer: r})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := account.Account{Subject: "the subject", Username: "the name", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := db.CreateAccount(t.Context(), "t", a, audit.Event{At: time.Now(), Kind: audit.UserCreated}); err != nil {
		t.Fatal(err)
	}
	_ = db.CreateAccount(t.Context(), "t", a, audit.Event{})
	if _, err := db.Account(t.Context(), "t", "the subject"); err != nil {
		t.Fatal(err)
	}
	inserts, failed := 0, 0
	for _, s := range r.spans {
		text := strings.Join(s.texts, " ")
		if !s.ended || strings.Contains(text, "the subject") || strings.Contains(text, "the name") {
			t.Errorf("ended: %v; it says %s", s.ended, text)
		}
		if strings.Contains(text, "INSERT INTO accounts") {
			inserts++
		}
		if s.code == codes.Error {
			failed++
		}
	}
	if len(r.spans) != 4 || inserts != 2 || failed != 1 {
		t.Errorf("%d spans, %d of inserts, %d of failures", len(r.spans), inserts, failed)
	}
}

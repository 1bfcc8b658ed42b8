package sqlite

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"gorm.io/gorm"
)

// spans is a gorm plugin that opens a span for each statement. It records the statement's text, which has no values.
type spans struct{ trace.Tracer }

// Name is the plugin's name to gorm.
func (spans) Name() string { return "chancery:spans" }

// Initialize puts a span around what gorm does.
func (s spans) Initialize(g *gorm.DB) error {
	name, cb := s.Name(), g.Callback()
	return errors.Join(
		cb.Create().Before("*").Register(name+":start", s.start), cb.Create().After("*").Register(name+":end", s.end),
		cb.Query().Before("*").Register(name+":start", s.start), cb.Query().After("*").Register(name+":end", s.end),
		cb.Update().Before("*").Register(name+":start", s.start), cb.Update().After("*").Register(name+":end", s.end),
		cb.Delete().Before("*").Register(name+":start", s.start), cb.Delete().After("*").Register(name+":end", s.end),
		cb.Row().Before("*").Register(name+":start", s.start), cb.Row().After("*").Register(name+":end", s.end),
		cb.Raw().Before("*").Register(name+":start", s.start), cb.Raw().After("*").Register(name+":end", s.end),
	)
}

func (s spans) start(g *gorm.DB) {
	g.Statement.Context, _ = s.Start(g.Statement.Context, "sqlite", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", "sqlite")))
}

func (s spans) end(g *gorm.DB) {
	span := trace.SpanFromContext(g.Statement.Context)
	span.SetAttributes(attribute.String("db.query.text", g.Statement.SQL.String()))
	if g.Error != nil && !errors.Is(g.Error, gorm.ErrRecordNotFound) {
		span.SetStatus(codes.Error, "statement failed")
	}
	span.End()
}

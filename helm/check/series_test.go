package check

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// What Prometheus would have scraped: every 15 s for seven hours, up to now.
const (
	scrape  = 15 * time.Second
	history = 7 * time.Hour
)

var now = time.Unix(1_800_000_000, 0)

// series is one line of /metrics over time. value is of the time since the first scrape; NaN where there is no sample.
type series struct {
	labels labels.Labels
	value  func(t time.Duration) float64
}

// metrics are all series, as a store for PromQL.
type metrics []series

// query evaluates an expression now.
func (m metrics) query(t *testing.T, expr string) promql.Vector {
	t.Helper()
	q, err := engine.NewInstantQuery(t.Context(), m, nil, expr, now)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer q.Close()
	r := q.Exec(t.Context())
	if r.Err != nil {
		t.Fatalf("%s: %v", expr, r.Err)
	}
	v, err := r.Vector()
	if err != nil {
		s, err := r.Scalar()
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		return promql.Vector{{F: s.V}}
	}
	return append(promql.Vector{}, v...)
}

var engine = promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true})

// Querier implements storage.Queryable.
func (m metrics) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{all: m, mint: mint, maxt: maxt}, nil
}

type querier struct {
	all        metrics
	mint, maxt int64
}

// Select returns what matches, with the samples between the querier's bounds.
func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &seriesSet{at: -1}
	for _, s := range q.all {
		if !matches(s.labels, matchers) {
			continue
		}
		var samples []chunks.Sample
		since := max(0, time.UnixMilli(q.mint).Sub(now)+history).Truncate(scrape)
		for ; since <= history; since += scrape {
			at := now.Add(since - history).UnixMilli()
			if v := s.value(since); at >= q.mint && at <= q.maxt && !math.IsNaN(v) {
				samples = append(samples, sample{t: at, f: v})
			}
		}
		if samples != nil {
			found.all = append(found.all, storage.NewListSeries(s.labels, samples))
		}
	}
	return found
}

func matches(of labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(of.Get(m.Name)) {
			return false
		}
	}
	return true
}

var errUnasked = errors.New("PromQL does not ask this")

func (q *querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errUnasked
}

func (q *querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errUnasked
}

func (q *querier) Close() error { return nil }

// sample is one number at a time in milliseconds. It implements chunks.Sample.
type sample struct {
	t int64
	f float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.f }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

type seriesSet struct {
	all []storage.Series
	at  int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series                { return s.all[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

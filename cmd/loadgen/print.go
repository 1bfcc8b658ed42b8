package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// printer writes results as they come.
type printer struct {
	w      io.Writer
	json   bool
	headed bool
}

func newPrinter(w io.Writer, format string) *printer { return &printer{w: w, json: format == "json"} }

// line is a result as it is printed; latencies are in milliseconds.
type line struct {
	Operation string         `json:"operation"`
	PerSecond float64        `json:"per_second"`
	P50       float64        `json:"p50_ms"`
	P90       float64        `json:"p90_ms"`
	P99       float64        `json:"p99_ms"`
	P999      float64        `json:"p999_ms"`
	Max       float64        `json:"max_ms"`
	Failed    int            `json:"failed"`
	Failures  map[string]int `json:"failures,omitempty"`
}

func (p *printer) print(r *result) error {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	h := &r.Latency
	l := line{r.Operation, float64(h.n) / r.Took.Seconds(), ms(h.quantile(0.5)), ms(h.quantile(0.9)), ms(h.quantile(0.99)),
		ms(h.quantile(0.999)), ms(h.max), r.Failed(), r.Failures}
	if p.json {
		return json.NewEncoder(p.w).Encode(l)
	}
	if !p.headed {
		p.headed = true
		fmt.Fprintf(p.w, "%-20s %10s %9s %9s %9s %9s %9s %8s\n", "operation", "per second", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "failed")
	}
	kinds := make([]string, 0, len(l.Failures))
	for _, k := range slices.Sorted(maps.Keys(l.Failures)) {
		kinds = append(kinds, fmt.Sprintf("%s: %d", k, l.Failures[k]))
	}
	_, err := fmt.Fprintf(p.w, "%-20s %10.0f %9.2f %9.2f %9.2f %9.2f %9.2f %8d  %s\n", l.Operation, l.PerSecond, l.P50, l.P90, l.P99, l.P999, l.Max,
		l.Failed, strings.Join(kinds, ", "))
	return err
}

package script

import (
	"crypto/sha256"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// What a call takes that begins while nothing else of its tenant's runs, and how much of it the machine takes for itself.

// timed is how long each of n runs of f takes, the shortest first.
func timed(n int, f func()) []time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		f()
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took
}

// percentile is the p-th of what timed returned.
func percentile(took []time.Duration, p int) time.Duration { return took[(len(took)-1)*p/100] }

// hashed is about what a password hash does to the caches of a processor: it goes through 19 MiB.
func hashed(memory []byte) { sha256.Sum256(memory) }

// echo is a worker that does nothing at all.
func echo() {
	b := make([]byte, 1)
	for {
		if _, err := os.Stdin.Read(b); err != nil {
			return
		}
		if _, err := os.Stdout.Write(b); err != nil {
			return
		}
	}
}

func BenchmarkACall(b *testing.B) {
	memory := make([]byte, 19<<20)
	for _, c := range []struct {
		name   string
		before func()
	}{
		{"after another", func() {}},
		{"after a password hash", func() { hashed(memory) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, t := newStage(&testing.T{}), &tenant.Tenant{ID: "acme"}
			var took []time.Duration
			for b.Loop() {
				c.before()
				took = append(took, timed(1, func() {
					if _, err := s.asks(t, twoSteps); err != nil {
						b.Fatal(err)
					}
				})...)
			}
			slices.Sort(took)
			b.ReportMetric(float64(percentile(took, 50).Microseconds()), "p50-µs")
			b.ReportMetric(float64(percentile(took, 99).Microseconds()), "p99-µs")
		})
	}
}

// The least that a call can take: there and back, and nothing done.
func BenchmarkAnEcho(b *testing.B) {
	var start starter
	p := &process{}
	if err := start.start(p, []string{os.Args[0], "echo"}); err != nil {
		b.Fatal(err)
	}
	defer p.kill()
	buf := make([]byte, 1)
	var took []time.Duration
	for b.Loop() {
		took = append(took, timed(1, func() {
			if _, err := p.in.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := p.out.Read(buf); err != nil {
				b.Fatal(err)
			}
		})...)
	}
	slices.Sort(took)
	b.ReportMetric(float64(percentile(took, 50).Microseconds()), "p50-µs")
	b.ReportMetric(float64(percentile(took, 99).Microseconds()), "p99-µs")
}

package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// history is what was answered, as far as it is judged.
type history struct {
	mu         sync.Mutex
	requests   int
	failures   []failure
	violations []string
}

// failure is a request that got no answer that counts: whether it took effect is not known.
type failure struct {
	at   time.Time
	kind string // the status, timeout or connection
	what string
}

// turnedAway reports whether a request was answered, and told to come again.
func (f *failure) turnedAway() bool { return f.kind == "503" || f.kind == "429" }

func (h *history) asked(f *failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests++; f != nil {
		h.failures = append(h.failures, *f)
	}
}

// violated records that an invariant does not hold. The names are those of the security checklist, part C.
func (h *history) violated(invariant, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.violations = append(h.violations, invariant+" "+time.Now().Format("15:04:05.000")+": "+fmt.Sprintf(format, args...))
}

// mark is a place in a history.
type mark struct{ requests, failures, violations int }

func (h *history) here() mark {
	h.mu.Lock()
	defer h.mu.Unlock()
	return mark{h.requests, len(h.failures), len(h.violations)}
}

// since returns what happened after m.
func (h *history) since(m mark) (requests int, failures []failure, violations []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.requests - m.requests, slices.Clone(h.failures[m.failures:]), slices.Clone(h.violations[m.violations:])
}

// kinds counts failures by kind.
func kinds(failures []failure) string {
	n := map[string]int{}
	for _, f := range failures {
		n[f.kind]++
	}
	parts := make([]string, 0, len(n))
	for _, k := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s: %d", k, n[k]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

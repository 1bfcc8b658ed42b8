package machine

import (
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	began := time.Now()
	for _, tt := range []struct {
		rule string
		felt []float64
		want time.Duration
	}{
		{"nobody waits longer on an idle machine", []float64{1, 1, 1}, time.Second},
		{"nor where nothing was felt", nil, time.Second},
		{"no machine is faster than an idle one", []float64{0.2}, time.Second},
		{"a moment counts for a fifth", []float64{1, 6}, 2 * time.Second},
		{"what was felt meanwhile counts to the end", []float64{3, 3, 1, 1, 1, 1, 1, 1}, 3 * time.Second},
		{"there is an end to patience", []float64{1000}, most * time.Second},
	} {
		m := &Machine{}
		for _, slow := range tt.felt {
			m.feel(slow)
		}
		if got := m.Patience(time.Second, began); got.Round(time.Millisecond) != tt.want {
			t.Errorf("%s: %v, want %v", tt.rule, got, tt.want)
		}
	}
}

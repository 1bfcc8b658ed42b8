package script

import (
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// burdens are the tenants of which a script took long, or waited long, not long ago. Others are served before them.
type burdens struct {
	mu    sync.Mutex
	until map[tenant.ID]time.Time
}

// When a tenant is a burden.
const (
	takesLong  = 2 * slice        // processor time of a call
	waitsLong  = time.Second      // for which a call waits, and has a worker, for what it asked for
	remembered = 10 * time.Second // for which that counts
	mostKnown  = 10_000           // tenants
)

// put notes that a script of t took long at now.
func (b *burdens) put(t tenant.ID, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil || len(b.until) >= mostKnown && b.until[t].IsZero() {
		old := b.until
		b.until = map[tenant.ID]time.Time{}
		for id, until := range old {
			if now.Before(until) && len(b.until) < mostKnown/2 {
				b.until[id] = until
			}
		}
	}
	b.until[t] = now.Add(remembered)
}

// is reports whether t is a burden at now.
func (b *burdens) is(t tenant.ID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.until[t])
}

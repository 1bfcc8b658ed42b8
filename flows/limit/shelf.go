package limit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/chancery-id/chancery/tenant"
)

const (
	perTenant  = 8192    // counters of one tenant
	everywhere = 1 << 18 // counters of all tenants: some 40 MB
	share      = 128     // counters of one tenant when all tenants together have that many
	tenants    = 1 << 18 // tenants that have counters
	sample     = 16      // counters looked at to find one to forget
)

// A counter is one thing counted.
type counter interface {
	// worth is how much would be lost by forgetting it at now; zero: nothing.
	worth(now time.Time) float64
}

// A shelf holds one tenant's counters. Its own bound keeps the tenant from growing it; when it is full, what is worth
// least goes, so that a flood of new names does not wash out what was learned about a guesser.
type shelf struct {
	mu     sync.Mutex
	m      map[uint64]counter
	all    *shelves
	closed bool // it was taken down, and is no longer counted
}

// put adds a counter under a new key, in place of another where the shelf is full.
func (s *shelf) put(now time.Time, key uint64, c counter) {
	most := s.all.perTenant
	if s.all.count.Load() >= s.all.everywhere {
		most = min(most, share)
	}
	if len(s.m) >= most {
		s.evict(now)
	}
	s.m[key] = c
	s.all.count.Add(1)
}

// evict forgets what is worth nothing of a random sample, else what is worth least.
func (s *shelf) evict(now time.Time) {
	var victim uint64
	least, seen := -1.0, 0
	for key, c := range s.m {
		w := c.worth(now)
		if w == 0 {
			s.forget(key)
		} else if least < 0 || w < least {
			victim, least = key, w
		}
		if w == 0 {
			least = 0
		}
		if seen++; seen == sample {
			break
		}
	}
	if least > 0 {
		s.forget(victim)
	}
}

func (s *shelf) forget(key uint64) {
	if _, ok := s.m[key]; ok {
		delete(s.m, key)
		s.all.count.Add(-1)
	}
}

// shelves are the shelves of all tenants.
type shelves struct {
	cache      *otter.Cache[tenant.ID, *shelf]
	count      atomic.Int64 // counters on all of them
	perTenant  int
	everywhere int64
}

// newShelves makes room for that many counters. Those of a tenant are forgotten once unused for that long, which is
// longer than any of them matters.
func newShelves(perTenant int, everywhere int64, unused time.Duration) *shelves {
	all := &shelves{perTenant: perTenant, everywhere: everywhere}
	all.cache = otter.Must(&otter.Options[tenant.ID, *shelf]{
		MaximumSize:      tenants,
		ExpiryCalculator: otter.ExpiryAccessing[tenant.ID, *shelf](unused),
		OnDeletion:       func(e otter.DeletionEvent[tenant.ID, *shelf]) { e.Value.close() },
	})
	return all
}

// shelf returns the tenant's shelf, locked; where there is none, a new one or, unless make is set, nil.
func (all *shelves) shelf(t tenant.ID, make bool) *shelf {
	for {
		s, ok := all.cache.GetIfPresent(t)
		if !ok && !make {
			return nil
		}
		if !ok {
			s, _ = all.cache.ComputeIfAbsent(t, func() (*shelf, bool) {
				return &shelf{m: map[uint64]counter{}, all: all}, false
			})
		}
		s.mu.Lock()
		if !s.closed {
			return s
		}
		s.mu.Unlock() // it was taken down in between
	}
}

func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.count.Add(-int64(len(s.m)))
	s.m, s.closed = nil, true
}

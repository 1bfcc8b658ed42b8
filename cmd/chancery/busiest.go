package main

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/chancery-id/chancery/tenant"
)

// busiest counts what tenants do, by kinds K: the busiest by name and all others as one, so that the metrics of a
// hundred thousand tenants have as many series as those of a hundred. It watches a few times as many tenants as it names;
// who is watched next is a matter of chance, which favours those that do most. It is safe for concurrent use.
type busiest[K comparable] struct {
	now    func() time.Time
	chance func() uint32
	named  int           // tenants that have a name, at most
	every  time.Duration // between two looks at who is the busiest

	mu      sync.Mutex
	watched map[tenant.ID]*deeds[K]
	others  map[K]int64
	looked  time.Time
}

// newBusiest names so many tenants, and looks anew every minute.
func newBusiest[K comparable](named int, now func() time.Time, chance func() uint32) *busiest[K] {
	return &busiest[K]{now: now, chance: chance, named: named, every: time.Minute, watched: map[tenant.ID]*deeds[K]{}, others: map[K]int64{}, looked: now()}
}

// deeds are those of one tenant that is watched.
type deeds[K comparable] struct {
	counts map[K]int64 // since it has a name; nil: it has none
	score  float64     // all of them, of which each minute forgets half
}

// watch is how many tenants are watched for each that has a name, and enter that only one of so many deeds makes room for
// a tenant that is not watched, so that the many who are seldom there do not push each other out all the time.
const (
	watch = 4
	enter = 16
)

// count counts one of what a tenant does.
func (b *busiest[K]) count(id tenant.ID, k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.looked) >= b.every {
		b.looked = now
		b.look()
	}
	c := b.watched[id]
	if c == nil && (len(b.watched) < watch*b.named || b.chance()%enter == 0) {
		c = b.admit(id)
	}
	if c != nil {
		c.score++
	}
	if c == nil || c.counts == nil {
		b.others[k]++
		return
	}
	c.counts[k]++
}

// admit watches a tenant instead of the one without a name that has done least. As long as there are names left it gets
// one.
func (b *busiest[K]) admit(id tenant.ID) *deeds[K] {
	if len(b.watched) >= watch*b.named {
		var least tenant.ID
		score := -1.0
		for other, c := range b.watched {
			if c.counts == nil && (score < 0 || c.score < score) {
				least, score = other, c.score
			}
		}
		delete(b.watched, least)
	}
	c := &deeds[K]{}
	if len(b.watched) < b.named {
		c.counts = map[K]int64{}
	}
	b.watched[id] = c
	return c
}

// look gives the names to those with the highest scores, where these are clearly higher: a name that comes and goes is a
// line that nobody can read. A name that is taken away is forgotten with its counts.
func (b *busiest[K]) look() {
	var with, without []*deeds[K]
	for _, c := range b.watched {
		if c.counts != nil {
			with = append(with, c)
		} else {
			without = append(without, c)
		}
	}
	slices.SortFunc(with, func(x, y *deeds[K]) int { return cmp.Compare(x.score, y.score) })
	slices.SortFunc(without, func(x, y *deeds[K]) int { return cmp.Compare(y.score, x.score) })
	for i := range min(len(with), len(without)) {
		if without[i].score <= 2*with[i].score {
			break
		}
		with[i].counts, without[i].counts = nil, map[K]int64{}
	}
	for _, c := range b.watched {
		c.score /= 2
	}
}

// others is what tenants without a name are called.
const others = "other"

// each calls f for every count.
func (b *busiest[K]) each(f func(tenant string, k K, n int64)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, c := range b.watched {
		for k, n := range c.counts {
			f(string(id), k, n)
		}
	}
	for k, n := range b.others {
		f(others, k, n)
	}
}

// namedTenants is how many tenants metrics tell by name.
const namedTenants = 100

// byTenant makes a counter whose series are told apart by tenant, the busiest by name, and by what attributes says of K.
func byTenant[K comparable](meter metric.Meter, name, description string, attributes func(K) []attribute.KeyValue) (*busiest[K], error) {
	b := newBusiest[K](namedTenants, time.Now, rand.Uint32)
	_, err := meter.Int64ObservableCounter(name, metric.WithDescription(description), metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		b.each(func(tenant string, k K, n int64) {
			o.Observe(n, metric.WithAttributes(append(attributes(k), attribute.String("tenant", tenant))...))
		})
		return nil
	}))
	return b, err
}

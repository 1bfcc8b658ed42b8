// Package limit bounds how often things are done, by tenant, client, source and account: in the memory of one
// process, so that a restart forgets the counts and each instance counts for itself.
package limit

import (
	"context"
	"hash/maphash"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// maxKeys is how many keys a limit may have.
const maxKeys = len(places)

// places keep the counters of a limit's keys apart.
var places = [...]string{"first key", "second key", "third key"}

// Limiter counts. It is safe for concurrent use. What one tenant does neither fills nor evicts another's counters.
type Limiter struct {
	now     func() time.Time
	limits  map[string]Limit
	guesses map[string]Guess
	seed    maphash.Seed
	buckets *shelves
	tallies *shelves // apart, so that calls do not wash out what was learned about guessers, nor the other way round
}

// New returns a limiter with these tables.
func New(now func() time.Time, limits []Limit, guesses []Guess) *Limiter {
	l := &Limiter{now: now, limits: map[string]Limit{}, guesses: map[string]Guess{}, seed: maphash.MakeSeed(),
		buckets: newShelves(perTenant, everywhere, time.Hour), tallies: newShelves(perTenant, everywhere, remembered)}
	for _, x := range limits {
		l.limits[x.Name] = x
	}
	for _, x := range guesses {
		l.guesses[x.Name] = x
	}
	return l
}

// Allow counts one call under the limit of that name, against the tenant and each key. Where one of them is used up
// the call is not counted, and retryAfter says when it would be let through. A name without a limit is let through. A
// key that is an IPv6 address stands for its site.
func (l *Limiter) Allow(_ context.Context, t tenant.ID, what string, keys ...string) (retryAfter time.Duration, ok bool) {
	limit := l.limits[what]
	wants := make([]want, 0, maxKeys+1)
	if limit.Tenant != (Rate{}) {
		wants = append(wants, want{l.key(what, "tenant"), limit.Tenant})
	}
	for i := range min(len(limit.Keys), len(keys), maxKeys) {
		if limit.Keys[i] != (Rate{}) {
			wants = append(wants, want{l.key(what, places[i], site(keys[i])), limit.Keys[i]})
		}
	}
	if len(wants) == 0 {
		return 0, true
	}
	now := l.now()
	s := l.buckets.shelf(t, true)
	defer s.mu.Unlock()
	retryAfter = s.take(now, wants)
	return retryAfter, retryAfter == 0
}

// Policy says what the limit of that name gives to one key: quota uses, all of which come back within window. A limit that
// is only on the tenant gives that.
func (l *Limiter) Policy(what string) (quota int, window time.Duration) {
	r := l.limits[what].Tenant
	if keys := l.limits[what].Keys; len(keys) > 0 {
		r = keys[0]
	}
	if r == (Rate{}) {
		return 0, 0
	}
	quota = max(1, r.Burst)
	return quota, time.Duration(float64(quota) / r.PerSecond * float64(time.Second))
}

// key is one counter's place on a shelf: a keyed hash, so that names of any length and content take the same room and
// nobody can aim at another's place.
func (l *Limiter) key(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	for _, p := range parts {
		maphash.WriteComparable(&h, len(p))
		h.WriteString(p)
	}
	return h.Sum64()
}

package keys

import (
	"bytes"
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// Set is an immutable set of one tenant's keys. It is safe for concurrent use.
type Set struct {
	all      []Key
	usable   []Key // those of all that have a key pair and sign, by CreatedAt and ID
	opening  []Key // those that have a key pair and are encrypted to, in that order
	document atomic.Pointer[document]
}

// A document is the JWK set as it stays from one change of the published keys to the next. A zero time is no limit.
type document struct {
	from, until time.Time
	body        []byte
}

// NewSet returns the set of these keys, which have distinct IDs.
func NewSet(ks []Key) *Set {
	s := &Set{all: slices.Clone(ks)}
	for _, k := range ks {
		switch {
		case !k.usable():
		case opens(k.Alg):
			s.opening = append(s.opening, k)
		default:
			s.usable = append(s.usable, k)
		}
	}
	slices.SortFunc(s.usable, byAge)
	slices.SortFunc(s.opening, byAge)
	return s
}

func byAge(a, b Key) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// Keys returns the keys of the set, in the order they were given.
func (s *Set) Keys() []Key { return slices.Clone(s.all) }

// Algs returns the algorithms that the set can sign with at now, always in the same order.
func (s *Set) Algs(now time.Time) []Alg {
	var out []Alg
	for _, a := range algorithms {
		if current(s.usable, a.alg, now) >= 0 {
			out = append(out, a.alg)
		}
	}
	return out
}

// JWKS returns the JWK set document (RFC 7517 §5) at now: the public keys that are published and not gone, each with
// kid, alg and use, the oldest first. The caller must not change the bytes.
func (s *Set) JWKS(now time.Time) []byte {
	if d := s.document.Load(); d != nil && d.covers(now) {
		return d.body
	}
	d := s.documentAt(now)
	s.document.Store(d)
	return d.body
}

func (d *document) covers(now time.Time) bool {
	return !now.Before(d.from) && (d.until.IsZero() || now.Before(d.until))
}

func (s *Set) documentAt(now time.Time) *document {
	d := &document{}
	var jwks [][]byte
	both := slices.Concat(s.usable, s.opening)
	slices.SortFunc(both, byAge)
	for i := range both {
		k := &both[i]
		if k.published(now) {
			jwks = append(jwks, k.pair.jwk)
		}
		for _, change := range []time.Time{k.CreatedAt, k.unpublishedAt()} {
			switch {
			case change.IsZero():
			case !now.Before(change):
				if change.After(d.from) {
					d.from = change
				}
			case d.until.IsZero() || change.Before(d.until):
				d.until = change
			}
		}
	}
	d.body = slices.Concat([]byte(`{"keys":[`), bytes.Join(jwks, []byte(",")), []byte(`]}`))
	return d
}

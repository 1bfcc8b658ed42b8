package tenant

import (
	"sync"
	"time"
	"weak"
)

// journals finds the one journal of a tenant, for as long as anyone holds a snapshot with it: a new snapshot
// of the tenant goes on with the journal of the old one.
type journals struct {
	mu      sync.Mutex
	of      map[ID]weak.Pointer[Journal]
	loading map[*load]struct{}
}

// load is a snapshot being read. It collects the revocations that are seen meanwhile.
type load struct {
	tenant ID
	seen   []Revocation
}

// expect begins a load. Every revocation added from here on is in the journal that open returns.
func (js *journals) expect(t ID) *load {
	js.mu.Lock()
	defer js.mu.Unlock()
	l := &load{tenant: t}
	js.loading[l] = struct{}{}
	return l
}

// done ends a load, also one that open has ended.
func (js *journals) done(l *load) {
	js.mu.Lock()
	defer js.mu.Unlock()
	delete(js.loading, l)
}

// open ends a load and returns the tenant's journal with what was read and seen.
func (js *journals) open(l *load, read []Revocation) *Journal {
	js.mu.Lock()
	defer js.mu.Unlock()
	j := js.of[l.tenant].Value()
	if j == nil {
		j = NewJournal()
		js.of[l.tenant] = weak.Make(j)
	}
	j.Add(read...)
	j.Add(l.seen...)
	delete(js.loading, l)
	return j
}

// add enters r where its tenant is loaded or being loaded. Whoever loads it later reads r.
func (js *journals) add(t ID, r Revocation) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.of[t].Value(); j != nil {
		j.Add(r)
	}
	for l := range js.loading {
		if l.tenant == t {
			l.seen = append(l.seen, r)
		}
	}
}

// prune drops what no longer matters at now, and the journals that nobody holds.
func (js *journals) prune(now time.Time) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for t, w := range js.of {
		if j := w.Value(); j != nil {
			j.Prune(now)
		} else {
			delete(js.of, t)
		}
	}
}

package keys

import (
	"maps"
	"sync/atomic"
)

// memoLimit bounds a memo. Its names are constants of our own code, so this is far above what is used.
const memoLimit = 32

// A memo remembers values by name. Reading takes no lock; a value that is made twice at once is remembered once.
type memo[V any] struct{ m atomic.Pointer[map[string]V] }

func (m *memo[V]) load(name string) (v V, ok bool) {
	if p := m.m.Load(); p != nil {
		v, ok = (*p)[name]
	}
	return v, ok
}

func (m *memo[V]) store(name string, v V) {
	for {
		old := m.m.Load()
		next := map[string]V{}
		if old != nil {
			if len(*old) >= memoLimit {
				return
			}
			next = maps.Clone(*old)
		}
		next[name] = v
		if m.m.CompareAndSwap(old, &next) {
			return
		}
	}
}

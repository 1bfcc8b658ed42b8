package main

import (
	"sync"
	"time"
)

// memory keeps values for a time, by keys that nobody guesses. With several instances of this program, put what it keeps
// where all can see it, or let the balancer stick to one.
type memory[T any] struct {
	mu   sync.Mutex
	kept map[string]kept[T]
}

type kept[T any] struct {
	value T
	until time.Time
}

// maxKept is how many values of a kind may be kept at once.
const maxKept = 10_000

// put keeps a value in place of what was there; false where there are too many.
func (m *memory[T]) put(now time.Time, key string, value T, life time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) >= maxKept {
		for k, v := range m.kept {
			if !now.Before(v.until) {
				delete(m.kept, k)
			}
		}
	}
	if _, there := m.kept[key]; !there && len(m.kept) >= maxKept {
		return false
	}
	if m.kept == nil {
		m.kept = map[string]kept[T]{}
	}
	m.kept[key] = kept[T]{value, now.Add(life)}
	return true
}

// get returns the value of key, if its time is not over.
func (m *memory[T]) get(now time.Time, key string) (value T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.kept[key]; ok && now.Before(v.until) {
		return v.value, true
	}
	return value, false
}

// drop forgets the value of key.
func (m *memory[T]) drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
}

// all calls f with each value whose time is not over.
func (m *memory[T]) all(now time.Time, f func(key string, value T)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, v := range m.kept {
		if now.Before(v.until) {
			f(k, v.value)
		}
	}
}

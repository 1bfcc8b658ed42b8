package script

import ring "container/list"

// shelf keeps what was used last, within bounds. The zero shelf is empty.
type shelf[V any] struct {
	kept  map[string]*ring.Element
	order ring.List // the newest first
	size  int       // bytes
}

type shelved[V any] struct {
	key   string
	value V
	size  int
}

// What a shelf keeps at most; sizes are in bytes of source.
const (
	shelfPrograms = 128
	shelfSize     = 1 << 20
)

func (s *shelf[V]) get(key string) (v V, ok bool) {
	e := s.kept[key]
	if e == nil {
		return v, false
	}
	s.order.MoveToFront(e)
	return e.Value.(*shelved[V]).value, true
}

func (s *shelf[V]) put(key string, v V, size int) {
	if s.kept == nil {
		s.kept = map[string]*ring.Element{}
	}
	if s.kept[key] != nil {
		return
	}
	s.kept[key] = s.order.PushFront(&shelved[V]{key, v, size})
	for s.size += size; s.order.Len() > shelfPrograms || s.size > shelfSize; {
		last := s.order.Remove(s.order.Back()).(*shelved[V])
		delete(s.kept, last.key)
		s.size -= last.size
	}
}

package admin

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// useStore keeps the batches that were written, or fails.
type useStore struct {
	batches [][]Use
	err     error
}

func (s *useStore) PutUses(_ context.Context, uses []Use) error {
	if s.err != nil {
		return s.err
	}
	s.batches = append(s.batches, uses)
	return nil
}

func TestLastUses(t *testing.T) {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	for _, c := range []struct {
		rule string
		do   func(l *LastUses, s *useStore)
		want [][]Use
	}{
		{"nothing used is nothing written", func(l *LastUses, _ *useStore) { _ = l.Write(t.Context(), at(0)) }, nil},
		{"many uses within a minute are one", func(l *LastUses, _ *useStore) {
			for i := range 50 {
				l.Used("acme", "a", at(i))
				_ = l.Write(t.Context(), at(i))
			}
		}, [][]Use{{{"acme", "a", at(0)}}}},
		{"a use a minute later is another", func(l *LastUses, _ *useStore) {
			l.Used("acme", "a", at(0))
			_ = l.Write(t.Context(), at(10))
			l.Used("acme", "a", at(60))
			_ = l.Write(t.Context(), at(61))
		}, [][]Use{{{"acme", "a", at(0)}}, {{"acme", "a", at(60)}}}},
		{"tokens of one id at two tenants are two", func(l *LastUses, _ *useStore) {
			l.Used("globex", "a", at(1))
			l.Used("acme", "a", at(0))
			_ = l.Write(t.Context(), at(2))
		}, [][]Use{{{"acme", "a", at(0)}, {"globex", "a", at(1)}}}},
		{"what could not be written is written later", func(l *LastUses, s *useStore) {
			l.Used("acme", "a", at(0))
			s.err = errors.New("away")
			if err := l.Write(t.Context(), at(1)); !errors.Is(err, s.err) {
				t.Errorf("writing failed with %v", err)
			}
			s.err = nil
			_ = l.Write(t.Context(), at(2))
		}, [][]Use{{{"acme", "a", at(0)}}}},
		{"a use that came while writing failed counts instead", func(l *LastUses, s *useStore) {
			l.Used("acme", "a", at(0))
			uses := l.taken(at(60))
			l.Used("acme", "a", at(60))
			l.putBack(uses)
			_ = l.Write(t.Context(), at(61))
		}, [][]Use{{{"acme", "a", at(60)}}}},
	} {
		s := &useStore{}
		c.do(&LastUses{Store: s}, s)
		if d := cmp.Diff(c.want, s.batches); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
	}
}

func TestLastUsesAreBounded(t *testing.T) {
	s := &useStore{err: errors.New("away")}
	l, now := &LastUses{Store: s}, time.Unix(1e9, 0)
	for round := range 3 {
		for i := range maxUses {
			l.Used("acme", strconv.Itoa(round)+"-"+strconv.Itoa(i), now)
		}
		now = now.Add(2 * UseEvery)
		_ = l.Write(t.Context(), now)
	}
	if len(l.last) > maxUses || len(l.wait) > maxUses {
		t.Errorf("%d and %d are remembered", len(l.last), len(l.wait))
	}
	s.err = nil
	if err := l.Write(t.Context(), now); err != nil || len(s.batches) != maxUses/usesAtOnce {
		t.Errorf("%d batches, %v", len(s.batches), err)
	}
	if len(l.last) != 0 || len(l.wait) != 0 {
		t.Errorf("%d and %d are left", len(l.last), len(l.wait))
	}
}

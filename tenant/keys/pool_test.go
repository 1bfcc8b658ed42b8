package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

func TestThePoolGivesEachPairOnce(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := NewPool(2, rand.Reader)
	defer p.Close()
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]bool{}
	)
	for range 4 {
		all.Go(func() {
			for _, alg := range []Alg{RS256, PS256} {
				k, err := p.Generate(alg, at(7))
				if err != nil {
					t.Errorf("Generate: %v", err)
					return
				}
				mu.Lock()
				if seen[k.ID] || k.Alg != alg || !k.ActiveAt.Equal(at(7)) || !k.CreatedAt.Equal(at(7)) {
					t.Errorf("%v from %v, seen before: %t", k, k.ActiveAt, seen[k.ID])
				}
				seen[k.ID] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestThePoolGivesWhatIsReady(t *testing.T) {
	p := NewPool(2, rand.Reader)
	p.Close() // nothing else fills it
	p.ready <- key(RS256).pair.private().(*rsa.PrivateKey)
	if k, err := p.Generate(RS256, epoch); err != nil || k.ID != key(RS256).ID {
		t.Errorf("Generate = %v, %v; want the pair that was ready", k, err)
	}
	if k, err := p.Generate(RS256, epoch); err != nil || k.ID == key(RS256).ID {
		t.Errorf("Generate = %v, %v; want a new pair", k, err)
	}
}

func TestThePoolFillsUpToItsSize(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := NewPool(3, rand.Reader)
	if _, err := p.Generate(RS256, epoch); err != nil {
		t.Fatal(err)
	}
	for len(p.ready) < cap(p.ready) { // the deadline is the test's own
		runtime.Gosched()
	}
	p.Close()
	if got := cap(p.ready) + 1; got != 3 { // one is in the worker's hands
		t.Errorf("at most %d pairs are kept, want 3", got)
	}
}

func TestThePoolStartsLazilyAndStops(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	for _, c := range []struct {
		rule string
		size int
		use  []Alg
	}{
		{"it was never used", 2, nil},
		{"it made keys that need no pool", 2, []Alg{ES256, EdDSA}},
		{"it has no size", 0, []Alg{RS256}},
		{"its size is negative", -1, []Alg{RS256}},
	} {
		t.Run("nothing runs when "+c.rule, func(t *testing.T) {
			p := NewPool(c.size, rand.Reader)
			for _, alg := range c.use {
				if _, err := p.Generate(alg, epoch); err != nil {
					t.Errorf("Generate(%s): %v", alg, err)
				}
			}
			goleak.VerifyNone(t, ignore)
			p.Close()
		})
	}
	t.Run("nothing runs after Close", func(t *testing.T) {
		p := NewPool(1, rand.Reader)
		if _, err := p.Generate(RS256, epoch); err != nil {
			t.Fatal(err)
		}
		p.Close()
		p.Close()
		goleak.VerifyNone(t, ignore)
		if _, err := p.Generate(RS256, epoch); err != nil {
			t.Errorf("Generate after Close: %v", err)
		}
		goleak.VerifyNone(t, ignore)
	})
}

func TestThePoolPassesErrorsOn(t *testing.T) {
	p := NewPool(1, iotest.ErrReader(io.ErrUnexpectedEOF))
	defer p.Close()
	if _, err := p.Generate(EdDSA, epoch); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Generate: %v", err)
	}
	if _, err := p.Generate("HS256", epoch); err == nil {
		t.Error("the pool made an HS256 key")
	}
}

package keys

import (
	"crypto/rsa"
	"io"
	"sync"
	"time"
)

// Pool makes RSA key pairs ahead of time in the background, since one of 2048 bits costs about 50 ms. The first
// call of Generate for an RSA algorithm starts it. It is safe for concurrent use if its source of randomness is.
type Pool struct {
	size  int
	rand  io.Reader
	ready chan *rsa.PrivateKey
	done  chan struct{}

	start, stop sync.Once
	worker      sync.WaitGroup
}

// NewPool returns a pool that keeps at most size key pairs ready; with none it makes each when it is asked for.
func NewPool(size int, rand io.Reader) *Pool {
	// One more pair waits in the worker's hands.
	return &Pool{size: size, rand: rand, ready: make(chan *rsa.PrivateKey, max(size-1, 0)), done: make(chan struct{})}
}

// Generate is the function Generate, which takes an RSA pair out of the pool if one is ready. No pair is given twice.
func (p *Pool) Generate(alg Alg, now time.Time) (Key, error) {
	k, err := kindOf(alg)
	if err != nil {
		return Key{}, err
	}
	if _, ok := k.(rsaScheme); !ok || p.size <= 0 {
		return Generate(alg, p.rand, now)
	}
	p.start.Do(func() { p.worker.Go(p.fill) })
	select {
	case private := <-p.ready:
		return newKey(alg, private, now)
	default:
		return Generate(alg, p.rand, now)
	}
}

func (p *Pool) fill() {
	for {
		select {
		case <-p.done:
			return
		default:
		}
		private, err := rsaScheme{}.generate(p.rand)
		if err != nil {
			return // whoever asks for a key next gets the error from Generate
		}
		select {
		case p.ready <- private.(*rsa.PrivateKey):
		case <-p.done:
			return
		}
	}
}

// Close stops the background work and waits until it has stopped, for as long as one key pair takes. Generate still
// works afterwards.
func (p *Pool) Close() {
	p.stop.Do(func() {
		p.start.Do(func() {}) // if it has not started by now, it never will
		close(p.done)
	})
	p.worker.Wait()
}

// Package machine feels how busy the machine is on which tests run that have no more than their share of it.
package machine

import (
	"context"
	"crypto/sha256"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Machine knows how many times as long as on an idle one it takes to compute something. What the server promises in seconds it
// promises with a processor at hand, and so whoever waits has more patience where there is none.
type Machine struct {
	mu   sync.Mutex
	felt []feeling
}

type feeling struct {
	at   time.Time
	slow float64 // 1: a processor was always at hand
}

// most is how slow a machine may be on which this is worth running: nobody has more patience than for that.
const most = 4

// rusageThread asks getrusage for the calling thread.
const rusageThread = 1

// Watch feels until ctx ends.
func (m *Machine) Watch(ctx context.Context) {
	runtime.LockOSThread() // which is not unlocked: the thread ends with its goroutine
	block := make([]byte, 64<<10)
	for ctx.Err() == nil {
		began, used := time.Now(), threadTime()
		for threadTime()-used < 4*time.Millisecond {
			sha256.Sum256(block)
		}
		m.feel(time.Since(began).Seconds() / (threadTime() - used).Seconds())
		time.Sleep(200 * time.Millisecond)
	}
}

func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// feel notes how slow it was; one moment counts for a fifth.
func (m *Machine) feel(slow float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.felt); n > 0 {
		slow = .8*m.felt[n-1].slow + .2*slow
	}
	m.felt = append(m.felt, feeling{time.Now(), min(max(slow, 1), most)})
}

// Slowness is how slow the machine is now.
func (m *Machine) Slowness() float64 { return m.Slowest(time.Now().Add(-time.Second)) }

// Slowest is how slow it was at most since then.
func (m *Machine) Slowest(since time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	slow := 1.0
	for i := len(m.felt) - 1; i >= 0; i-- {
		slow = max(slow, m.felt[i].slow)
		if m.felt[i].at.Before(since) {
			break
		}
	}
	return slow
}

// Patience is how long is waited since then for what an idle machine does within d.
func (m *Machine) Patience(d time.Duration, since time.Time) time.Duration {
	return time.Duration(float64(d) * m.Slowest(since))
}

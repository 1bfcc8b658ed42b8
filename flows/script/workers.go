package script

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Workers are the processes that run scripts. They are started when they are needed, and end when they are not. No more of
// them run at a time than half the processors; others wait for what their scripts asked for.
type Workers struct {
	Command []string // program and arguments of a worker, the program by its path

	once    sync.Once
	running *fair // turns
	leased  *fair // workers
	burdens burdens
	starter starter
	mu      sync.Mutex
	idle    []*process // the one used last at the end
	out     int        // leased
	closed  bool
}

func (w *Workers) init() {
	w.once.Do(func() {
		half := max(1, runtime.GOMAXPROCS(0)/2)
		all := min(64, 8*half)
		w.running, w.leased = newFair(half, half, 0, &w.burdens), newFair(all, all/2, all/4, &w.burdens)
	})
}

// lease returns a worker for one call of t, which may have to be started, and is to be released afterwards.
func (w *Workers) lease(ctx context.Context, t tenant.ID, program string) (*process, error) {
	w.init()
	if err := w.leased.enter(ctx, t); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out++
	i := w.fit(t, program, w.burdens.is(t, time.Now()))
	if i < 0 {
		return &process{}, nil
	}
	p := w.idle[i]
	w.idle = slices.Delete(w.idle, i, i+1)
	p.idle.Stop()
	return p, nil
}

// fit is which idle worker a call of t gets: one that has its program, or else that which was idle longest. A burden, which
// may well be its end, gets that of another tenant only where there can be no more. -1: a new one.
func (w *Workers) fit(t tenant.ID, program string, burden bool) int {
	own := -1
	for i := len(w.idle) - 1; i >= 0; i-- {
		switch {
		case w.idle[i].holds[program]:
			return i
		case w.idle[i].last == t:
			own = i
		}
	}
	switch {
	case own >= 0 && burden:
		return own
	case len(w.idle) > 0 && (!burden || len(w.idle)+w.out > w.leased.places):
		return 0
	}
	return -1
}

// release takes back a worker that t leased. One that is of no more use is ended.
func (w *Workers) release(t tenant.ID, p *process, useless bool) {
	defer w.leased.leave(t)
	p.calls++
	p.last = t
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out--
	if useless || w.closed || p.cmd == nil || p.calls >= mostCalls || p.cpu() > oldCPU {
		p.kill()
		return
	}
	if len(p.holds) > mostHeld {
		clear(p.holds)
	}
	w.idle = append(w.idle, p)
	if p.idle == nil {
		p.idle = time.AfterFunc(idleFor, func() { w.drop(p) })
	} else {
		p.idle.Reset(idleFor)
	}
}

// drop ends p if it is idle still.
func (w *Workers) drop(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.idle, p); i >= 0 {
		w.idle = slices.Delete(w.idle, i, i+1)
		p.kill()
	}
}

// Close ends all workers that are idle, and each other one when its call is done.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, p := range w.idle {
		p.idle.Stop()
		p.kill()
	}
	w.idle = nil
}

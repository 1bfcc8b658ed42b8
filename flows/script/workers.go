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
	starter starter
	mu      sync.Mutex
	idle    []*process // the one used last at the end
	closed  bool
}

func (w *Workers) init() {
	w.once.Do(func() {
		half := max(1, runtime.GOMAXPROCS(0)/2)
		all := min(64, 8*half)
		w.running, w.leased = newFair(half, half), newFair(all, all/2)
	})
}

// lease returns a worker for one call of t, and what to do with it afterwards. One that has program is preferred, else that
// which was idle longest.
func (w *Workers) lease(ctx context.Context, t tenant.ID, program string) (*process, error) {
	w.init()
	if err := w.leased.enter(ctx, t); err != nil {
		return nil, err
	}
	w.mu.Lock()
	i := -1
	for j := len(w.idle) - 1; j >= 0 && i < 0; j-- {
		if w.idle[j].holds[program] {
			i = j
		}
	}
	if i < 0 && len(w.idle) > 0 {
		i = 0
	}
	var p *process
	if i >= 0 {
		p = w.idle[i]
		w.idle = slices.Delete(w.idle, i, i+1)
		p.idle.Stop()
	}
	w.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := w.starter.start(w.Command)
	if err != nil {
		w.leased.leave(t)
	}
	return p, err
}

// release takes back a worker that t leased. One that is of no more use is ended.
func (w *Workers) release(t tenant.ID, p *process, useless bool) {
	defer w.leased.leave(t)
	p.calls++
	w.mu.Lock()
	defer w.mu.Unlock()
	if useless || w.closed || p.calls >= mostCalls || p.cpu() > oldCPU {
		p.kill()
		return
	}
	if len(p.holds) > mostHeld {
		clear(p.holds)
	}
	w.idle = append(w.idle, p)
	p.idle = time.AfterFunc(idleFor, func() { w.drop(p) })
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

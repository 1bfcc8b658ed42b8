package script

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// process is one worker, as the server knows it.
type process struct {
	cmd     *exec.Cmd
	in, out *os.File // of ours: to it, from it
	from    *bufio.Reader
	gone    chan struct{}
	calls   int
	holds   map[string]bool // programs that it was given; it may have dropped some
	last    tenant.ID       // whose call it had
	idle    *time.Timer
}

// When a worker is no longer of use.
const (
	mostCalls = 100_000
	oldCPU    = 60 * time.Second
	largeHeap = 32 << 20 // bytes
	idleFor   = time.Minute
	mostHeld  = 256
	slice     = time.Millisecond // for which a call has its place before another tenant's may go first
)

// starter starts processes, all from one thread: a worker dies with the thread that made it.
type starter struct {
	once sync.Once
	want chan func()
}

func (s *starter) do(f func()) {
	s.once.Do(func() {
		s.want = make(chan func())
		go func() {
			runtime.LockOSThread()
			yieldToServer()
			for f := range s.want {
				f()
			}
		}()
	})
	done := make(chan struct{})
	s.want <- func() { f(); close(done) }
	<-done
}

// start makes a worker of command. It has nothing of ours but two pipes.
func (s *starter) start(command []string) (*process, error) {
	toRead, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, toWrite, err := pipe()
	if err != nil {
		return nil, errors.Join(err, toRead.Close(), in.Close())
	}
	cmd := &exec.Cmd{Path: command[0], Args: command, Env: []string{}, Dir: "/", Stdin: toRead, Stdout: toWrite}
	cage(cmd)
	s.do(func() { err = cmd.Start() })
	_, _ = toRead.Close(), toWrite.Close()
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	p := &process{cmd: cmd, in: in, out: out, from: bufio.NewReader(out), gone: make(chan struct{}), holds: map[string]bool{}}
	go func() {
		_ = cmd.Wait()
		close(p.gone)
	}()
	return p, nil
}

// kill ends p at once, if it was started.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_, _ = p.in.Close(), p.out.Close()
}

// cpu is the processor time that p has taken; a process that is gone took none.
func (p *process) cpu() time.Duration {
	if p.cmd == nil {
		return 0
	}
	d, _ := cpu(p.cmd.Process.Pid)
	return d
}

// turn is one exchange with a worker: an order, and the report on it.
type turn struct {
	mu     sync.Mutex
	ctx    context.Context
	p      *process
	places *fair
	t      tenant.ID
	budget time.Duration // of processor time
	weighs bool          // much of that time makes the tenant a burden
	began  time.Duration // processor time then
	placed time.Time     // zero: it has no place just now
	ended  bool
	why    error
}

// take gives p, started if it was not, an order and returns its report, and how much processor time it took. It runs only while
// it has a place, which it gives up for another tenant after a while, and is ended when it has used up its budget, or when ctx
// ends. Without an order it only waits for a new worker to be ready.
func (w *Workers) take(ctx context.Context, p *process, t tenant.ID, budget time.Duration, o *order) (*report, time.Duration, error) {
	if err := w.running.enter(ctx, t); err != nil {
		return nil, 0, err
	}
	u := &turn{ctx: ctx, p: p, places: w.running, t: t, budget: budget, weighs: o != nil && o.Source == "", began: p.cpu(), placed: time.Now()}
	w.running.begin(u)
	if p.cmd == nil {
		made, err := w.starter.start(w.Command)
		u.mu.Lock()
		if err == nil {
			*p = *made
			if u.placed.IsZero() { // others came meanwhile
				err = pause(p.cmd.Process)
			}
		}
		u.mu.Unlock()
		if err != nil {
			u.over()
			return nil, 0, err
		}
	}
	return u.run(o)
}

// run has the worker do what o says.
func (w *turn) run(o *order) (*report, time.Duration, error) {
	ctx, p := w.ctx, w.p
	stop := context.AfterFunc(ctx, p.kill)
	var r report
	var err error
	if o != nil {
		err = send(p.in, o)
	}
	w.places.look()
	if err == nil {
		err = receive(p.from, &r)
	}
	stop()
	w.over()
	used := max(0, p.cpu()-w.began) // who was ended tells no more
	if w.weighs && used > takesLong {
		w.places.burdens.put(w.t, time.Now())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.why != nil:
		return nil, used, w.why
	case ctx.Err() != nil:
		return nil, used, ctx.Err()
	case errors.Is(err, errFrame), p.from.Buffered() > 0:
		return nil, used, errForged
	case err != nil:
		return nil, used, errDied
	case used > w.budget:
		return nil, used, errCPU
	}
	return &r, used, nil
}

// over ends w, and leaves its place.
func (w *turn) over() {
	w.places.end(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	switch {
	case !w.placed.IsZero():
		w.places.leave(w.t)
	case w.p.cmd != nil:
		_ = resume(w.p.cmd.Process) // it was done just then
	}
}

// watch looks after a turn that takes long, every now and then.
func (w *turn) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	used := w.p.cpu() - w.began
	if used > w.budget {
		w.end(errCPU)
		return
	}
	if w.weighs && used > takesLong {
		w.places.burdens.put(w.t, time.Now())
	}
	if w.placed.IsZero() {
		return
	}
	if w.places.wanted(w.t, time.Since(w.placed) >= slice) && w.park() {
		w.places.leave(w.t)
	}
}

// park stops the worker, which goes on as soon as there is a place for it again. The caller holds mu, and gives the place back
// where it says so.
func (w *turn) park() bool {
	if w.ended || w.placed.IsZero() || w.p.cmd != nil && pause(w.p.cmd.Process) != nil {
		return false
	}
	w.placed = time.Time{}
	go w.goOn()
	return true
}

// goOn waits for a place, and lets the worker go on.
func (w *turn) goOn() {
	err := w.places.enter(w.ctx, w.t)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil && !w.ended:
		w.end(err)
		return
	case err != nil:
		return
	case w.ended:
		w.places.leave(w.t)
		return
	}
	w.placed = time.Now()
	if w.p.cmd != nil && resume(w.p.cmd.Process) != nil {
		w.end(errDied)
	}
}

func (w *turn) end(why error) {
	w.why = why
	w.p.kill()
}

package account

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/chancery-id/chancery/tenant"
)

var errCrowded = errors.New("account: too many callers wait for a password hash")

// bounds are the sizes of a line.
type bounds struct{ turns, perTenant, most int }

// A line hands out a bounded number of turns: to tenants in rotation, within a tenant to who came first.
type line struct {
	mu      sync.Mutex
	busy    int                           // turns that are taken
	waiting map[tenant.ID][]chan struct{} // closed when the turn comes; no empty entries
	order   []tenant.ID                   // those of waiting, the next one first
	count   int                           // of all that wait
}

// enter waits for a turn, which ends with leave. It fails at once where too many wait already, and when ctx ends.
func (l *line) enter(ctx context.Context, t tenant.ID, b bounds) error {
	l.mu.Lock()
	if l.busy < b.turns {
		l.busy++
		l.mu.Unlock()
		return nil
	}
	if len(l.waiting[t]) >= b.perTenant || l.count >= b.most {
		l.mu.Unlock()
		return errCrowded
	}
	turn := l.queue(t)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	if !l.quit(t, turn) {
		l.leave() // the turn came in the same moment: it is passed on
	}
	return ctx.Err()
}

// leave passes the turn to the next in line.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == 0 {
		l.busy--
		return
	}
	t := l.order[0]
	turn := l.waiting[t][0]
	l.order = append(l.order[1:], t)
	l.remove(t, 0)
	close(turn)
}

func (l *line) queue(t tenant.ID) chan struct{} {
	if l.waiting == nil {
		l.waiting = map[tenant.ID][]chan struct{}{}
	}
	if len(l.waiting[t]) == 0 {
		l.order = append(l.order, t)
	}
	turn := make(chan struct{})
	l.waiting[t] = append(l.waiting[t], turn)
	l.count++
	return turn
}

// quit takes a caller out of the line, and reports whether it was still there.
func (l *line) quit(t tenant.ID, turn chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting[t], turn)
	if i < 0 {
		return false
	}
	l.remove(t, i)
	return true
}

func (l *line) remove(t tenant.ID, i int) {
	l.count--
	if rest := slices.Delete(l.waiting[t], i, i+1); len(rest) > 0 {
		l.waiting[t] = rest
		return
	}
	delete(l.waiting, t)
	l.order = slices.Delete(l.order, slices.Index(l.order, t), slices.Index(l.order, t)+1)
}

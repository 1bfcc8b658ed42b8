package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// The pauses between attempts double from the first to the longest, each within a random half.
const (
	firstPause   = 2 * time.Second
	longestPause = 15 * time.Minute
)

// pause is how long to wait after so many attempts.
func (c *Courier) pause(attempts int) time.Duration {
	d := longestPause
	if n := attempts - 1; n < 16 {
		d = min(firstPause<<max(n, 0), longestPause)
	}
	return d/2 + c.Jitter(d/2)
}

// attempt sends a message, writes down what became of that, and reports whether its target is well.
func (c *Courier) attempt(ctx context.Context, id tenant.ID, m *Message) bool {
	due := m.Due()
	err := c.send(ctx, id, m)
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	now, out := c.Now(), Sent
	again := now.Add(c.pause(m.Attempts))
	var failed error
	switch {
	case err == nil:
		failed = c.Store.Delivered(ctx, id, m.ID, m.Attempts)
	case errors.Is(err, ErrMoot):
		out = Moot
		failed = c.Store.Delivered(ctx, id, m.ID, m.Attempts)
	case again.Before(m.End()):
		out = Failed
		failed = c.Store.PutOff(ctx, id, m.ID, m.Attempts, again, text(err))
	default:
		out = Buried
		failed = c.Store.Bury(ctx, id, m.ID, m.Attempts, now, text(err))
	}
	if failed != nil { // the lease runs out, and the attempt is made again
		c.failed(ctx, failed)
	}
	if c.Observe != nil {
		c.Observe(Delivery{Tenant: id, Message: *m, Outcome: out, Cause: err, Age: now.Sub(due)})
	}
	return out == Sent || out == Moot
}

// send prepares a message and sends it.
func (c *Courier) send(ctx context.Context, id tenant.ID, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, trying)
	defer cancel()
	t, err := c.Tenant(ctx, id)
	if err != nil {
		return err
	}
	content := m.Content
	if prepare, ok := c.Kinds[m.Kind]; ok {
		if content, err = prepare(ctx, t, m); err != nil {
			return err
		}
	} else if m.Content.Empty() {
		return errKind // of a later release, which knows what to make of it
	}
	_, _, err = c.Post(ctx, "outbox "+string(id), m.Target, content, maxAnswer)
	return err
}

var errKind = errors.New("its kind is not known here")

// maxCause is how much of a cause is kept, in bytes.
const maxCause = 200

// text is a cause as it is stored. Those of outbound name no URL.
func text(err error) string {
	s := err.Error()
	if !errors.Is(err, outbound.ErrFailed) {
		s = "not sent: " + s
	}
	return s[:min(len(s), maxCause)]
}

package admin

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// Outbox keeps what tenants owe others. *outbox.Store says what its methods do.
type Outbox interface {
	Messages(ctx context.Context, t tenant.ID, dead bool, after string, n int) ([]outbox.Message, error)
	Replay(ctx context.Context, t tenant.ID, which outbox.Letters, n int, now time.Time, ev audit.Event) (int, error)
	Drop(ctx context.Context, t tenant.ID, which outbox.Letters, n int, ev audit.Event) (int, error)
}

// lettersAtOnce is how many messages one call changes at most.
const lettersAtOnce = 1000

var errNoLetter = oauth.NotFound("There is no such message").Because(outbox.ErrNotFound)

// Letters lists messages that wait, or dead letters, by id after that one, at most n, without what is sent.
func (c *Console) Letters(ctx context.Context, id tenant.ID, dead bool, after string, n int) ([]outbox.Message, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	ms, err := c.Outbox.Messages(ctx, id, dead, after, n)
	for i := range ms {
		ms[i].Content.Body, ms[i].Content.Authorization, ms[i].Detail = nil, "", nil
	}
	return ms, worded(err)
}

// ReplayLetters has dead letters tried again, as if they were new: one by its id, which is not_found where it is none, or all
// of a target, of which there may be none. It changes up to a thousand at once, and returns how many.
func (c *Console) ReplayLetters(ctx context.Context, id tenant.ID, which outbox.Letters, by By) (int, error) {
	return c.letters(ctx, id, which, func() (int, error) {
		return c.Outbox.Replay(ctx, id, which, lettersAtOnce, c.now(), c.event(audit.OutboxReplayed, by, about(which)...))
	})
}

// DropLetters removes one message by its id, dead or not, or all dead letters of a target, as ReplayLetters.
func (c *Console) DropLetters(ctx context.Context, id tenant.ID, which outbox.Letters, by By) (int, error) {
	return c.letters(ctx, id, which, func() (int, error) {
		return c.Outbox.Drop(ctx, id, which, lettersAtOnce, c.event(audit.OutboxDropped, by, about(which)...))
	})
}

func (c *Console) letters(ctx context.Context, id tenant.ID, which outbox.Letters, change func() (int, error)) (int, error) {
	if _, err := c.record(ctx, id); err != nil {
		return 0, err
	}
	n, err := change()
	if errors.Is(err, outbox.ErrNotFound) {
		if which.ID != "" {
			return 0, errNoLetter
		}
		return 0, nil
	}
	return n, worded(err)
}

// about names messages in the record of what was done with them.
func about(which outbox.Letters) []string {
	switch {
	case which.ID != "":
		return []string{"message", which.ID}
	case which.Target != "":
		return []string{"target", which.Target}
	}
	return []string{"messages", "all"}
}

// OriginOf is whom a message is for: scheme and host of its target, of which the rest may be confidential.
func OriginOf(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

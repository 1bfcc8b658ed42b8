package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// ErrNotFound: no such dead letter at this tenant.
var ErrNotFound = errors.New("outbox: no such message")

// Backlog is how much is owed at a moment.
type Backlog struct {
	Waiting int       // messages that are not delivered, as far as they were counted
	Oldest  time.Time // when the oldest of them was recorded; zero where there is none
}

// Store keeps messages. Those of a change are recorded by the store method of that change.
type Store interface {
	// Owe records messages that come with no change.
	Owe(ctx context.Context, t tenant.ID, ms ...Message) error
	// Owing lists up to n tenants after that id, in order, that may have a message due at now. It is for every tenant.
	Owing(ctx context.Context, now time.Time, after tenant.ID, n int) ([]tenant.ID, error)
	// Backlog counts what every tenant has waiting, up to most.
	Backlog(ctx context.Context, most int) (Backlog, error)
	// Lease takes up to n messages that are due at now and counts an attempt for each. Until then nobody else gets them,
	// unless they are put off; then they are due again. A message whose object has an earlier one waiting is not taken, nor
	// is one for a target in except.
	Lease(ctx context.Context, t tenant.ID, now, until time.Time, n int, except []string) ([]Message, error)
	// Delivered removes a message. Where another attempt than that one has begun it changes nothing.
	Delivered(ctx context.Context, t tenant.ID, id string, attempt int) error
	// PutOff makes a message due at again, after that attempt failed for that cause; where another attempt has begun it
	// changes nothing.
	PutOff(ctx context.Context, t tenant.ID, id string, attempt int, again time.Time, cause string) error
	// Bury makes a message a dead letter, as PutOff.
	Bury(ctx context.Context, t tenant.ID, id string, attempt int, now time.Time, cause string) error
	// Messages lists up to n messages after that id, in the order of their ids: those that wait, or dead letters.
	Messages(ctx context.Context, t tenant.ID, dead bool, after string, n int) ([]Message, error)
	// Replay makes up to n dead letters due at now, with all their attempts and Patience before them, and returns how many;
	// ErrNotFound where there are none.
	Replay(ctx context.Context, t tenant.ID, which Letters, n int, now time.Time, ev audit.Event) (int, error)
	// Drop removes up to n messages, and returns how many; ErrNotFound where there are none. One that is named by its id may
	// wait yet; of the others dead letters alone are removed.
	Drop(ctx context.Context, t tenant.ID, which Letters, n int, ev audit.Event) (int, error)
}

// Letters names messages: one by its ID, or those for a Target, an origin such as https://rp.example, or with neither all.
type Letters struct{ ID, Target string }

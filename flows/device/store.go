package device

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/tenant"
)

// What a Store says.
var (
	ErrTaken = errors.New("device: the user code is taken")
	ErrFull  = errors.New("device: too many devices wait")
)

// Store finds decoupled requests by the code that their subjects enter. Each method is one atomic effect.
type Store interface {
	// BeginDevice records a new authentication that waits for whoever enters the user code, given as its MAC. A code that
	// another has, also one that is over, is ErrTaken. Where most devices of the tenant wait already it is ErrFull; of
	// concurrent calls a few more may succeed.
	BeginDevice(ctx context.Context, t tenant.ID, a decoupled.Authentication, userCode []byte, most int) error
	// Device returns the authentication of that user code in whatever state, also one that has ended, for a while, or
	// decoupled.ErrNotFound.
	Device(ctx context.Context, t tenant.ID, userCode []byte) (*decoupled.Authentication, error)
}

// Limiter counts guesses at user codes. A key is what is guessed at, a source whence the guess came.
type Limiter interface {
	// Blocked reports whether that guess is refused just now, and for how long.
	Blocked(ctx context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool)
	// Fail notes a wrong guess.
	Fail(ctx context.Context, t tenant.ID, what, key, source string)
	// Succeed notes a right one.
	Succeed(ctx context.Context, t tenant.ID, what, key, source string)
}

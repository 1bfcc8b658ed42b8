package oauth

import (
	"errors"
	"time"
)

// Wait is the cause of a SlowDown: how long the caller should stay away. Doors answer it as Retry-After.
type Wait time.Duration

func (w Wait) Error() string { return "wait " + time.Duration(w).String() }

// RetryAfter returns how long err asks its caller to wait, rounded up to whole seconds; zero: it does not say.
func RetryAfter(err error) time.Duration {
	w, ok := errors.AsType[Wait](err)
	if !ok {
		return 0
	}
	return (time.Duration(w) + time.Second - 1).Truncate(time.Second)
}

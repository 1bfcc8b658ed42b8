package proof

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Replay remembers what may be used once.
type Replay interface {
	// UseOnce records the use of what kind and hash name, and keeps that until expires. Of any number of calls, at
	// whatever instance, the first is told true.
	UseOnce(ctx context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (first bool, err error)
}

package challenge

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/tenant"
)

// Store keeps what authorize.Store does not: each method is one atomic effect.
type Store interface {
	// Advance replaces the request and the data of an interaction that is in the version named, and raises that. Of any
	// number of concurrent calls one succeeds; the others get authorize.ErrConflict. One that is unknown, or has expired
	// at now, is authorize.ErrNotFound.
	Advance(ctx context.Context, t tenant.ID, now time.Time, i authorize.Interaction) error
}

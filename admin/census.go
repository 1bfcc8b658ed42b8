package admin

import (
	"context"
	"time"
)

// Objects is how much is kept, of all tenants.
type Objects struct {
	Interactions   int64 // authorization requests that wait
	Sessions       int64
	Clients        int64
	Authorizations int64 // what subjects allowed clients
}

// Census counts what is kept. It reads all of it, which takes as long as there is much.
type Census interface {
	CountObjects(ctx context.Context, now time.Time) (Objects, error)
}

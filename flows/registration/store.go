package registration

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// What a Store says.
var (
	ErrNotFound = errors.New("registration: no such client")
	ErrExists   = errors.New("registration: the client id is taken")
	ErrConflict = errors.New("registration: the client changed in the meantime")
	ErrFull     = errors.New("registration: the tenant has as many clients as it may")
)

// Store keeps clients. Each method is one atomic effect, and tells every instance of the change.
type Store interface {
	// CreateClient records a new client and gives it its Number; ErrExists, or ErrFull when the tenant has most already.
	CreateClient(ctx context.Context, t tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error)
	// UpdateClient replaces a client that was last changed at read; ErrNotFound, or ErrConflict when it was changed since.
	UpdateClient(ctx context.Context, t tenant.ID, c tenant.Client, read time.Time, ev audit.Event) error
	// DeleteClient removes a client with its grants and remembered consent, and enters revoked into the journal. ErrNotFound.
	DeleteClient(ctx context.Context, t tenant.ID, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) error
	// Clients lists clients by id after that one, at most n.
	Clients(ctx context.Context, t tenant.ID, after string, n int) ([]tenant.Client, error)
}

// IsConflict reports whether err says that a client was changed in the meantime.
func IsConflict(err error) bool { return errors.Is(err, ErrConflict) }

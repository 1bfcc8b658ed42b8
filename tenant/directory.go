package tenant

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

// Record is a tenant as it is stored: a snapshot without its live lookups.
type Record struct {
	ID        ID
	ServiceID int64
	Version   int64
	Issuer    string
	Aliases   []string // further issuers
	Enabled   bool
	Settings  Settings
	Keys      []keys.Key
	Secret    keys.Secret
	Tokens    []APIToken
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt time.Time // zero: it was not
	PurgeAt   time.Time // when it is removed for good, once it was deleted
}

// Name is one way to name a tenant; exactly one member is set.
type Name struct {
	ID        string // Tenant-ID header, or the label of a path issuer
	Issuer    string // Issuer header, or the issuer that a host stands for; compared as bytes
	ServiceID string // decimal number
}

// Change says that something of a tenant is no longer as a snapshot may have it.
type Change struct {
	Seq        int64 // unique; a commit may make a lower one visible after a higher one
	Tenant     ID
	ClientID   string      // that client only, when set
	Revocation *Revocation // entered into the journal, when set; else the whole snapshot
	At         time.Time
}

// Directory is what a Resolver reads. It is the only reader that is not scoped to one tenant.
type Directory interface {
	// Find returns the id of the enabled tenant that n names, or ErrUnknown.
	Find(ctx context.Context, n Name) (ID, error)
	// Snapshot returns the enabled tenant of that id with its revocations that live at now, or ErrUnknown.
	Snapshot(ctx context.Context, id ID, now time.Time) (*Record, []Revocation, error)
	// Client returns a tenant's client, or ErrNoClient.
	Client(ctx context.Context, t ID, clientID string) (*Client, error)
	// Changes returns what changed since that time by the database's clock, in any order, at most once each,
	// and the database's clock. The caller overlaps its calls, as a change may commit late.
	Changes(ctx context.Context, since time.Time) (cs []Change, clock time.Time, err error)
	// Listen calls wake whenever a change may have happened, until ctx ends. It returns at once with nil
	// where the engine cannot tell; the caller polls in any case. After an error the caller must assume
	// that it missed changes.
	Listen(ctx context.Context, wake func()) error
}

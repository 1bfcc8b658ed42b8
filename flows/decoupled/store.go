package decoupled

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// What a Store says.
var (
	ErrNotFound = errors.New("decoupled: no such authentication")          // unknown, over, redeemed, another client's
	ErrConflict = errors.New("decoupled: the authentication has moved on") // it is not in the state that the call needs
	ErrDisabled = errors.New("decoupled: the subject's account is disabled")
	ErrOver     = errors.New("decoupled: the grant that must stand does not")
)

// Settlement is the whole effect of a subject's answer. Exactly one of Grant and Refusal is set.
type Settlement struct {
	ID      string
	Grant   *grant.Grant // of the same id, with the state of a code that ends with the authentication
	Refusal *Refusal
	Owed    []outbox.Message // to the client
	Event   audit.Event
	Session string // id of the session that it is answered in, which must be there; empty: in none
	Touch   bool   // the session is used now

	AccessToken *grant.AccessToken // of Grant, where that is redeemed at once, and an opaque one was minted

	Joining     grant.Joining // of Grant, to the agreement that its client manages
	TokensUntil time.Time     // from here no access token of what is replaced is alive
}

// Polled is what a poll finds.
type Polled struct {
	State   State
	TooSoon bool // it came before the interval had passed, which is longer from now on
	Refusal *Refusal
	EndsAt  time.Time
}

// Store keeps authentications. Each method is one atomic effect.
type Store interface {
	// BeginAuthentication records a new authentication.
	BeginAuthentication(ctx context.Context, t tenant.ID, a Authentication) error
	// Authentication returns the authentication of that id if it has not ended at now, or ErrNotFound.
	Authentication(ctx context.Context, t tenant.ID, now time.Time, id string) (*Authentication, error)
	// Authentications lists those that wait for that subject at now, at most n: the newest of each client, the newest of them
	// first, then the second of each client, and so on.
	Authentications(ctx context.Context, t tenant.ID, now time.Time, subject string, n int) ([]Authentication, error)
	// Acknowledge lets an authentication wait for its subject until endsAt, with that interval between polls. Of any
	// number of concurrent calls one succeeds; the others get ErrConflict, or ErrNotFound once it is gone.
	Acknowledge(ctx context.Context, t tenant.ID, now time.Time, id string, interval time.Duration, endsAt time.Time) error
	// Settle records the answer of the subject of an authentication that waits for it, and the grant that comes of it. Of
	// any number of concurrent calls one succeeds; the others get ErrConflict, or ErrNotFound once it is gone. A grant
	// for a subject whose account is disabled is ErrDisabled, one that joins a grant which does not stand at now ErrOver, and an
	// answer in a session that is not there session.ErrNotFound. What it replaces is revoked, and entered into the journal.
	Settle(ctx context.Context, t tenant.ID, now time.Time, s Settlement) error
	// DropAuthentication removes an authentication in whatever state. One that is not there changes nothing and is no
	// error.
	DropAuthentication(ctx context.Context, t tenant.ID, id string, ev audit.Event) error
	// Poll notes that the client asks for the outcome and returns what there is: also of one that has ended at now, for a
	// while. Where it waits for its subject, a poll less than its interval after the one before, by more than leeway, is
	// TooSoon, and makes the interval longer by raise. One that is unknown, another client's or not yet acknowledged is
	// ErrNotFound.
	Poll(ctx context.Context, t tenant.ID, now time.Time, id, clientID string, leeway, raise time.Duration) (*Polled, error)
	// RedeemAuthentication removes a granted authentication and records what was minted for its grant, which then ends
	// at r.ExpiresAt. Of any number of concurrent calls one succeeds; the others get ErrNotFound, and so do those for a
	// grant that is revoked, or whose subject's account is disabled.
	RedeemAuthentication(ctx context.Context, t tenant.ID, now time.Time, r grant.Redemption) error
}

package grant

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// What a Store says.
var (
	ErrNotFound = errors.New("grant: not found")         // unknown, expired or revoked
	ErrReplayed = errors.New("grant: used once already") // and what it paid for has been revoked
)

// Redemption is the whole effect of redeeming a code.
type Redemption struct {
	Grant       string // id
	CodeHash    []byte
	Refresh     *RefreshState // recorded with it, if a refresh token was minted
	AccessToken *AccessToken  // recorded with it, if an opaque one was minted
	ExpiresAt   time.Time     // new end of the grant
}

// Rotation is the whole effect of redeeming a refresh token.
type Rotation struct {
	Grant       string
	Presented   int64        // the generation that was presented
	Next        RefreshState // Generation is Presented, or Presented+1 when the token rotates; the line ends when it did before
	AccessToken *AccessToken // recorded with it, if an opaque one was minted
}

// Derivation is the whole effect of tokens that come of something else than a grant was agreed with: of another token, of an
// assertion or of a password.
type Derivation struct {
	From        string       // id of the grant that they come of, and die with; empty: none
	Subject     string       // whose account, where there is one, must not be disabled
	Grant       *Grant       // a new one; nil: they belong to From, or to none
	AccessToken *AccessToken // recorded, if an opaque one was minted
	Event       audit.Event
}

// Register keeps grants for those who look after them: administrators, and subjects after their own.
type Register interface {
	// ListGrants lists up to n grants of a subject that stand at now, after that id, in the order of their ids: to one
	// client, or where clientID is empty to any.
	ListGrants(ctx context.Context, t tenant.ID, now time.Time, sub, clientID, after string, n int) ([]Grant, error)
	// ListAuthorizations lists up to n of what subjects allowed clients, in the order of subject, client and actor: those of
	// a subject, to a client, by an actor, each where it is not empty.
	ListAuthorizations(ctx context.Context, t tenant.ID, sub, clientID, actor string, n int) ([]Authorization, error)
	// CountAuthorizations counts them, and their subjects and clients.
	CountAuthorizations(ctx context.Context, t tenant.ID, sub, clientID, actor string) (Counts, error)
	// ListConsenting lists up to n subjects after that one that allowed clients something, in their order.
	ListConsenting(ctx context.Context, t tenant.ID, after string, n int) ([]string, error)
	// ListConsented lists up to n ids of clients after that one that were allowed something, in their order.
	ListConsented(ctx context.Context, t tenant.ID, after string, n int) ([]string, error)
	// PutAuthorization replaces what is on record for the subject, client and actor of a, but for when it began, or returns
	// ErrNotFound: what is not on record is not put there.
	PutAuthorization(ctx context.Context, t tenant.ID, a Authorization, ev audit.Event) error
	// Renounce forgets consent and revokes grants that began in the second of what.At or before, of what.Subject, to
	// what.ClientID, by what.Actor, each where it is not empty, and enters what into the journal. Where all are empty it
	// changes nothing. It returns how many authorizations were forgotten.
	Renounce(ctx context.Context, t tenant.ID, now time.Time, what tenant.Revocation, ev audit.Event) (int, error)
}

// Counts are numbers of authorizations, and of their subjects and clients.
type Counts struct{ Authorizations, Subjects, Clients int64 }

// Store keeps grants. Each method is one atomic effect.
type Store interface {
	// Grant returns the grant of that id in whatever state, or ErrNotFound.
	Grant(ctx context.Context, t tenant.ID, id string) (*Grant, error)
	// RedeemCode marks the code redeemed and records what was minted for it (RFC 6749 §4.1.2). Of any number of
	// concurrent calls one succeeds; the others get ErrReplayed, and the same call has revoked the grant and
	// entered revoked into the journal. A code that is unknown, or expired at now, is ErrNotFound.
	RedeemCode(ctx context.Context, t tenant.ID, now time.Time, r Redemption, revoked tenant.Revocation, ev audit.Event) error
	// RotateRefresh records the use of a refresh token. It succeeds for the newest generation, and changes
	// nothing but what it mints for the one before it within grace of the rotation (retry reports true: the
	// caller hands out the same successor). An older generation, or the one before outside the grace, is
	// ErrReplayed, and the same call has revoked the grant and entered revoked into the journal. A grant that
	// is unknown, revoked or expired, also for lack of use, is ErrNotFound.
	RotateRefresh(ctx context.Context, t tenant.ID, now time.Time, r Rotation, grace time.Duration, revoked tenant.Revocation, ev audit.Event) (retry bool, err error)
	// PutAccessToken records an opaque access token that belongs to no grant.
	PutAccessToken(ctx context.Context, t tenant.ID, a AccessToken) error
	// AccessToken returns the opaque access token of that hash if it lives at now and its grant, if it has one,
	// stands, else ErrNotFound.
	AccessToken(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*AccessToken, error)
	// PutGrant records a grant that needs no code, with its tokens.
	PutGrant(ctx context.Context, t tenant.ID, g Grant, a *AccessToken, ev audit.Event) error
	// Derive records what d says. Where From does not stand at now, or the account of Subject is disabled, it is
	// ErrNotFound, and where there is an access token of that hash ErrTaken; then nothing is recorded.
	Derive(ctx context.Context, t tenant.ID, now time.Time, d Derivation) error
	// RevokeGrant revokes a grant and all that hangs on it, and enters revoked into the journal. Revoking one that
	// is not there, or is revoked already, changes nothing and is no error.
	RevokeGrant(ctx context.Context, t tenant.ID, id string, now time.Time, revoked tenant.Revocation, ev audit.Event) error
	// RevokeToken withdraws one access token: the opaque one of that hash, if hash is set, and in any case enters
	// revoked into the journal.
	RevokeToken(ctx context.Context, t tenant.ID, hash []byte, now time.Time, revoked tenant.Revocation, ev audit.Event) error
	// Withdraw forgets a subject's consent and revokes all of its grants, for one client or, where clientID is
	// empty, for all, and where sub is empty every subject's for that client, and enters revoked into the journal. Where
	// both are empty it changes nothing. It returns how many authorizations were forgotten.
	Withdraw(ctx context.Context, t tenant.ID, sub, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (int, error)
	// Authorizations lists a subject's remembered consent.
	Authorizations(ctx context.Context, t tenant.ID, sub string) ([]Authorization, error)
}

// Package authorize is the life of an authorization request: begun, its subject logged in, consent given or
// refused, completed with a response.
package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Step is what an interaction waits for.
type Step string

// The steps of an interaction.
const (
	StepLogin   Step = "login"
	StepConsent Step = "consent"
)

// Interaction is an authorization request in flight. The handle that reaches it is 256 random bits, of which
// only the hash is stored.
type Interaction struct {
	Hash      []byte // SHA-256 of the handle
	Step      Step
	Request   *request.Request
	SessionID string          // subject session it is bound to, if any
	Answered  bool            // the subject authenticated in answer to this request
	Binding   []byte          // SHA-256 of the browser's cookie, where the interaction belongs to our own pages
	Data      json.RawMessage // object a login UI keeps with it; may be nil
	Version   int64           // raised by every change; whoever changes it names the one it read
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Subject is all that is known of who may be asking: a session, the account of its subject, and what that
// subject allowed the client before.
type Subject struct {
	Session       *session.Session     // nil: none
	Disabled      bool                 // the subject has an account, and it is disabled
	Authorization *grant.Authorization // nil: none
}

// LoginEffect is what a successful authentication changes.
type LoginEffect struct {
	Interaction Interaction      // with its new step and session; Version as it was read
	Session     *session.Session // inserted, or where it is there already, all but CreatedAt and Clients replaced; nil: unchanged
	Ended       string           // id of the session it replaces, if any: it is ended and its grants are revoked
	TokensUntil time.Time        // from here no access token of the ended session's grants is alive
	KeepNewest  int              // sessions of the subject beyond this many are ended, the oldest first; zero: none
	Event       audit.Event
}

// FinishEffect is what the end of an interaction changes.
type FinishEffect struct {
	Hash          []byte // of the interaction; empty: it was never stored
	Version       int64
	Kept          *Interaction         // what stays of it, with another request and data, or is recorded where it was never stored; nil: nothing
	Pushed        []byte               // hash of the request_uri that the request was pushed under, which is used up; nil: it was not pushed
	Authorization *grant.Authorization // remembered, merged with what is on record; nil: not
	Grant         *grant.Grant         // with its code, or what was minted at once; nil: the request was refused
	AccessToken   *grant.AccessToken   // recorded with it, if an opaque one was minted at once
	Granted       bool                 // the scope of Grant is entered into the ledger (grant.Ledger)
	AtOnce        bool                 // Grant has a code, and tokens were minted at once beside it
	Session       *session.Session     // written as in LoginEffect; nil: unchanged
	Touch         bool                 // raise UsedAt of the grant's session to now, where Session is nil
	Ended         string               // as in LoginEffect
	TokensUntil   time.Time
	KeepNewest    int
	KeepAlike     int    // sessions of the subject in the context of Session beyond this many are ended before that, the oldest first; zero: none
	ClientID      string // added to Clients of the grant's session, where it is missing; empty: not
	FirstUse      string // id of a client that is used, for the first time perhaps: from now on it stays; empty: of none
	Stands        string // id of a grant that must stand; empty: of none
	Replaces      string // id of an agreement (grant.Managed) whose grants are revoked until TokensUntil, as Grant takes their place; empty: of none
	Events        []audit.Event
}

// What a Store says.
var (
	ErrNotFound = errors.New("authorize: no such interaction") // unknown, expired, finished
	ErrConflict = errors.New("authorize: the interaction has moved on")
)

// Store keeps interactions. Each method is one atomic effect.
type Store interface {
	// Subject returns, in one statement, the session of sessionID (nil if there is none), whether the account of its
	// subject is disabled, and what that subject allowed clientID before.
	Subject(ctx context.Context, t tenant.ID, sessionID, clientID string) (Subject, error)
	// SubjectOf does the same for a subject that has no session yet.
	SubjectOf(ctx context.Context, t tenant.ID, sub, clientID string) (Subject, error)
	// Begin records a new interaction; touch, when set, is a session whose UsedAt is to be raised. A pushed request, which
	// now lives as long as the interaction, may have been used up meanwhile: then it is ErrNotFound.
	Begin(ctx context.Context, t tenant.ID, i Interaction, touch *session.Session) error
	// Load returns the interaction of that hash that has not expired at now, or ErrNotFound.
	Load(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*Interaction, error)
	// Login moves an interaction on and writes the session. Of any number of concurrent calls one succeeds; the others
	// get ErrConflict, or ErrNotFound once it is gone. It returns the revocations that ending a session made.
	Login(ctx context.Context, t tenant.ID, now time.Time, e LoginEffect) ([]tenant.Revocation, error)
	// PutData replaces the interaction's data, or ErrNotFound. It does not raise the version.
	PutData(ctx context.Context, t tenant.ID, now time.Time, hash []byte, data json.RawMessage) error
	// Finish removes the interaction, or replaces request and data of what stays, and writes all it came to. Of any number of concurrent calls one succeeds; the
	// others get ErrNotFound, or ErrConflict when it has moved on. Of any number of interactions that began with one pushed
	// request one succeeds, and the others get ErrNotFound. A grant without a code, or with tokens at once,
	// that hangs on a session which is not there any more is ErrNotFound, or ErrConflict where the interaction is.
	Finish(ctx context.Context, t tenant.ID, now time.Time, e FinishEffect) ([]tenant.Revocation, error)
}

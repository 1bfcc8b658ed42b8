package grant

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// What Records say.
var (
	ErrTaken = errors.New("grant: there is such a token already")
	ErrMoved = errors.New("grant: the grant was changed meanwhile")
)

// Record is what lives of one agreement: a grant with the newest of its access tokens that are stored, or an access token
// that belongs to no grant.
type Record struct {
	Grant *Grant       // nil: Token belongs to none
	Token *AccessToken // nil: its access tokens are JWTs alone, or over
}

// Whose says which records are listed: those of a subject, to a client, each where it is not empty.
type Whose struct{ Subject, ClientID string }

// Amendment is the whole effect of changing a grant and one of its access tokens, or an access token without a grant.
type Amendment struct {
	Grant    *Grant             // as it shall be, but for its Revision, which is that of when it was read; nil: there is none
	Replaced []byte             // hash of the stored access token that Token takes the place of; nil: it was a JWT
	Token    *AccessToken       // nil: none is changed
	Rescoped bool               // every stored access token of Grant has the scope of its terms from now on
	Revoked  *tenant.Revocation // of what was said before and is no longer so; nil: all of it still is
	Event    audit.Event
}

// Batch is what became of tokens that were asked for at once, under an id of its own. Code and Description say why it
// failed; empty: it did not.
type Batch struct {
	ID                string
	Tokens            int
	Code, Description string
	CreatedAt         time.Time
	ExpiresAt         time.Time // of this record
}

// Records keep tokens for a backend that looks after them by itself.
type Records interface {
	// ListRecords lists what lives at now, by the time that it was made, but for the first start of it, at most n, and tells
	// how much there is. A grant whose code was not redeemed is not among it.
	ListRecords(ctx context.Context, t tenant.ID, now time.Time, w Whose, start, n int) (rs []Record, total int, err error)
	// NewestToken returns the newest of the stored access tokens of a grant that live at now, or ErrNotFound.
	NewestToken(ctx context.Context, t tenant.ID, now time.Time, grantID string) (*AccessToken, error)
	// Amend records a change. Where the grant was changed meanwhile it is ErrMoved, and where it or the token that is
	// replaced is over at now ErrNotFound; then nothing has changed. Of any number of concurrent calls with the same
	// Revision one succeeds, and so of those that replace the same token by one of another value.
	Amend(ctx context.Context, t tenant.ID, now time.Time, a Amendment) error
	// DeriveAll records all of ds and b, or nothing: ErrNotFound, where the account of a Subject is disabled, and ErrTaken,
	// where there is an access token of that hash.
	DeriveAll(ctx context.Context, t tenant.ID, now time.Time, b Batch, ds []Derivation) error
	// Batch returns the batch of that id that has not expired at now, or ErrNotFound.
	Batch(ctx context.Context, t tenant.ID, now time.Time, id string) (*Batch, error)
}

// ClientID is the id of the client that r is of.
func (r *Record) ClientID() string {
	if r.Grant != nil {
		return r.Grant.ClientID
	}
	return r.Token.ClientID
}

package account

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Limiter counts guesses. A key is what is guessed at, a source whence the guess came.
type Limiter interface {
	// Blocked reports whether that guess is refused just now, and for how long.
	Blocked(ctx context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool)
	// Fail notes a wrong guess.
	Fail(ctx context.Context, t tenant.ID, what, key, source string)
	// Succeed notes a right one.
	Succeed(ctx context.Context, t tenant.ID, what, key, source string)
}

// Rehasher replaces a password hash that was made with weaker parameters than ours.
type Rehasher interface {
	// ReplaceHash replaces the password hash of an account where it still is old, and changes nothing else.
	// Finding another hash, or no account, is no error.
	ReplaceHash(ctx context.Context, t tenant.ID, sub, old, hash string) error
}

// Recorder writes down what changed nothing.
type Recorder interface {
	Record(ctx context.Context, t tenant.ID, ev audit.Event) error
}

// Service keeps a tenant's accounts and checks their passwords.
type Service struct {
	Store  Store
	Now    func() time.Time
	Rand   io.Reader
	Hasher *Hasher
	Limit  Limiter  // nil: guesses are not limited
	Rehash Rehasher // nil: weaker hashes stay as they are
	Events Recorder // nil: failed sign-ins are not recorded

	Factors Factors
	Sent    Allower                                                       // nil: any number of codes is sent
	Deliver func(ctx context.Context, t *tenant.Tenant, d Delivery) error // sends a code; nil: nobody does

	guessing sync.Mutex
}

// guessed is the name of passwords at the Limiter.
const guessed = "password"

// ErrDenied is the one answer to an unknown user name, a wrong password and a disabled account.
var ErrDenied = oauth.AccessDenied("The user name or the password is wrong")

// Verify returns the enabled account of username when password is its password. An unknown user name, a wrong
// password, an account without one and a disabled account take the same time and are ErrDenied alike. Too many
// wrong ones for the account or from source are slow_down with a Wait. A store that fails, or more callers
// than can be served soon, is temporarily_unavailable.
func (s *Service) Verify(ctx context.Context, t *tenant.Tenant, username, password, source string) (*Account, error) {
	folded := Fold(username[:min(len(username), 4*maxUsername)]) // of a longer one, no more than shows it is too long
	key := folded[:min(len(folded), maxUsername)]
	if err := s.blocked(ctx, t, key, source); err != nil {
		return nil, err // before the queue, so that guessers do not fill it
	}
	a, err := s.named(ctx, t, username, folded)
	if err != nil {
		return nil, err
	}
	given := norm.NFC.String(password[:min(len(password), 4*maxBytes)])
	known := a != nil && !a.Disabled && a.PasswordHash != "" && len(given) <= maxBytes && len(password) <= 4*maxBytes
	stored := decoy
	if known {
		stored = a.PasswordHash
	}
	err = s.Hasher.turn(ctx, t.ID, func() error {
		if err := s.blocked(ctx, t, key, source); err != nil {
			return err // again, as others may have guessed while this one waited
		}
		if right := matches(stored, given); !right || !known {
			s.fail(ctx, t, key, source)
			return ErrDenied
		}
		return nil
	})
	if err == ErrDenied {
		err = s.denied(ctx, t, a, source)
	}
	if err != nil {
		return nil, err
	}
	if s.Limit != nil {
		s.Limit.Succeed(ctx, t.ID, guessed, key, source)
	}
	s.strengthen(ctx, t, a, given)
	return a, nil
}

// named returns the account of that user name, or nil.
func (s *Service) named(ctx context.Context, t *tenant.Tenant, username, folded string) (*Account, error) {
	if len(username) > 4*maxUsername || !usable(folded) {
		return nil, nil
	}
	a, err := s.Store.AccountByName(ctx, t.ID, folded)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	return a, nil
}

func (s *Service) blocked(ctx context.Context, t *tenant.Tenant, key, source string) error {
	if s.Limit == nil {
		return nil
	}
	if wait, blocked := s.Limit.Blocked(ctx, t.ID, guessed, key, source); blocked {
		return oauth.SlowDown("Too many failed attempts, try again later").Because(oauth.Wait(wait))
	}
	return nil
}

func (s *Service) fail(ctx context.Context, t *tenant.Tenant, key, source string) {
	if s.Limit != nil {
		s.Limit.Fail(ctx, t.ID, guessed, key, source)
	}
}

// denied records a failed sign-in and returns ErrDenied. What was typed as the user name is not recorded: it may be a
// password.
func (s *Service) denied(ctx context.Context, t *tenant.Tenant, a *Account, source string) error {
	if s.Events == nil {
		return ErrDenied
	}
	ev := audit.Event{At: s.now(), Kind: audit.LoginFailed, Address: source}
	if a != nil {
		ev.Subject = a.Subject
	}
	if err := s.Events.Record(ctx, t.ID, ev); err != nil {
		return oauth.Unavailable().Because(err)
	}
	return ErrDenied
}

// strengthen hashes a password anew that was just found right, where its hash is weaker than ours. The sign-in
// does not fail for want of it.
func (s *Service) strengthen(ctx context.Context, t *tenant.Tenant, a *Account, password string) {
	if s.Rehash == nil || !NeedsRehash(a.PasswordHash) {
		return
	}
	hash, err := s.Hasher.Hash(ctx, t.ID, password)
	if err != nil {
		return
	}
	if s.Rehash.ReplaceHash(ctx, t.ID, a.Subject, a.PasswordHash, hash) == nil {
		a.PasswordHash = hash
	}
}

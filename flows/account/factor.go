package account

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Factors keeps what an account has beside its password, and the codes that were sent to subjects.
type Factors interface {
	// TOTP returns the TOTP of an account, confirmed or not, or ErrNotFound.
	TOTP(ctx context.Context, t tenant.ID, sub string) (*TOTP, error)
	// EnrolTOTP records one that is not confirmed, in place of another that is not. ErrNotFound where there is no such
	// account, ErrExists where it has one that is confirmed.
	EnrolTOTP(ctx context.Context, t tenant.ID, sub string, f TOTP, ev audit.Event) error
	// ConfirmTOTP confirms the one enrolled at that time, notes that the code of step was used, and records recovery codes.
	// Of any number of concurrent calls one succeeds; ErrConflict where it is not there, or confirmed already.
	ConfirmTOTP(ctx context.Context, t tenant.ID, sub string, enrolled, now time.Time, step int64, recovery [][]byte, ev audit.Event) error
	// UseTOTP notes that the code of step was used, for the confirmed one enrolled at that time. Of any number of concurrent
	// calls one succeeds; ErrReplayed where a code of that step or a newer one was used.
	UseTOTP(ctx context.Context, t tenant.ID, sub string, enrolled time.Time, step int64) error
	// UseRecoveryCode uses a recovery code up. Of any number of concurrent calls one succeeds; ErrReplayed where there is no
	// such code any more.
	UseRecoveryCode(ctx context.Context, t tenant.ID, sub string, hash []byte, ev audit.Event) error
	// RemoveTOTP removes the TOTP of an account with its recovery codes, or ErrNotFound.
	RemoveTOTP(ctx context.Context, t tenant.ID, sub string, ev audit.Event) error

	// PutCode records a code that is sent, in place of the one before it in the same exchange.
	PutCode(ctx context.Context, t tenant.ID, c OneTimeCode) error
	// TryCode counts an attempt at the code of an exchange with a subject, and uses it up where hash is its hash: of any
	// number of concurrent calls one is right. ErrReplayed where it was used, has expired at now, was tried that often
	// already, or is not there.
	TryCode(ctx context.Context, t tenant.ID, exchange []byte, sub string, hash []byte, now time.Time, most int) (right bool, err error)
}

// ErrReplayed: a code that may be used once was used, or is not there.
var ErrReplayed = errors.New("account: the code was used")

// ErrCode is the one answer to a code that is wrong, was used or has expired, and for an account that has none.
var ErrCode = oauth.AccessDenied("The code is wrong, or was used before")

// Names at the Limiter of codes that stand beside a password.
const (
	guessedCode         = "otp"
	guessedCodeByClient = "otp of client"
)

// Guesser is who presents a code.
type Guesser struct {
	ClientID string // empty: a page of ours
	Address  string
}

// closed is slow_down with a Wait where too many codes were wrong: for the account, from the address, or by the client.
func (s *Service) closed(ctx context.Context, t *tenant.Tenant, sub string, g Guesser) error {
	if s.Limit == nil {
		return nil
	}
	wait, blocked := s.Limit.Blocked(ctx, t.ID, guessedCode, sub, g.Address)
	if g.ClientID != "" && !blocked {
		wait, blocked = s.Limit.Blocked(ctx, t.ID, guessedCodeByClient, g.ClientID, "")
	}
	if blocked {
		return oauth.SlowDown("Too many wrong codes, try again later").Because(oauth.Wait(wait))
	}
	return nil
}

func (s *Service) wrong(ctx context.Context, t *tenant.Tenant, sub string, g Guesser) {
	if s.Limit == nil {
		return
	}
	s.Limit.Fail(ctx, t.ID, guessedCode, sub, g.Address)
	if g.ClientID != "" {
		s.Limit.Fail(ctx, t.ID, guessedCodeByClient, g.ClientID, "")
	}
}

// refused records a wrong code of that kind and returns ErrCode.
func (s *Service) refused(ctx context.Context, t *tenant.Tenant, sub, factor string, g Guesser) error {
	if s.Events == nil {
		return ErrCode
	}
	ev := audit.Event{At: s.now(), Kind: audit.LoginFailed, Subject: sub, ClientID: g.ClientID, Address: g.Address, Detail: map[string]string{"factor": factor}}
	if err := s.Events.Record(ctx, t.ID, ev); err != nil {
		return oauth.Unavailable().Because(err)
	}
	return ErrCode
}

func (s *Service) right(ctx context.Context, t *tenant.Tenant, sub string, g Guesser) {
	if s.Limit != nil {
		s.Limit.Succeed(ctx, t.ID, guessedCode, sub, g.Address)
	}
}

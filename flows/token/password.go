package token

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Passwords are where passwords are checked, and accounts looked for.
type Passwords interface {
	// Verify returns the enabled account of username when password is its password, else account.ErrDenied.
	Verify(ctx context.Context, t *tenant.Tenant, username, password, source string) (*account.Account, error)
	// CheckTOTP returns nil where code is one of the subject's TOTP, or a recovery code, else account.ErrCode.
	CheckTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, g account.Guesser) error
	// Find returns the account whose subject or user name is hint, disabled or not, or nil.
	Find(ctx context.Context, t *tenant.Tenant, hint string) (*account.Account, error)
}

// Guesses limit guessing at what we do not check ourselves.
type Guesses interface {
	Blocked(ctx context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool)
	Fail(ctx context.Context, t tenant.ID, what, key, source string)
	Succeed(ctx context.Context, t tenant.ID, what, key, source string)
}

// errPassword is the one answer to an unknown user, a wrong password and a disabled account.
var errPassword = oauth.InvalidGrant("the user name or the password is wrong")

// What the password of a user with a second factor comes to.
var (
	errNoOTP = oauth.InvalidGrant("the account has a second factor: otp is missing")
	errOTP   = oauth.InvalidGrant("otp is wrong, or was used before")
)

// longestName is the longest user name that is passed on, in bytes, and longestPassword the longest password.
const (
	longestName     = 1024
	longestPassword = 4096
)

// redeemPassword issues tokens for a user name and password that the client collected (RFC 6749 §4.3).
func (s *Service) redeemPassword(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	name, password := r.get("username"), r.get("password")
	if len(name) > longestName || len(password) > longestPassword {
		return grant.Tokens{}, errPassword
	}
	scope, err := wishes(r)
	if err != nil {
		return grant.Tokens{}, err
	}
	aud, err := targets(t, r)
	if err != nil {
		return grant.Tokens{}, err
	}
	details, err := r.ownDetails(t)
	if err != nil {
		return grant.Tokens{}, err
	}
	p := &Petition{Hook: tenant.HookPassword, Scope: scope, Audience: aud, Details: details, Refresh: r.Client.MayGrant(oauth.RefreshToken), IDToken: true,
		Login: grant.Login{AuthTime: s.Now().Unix(), AMR: []string{"pwd"}}, facts: map[string]any{"username": name, "password": password}}
	if t.Settings.Hook(p.Hook) != nil && !r.asksBackend(t, p.Hook) {
		return s.guessed(ctx, t, r, name, func() (grant.Tokens, error) { return s.decide(ctx, t, r, p, nil) })
	}
	return s.decide(ctx, t, r, p, func() error {
		a, err := s.Passwords.Verify(ctx, t, name, password, r.Address)
		if errors.Is(err, account.ErrDenied) {
			return errPassword.Because(err)
		}
		if err != nil {
			return err
		}
		p.Subject = a.Subject
		if a.HasTOTP {
			if err := s.second(ctx, t, r, a.Subject); err != nil {
				return err
			}
			p.Login.AMR = []string{tenant.AMRPassword, tenant.AMROTP}
		}
		p.Login.ACR = t.Settings.ReachedACR(p.Login.AMR, nil)
		return nil
	})
}

// second checks the code of a user who has a second factor: the parameter otp must bring it with the password.
func (s *Service) second(ctx context.Context, t *tenant.Tenant, r *Request, sub string) error {
	code := r.get("otp")
	if code == "" {
		return errNoOTP
	}
	err := s.Passwords.CheckTOTP(ctx, t, sub, code, account.Guesser{ClientID: r.Client.ID, Address: r.Address})
	if errors.Is(err, account.ErrCode) {
		return errOTP.Because(err)
	}
	return err
}

// guessed limits guesses at the password of that user, which others check, as we limit those that we check.
func (s *Service) guessed(ctx context.Context, t *tenant.Tenant, r *Request, name string, try func() (grant.Tokens, error)) (grant.Tokens, error) {
	const what = "password"
	key := account.Fold(strings.ToValidUTF8(name, ""))
	if wait, blocked := s.Guesses.Blocked(ctx, t.ID, what, key, r.Address); blocked {
		return grant.Tokens{}, oauth.SlowDown("Too many failed attempts, try again later").Because(oauth.Wait(wait))
	}
	out, err := try()
	switch {
	case err == nil:
		s.Guesses.Succeed(ctx, t.ID, what, key, r.Address)
	case errors.Is(err, oauth.InvalidGrant("")), errors.Is(err, oauth.AccessDenied("")):
		s.Guesses.Fail(ctx, t.ID, what, key, r.Address)
	}
	return out, err
}

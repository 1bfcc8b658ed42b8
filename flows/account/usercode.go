package account

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// The lengths of a user code (CIBA Core §7.1), in characters after NFC.
const (
	minUserCode = 4
	maxUserCode = 64
)

// guessedUserCode is the name of user codes at the Limiter.
const guessedUserCode = "user_code of login_hint"

// ErrUserCode is the one answer to a user code that is wrong, for an account that has none, and for no account at all.
var ErrUserCode = oauth.InvalidUserCode("user_code is wrong")

// SetUserCode gives an account a new user code, or takes it away where it is empty. One that breaks a rule is
// invalid_request, no account not_found.
func (s *Service) SetUserCode(ctx context.Context, t *tenant.Tenant, sub, code string, by By) error {
	a, err := s.account(ctx, t, sub)
	if err != nil {
		return err
	}
	a.UserCodeHash = ""
	if code != "" {
		code = norm.NFC.String(code[:min(len(code), 4*maxBytes)])
		if n := utf8.RuneCountInString(code); !utf8.ValidString(code) || n < minUserCode || n > maxUserCode || strings.ContainsFunc(code, unicode.IsControl) {
			return fault("/user_code", oauth.InvalidRequest("The user code must have 4 to 64 characters"))
		}
		if a.UserCodeHash, err = s.Hasher.Hash(ctx, t.ID, code); err != nil {
			return err
		}
	}
	return s.replace(ctx, t, &a, by, "user_code")
}

// CheckUserCode returns nil where code is the user code of a, which is nil where nobody was found by hint. Else it is
// ErrUserCode after the same time, or slow_down with a Wait after too many wrong ones for the account, or from the client.
func (s *Service) CheckUserCode(ctx context.Context, t *tenant.Tenant, a *Account, hint, code, clientID string) error {
	key, stored := "hint "+hint, decoy
	known := a != nil && !a.Disabled
	if a != nil {
		key = "sub " + a.Subject
	}
	if known = known && a.UserCodeHash != ""; known {
		stored = a.UserCodeHash
	}
	given := norm.NFC.String(code[:min(len(code), 4*maxBytes)])
	return s.Hasher.turn(ctx, t.ID, func() error {
		if s.Limit != nil {
			if wait, blocked := s.Limit.Blocked(ctx, t.ID, guessedUserCode, key, clientID); blocked {
				return oauth.SlowDown("Too many wrong user codes, try again later").Because(oauth.Wait(wait))
			}
		}
		right := matches(stored, given)
		switch {
		case s.Limit == nil:
		case right && known:
			s.Limit.Succeed(ctx, t.ID, guessedUserCode, key, clientID)
		default:
			s.Limit.Fail(ctx, t.ID, guessedUserCode, key, clientID)
		}
		if !right || !known {
			return ErrUserCode
		}
		return nil
	})
}

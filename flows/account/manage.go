package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// By is who makes a change, for the record.
type By struct {
	Actor   string      // id of an API token or administrator; empty: the subject itself
	Address string      // of the caller
	Once    *audit.Once // idempotency key of the change; nil: it has none
}

// New is an account to be created. At most one of Password and PasswordHash is set; with neither, the account cannot
// sign in with a password.
type New struct {
	Username     string
	Password     string
	PasswordHash string // imported: one of schemes
	Claims       map[string]json.RawMessage
	By           By
}

// Change is what to change of an account; what is nil stays.
type Change struct {
	Username *string
	Claims   map[string]json.RawMessage // replaces all of them
}

// errTaken words ErrExists.
var errTaken = oauth.InvalidRequest("The user name is taken").Because(ErrExists)

// Create records a new account with a random subject. What breaks a rule for user names, passwords or claims is *Faults with
// all of it; so is a user name that is taken, which also is ErrExists.
func (s *Service) Create(ctx context.Context, t *tenant.Tenant, n New) (Account, error) {
	now := s.now()
	a := Account{Claims: n.Claims, CreatedAt: now, UpdatedAt: now}
	var err error
	var wrong Faults
	if a.Username, err = username(n.Username); err != nil {
		wrong.with("/username", err)
	}
	if err := checkClaims(n.Claims); err != nil {
		wrong.with("", err)
		wrong.Fields = append(wrong.Fields[:len(wrong.Fields)-1], claimFaults(n.Claims)...)
	}
	if member, err := checkCredential(n.Username, n.Password, n.PasswordHash); err != nil {
		wrong.with(member, err)
	}
	if err := wrong.orNil(); err != nil {
		return Account{}, err
	}
	if a.PasswordHash, err = s.credential(ctx, t, n.Username, n.Password, n.PasswordHash); err != nil {
		return Account{}, err
	}
	if a.Subject, err = s.subject(); err != nil {
		return Account{}, err
	}
	if err := s.Store.CreateAccount(ctx, t.ID, a, s.event(audit.UserCreated, a.Subject, n.By, "created")); err != nil {
		if err = worded(err); errors.Is(err, ErrExists) {
			err = fault("/username", err)
		}
		return Account{}, err
	}
	return a, nil
}

// Update changes a user name or claims, by the rules of Create. No account of that subject is not_found.
func (s *Service) Update(ctx context.Context, t *tenant.Tenant, sub string, c Change, by By) (Account, error) {
	a, err := s.account(ctx, t, sub)
	if err != nil {
		return Account{}, err
	}
	if c.Username != nil {
		if a.Username, err = username(*c.Username); err != nil {
			return Account{}, fault("/username", err)
		}
	}
	if c.Claims != nil {
		if err := checkClaims(c.Claims); err != nil {
			return Account{}, &Faults{Fields: claimFaults(c.Claims), why: err}
		}
		a.Claims = c.Claims
	}
	err = s.replace(ctx, t, &a, by, "updated")
	if errors.Is(err, ErrExists) {
		err = fault("/username", err)
	}
	return a, err
}

// SetPassword gives an account a new password, by the rules of Create, or takes it away where it is empty. Whoever
// calls it for the subject itself has made sure that the subject authenticated anew.
func (s *Service) SetPassword(ctx context.Context, t *tenant.Tenant, sub, password string, by By) error {
	a, err := s.account(ctx, t, sub)
	if err != nil {
		return err
	}
	if a.PasswordHash, err = s.credential(ctx, t, a.Username, password, ""); err != nil {
		return fault("/password", err)
	}
	return s.replace(ctx, t, &a, by, "password")
}

// Disable disables an account, ends its sessions and revokes its grants. No access token of the subject that was
// issued up to now is honoured any more; the longest-lived of them ends after tokensLife. No account is not_found.
func (s *Service) Disable(ctx context.Context, t *tenant.Tenant, sub string, tokensLife time.Duration, by By) error {
	if !possible(sub) {
		return worded(ErrNotFound)
	}
	r := s.revocation(sub, tokensLife)
	err := s.Store.DisableAccount(ctx, t.ID, sub, r.At, &r, s.event(audit.UserUpdated, sub, by, "disabled"))
	return s.revoked(t, r, err)
}

// Enable lets a disabled account sign in again; what was revoked stays revoked. No account is not_found.
func (s *Service) Enable(ctx context.Context, t *tenant.Tenant, sub string, by By) error {
	if !possible(sub) {
		return worded(ErrNotFound)
	}
	err := s.Store.DisableAccount(ctx, t.ID, sub, s.now(), nil, s.event(audit.UserUpdated, sub, by, "enabled"))
	return worded(err)
}

// Delete does what Disable does and removes the account and its consent. No account is not_found.
func (s *Service) Delete(ctx context.Context, t *tenant.Tenant, sub string, tokensLife time.Duration, by By) error {
	if !possible(sub) {
		return worded(ErrNotFound)
	}
	r := s.revocation(sub, tokensLife)
	err := s.Store.DeleteAccount(ctx, t.ID, sub, r.At, r, s.event(audit.UserDeleted, sub, by, "deleted"))
	return s.revoked(t, r, err)
}

// Get returns the account of that subject, disabled or not. No account is not_found.
func (s *Service) Get(ctx context.Context, t *tenant.Tenant, sub string) (Account, error) {
	return s.account(ctx, t, sub)
}

// List returns accounts by subject after that one, at most n.
func (s *Service) List(ctx context.Context, t *tenant.Tenant, after string, n int) ([]Account, error) {
	as, err := s.Store.Accounts(ctx, t.ID, after, n)
	return as, worded(err)
}

// username returns a new user name as it is kept: its normal form, without white space around.
func username(name string) (string, error) {
	if folded := Fold(name); !usable(folded) || len(name) > maxUsername {
		return "", oauth.InvalidRequest("The user name is empty, too long or holds characters that are not allowed")
	}
	return strings.TrimSpace(norm.NFC.String(name)), nil
}

// checkCredential returns what is wrong with a new password, or an imported hash, and with which of the two.
func checkCredential(username, password, imported string) (member string, err error) {
	switch {
	case password != "" && imported != "":
		return "/password_hash", errBoth
	case imported != "":
		if _, err := parseHash(imported); err != nil {
			return "/password_hash", errImported.Because(err)
		}
	case password != "":
		_, err = acceptable(password, username)
	}
	return "/password", err
}

var (
	errBoth     = oauth.InvalidRequest("There is both a password and a password hash")
	errImported = oauth.InvalidRequest("The password hash is not one that can be imported")
)

// credential returns the hash to keep for a new password, or an imported one, or none.
func (s *Service) credential(ctx context.Context, t *tenant.Tenant, username, password, imported string) (string, error) {
	if _, err := checkCredential(username, password, imported); err != nil || imported != "" || password == "" {
		return imported, err
	}
	p, err := acceptable(password, username)
	if err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, t.ID, p)
}

// possible reports whether sub can name an account at all: OIDC Core §2 allows 255 ASCII characters.
func possible(sub string) bool {
	return sub != "" && len(sub) <= 255 && !strings.ContainsFunc(sub, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// subject returns 128 random bits in base64url: 22 characters, a form that no client id has.
func (s *Service) subject() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func (s *Service) account(ctx context.Context, t *tenant.Tenant, sub string) (Account, error) {
	if !possible(sub) {
		return Account{}, worded(ErrNotFound)
	}
	a, err := s.Store.Account(ctx, t.ID, sub)
	if err != nil {
		return Account{}, worded(err)
	}
	return *a, nil
}

func (s *Service) replace(ctx context.Context, t *tenant.Tenant, a *Account, by By, what string) error {
	read := a.UpdatedAt
	if a.UpdatedAt = s.now(); !a.UpdatedAt.After(read) {
		a.UpdatedAt = read.Add(time.Microsecond) // it is the mark by which a concurrent change is noticed
	}
	return worded(s.Store.UpdateAccount(ctx, t.ID, *a, read, s.event(audit.UserUpdated, a.Subject, by, what)))
}

func (s *Service) revocation(sub string, tokensLife time.Duration) tenant.Revocation {
	now := s.now()
	return tenant.Revocation{Subject: sub, At: now, ExpiresAt: now.Add(tokensLife)}
}

// revoked enters r into this instance's journal at once; the others learn of it from the store.
func (s *Service) revoked(t *tenant.Tenant, r tenant.Revocation, err error) error {
	if err != nil {
		return worded(err)
	}
	t.Revoked.Add(r)
	return nil
}

func (s *Service) event(k audit.Kind, sub string, by By, what string) audit.Event {
	return audit.Event{At: s.now(), Kind: k, Actor: by.Actor, Subject: sub, Address: by.Address, Once: by.Once,
		Detail: map[string]string{"change": what}}
}

// now is the time in the precision of the stores.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// worded turns what a store says into what a caller is told.
func worded(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return oauth.NotFound("There is no such account").Because(err)
	case errors.Is(err, ErrExists):
		return errTaken
	case errors.Is(err, ErrConflict):
		return oauth.InvalidRequest("The account was changed in the meantime, read it again").Because(err)
	}
	return oauth.Unavailable().Because(err)
}

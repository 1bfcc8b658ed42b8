// Package account is where a subject's claims and credentials come from: the tenant's own table.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Account is one subject that a tenant keeps with us. A subject need not have one.
type Account struct {
	Subject      string
	Username     string                     // unique in the tenant after Fold
	PasswordHash string                     // PHC string; empty: cannot sign in with a password
	UserCodeHash string                     // likewise, of the code that clients must know to ask for it (CIBA Core §7.1); empty: it has none
	Claims       map[string]json.RawMessage // OIDC Core §5.1, with language tags (§5.2)
	Disabled     bool
	HasTOTP      bool // it was confirmed; known of an account that was read by itself
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// What a Store says.
var (
	ErrNotFound = errors.New("account: no such account")
	ErrExists   = errors.New("account: the subject or user name is taken")
	ErrConflict = errors.New("account: changed in the meantime")
)

// Store keeps accounts.
type Store interface {
	// Account returns the account of that subject, disabled or not, or ErrNotFound.
	Account(ctx context.Context, t tenant.ID, sub string) (*Account, error)
	// AccountByName returns the account of that folded user name, or ErrNotFound.
	AccountByName(ctx context.Context, t tenant.ID, folded string) (*Account, error)
	// Accounts lists accounts by subject after that one, at most n.
	Accounts(ctx context.Context, t tenant.ID, after string, n int) ([]Account, error)
	// CreateAccount records a new account, or ErrExists.
	CreateAccount(ctx context.Context, t tenant.ID, a Account, ev audit.Event) error
	// ImportAccounts records new accounts, created at now, all of them or none. ErrExists when one of them is there, or two
	// have one user name.
	ImportAccounts(ctx context.Context, t tenant.ID, now time.Time, as []Account, ev audit.Event) error
	// TakenNames returns those of some folded user names that accounts have, in order.
	TakenNames(ctx context.Context, t tenant.ID, folded []string) ([]string, error)
	// UpdateAccount replaces user name, password and user code hash and claims of an account that was last changed at read, or
	// ErrNotFound, ErrExists, or ErrConflict when it was changed since.
	UpdateAccount(ctx context.Context, t tenant.ID, a Account, read time.Time, ev audit.Event) error
	// DisableAccount disables an account, ends its sessions, revokes its grants and enters revoked into the
	// journal; or enables it again, when revoked is nil. ErrNotFound.
	DisableAccount(ctx context.Context, t tenant.ID, sub string, now time.Time, revoked *tenant.Revocation, ev audit.Event) error
	// DeleteAccount does the same as disabling and removes the account and its consent. ErrNotFound.
	DeleteAccount(ctx context.Context, t tenant.ID, sub string, now time.Time, revoked tenant.Revocation, ev audit.Event) error
}

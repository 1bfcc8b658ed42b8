package admin

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func (b By) account() account.By {
	return account.By{Actor: b.Actor, Address: b.Address, Once: b.Once}
}

// NewUser is a user to be created.
type NewUser struct {
	Username     string
	Password     string
	PasswordHash string // imported
	Claims       map[string]json.RawMessage
}

// Users lists users of a tenant by subject after that one, at most n.
func (c *Console) Users(ctx context.Context, id tenant.ID, after string, n int) ([]account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return nil, err
	}
	return c.Accounts.List(ctx, t, after, n)
}

// User returns a user of a tenant.
func (c *Console) User(ctx context.Context, id tenant.ID, sub string) (account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return account.Account{}, err
	}
	return c.Accounts.Get(ctx, t, sub)
}

// UserNamed returns the user of a tenant that has that user name, or nil.
func (c *Console) UserNamed(ctx context.Context, id tenant.ID, name string) (*account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return nil, err
	}
	return c.Accounts.Named(ctx, t, name)
}

// SetUserCode sets the code that clients must send to ask for a user by backchannel authentication, or with none takes it
// away.
func (c *Console) SetUserCode(ctx context.Context, id tenant.ID, sub, code string, by By) error {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return err
	}
	return c.Accounts.SetUserCode(ctx, t, sub, code, by.account())
}

// CreateUser records a user.
func (c *Console) CreateUser(ctx context.Context, id tenant.ID, n NewUser, by By) (account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return account.Account{}, err
	}
	return c.Accounts.Create(ctx, t, account.New{Username: n.Username, Password: n.Password, PasswordHash: n.PasswordHash, Claims: n.Claims, By: by.account()})
}

// ImportUsers records users that were kept elsewhere, all or none. What is wrong with any of them is named in an *Invalid.
func (c *Console) ImportUsers(ctx context.Context, id tenant.ID, ns []account.Imported, by By) ([]account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return nil, err
	}
	as, err := c.Accounts.Import(ctx, t, ns, by.account())
	if e, ok := errors.AsType[*account.Faults](err); ok {
		return nil, &Invalid{e.Fields}
	}
	return as, err
}

// CheckUsers returns all that is wrong with users to be imported that could be read in part only: misread, and what else
// ImportUsers would find in what was read. It records nothing.
func (c *Console) CheckUsers(ctx context.Context, id tenant.ID, ns []account.Imported, misread []tenant.FieldError) error {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return err
	}
	err = c.Accounts.CheckImport(ctx, t, ns)
	e, ok := errors.AsType[*account.Faults](err)
	if err != nil && !ok {
		return err
	}
	all := slices.Clone(misread)
	if ok {
		for _, f := range e.Fields {
			if !slices.ContainsFunc(misread, func(m tenant.FieldError) bool {
				return m.Pointer == f.Pointer || strings.HasPrefix(f.Pointer, m.Pointer+"/")
			}) {
				all = append(all, f)
			}
		}
	}
	return &Invalid{all}
}

// ChangeUser changes name or claims of a user, and then whether it is disabled; what is nil stays. A user that is
// disabled loses its sessions and grants.
func (c *Console) ChangeUser(ctx context.Context, id tenant.ID, sub string, ch account.Change, disabled *bool, by By) (account.Account, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return account.Account{}, err
	}
	a, err := c.Accounts.Get(ctx, t, sub)
	if err == nil && (ch.Username != nil || ch.Claims != nil) {
		a, err = c.Accounts.Update(ctx, t, sub, ch, by.account())
	}
	switch {
	case err != nil:
		return account.Account{}, err
	case disabled == nil || *disabled == a.Disabled:
		return a, nil
	case *disabled && id == tenant.Platform:
		err = c.putOut(ctx, t, sub, false, by)
	case *disabled:
		err = c.Accounts.Disable(ctx, t, sub, t.Settings.LongestAccessToken(), by.account())
	default:
		err = c.Accounts.Enable(ctx, t, sub, by.account())
	}
	if err != nil {
		return account.Account{}, err
	}
	return c.Accounts.Get(ctx, t, sub)
}

// SetUserPassword gives a user a new password, or takes it away where it is empty.
func (c *Console) SetUserPassword(ctx context.Context, id tenant.ID, sub, password string, by By) error {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return err
	}
	if password == "" && id == tenant.Platform {
		if err := c.keeps(ctx, sub, by); err != nil {
			return err
		}
	}
	return c.Accounts.SetPassword(ctx, t, sub, password, by.account())
}

// DeleteUser removes a user with its sessions, grants and consent.
func (c *Console) DeleteUser(ctx context.Context, id tenant.ID, sub string, by By) error {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return err
	}
	if id == tenant.Platform {
		return c.putOut(ctx, t, sub, true, by)
	}
	return c.Accounts.Delete(ctx, t, sub, t.Settings.LongestAccessToken(), by.account())
}

// PasswordLink returns the address of the page of ours where whoever has it sets the password of a user, once, until it ends.
// Any change of the user ends it too.
func (c *Console) PasswordLink(ctx context.Context, id tenant.ID, sub string, by By) (string, time.Time, error) {
	t, err := c.live(ctx, id, users)
	if err != nil {
		return "", time.Time{}, err
	}
	if t.Settings.LoginURL != "" {
		return "", time.Time{}, oauth.InvalidRequest("The tenant has login pages of its own")
	}
	token, ends, err := c.Accounts.Link(ctx, t, sub)
	if err != nil {
		return "", ends, err
	}
	ev := c.event(audit.UserUpdated, by, "change", "password link")
	ev.Subject = sub
	if err := c.Access.Record(ctx, id, ev); err != nil {
		return "", ends, worded(err)
	}
	return t.Issuer + c.PasswordPage + token, ends, nil
}

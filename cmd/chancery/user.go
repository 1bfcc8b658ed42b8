package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/tenant"
)

// userCommands administer the users that a tenant keeps with us.
type userCommands struct {
	Create      userCreate      `cmd:"" help:"Create a user. The password is asked for, or read from the standard input."`
	Import      userImport      `cmd:"" help:"Import users with the hashes of their passwords, all of them or none."`
	List        userList        `cmd:"" help:"List users."`
	Show        userShow        `cmd:"" help:"Show a user with all claims."`
	SetPassword userSetPassword `cmd:"" help:"Give a user a new password, asked for or read from the standard input."`
	SetUserCode userSetUserCode `cmd:"" help:"Give a user the code that clients must send to ask for it by backchannel authentication, asked for or read from the standard input; or take it away."`
	Disable     userDisable     `cmd:"" help:"Disable a user: end all sessions and revoke all grants."`
	Enable      userEnable      `cmd:"" help:"Let a disabled user sign in again."`
	Delete      userDelete      `cmd:"" help:"Delete a user."`
}

// shownUser is a user in JSON.
type shownUser struct {
	Subject   string                     `json:"sub"`
	Username  string                     `json:"username"`
	Enabled   bool                       `json:"enabled"`
	Password  bool                       `json:"has_password"`
	UserCode  bool                       `json:"has_user_code"`
	Claims    map[string]json.RawMessage `json:"claims,omitempty"`
	CreatedAt time.Time                  `json:"created_at"`
	UpdatedAt time.Time                  `json:"updated_at"`
}

func shownUserOf(u account.Account) shownUser {
	return shownUser{u.Subject, u.Username, !u.Disabled, u.PasswordHash != "", u.UserCodeHash != "", u.Claims, u.CreatedAt, u.UpdatedAt}
}

func (o output) user(u account.Account) error {
	lines := []string{"subject", u.Subject, "user name", u.Username, "enabled", yesNo(!u.Disabled), "password", yesNo(u.PasswordHash != ""),
		"created", stamp(u.CreatedAt), "changed", stamp(u.UpdatedAt)}
	for _, name := range slices.Sorted(maps.Keys(u.Claims)) {
		lines = append(lines, name, string(u.Claims[name]))
	}
	return o.fields(shownUserOf(u), lines...)
}

type userCreate struct {
	Tenant     string   `arg:""`
	Username   string   `arg:""`
	Claim      []string `sep:"none" placeholder:"NAME=VALUE" help:"Claim about the user, such as email=alice@example.com; the value is JSON, or else a text."`
	NoPassword bool     `help:"The user cannot sign in with a password."`
	output
}

// Run creates the user.
func (c *userCreate) Run(ctx context.Context, conf *config) error {
	n := account.New{Username: c.Username, By: asOperator}
	var err error
	if n.Claims, err = claims(c.Claim); err != nil {
		return err
	}
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		if !c.NoPassword {
			if n.Password, err = password(); err != nil {
				return err
			}
		}
		u, err := a.accounts.Create(ctx, t, n)
		if err != nil {
			return err
		}
		return c.user(u)
	})
}

func claims(pairs []string) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--claim %q is not of the form name=value", p)
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			raw, _ = json.Marshal(value) // a text always can be
		}
		out[name] = raw
	}
	return out, nil
}

type userList struct {
	Tenant string `arg:""`
	output
}

// Run lists every user.
func (c *userList) Run(ctx context.Context, conf *config) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		all, rows := []shownUser{}, [][]string{}
		for after := ""; ; {
			page, err := a.accounts.List(ctx, t, after, 1000)
			if err != nil {
				return err
			}
			for _, u := range page {
				all = append(all, shownUserOf(u))
				rows = append(rows, []string{u.Subject, u.Username, yesNo(!u.Disabled), stamp(u.CreatedAt)})
				after = u.Subject
			}
			if len(page) == 0 {
				return c.table(all, []string{"SUBJECT", "USER NAME", "ENABLED", "CREATED"}, rows)
			}
		}
	})
}

// oneUser names a user of a tenant.
type oneUser struct {
	Tenant string `arg:""`
	User   string `arg:"" help:"User name or subject; after -- where it begins with a hyphen."`
	output
}

// find returns the user of that name or subject.
func (c *oneUser) find(ctx context.Context, a *app, t *tenant.Tenant) (account.Account, error) {
	u, err := a.db.AccountByName(ctx, t.ID, account.Fold(c.User))
	if err == nil {
		return *u, nil
	}
	if !errors.Is(err, account.ErrNotFound) {
		return account.Account{}, err
	}
	return a.accounts.Get(ctx, t, c.User)
}

// change finds the user, changes it, and answers with a sentence.
func (c *oneUser) change(ctx context.Context, conf *config, done string, f func(a *app, t *tenant.Tenant, sub string) error) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		u, err := c.find(ctx, a, t)
		if err != nil {
			return err
		}
		if err := f(a, t, u.Subject); err != nil {
			return err
		}
		return c.done(map[string]string{"sub": u.Subject, "username": u.Username}, "user "+u.Username+" "+done)
	})
}

type userShow struct{ oneUser }

// Run shows one user.
func (c *userShow) Run(ctx context.Context, conf *config) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		u, err := c.find(ctx, a, t)
		if err != nil {
			return err
		}
		return c.user(u)
	})
}

type userSetUserCode struct {
	oneUser
	None bool `help:"Take the code away."`
}

// Run sets the user code.
func (c *userSetUserCode) Run(ctx context.Context, conf *config) error {
	return c.change(ctx, conf, "has a new user code", func(a *app, t *tenant.Tenant, sub string) error {
		code := ""
		if !c.None {
			var err error
			if code, err = password(); err != nil {
				return err
			}
		}
		return a.accounts.SetUserCode(ctx, t, sub, code, asOperator)
	})
}

type userSetPassword struct{ oneUser }

// Run sets a password.
func (c *userSetPassword) Run(ctx context.Context, conf *config) error {
	return c.change(ctx, conf, "has a new password", func(a *app, t *tenant.Tenant, sub string) error {
		p, err := password()
		if err != nil {
			return err
		}
		return a.accounts.SetPassword(ctx, t, sub, p, asOperator)
	})
}

type userDisable struct{ oneUser }

// Run disables the user.
func (c *userDisable) Run(ctx context.Context, conf *config) error {
	return c.change(ctx, conf, "disabled", func(a *app, t *tenant.Tenant, sub string) error {
		return a.accounts.Disable(ctx, t, sub, t.Settings.LongestAccessToken(), asOperator)
	})
}

type userEnable struct{ oneUser }

// Run enables the user.
func (c *userEnable) Run(ctx context.Context, conf *config) error {
	return c.change(ctx, conf, "enabled", func(a *app, t *tenant.Tenant, sub string) error {
		return a.accounts.Enable(ctx, t, sub, asOperator)
	})
}

type userDelete struct {
	oneUser
	Yes bool `help:"Needed, as the user cannot be brought back."`
}

// Run deletes the user.
func (c *userDelete) Run(ctx context.Context, conf *config) error {
	if !c.Yes {
		return errYes
	}
	return c.change(ctx, conf, "deleted", func(a *app, t *tenant.Tenant, sub string) error {
		return a.accounts.Delete(ctx, t, sub, t.Settings.LongestAccessToken(), asOperator)
	})
}

package challenge

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Accounts are where Password checks passwords.
type Accounts interface {
	// Verify returns the enabled account of username when password is its password, else account.ErrDenied.
	Verify(ctx context.Context, t *tenant.Tenant, username, password, source string) (*account.Account, error)
	// Named returns the account of that user name, disabled or not, or nil.
	Named(ctx context.Context, t *tenant.Tenant, username string) (*account.Account, error)
}

// Password is the step that is built in: user name and password, in one call or one after the other.
type Password struct {
	Accounts Accounts
}

// Parameters of the step.
const (
	username = "username"
	password = "password"
)

// maxUsername is the longest user name accepted, in bytes.
const maxUsername = 1024

// Decide asks for what is missing, and checks the password.
func (p *Password) Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error) {
	name := cmp.Or(in.Params.Get(username), in.Attributes[username])
	switch {
	case strings.TrimSpace(name) == "":
		return Verdict{Outcome: Ask, Code: "username_required"}, nil
	case len(name) > maxUsername:
		return Verdict{}, oauth.InvalidRequest("username is too long")
	}
	ask := Verdict{Outcome: Ask, Code: "password_required"}
	if in.Session {
		ask.Keep = map[string]string{username: name}
	}
	if in.Params.Get(password) == "" {
		return ask, nil
	}
	a, err := p.Accounts.Verify(ctx, t, name, in.Params.Get(password), in.Address)
	if errors.Is(err, account.ErrDenied) {
		ask.Wrong = true
		ask.Code, err = p.why(ctx, t, name)
		return ask, err
	}
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{Outcome: Allow, Subject: a.Subject, AMR: []string{"pwd"}}, nil
}

// why is the code of a sign-in that failed: one for all, unless the tenant wants its users told apart.
func (p *Password) why(ctx context.Context, t *tenant.Tenant, name string) (string, error) {
	if t.Settings.Challenge.DistinguishUsers {
		a, err := p.Accounts.Named(ctx, t, name)
		switch {
		case err != nil:
			return "", err
		case a == nil:
			return "username_invalid", nil
		case a.Disabled:
			return "username_inactive", nil
		}
	}
	return "username_or_password_invalid", nil
}

package challenge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Accounts are where users are looked for, and what they present is checked. *account.Service is one.
type Accounts interface {
	// Verify returns the enabled account of username when password is its password, else account.ErrDenied.
	Verify(ctx context.Context, t *tenant.Tenant, username, password, source string) (*account.Account, error)
	// Named returns the account of that user name, disabled or not, or nil.
	Named(ctx context.Context, t *tenant.Tenant, username string) (*account.Account, error)
	// Get returns the account of that subject, disabled or not, or account.ErrNotFound.
	Get(ctx context.Context, t *tenant.Tenant, sub string) (account.Account, error)
	// CheckTOTP returns nil where code is one of the subject's TOTP, or a recovery code, else account.ErrCode.
	CheckTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, g account.Guesser) error
	// SendCode sends a code for one use in an exchange.
	SendCode(ctx context.Context, t *tenant.Tenant, in account.Sending) error
	// CheckCode returns nil where code is the one sent to the subject in that exchange, else account.ErrCode.
	CheckCode(ctx context.Context, t *tenant.Tenant, exchange []byte, sub, code string, g account.Guesser) error
}

// Password is the step that is built in: user name and password, and then a code where the user has a TOTP; in one call or
// one after the other. In a step-up it asks for what is missing, and for something in any case.
type Password struct {
	Accounts Accounts
}

// Parameters of the steps that are built in.
const (
	username = "username"
	password = "password"
	otp      = "otp"
)

// maxUsername is the longest user name accepted, in bytes.
const maxUsername = 1024

// Decide asks for what is missing, and checks the password and the code.
func (p *Password) Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error) {
	if in.Request.Prompt.Has(oauth.PromptCreate) { // an account is made elsewhere
		return Verdict{Outcome: Web}, nil
	}
	known := in.Proved
	if name := in.Params.Get(username); known != nil && !known.StepUp && name != "" && name != in.Attributes[username] {
		known = nil // somebody else begins
	}
	var a *account.Account
	if known != nil {
		found, err := p.Accounts.Get(ctx, t, known.Subject)
		switch {
		case err == nil:
			a = &found
		case !errors.Is(err, account.ErrNotFound):
			return Verdict{}, err
		}
	}
	if known == nil || a == nil || !slices.Contains(known.AMR, tenant.AMRPassword) || !a.HasTOTP && known.StepUp {
		v, signed, err := p.password(ctx, t, in, a)
		if err != nil || signed == nil {
			return v, err
		}
		a, known = signed, &Proved{Subject: signed.Subject, AMR: []string{tenant.AMRPassword}, StepUp: known != nil && known.StepUp && known.Subject == signed.Subject}
	}
	if a.HasTOTP {
		ask := Verdict{Outcome: Ask, Code: "otp_required", Proved: known, Keep: map[string]string{username: a.Username}}
		ask.Proved.AMR = []string{tenant.AMRPassword}
		code := in.Params.Get(otp)
		if code == "" {
			return ask, nil
		}
		err := p.Accounts.CheckTOTP(ctx, t, a.Subject, code, in.guesser())
		if errors.Is(err, account.ErrCode) {
			ask.Code, ask.Wrong = "otp_invalid", true
			return ask, nil
		}
		if err != nil {
			return Verdict{}, err
		}
		known.AMR = []string{tenant.AMRPassword, tenant.AMROTP}
	}
	return Verdict{Outcome: Allow, Subject: a.Subject, AMR: known.AMR,
		ACR: t.Settings.ReachedACR(known.AMR, slices.Concat(in.Request.EssentialACR, in.Request.ACRValues))}, nil
}

// guesser is who presents a code.
func (in *Input) guesser() account.Guesser {
	return account.Guesser{ClientID: in.Client.ID, Address: in.Address}
}

// password returns the account whose password was sent, or nil and what is to be sent. known is whose it must be, or nil.
func (p *Password) password(ctx context.Context, t *tenant.Tenant, in Input, known *account.Account) (Verdict, *account.Account, error) {
	name := cmp.Or(in.Params.Get(username), in.Attributes[username])
	if known != nil {
		name = known.Username
	}
	switch {
	case strings.TrimSpace(name) == "":
		return Verdict{Outcome: Ask, Code: "username_required"}, nil, nil
	case len(name) > maxUsername:
		return Verdict{}, nil, oauth.InvalidRequest("username is too long")
	}
	ask := Verdict{Outcome: Ask, Code: "password_required"}
	if in.Session {
		ask.Keep = map[string]string{username: name}
	}
	if in.Params.Get(password) == "" {
		return ask, nil, nil
	}
	a, err := p.Accounts.Verify(ctx, t, name, in.Params.Get(password), in.Address)
	if errors.Is(err, account.ErrDenied) {
		ask.Wrong = true
		ask.Code, err = p.why(ctx, t, name)
		return ask, nil, err
	}
	return Verdict{}, a, err
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

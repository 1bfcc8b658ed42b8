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

// OTP is the step of a user name and a code: of the user's TOTP, or else one that the tenant sends. It does not tell who is a
// user, but a tenant's hook takes its time to send.
type OTP struct {
	Accounts Accounts
}

// Decide sends a code where none came, and checks the one that came.
func (o *OTP) Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error) {
	name, a, err := o.user(ctx, t, in)
	switch {
	case err != nil:
		return Verdict{}, err
	case strings.TrimSpace(name) == "":
		return Verdict{Outcome: Ask, Code: "username_required"}, nil
	case len(name) > maxUsername:
		return Verdict{}, oauth.InvalidRequest("username is too long")
	}
	ask := Verdict{Outcome: Ask, Code: "otp_required", Keep: map[string]string{username: name}}
	code := in.Params.Get(otp)
	if code == "" {
		if a != nil && !a.HasTOTP {
			err = o.Accounts.SendCode(ctx, t, account.Sending{Exchange: in.Exchange, Subject: a.Subject, ClientID: in.Client.ID})
		}
		return ask, err
	}
	switch {
	case a == nil:
		err = o.Accounts.CheckTOTP(ctx, t, "name "+name, code, in.guesser()) // is counted, and never right
	case a.HasTOTP:
		err = o.Accounts.CheckTOTP(ctx, t, a.Subject, code, in.guesser())
	default:
		err = o.Accounts.CheckCode(ctx, t, in.Exchange, a.Subject, code, in.guesser())
	}
	if errors.Is(err, account.ErrCode) || err == nil && a == nil {
		ask.Code, ask.Wrong = "username_or_otp_invalid", true
		return ask, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{Outcome: Allow, Subject: a.Subject, AMR: []string{tenant.AMROTP}}, nil
}

// user returns who is to sign in: the user name, and the account if there is one that is enabled.
func (o *OTP) user(ctx context.Context, t *tenant.Tenant, in Input) (string, *account.Account, error) {
	if in.Proved != nil && in.Proved.StepUp {
		a, err := o.Accounts.Get(ctx, t, in.Proved.Subject)
		if err == nil && !a.Disabled {
			return a.Username, &a, nil
		}
		if err != nil && !errors.Is(err, account.ErrNotFound) {
			return "", nil, err
		}
	}
	name := cmp.Or(in.Params.Get(username), in.Attributes[username])
	if name == "" || len(name) > maxUsername {
		return name, nil, nil
	}
	a, err := o.Accounts.Named(ctx, t, name)
	if err != nil || a == nil || a.Disabled {
		return name, nil, err
	}
	return name, a, nil
}

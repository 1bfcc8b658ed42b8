package admin

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// errOwnerPassword is told where an owner of the platform would be left without a way to sign in.
var errOwnerPassword = oauth.InvalidRequest("An owner of the platform keeps a password: take the role away first").Because(ErrForbidden)

// putOut disables the account of a person of the platform, or removes it, unless nobody would be left who is an owner: of two
// such changes at once, whatever they are, one is made on what the other has left. Sessions and grants end, and access
// tokens with them.
func (c *Console) putOut(ctx context.Context, t *tenant.Tenant, sub string, remove bool, by By) error {
	if _, err := c.Accounts.Get(ctx, t, sub); err != nil {
		return err
	}
	kind, what := audit.UserUpdated, "disabled"
	if remove {
		kind, what = audit.UserDeleted, "deleted"
	}
	return c.changeAccess(ctx, tenant.Platform, func(a *AccessRecord, r *tenant.Record) error {
		last, err := c.lastOwner(ctx, a, r, Person(sub))
		if err != nil {
			return err
		}
		if last {
			return c.refused(ctx, errLastOwner, by, "principal", Person(sub), "tenant", string(tenant.Platform))
		}
		ev := c.event(kind, by, "change", what)
		ev.Subject = sub
		out := PutOut{Subject: sub, Remove: remove, Revoked: tenant.Revocation{Subject: sub, At: ev.At, ExpiresAt: ev.At.Add(t.Settings.LongestAccessToken())}}
		if err := c.Access.PutOut(ctx, tenant.Platform, a.Version, out, ev); err != nil {
			return err
		}
		t.Revoked.Add(out.Revoked)
		return nil
	})
}

// keeps refuses to leave an owner of the platform without a password.
func (c *Console) keeps(ctx context.Context, sub string, by By) error {
	a, err := c.access(ctx, tenant.Platform)
	if err != nil {
		return err
	}
	if slices.Contains(a.rolesOf(Person(sub)), Owner) {
		return c.refused(ctx, errOwnerPassword, by, "principal", Person(sub), "tenant", string(tenant.Platform))
	}
	return nil
}

// signsIn reports whether a person of the platform can sign in.
func (c *Console) signsIn(ctx context.Context, principal string) (bool, error) {
	sub, _ := strings.CutPrefix(principal, userPrefix)
	a, err := c.Accounts.Get(ctx, &tenant.Tenant{ID: tenant.Platform}, sub)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil
	}
	return err == nil && !a.Disabled && a.PasswordHash != "", err
}

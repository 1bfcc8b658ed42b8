package admin

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Caller is an administrator who has proved who they are: a principal of the platform, or of one tenant.
type Caller struct {
	Home      *tenant.Tenant // as it was resolved for this call
	Principal string
	// Resolve returns another tenant that is enabled, for people: they are the platform's, and may have roles at tenants.
	Resolve func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error)
}

// ErrForbidden is the cause of what is refused because its caller may not do it.
var ErrForbidden = errors.New("admin: the caller may not do this")

var (
	errForbidden = oauth.InsufficientScope("Your roles do not allow this").Because(ErrForbidden)
	errRoleless  = oauth.InsufficientScope("You have no role here: ask an owner to give you one").Because(ErrForbidden)
	errMore      = oauth.InsufficientScope("Nobody may grant, change or take away more than they hold").Because(ErrForbidden)
	errLastOwner = oauth.InvalidRequest("The last owner cannot be removed").Because(ErrForbidden)
)

// Check refuses what a caller may not do at a tenant, or with the empty id at no one tenant. To who is at home at one
// tenant any other is as one that does not exist. A refusal is recorded where the caller is at home.
func (c *Console) Check(ctx context.Context, id tenant.ID, p Permission, by By) error {
	err := c.may(ctx, id, p, by)
	if err == nil || by.Caller == nil {
		return err
	}
	return c.refused(ctx, err, by, "permission", string(p), "tenant", string(id))
}

// refused records a refusal, and returns why, or that it could not be recorded.
func (c *Console) refused(ctx context.Context, why error, by By, details ...string) error {
	if by.Caller == nil || !errors.Is(why, ErrForbidden) && !errors.Is(why, errNotHome) {
		return why
	}
	for i := 1; i < len(details); i += 2 {
		if details[i] = strings.ToValidUTF8(details[i], "?"); len(details[i]) > maxDetail {
			details[i] = details[i][:maxDetail]
		}
	}
	if err := c.Access.Record(context.WithoutCancel(ctx), by.Caller.Home.ID, c.event(audit.AdminRefused, By{Actor: by.Actor, Address: by.Address}, details...)); err != nil {
		return worded(err)
	}
	return why
}

// maxDetail is how much of what a caller sent stands in the record of a refusal, in bytes.
const maxDetail = 128

var errNotHome = errors.New("admin: a tenant that is not the caller's")

// errForeign says what errUnknown says.
var errForeign = errUnknown.Because(errors.Join(tenant.ErrUnknown, errNotHome))

func (c *Console) may(ctx context.Context, id tenant.ID, p Permission, by By) error {
	w := by.Caller
	if w == nil {
		return nil
	}
	in := OnTenant
	switch home := w.Home.ID; {
	case home == tenant.Platform && (id == "" || id == tenant.Platform):
		in = OnPlatform
	case home == tenant.Platform, id == home:
	case id == "":
		return errForbidden
	default:
		return errForeign
	}
	ok, err := c.Policy.Allows(ctx, w.Home, w.Principal, in, p)
	if err == nil && !ok && in == OnTenant && id != w.Home.ID && strings.HasPrefix(w.Principal, userPrefix) && w.Resolve != nil {
		t, found := w.Resolve(ctx, id)
		if found != nil {
			return errForbidden
		}
		ok, err = c.Policy.Allows(ctx, t, w.Principal, in, p)
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return c.unallowed(ctx, w)
	}
	return nil
}

// unallowed is the refusal of what no role of the caller allows. A person may have signed in and have none.
func (c *Console) unallowed(ctx context.Context, w *Caller) error {
	if !strings.HasPrefix(w.Principal, userPrefix) {
		return errForbidden
	}
	if none, err := c.Policy.Roleless(ctx, w.Home, w.Principal); err != nil || none {
		return cmp.Or(err, error(errRoleless))
	}
	return errForbidden
}

// covers refuses where the caller does not hold all of what is granted at a tenant.
func (c *Console) covers(ctx context.Context, id tenant.ID, granted map[Domain][]Permission, by By) error {
	for d, ps := range granted {
		target := id
		if id == tenant.Platform && d == OnTenant {
			target = anyTenant
		}
		for _, p := range ps {
			err := c.may(ctx, target, p, by)
			if errors.Is(err, ErrForbidden) {
				return errMore
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// anyTenant stands for every tenant but the platform; it is no tenant's id.
const anyTenant tenant.ID = "*"

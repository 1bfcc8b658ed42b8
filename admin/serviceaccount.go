package admin

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// maxAccounts is how many service accounts a tenant may have.
const maxAccounts = 200

var (
	errNoAccount    = oauth.NotFound("The tenant has no such service account")
	errManyAccounts = oauth.InvalidRequest("The tenant has as many service accounts as it may")
)

// NewServiceAccount is a service account to be created.
type NewServiceAccount struct {
	Name  string
	Roles []string
}

// ShownServiceAccount is a service account with its roles.
type ShownServiceAccount struct {
	ServiceAccount
	Roles []string
}

// ServiceAccounts lists the service accounts of a tenant, the oldest first.
func (c *Console) ServiceAccounts(ctx context.Context, id tenant.ID) ([]ShownServiceAccount, error) {
	a, err := c.access(ctx, id)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(a.Accounts, func(x, y ServiceAccount) int {
		if n := x.CreatedAt.Compare(y.CreatedAt); n != 0 {
			return n
		}
		return strings.Compare(x.ID, y.ID)
	})
	out := make([]ShownServiceAccount, len(a.Accounts))
	for i, s := range a.Accounts {
		out[i] = ShownServiceAccount{s, slices.Sorted(slices.Values(a.rolesOf(servicePrefix + s.ID)))}
	}
	return out, nil
}

// ServiceAccount returns one service account of a tenant.
func (c *Console) ServiceAccount(ctx context.Context, id tenant.ID, account string) (ShownServiceAccount, error) {
	all, err := c.ServiceAccounts(ctx, id)
	if err != nil {
		return ShownServiceAccount{}, err
	}
	for _, s := range all {
		if s.ID == account {
			return s, nil
		}
	}
	return ShownServiceAccount{}, errNoAccount
}

// CreateServiceAccount records a service account with its roles.
func (c *Console) CreateServiceAccount(ctx context.Context, id tenant.ID, n NewServiceAccount, by By) (ShownServiceAccount, error) {
	accountID, err := c.tokenID()
	if err != nil {
		return ShownServiceAccount{}, err
	}
	var s ServiceAccount
	err = c.changeAccess(ctx, id, func(a *AccessRecord, _ *tenant.Record) error {
		if len(a.Accounts) >= maxAccounts {
			return errManyAccounts
		}
		now := c.now()
		s = ServiceAccount{ID: accountID, Name: n.Name, CreatedAt: now, UpdatedAt: now}
		if err := checkAccountName(s.Name); err != nil {
			return err
		}
		if err := c.checkRoles(ctx, a, id, nil, n.Roles, by, servicePrefix+s.ID); err != nil {
			return err
		}
		return c.Access.PutServiceAccount(ctx, id, a.Version, s, n.Roles, c.event(audit.AccountCreated, by,
			"service_account", s.ID, "name", s.Name, "roles", strings.Join(n.Roles, " ")))
	})
	return ShownServiceAccount{s, slices.Compact(slices.Sorted(slices.Values(n.Roles)))}, err
}

func checkAccountName(name string) error {
	if name == "" || !printable(name) || len(name) > maxLabel {
		return invalid("/name", "must be 1 to 128 printable characters")
	}
	return nil
}

// UpdateServiceAccount changes the name of a service account, or disables it; what is nil stays. The tokens of one that
// is disabled open nothing.
func (c *Console) UpdateServiceAccount(ctx context.Context, id tenant.ID, account string, name *string, disabled *bool, by By) (ShownServiceAccount, error) {
	err := c.changeAccess(ctx, id, func(a *AccessRecord, r *tenant.Record) error {
		s := a.account(account)
		if s == nil {
			return errNoAccount
		}
		if err := c.covers(ctx, id, a.held(id, a.rolesOf(servicePrefix+account)), by); err != nil {
			return c.refused(ctx, err, by, "principal", servicePrefix+account, "tenant", string(id))
		}
		next, details := *s, []string{"service_account", s.ID}
		if name != nil {
			if err := checkAccountName(*name); err != nil {
				return err
			}
			next.Name, details = *name, append(details, "name", *name)
		}
		if disabled != nil {
			next.Disabled, details = *disabled, append(details, "disabled", strconv.FormatBool(*disabled))
		}
		last, err := c.lastOwner(ctx, a, r, servicePrefix+account)
		if err != nil {
			return err
		}
		if next.Disabled && !s.Disabled && last {
			return c.refused(ctx, errLastOwner, by, "principal", servicePrefix+account, "tenant", string(id))
		}
		ev := c.event(audit.AccountUpdated, by, details...)
		next.UpdatedAt = ev.At
		return c.Access.PutServiceAccount(ctx, id, a.Version, next, nil, ev)
	})
	if err != nil {
		return ShownServiceAccount{}, err
	}
	return c.ServiceAccount(ctx, id, account)
}

// DeleteServiceAccount removes a service account with its tokens and roles.
func (c *Console) DeleteServiceAccount(ctx context.Context, id tenant.ID, account string, by By) error {
	return c.changeAccess(ctx, id, func(a *AccessRecord, r *tenant.Record) error {
		if a.account(account) == nil {
			return errNoAccount
		}
		principal := servicePrefix + account
		if err := c.covers(ctx, id, a.held(id, a.rolesOf(principal)), by); err != nil {
			return c.refused(ctx, err, by, "principal", principal, "tenant", string(id))
		}
		last, err := c.lastOwner(ctx, a, r, principal)
		if err != nil {
			return err
		}
		if last {
			return c.refused(ctx, errLastOwner, by, "principal", principal, "tenant", string(id))
		}
		return c.Access.DeleteServiceAccount(ctx, id, a.Version, account, c.event(audit.AccountDeleted, by, "service_account", account))
	})
}

func itoa(i int) string { return strconv.Itoa(i) }

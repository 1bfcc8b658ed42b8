package admin

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/tenant"
)

// TryTenant returns what CreateTenant would say of n, as far as it can be known, and records nothing. Whether an issuer is an
// alias of another tenant it does not look at.
func (c *Console) TryTenant(ctx context.Context, n New) error {
	r, _, err := c.newTenant(n)
	if err != nil {
		return err
	}
	switch _, err := c.Store.Tenant(ctx, r.ID); {
	case err == nil:
		return errTaken
	case !errors.Is(err, tenant.ErrUnknown):
		return worded(err)
	}
	for after := tenant.ID(""); ; {
		const n = 100
		rs, err := c.Store.FindTenants(ctx, TenantFilter{Query: r.Issuer}, after, n)
		if err != nil {
			return worded(err)
		}
		for _, other := range rs {
			if other.Issuer == r.Issuer {
				return errTaken
			}
		}
		if len(rs) < n {
			return nil
		}
		after = rs[n-1].ID
	}
}

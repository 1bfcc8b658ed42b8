package admin

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// Tenant returns the tenant of that id, enabled or not, with its keys and secret: they are not for callers to see.
func (c *Console) Tenant(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	return c.record(ctx, id)
}

// TenantFilter says which tenants are listed. The zero value is all.
type TenantFilter struct {
	Query   string // is part of the id, the issuer or the name, in any case
	Enabled *bool
	Deleted bool // those that are deleted and can be restored, instead of those that are not
}

// FindTenants lists tenants but the platform that the filter lets through, without keys, secret and tokens, by id after
// that one, at most n.
func (c *Console) FindTenants(ctx context.Context, f TenantFilter, after tenant.ID, n int) ([]tenant.Record, error) {
	rs, err := c.Store.FindTenants(ctx, f, after, n)
	return rs, worded(err)
}

// Tenants lists tenants but the platform, without keys, secret and tokens, by id after that one, at most n.
func (c *Console) Tenants(ctx context.Context, after tenant.ID, n int) ([]tenant.Record, error) {
	rs, err := c.Store.Tenants(ctx, after, n+1)
	if err != nil {
		return nil, worded(err)
	}
	kept := rs[:0]
	for _, r := range rs {
		if r.ID != tenant.Platform {
			kept = append(kept, r)
		}
	}
	return kept[:min(n, len(kept))], nil
}

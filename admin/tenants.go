package admin

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// Tenant returns the tenant of that id, enabled or not, with its keys and secret: they are not for callers to see.
func (c *Console) Tenant(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	return c.record(ctx, id)
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

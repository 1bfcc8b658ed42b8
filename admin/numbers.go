package admin

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// Numbers lists tenants by their numbers, for APIs that count them.
type Numbers interface {
	// NumberedTenants lists tenants but the platform, without keys, secret and tokens, by number, but for the first start
	// of them, at most n, and tells how many there are.
	NumberedTenants(ctx context.Context, start, n int) (rs []tenant.Record, total int, err error)
}

// NumberedTenants is that of Numbers.
func (c *Console) NumberedTenants(ctx context.Context, start, n int) ([]tenant.Record, int, error) {
	rs, total, err := c.Numbers.NumberedTenants(ctx, start, n)
	return rs, total, worded(err)
}

package admin

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Events lists what happened at a tenant, newest first, before that time (zero: all), at most n.
func (c *Console) Events(ctx context.Context, id tenant.ID, before time.Time, n int) ([]audit.Event, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	es, err := c.Store.Events(ctx, id, before, n)
	return es, worded(err)
}

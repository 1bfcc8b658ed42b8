package admin

import (
	"context"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// DeleteTenant removes a tenant and everything it has. A new tenant may take its id; it inherits nothing. The platform
// cannot be deleted.
func (c *Console) DeleteTenant(ctx context.Context, id tenant.ID, by By) error {
	if id == tenant.Platform {
		return oauth.InvalidRequest("The platform cannot be deleted")
	}
	if _, err := tenant.ParseID(string(id)); err != nil {
		return errUnknown
	}
	if err := c.Store.DeleteTenant(ctx, id, c.event(audit.TenantDeleted, by, "tenant", string(id))); err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

package admin

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// DeleteTenant deletes a tenant: at once it is unknown to everybody. For Grace it can be restored, unless a
// new tenant takes its id; then it is removed with everything it has. Without a Grace that is at once. The platform cannot be deleted.
func (c *Console) DeleteTenant(ctx context.Context, id tenant.ID, by By) error {
	if c.Grace <= 0 {
		return c.RemoveTenant(ctx, id, by)
	}
	if err := deletable(id); err != nil {
		return err
	}
	now := c.now()
	end := now.Add(c.Grace).Truncate(time.Microsecond)
	err := c.Store.MarkDeleted(ctx, id, now, end, c.event(audit.TenantDeleted, by, "tenant", string(id), "until", end.Format(time.RFC3339)))
	if err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

// RemoveTenant removes a tenant and everything it has, deleted before or not. A new tenant may take its id; it inherits
// nothing. The platform cannot be removed.
func (c *Console) RemoveTenant(ctx context.Context, id tenant.ID, by By) error {
	if err := deletable(id); err != nil {
		return err
	}
	if err := c.Store.DeleteTenant(ctx, id, c.event(audit.TenantDeleted, by, "tenant", string(id))); err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

// RestoreTenant brings a deleted tenant back as it was, enabled if it was, and returns it. A tenant that is not deleted,
// or was for too long, is as one that does not exist.
func (c *Console) RestoreTenant(ctx context.Context, id tenant.ID, by By) (*tenant.Record, error) {
	if err := deletable(id); err != nil {
		return nil, err
	}
	err := c.Store.RestoreTenant(ctx, id, c.now(), c.event(audit.TenantRestored, by, "tenant", string(id)))
	if errors.Is(err, tenant.ErrUnknown) {
		return nil, errNotDeleted
	}
	if err != nil {
		return nil, worded(err)
	}
	c.changed(ctx)
	return c.record(ctx, id)
}

var errNotDeleted = oauth.NotFound("There is no such deleted tenant").Because(tenant.ErrUnknown)

// deletable refuses what cannot be a tenant to delete.
func deletable(id tenant.ID) error {
	if id == tenant.Platform {
		return oauth.InvalidRequest("The platform cannot be deleted")
	}
	if _, err := tenant.ParseID(string(id)); err != nil {
		return errUnknown
	}
	return nil
}

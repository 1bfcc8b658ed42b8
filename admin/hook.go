package admin

import (
	"context"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// HookSecret returns a hook of a tenant with the secret that its calls are signed with.
func (c *Console) HookSecret(ctx context.Context, id tenant.ID, name string) (tenant.Hook, string, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return tenant.Hook{}, "", err
	}
	h := r.Settings.Hook(name)
	if h == nil {
		return tenant.Hook{}, "", oauth.NotFound("The tenant has no such hook")
	}
	return *h, script.Secret(tenant.HookKey(r.Secret, name, h.Secret)), nil
}

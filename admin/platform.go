package admin

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// minAdminToken is the least length of a platform token that the operator chooses, in bytes.
const minAdminToken = 32

// EnsurePlatform makes the platform tenant where it is missing, with token as the first that opens the administration,
// and reports whether it did. With no token it makes the tenant alone: whoever reaches the database makes a token with
// the command line. Of several instances that start at once, one makes it.
func (c *Console) EnsurePlatform(ctx context.Context, token string) (bool, error) {
	_, err := c.Store.Tenant(ctx, tenant.Platform)
	if err == nil || !errors.Is(err, tenant.ErrUnknown) {
		return false, worded(err)
	}
	if token != "" && len(token) < minAdminToken {
		return false, oauth.InvalidRequest("The first platform token has less than 32 characters")
	}
	r, err := c.blank(tenant.Platform, c.defaultIssuer(tenant.Platform), tenant.Settings{Name: "Platform", Device: tenant.DeviceSettings{Enabled: true}}, nil) // for terminals without a browser
	if err != nil {
		return false, err
	}
	if token != "" {
		h := sha256.Sum256([]byte(token))
		k, _, err := c.newToken(tenant.Platform, NewToken{Label: firstLabel, APIs: []tenant.API{tenant.AdminAPI}, Hash: h[:]})
		if err != nil {
			return false, err
		}
		r.Tokens = []tenant.APIToken{k}
	}
	_, err = c.Store.CreateTenant(ctx, r, c.event(audit.TenantCreated, By{Actor: System}, "issuer", r.Issuer))
	if errors.Is(err, tenant.ErrExists) {
		return false, nil // another instance was first
	}
	if err != nil {
		return false, worded(err)
	}
	c.changed(ctx)
	return true, nil
}

// System is the actor of what nobody asked for.
const System = "system"

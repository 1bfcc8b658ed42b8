package registration

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// longestRefresh is the longest life of a refresh token that may be registered, in seconds: ten years, as in settings.
const longestRefresh = 10 * 365 * 24 * 60 * 60

// tokenPolicy checks what the tenant says of the client's tokens.
func tokenPolicy(_ *Service, _ *tenant.Tenant, m *tenant.Metadata, _ time.Time) error {
	switch life, idle := m.RefreshLifetime, m.RefreshIdle; {
	case life != 0 && (life < 60 || life > longestRefresh):
		return oauth.InvalidClientMetadata("refresh_token_lifetime is out of range")
	case idle != 0 && idle != -1 && (idle < 60 || idle > longestRefresh):
		return oauth.InvalidClientMetadata("refresh_token_idle is out of range")
	}
	return nil
}

// withholdPolicy keeps a policy as base has it: only master authority changes it.
func withholdPolicy(p *tenant.TokenPolicy, base tenant.TokenPolicy) error {
	switch rotation := p.RefreshRotation; {
	case p.RefreshLifetime != 0 && p.RefreshLifetime != base.RefreshLifetime:
		return oauth.InvalidClientMetadata("refresh_token_lifetime requires the master token")
	case p.RefreshIdle != 0 && p.RefreshIdle != base.RefreshIdle:
		return oauth.InvalidClientMetadata("refresh_token_idle requires the master token")
	case rotation != nil && (base.RefreshRotation == nil || *rotation != *base.RefreshRotation):
		return oauth.InvalidClientMetadata("refresh_token_rotation requires the master token")
	}
	*p = base
	return nil
}

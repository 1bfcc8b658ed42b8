package registration

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// longestRefresh is the longest life of a refresh token that may be registered, in seconds: ten years, as in settings.
const longestRefresh = 10 * 365 * 24 * 60 * 60

// tokenPolicy checks what the tenant says of the client's tokens.
func tokenPolicy(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	const longest = int64(tenant.MaxAccessToken / time.Second)
	switch life, idle := m.RefreshLifetime, m.RefreshIdle; {
	case m.AccessLifetime != 0 && (m.AccessLifetime < 10 || m.AccessLifetime > longest):
		return oauth.InvalidClientMetadata("access_token_lifetime must be from 10 to 86400")
	case m.IDTokenLifetime != 0 && (m.IDTokenLifetime < 10 || m.IDTokenLifetime > longest):
		return oauth.InvalidClientMetadata("id_token_lifetime must be from 10 to 86400")
	case m.AccessFormat != "" && m.AccessFormat != tenant.AccessJWT && m.AccessFormat != tenant.AccessOpaque:
		return oauth.InvalidClientMetadata("access_token_format is neither jwt nor opaque")
	case life != 0 && (life < 60 || life > longestRefresh):
		return oauth.InvalidClientMetadata("refresh_token_lifetime must be from 60 to 315360000")
	case idle != 0 && idle != -1 && (idle < 60 || idle > longestRefresh):
		return oauth.InvalidClientMetadata("refresh_token_idle must be from 60 to 315360000, or -1 for none")
	}
	for _, right := range m.ExchangeRights {
		if right != tenant.Impersonation && right != tenant.Delegation {
			return oauth.InvalidClientMetadata("token_exchange_rights holds one that there is not")
		}
	}
	return nil
}

// withholdPolicy keeps a policy as base has it: only master authority changes it.
func withholdPolicy(p *tenant.TokenPolicy, base tenant.TokenPolicy) error {
	switch rotation := p.RefreshRotation; {
	case p.AccessLifetime != 0 && p.AccessLifetime != base.AccessLifetime:
		return oauth.InvalidClientMetadata("access_token_lifetime requires the master token")
	case p.AccessFormat != "" && p.AccessFormat != base.AccessFormat:
		return oauth.InvalidClientMetadata("access_token_format requires the master token")
	case p.IDTokenLifetime != 0 && p.IDTokenLifetime != base.IDTokenLifetime:
		return oauth.InvalidClientMetadata("id_token_lifetime requires the master token")
	case p.RefreshLifetime != 0 && p.RefreshLifetime != base.RefreshLifetime:
		return oauth.InvalidClientMetadata("refresh_token_lifetime requires the master token")
	case p.RefreshIdle != 0 && p.RefreshIdle != base.RefreshIdle:
		return oauth.InvalidClientMetadata("refresh_token_idle requires the master token")
	case rotation != nil && (base.RefreshRotation == nil || *rotation != *base.RefreshRotation):
		return oauth.InvalidClientMetadata("refresh_token_rotation requires the master token")
	case !oauth.Scope(p.ExchangeRights).Within(base.ExchangeRights):
		return oauth.InvalidClientMetadata("token_exchange_rights requires the master token")
	}
	*p = base
	return nil
}

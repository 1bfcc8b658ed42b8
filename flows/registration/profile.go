package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// profile holds a client to its profile, and to its tenant's: it turns on what they demand, and refuses what does not fit.
func profile(_ *Service, t *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	if m.Profile != "" && !slices.Contains(tenant.ProfileNames(), m.Profile) {
		return oauth.InvalidClientMetadata("profile is not one of ours")
	}
	d := tenant.DemandsOf(t.Settings.Profile, m.Profile)
	d.Uphold(t.Settings, m)
	if rule, why := d.Misfit(t.Settings, m); rule != nil {
		return oauth.InvalidClientMetadata("profile does not allow this: " + why)
	}
	return nil
}

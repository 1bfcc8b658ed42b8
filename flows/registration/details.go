package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// detailsTypes: a client may register the types that its tenant offers (RFC 9396 §10).
func detailsTypes(_ *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	offered := append(t.Settings.DetailsTypeNames(), had.DetailsTypes...)
	if len(m.DetailsTypes) > maxList || slices.ContainsFunc(m.DetailsTypes, func(v string) bool { return !slices.Contains(offered, v) }) {
		return oauth.InvalidClientMetadata("authorization_details_types holds one that is not supported")
	}
	return nil
}

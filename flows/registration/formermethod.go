package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// formerMethod checks the method that a client may authenticate by until it has changed to another. What is over is
// forgotten, and so is a method that the client has gone back to.
func formerMethod(_ *Service, t *tenant.Tenant, m, had *tenant.Metadata, now time.Time) error {
	until := time.Unix(m.FormerMethodUntil, 0)
	switch {
	case m.FormerMethod == "" && m.FormerMethodUntil == 0:
		return nil
	case m.FormerMethod == "" || m.FormerMethodUntil <= 0:
		return oauth.InvalidClientMetadata("former_token_endpoint_auth_method and former_token_endpoint_auth_method_expires_at go together")
	case !now.Before(until), m.FormerMethod == m.Method():
		m.MigrationMetadata = tenant.MigrationMetadata{}
		return nil
	case until.After(now.Add(tenant.LongestMigration)):
		return oauth.InvalidClientMetadata("former_token_endpoint_auth_method_expires_at is more than 180 days ahead")
	case m.FormerMethod == oauth.AuthNone || m.Method() == oauth.AuthNone:
		return oauth.InvalidClientMetadata("former_token_endpoint_auth_method does not go with none")
	case m.FormerMethod != had.FormerMethod && !slices.Contains(clientauth.Methods(t), m.FormerMethod):
		return oauth.InvalidClientMetadata("former_token_endpoint_auth_method is not supported")
	}
	return nil
}

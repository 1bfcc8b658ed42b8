package registration

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// custom checks the members that no standard has.
func custom(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	if m.CodeChallengeMethod != "" && m.CodeChallengeMethod != "S256" {
		return oauth.InvalidClientMetadata("code_challenge_method must be S256")
	}
	for _, v := range m.LoginHintTypes {
		if len(v) > 255 || !oauth.ScopeValue(v) {
			return oauth.InvalidClientMetadata("login_hint_types holds a value that is not valid")
		}
	}
	return nil
}

package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// backchannel checks how a client learns of backchannel authentications (CIBA Core §4).
func backchannel(s *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	mode := m.BackchannelMode
	switch {
	case mode != "" && mode != had.BackchannelMode && !slices.Contains(t.Settings.CIBAModes(), mode):
		return oauth.InvalidClientMetadata("backchannel_token_delivery_mode is not supported")
	case mode == oauth.Push && (m.DPoPBound || m.CertificateBound):
		return oauth.InvalidClientMetadata("backchannel_token_delivery_mode push does not go with tokens that are bound to a key")
	case (mode == oauth.Ping || mode == oauth.Push) && m.NotificationEndpoint == "":
		return oauth.InvalidClientMetadata("backchannel_client_notification_endpoint is missing")
	case m.BackchannelUserCode && !had.BackchannelUserCode && !t.Settings.CIBA.UserCode:
		return oauth.InvalidClientMetadata("backchannel_user_code_parameter is not supported")
	}
	if m.NotificationEndpoint == "" {
		return nil
	}
	if err := s.permits(m.NotificationEndpoint); err != nil {
		return oauth.InvalidClientMetadata("backchannel_client_notification_endpoint is not an https URL of a public host").Because(err)
	}
	return nil
}

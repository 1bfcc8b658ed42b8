package authlete

import (
	"slices"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant"
)

// backchannelService are the members of a service that tell of backchannel authentication, where it is on. Times are in
// seconds.
type backchannelService struct {
	Endpoint string   `json:"backchannelAuthenticationEndpoint,omitempty"`
	Modes    []string `json:"supportedBackchannelTokenDeliveryModes,omitempty"`
	Duration int64    `json:"backchannelAuthReqIdDuration,omitempty"`
	Interval int64    `json:"backchannelPollingInterval,omitempty"`
	UserCode bool     `json:"backchannelUserCodeParameterSupported,omitempty"`
}

func backchannelOf(s *tenant.Settings, m *discovery.Metadata) backchannelService {
	if !s.CIBA.Enabled {
		return backchannelService{}
	}
	return backchannelService{Endpoint: m.CIBA, Modes: upper(m.CIBAModes), Duration: int64(s.CIBALifetime(0).Seconds()),
		Interval: int64(s.CIBAInterval().Seconds()), UserCode: m.CIBAUserCode}
}

// newBackchannel are those that make a tenant's settings: the grant turns it on.
type newBackchannel struct {
	GrantTypes []string `json:"supportedGrantTypes"`
	Duration   int64    `json:"backchannelAuthReqIdDuration"`
	Interval   int64    `json:"backchannelPollingInterval"`
	UserCode   bool     `json:"backchannelUserCodeParameterSupported"`
	Modes      []string `json:"supportedBackchannelTokenDeliveryModes"`
}

func (n *newBackchannel) settings() tenant.CIBASettings {
	return tenant.CIBASettings{Enabled: slices.Contains(n.GrantTypes, "CIBA"), Lifetime: n.Duration, Interval: n.Interval, UserCode: n.UserCode,
		Push: slices.Contains(n.Modes, "PUSH")}
}

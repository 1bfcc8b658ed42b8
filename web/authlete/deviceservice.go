package authlete

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant"
)

// deviceMembers are the members of a service that are read and told of devices alike. Times are in seconds.
type deviceMembers struct {
	URI      string `json:"deviceVerificationUri,omitempty"`
	Complete string `json:"deviceVerificationUriComplete,omitempty"`
	Duration int64  `json:"deviceFlowCodeDuration,omitempty"`
	Interval int64  `json:"deviceFlowPollingInterval,omitempty"`
	Charset  string `json:"userCodeCharset,omitempty"`
	Length   int64  `json:"userCodeLength,omitempty"`
}

// deviceService are the members that tell of devices, where they are served.
type deviceService struct {
	Endpoint string `json:"deviceAuthorizationEndpoint,omitempty"`
	deviceMembers
}

// userCodeCharsets are the names of the character sets.
var userCodeCharsets = words{{"BASE20", tenant.Base20}, {"NUMERIC", tenant.Numeric}}

func deviceOf(s *tenant.Settings, m *discovery.Metadata) deviceService {
	if !s.DeviceOn() {
		return deviceService{}
	}
	d := &s.Device
	out := deviceService{Endpoint: m.Device, deviceMembers: deviceMembers{URI: d.VerificationURI, Complete: d.VerificationURIComplete,
		Duration: int64(s.DeviceLifetime().Seconds()), Interval: int64(s.DeviceInterval().Seconds()), Charset: "BASE20"}}
	if d.UserCodeCharset != "" {
		out.Charset = userCodeCharsets.here(d.UserCodeCharset)
	}
	_, mask := d.UserCode()
	out.Length = int64(strings.Count(mask, "*"))
	return out
}

// newDevice are those that make a tenant's settings: the grant turns it on.
type newDevice struct{ deviceMembers }

// longestUserCode is more than a mask may hold.
const longestUserCode = 64

func (n *newDevice) settings(grantTypes []string) tenant.DeviceSettings {
	out := tenant.DeviceSettings{Enabled: slices.Contains(grantTypes, "DEVICE_CODE"), Lifetime: n.Duration, Interval: n.Interval,
		VerificationURI: n.URI, VerificationURIComplete: n.Complete, UserCodeCharset: n.Charset}
	if v, ok := userCodeCharsets.standard(n.Charset); ok {
		out.UserCodeCharset = v
	}
	if n.Length > 0 {
		out.UserCodeMask = strings.Repeat("*", int(min(n.Length, longestUserCode)))
	}
	return out
}

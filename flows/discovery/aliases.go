package discovery

import (
	"strings"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Aliases say where the server is reached with client certificates, if not where everybody reaches it (RFC 8705 §5). Both
// are URLs without a slash at the end.
type Aliases struct {
	Public string // below which issuers lie
	Mutual string // the same for clients with certificates; empty: there is no other place
}

// aliased are the endpoints with an alias, by their members.
var aliased = map[string]func(*Metadata) string{
	"token_endpoint":                        func(m *Metadata) string { return m.Token },
	"revocation_endpoint":                   func(m *Metadata) string { return m.Revoke },
	"introspection_endpoint":                func(m *Metadata) string { return m.Introspect },
	"userinfo_endpoint":                     func(m *Metadata) string { return m.UserInfo },
	"pushed_authorization_request_endpoint": func(m *Metadata) string { return m.PAR },
	"backchannel_authentication_endpoint":   func(m *Metadata) string { return m.CIBA },
	"device_authorization_endpoint":         func(m *Metadata) string { return m.Device },
	"authorization_challenge_endpoint":      func(m *Metadata) string { return m.Challenge },
}

// Of returns the other URL of an endpoint of t, or empty. A tenant with a host of its own has none.
func (a Aliases) Of(t *tenant.Tenant, endpoint string) string {
	path, below := strings.CutPrefix(t.Issuer, a.Public)
	if a.Mutual == "" || a.Mutual == a.Public || !t.Settings.MTLS.Enabled || !below || path != "" && path[0] != '/' {
		return ""
	}
	return a.Mutual + path + endpoint
}

// MetadataOf is the metadata of t at now, with the aliases of its endpoints.
func (a Aliases) MetadataOf(t *tenant.Tenant, now time.Time) Metadata {
	m := MetadataOf(t, now)
	if a.Of(t, "") == "" {
		return m
	}
	m.Aliases = map[string]string{}
	for member, of := range aliased {
		if endpoint, ok := strings.CutPrefix(of(&m), t.Issuer); ok && endpoint != "" {
			m.Aliases[member] = a.Of(t, endpoint)
		}
	}
	return m
}

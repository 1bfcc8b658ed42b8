package tenant

import (
	"cmp"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// MigrationMetadata lets a client that changes its method of authentication use the former one too for a while: these two
// and no other.
type MigrationMetadata struct {
	FormerMethod      string `json:"former_token_endpoint_auth_method,omitempty"`
	FormerMethodUntil int64  `json:"former_token_endpoint_auth_method_expires_at,omitempty"` // a NumericDate
}

// LongestMigration is the longest time that a former method may be used on.
const LongestMigration = 180 * 24 * time.Hour

// Method is the client's method of authentication at the token endpoint (RFC 7591 §2).
func (m *Metadata) Method() string { return cmp.Or(m.TokenEndpointAuthMethod, oauth.AuthBasic) }

// Methods are the client's method and, where it changes it, the former one.
func (m *Metadata) Methods() []string {
	if m.FormerMethod == "" {
		return []string{m.Method()}
	}
	return []string{m.Method(), m.FormerMethod}
}

// Uses tells whether any of methods is the client's, or its former one.
func (m *Metadata) Uses(methods ...string) bool {
	return slices.ContainsFunc(m.Methods(), func(name string) bool { return slices.Contains(methods, name) })
}

// AuthenticatesBy tells whether the client may authenticate by method at now.
func (m *Metadata) AuthenticatesBy(method string, now time.Time) bool {
	return method == m.Method() || method == m.FormerMethod && method != "" && now.Before(time.Unix(m.FormerMethodUntil, 0))
}

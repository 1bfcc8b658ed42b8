package tenant

import (
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// CommandLine is the id of the one client of the platform, by which its administrators sign in on the command line.
const CommandLine = "chancery-cli"

// AdminScope is what access tokens for the administration hold (RFC 6749 §3.3), so that their subject has agreed to that.
const AdminScope = "chancery:admin"

// adminPath is where the administration lies, below the public URL.
const adminPath = "/admin/v1"

// AdminAPI is the administration as a protected resource (RFC 8707 §2): of the platform, whose issuer lies below the public
// URL that the server had when it was made. Its tokens are for that resource alone.
func (t *Tenant) AdminAPI() string {
	return strings.TrimSuffix(t.Issuer, "/t/"+string(t.ID)) + adminPath
}

// How long the tokens of an administrator live, in seconds. A role that is taken away, and an account that is disabled, end
// what they open at once.
const (
	adminAccessLife  = 5 * 60
	adminRefreshLife = 7 * day
	adminRefreshIdle = day
)

// commandLine is the client of that id: public, with a redirect URI of the loopback (RFC 8252 §7.3), and for terminals without
// a browser the device grant (RFC 8628). It is not stored, so nobody can change it.
func commandLine(t *Tenant) *Client {
	return &Client{ID: CommandLine, BuiltIn: true, Metadata: Metadata{
		Name:                    "Chancery command line",
		RedirectURIs:            []string{"http://127.0.0.1/callback", "http://[::1]/callback"},
		TokenEndpointAuthMethod: oauth.AuthNone,
		GrantTypes:              []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.DeviceCode},
		ResponseTypes:           []string{oauth.ResponseCode},
		ApplicationType:         "native",
		Scope:                   strings.Join([]string{oauth.OpenID, oauth.OfflineAccess, AdminScope}, " "),
		Audience:                []string{t.AdminAPI()},
		RequirePKCE:             true,
		TokenPolicy: TokenPolicy{AccessFormat: AccessJWT, AccessLifetime: adminAccessLife,
			RefreshLifetime: adminRefreshLife, RefreshIdle: adminRefreshIdle},
	}}
}

package logout

import (
	"context"
	"net/url"
	"strings"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// maxFrames is how many relying parties are told in the browser; it loads no page with more.
const maxFrames = 50

// frames are the front-channel logout URIs of the relying parties of n, each with iss and its sid (Front-Channel Logout
// §3). A client that cannot be read now is left out: the session has ended, and that is not undone.
func (s *Service) frames(ctx context.Context, t *tenant.Tenant, n *session.Session) (uris []string) {
	for _, id := range n.Clients {
		if t.Settings.Documents.Takes(id) { // the way out waits for nobody's web server
			continue
		}
		c, err := t.Clients.Client(ctx, id)
		if err != nil || c.FrontchannelLogoutURI == "" || len(uris) == maxFrames {
			continue
		}
		sep := "?"
		if strings.Contains(c.FrontchannelLogoutURI, "?") {
			sep = "&"
		}
		uris = append(uris, c.FrontchannelLogoutURI+sep+url.Values{"iss": {t.Issuer}, "sid": {grant.SID(t, n.ID, id)}}.Encode())
	}
	return uris
}

package challenge

import (
	"context"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Redirect is how the client sends its user to the authorization endpoint. Without a RequestURI it starts a request of its own.
type Redirect struct {
	RequestURI string // RFC 9126 §2.2
	ExpiresIn  time.Duration
}

// web pushes the request of c, as far as it can be made there: it needs a code challenge, whose verifier the client holds, and
// a redirect URI of the client that is known.
func (s *Service) web(ctx context.Context, t *tenant.Tenant, c *call) (*Redirect, error) {
	uri := c.Params.Get("redirect_uri")
	if uri == "" && len(c.client.RedirectURIs) == 1 {
		uri = c.client.RedirectURIs[0]
	}
	if c.request.CodeChallenge == "" || !slices.Contains(c.client.RedirectURIs, uri) || s.Requests.Store == nil {
		return &Redirect{}, nil
	}
	params := c.request.Parameters()
	params.Set("client_id", c.client.ID)
	params.Set("response_type", "code")
	params.Set("redirect_uri", uri)
	receipt, err := s.Requests.Push(ctx, t, c.client, params, oauth.Confirmation{}, "")
	switch e := oauth.ErrorOf(err); {
	case err == nil:
		return &Redirect{receipt.RequestURI, receipt.ExpiresIn}, nil
	case e.Code == "server_error", e.Code == "temporarily_unavailable":
		return nil, err
	}
	return &Redirect{}, nil // the client may ask otherwise
}

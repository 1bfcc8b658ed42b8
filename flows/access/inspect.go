package access

import (
	"context"
	"errors"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Inspect tells whoever acts for the tenant about a token, as the client that it was issued to would be told, and the
// properties of its grant. Who asks for it has been authenticated elsewhere, and is that resource, empty: any. It returns
// nil where the token is not alive, no client stands behind it any more, or it is for other resources.
func (s *Service) Inspect(ctx context.Context, t *tenant.Tenant, token, resource string) (*Info, []grant.Property, error) {
	g, ours, err := s.refresh(ctx, t, token)
	if gone(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if ours {
		c, err := t.Clients.Client(ctx, g.ClientID)
		switch own := g.Terms.Audience; {
		case errors.Is(err, tenant.ErrNoClient), err == nil && c.Disabled, err == nil && resource != "" && len(own) > 0 && !slices.Contains(own, resource):
			return nil, nil, nil
		case err != nil:
			return nil, nil, err
		}
		return ofRefresh(t, c, g), g.Terms.Properties, nil
	}
	var d Demands
	if resource != "" {
		d.Resources = []string{resource}
	}
	st, err := s.Examine(ctx, t, Presented{Token: token, Vouched: true}, d)
	if errors.Is(err, oauth.InvalidToken("")) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	i := ofAccess(t, st.Client, st.Token)
	if st.Grant == nil {
		return i, nil, nil
	}
	return i, st.Grant.Terms.Properties, nil
}

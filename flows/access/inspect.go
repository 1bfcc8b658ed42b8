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
// nil where the token is not alive, no client stands behind it any more, or it is for other resources. Of a hook that is down the
// error is temporarily_unavailable.
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
		i, err := s.compose(ctx, t, ofRefresh(t, c, g), parties{g.Subject, g.Acting(), nil}, asker{Resource: resource})
		return i, g.Terms.Properties, err
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
	i, err := s.compose(ctx, t, ofAccess(t, st.Client, st.Token), partiesOf(st.Token), asker{Resource: resource})
	if err != nil || st.Grant == nil {
		return i, nil, err
	}
	return i, st.Grant.Terms.Properties, nil
}

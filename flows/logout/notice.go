package logout

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// Notice prepares a logout message of the outbox for one attempt: it goes where the client wants it today, with a token
// that was made just now (Back-Channel Logout §2.5).
func (s *Service) Notice(ctx context.Context, t *tenant.Tenant, m *outbox.Message) (outbound.Content, error) {
	var d outbox.LogoutDetail
	if err := json.Unmarshal(m.Detail, &d); err != nil {
		return outbound.Content{}, err
	}
	c, err := t.Clients.Client(ctx, d.Client)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && c.BackchannelLogoutURI == "" {
		return outbound.Content{}, outbox.ErrMoot
	}
	if err != nil {
		return outbound.Content{}, err
	}
	token, err := s.Issuer.MintLogoutToken(ctx, t, grant.LogoutToken{ID: m.ID, Client: c, Subject: d.Subject, Session: d.Session})
	if err != nil {
		return outbound.Content{}, err
	}
	m.Target = c.BackchannelLogoutURI
	return outbound.Content{Type: "application/x-www-form-urlencoded", Body: []byte(url.Values{"logout_token": {token}}.Encode())}, nil
}

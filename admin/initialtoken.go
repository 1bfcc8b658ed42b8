package admin

import (
	"context"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// CreateInitialToken records an initial access token of a tenant (RFC 7591 §3), and returns the token itself too, this once.
func (c *Console) CreateInitialToken(ctx context.Context, id tenant.ID, n registration.NewInitial, by By) (registration.InitialToken, string, error) {
	t, err := c.registrar(ctx, id)
	if err != nil {
		return registration.InitialToken{}, "", err
	}
	return c.Clients.Invite(ctx, t, n, registration.Master(by.Actor, by.Address).Once(by.Once))
}

// InitialTokens lists the initial access tokens of a tenant, the oldest first.
func (c *Console) InitialTokens(ctx context.Context, id tenant.ID) ([]registration.InitialToken, error) {
	t, err := c.registrar(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.Clients.Invitations(ctx, t, registration.Master("", ""))
}

// RevokeInitialToken removes an initial access token.
func (c *Console) RevokeInitialToken(ctx context.Context, id tenant.ID, tokenID string, by By) error {
	t, err := c.registrar(ctx, id)
	if err != nil {
		return err
	}
	return c.Clients.Disinvite(ctx, t, tokenID, registration.Master(by.Actor, by.Address).Once(by.Once))
}

// registrar returns a tenant that has a registry, as the flows see it: the platform has none.
func (c *Console) registrar(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
	r, err := c.record(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case id == tenant.Platform:
		return nil, oauth.InvalidRequest("The platform has no clients")
	}
	return snapshot(*r), nil
}

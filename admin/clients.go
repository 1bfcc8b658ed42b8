package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

var errNoClient = oauth.NotFound("The tenant has no such client").Because(registration.ErrNotFound)

// users are what the platform has as other tenants do: its administrators.
const users = "users"

// live returns a tenant as the flows see it now. A tenant that is disabled has neither clients nor users to administer.
func (c *Console) live(ctx context.Context, id tenant.ID, what string) (*tenant.Tenant, error) {
	r, err := c.record(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case id == tenant.Platform && what != users:
		return nil, oauth.InvalidRequest("The platform has no " + what)
	case !r.Enabled:
		return nil, oauth.InvalidRequest("The tenant is disabled").Because(tenant.ErrConflict)
	}
	return c.Live(ctx, id)
}

func (b By) master() registration.Authority {
	return registration.Master(b.Actor, b.Address).Once(b.Once)
}

// RegisteredClients lists clients of a tenant by id after that one, at most n.
func (c *Console) RegisteredClients(ctx context.Context, id tenant.ID, after string, n int) ([]registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return nil, err
	}
	return c.Clients.List(ctx, t, after, n, By{}.master())
}

// Client returns a client without its secrets.
func (c *Console) Client(ctx context.Context, id tenant.ID, clientID string) (registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return registration.Response{}, err
	}
	r, err := c.Clients.Read(ctx, t, clientID, By{}.master())
	return r, unknownClient(err)
}

// unknownClient says of a client that it is not there, and of nothing else.
func unknownClient(err error) error {
	if err != nil && oauth.ErrorOf(err).Code == "not_found" {
		return errNoClient
	}
	return err
}

// CreateClient registers a client from its metadata, and returns it with its secret, this once.
func (c *Console) CreateClient(ctx context.Context, id tenant.ID, doc json.RawMessage, by By) (registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return registration.Response{}, err
	}
	r, err := registration.Parse(doc)
	if err != nil {
		return registration.Response{}, err
	}
	r.By = by.master()
	return c.changedClient(c.Clients.Register(ctx, t, r))(ctx)
}

// ReplaceClient replaces the metadata of a client, at the version that expect tells: when it was changed last, or zero.
func (c *Console) ReplaceClient(ctx context.Context, id tenant.ID, clientID string, doc json.RawMessage, expect time.Time, by By) (registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return registration.Response{}, err
	}
	r, err := registration.Parse(doc)
	if err != nil {
		return registration.Response{}, err
	}
	r.By, r.Expect = by.master(), expect
	return c.changedClient(c.Clients.Update(ctx, t, clientID, r))(ctx)
}

// RotateClientSecret gives a client a new secret and returns it, this once. The old one lives on as the tenant's settings
// have it.
func (c *Console) RotateClientSecret(ctx context.Context, id tenant.ID, clientID string, by By) (registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return registration.Response{}, err
	}
	r, err := c.Clients.Read(ctx, t, clientID, By{}.master())
	if err != nil {
		return registration.Response{}, unknownClient(err)
	}
	if !r.Client.Secretive() {
		return registration.Response{}, oauth.InvalidRequest("The client has no secret")
	}
	return c.changedClient(c.Clients.Update(ctx, t, clientID, registration.Request{Metadata: r.Client.Metadata, RefreshSecret: true, By: by.master()}))(ctx)
}

// SetClientDisabled disables a client, or enables it again.
func (c *Console) SetClientDisabled(ctx context.Context, id tenant.ID, clientID string, disabled bool, by By) (registration.Response, error) {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return registration.Response{}, err
	}
	return c.changedClient(c.Clients.SetDisabled(ctx, t, clientID, disabled, by.master()))(ctx)
}

// DeleteClient removes a client with its grants.
func (c *Console) DeleteClient(ctx context.Context, id tenant.ID, clientID string, by By) error {
	t, err := c.live(ctx, id, "clients")
	if err != nil {
		return err
	}
	_, err = c.changedClient(registration.Response{}, c.Clients.Delete(ctx, t, clientID, t.Settings.LongestAccessToken(), by.master()))(ctx)
	return err
}

// changedClient lets this instance see a change of a client.
func (c *Console) changedClient(r registration.Response, err error) func(context.Context) (registration.Response, error) {
	return func(ctx context.Context) (registration.Response, error) {
		if err == nil {
			c.changed(ctx)
		}
		return r, unknownClient(err)
	}
}

package request

import (
	"context"
	"net/url"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// ValidateDevice runs the checks of Device over the parameters of a client that has authenticated, or is public (RFC 8628
// §3.1). The error is an *oauth.Error of RFC 6749 §5.2.
func (s *Service) ValidateDevice(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (*Request, error) {
	d := &draft{Request: Request{Face: t.Face()}, service: s, ctx: ctx, tenant: t, client: client, params: params}
	d.ClientID = client.ID
	if err := d.run(Device); err != nil {
		return nil, err
	}
	return &d.Request, nil
}

// mayDevice demands what a client needs to have registered.
func (d *draft) mayDevice() error {
	switch {
	case !d.tenant.Settings.DeviceOn():
		return oauth.UnauthorizedClient("device authorization is turned off")
	case !d.client.MayGrant(oauth.DeviceCode):
		return oauth.UnauthorizedClient("the client may not use device authorization")
	}
	return nil
}

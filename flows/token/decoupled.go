package token

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var errApproval = oauth.InvalidGrant("the user's answer no longer stands")

// redeemCIBA answers a poll for a backchannel authentication (CIBA Core §10.1, §11).
func (s *Service) redeemCIBA(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	if r.Client.BackchannelMode == oauth.Push {
		return grant.Tokens{}, oauth.UnauthorizedClient("a client that tokens are pushed to may not poll")
	}
	return s.redeemDecoupled(ctx, t, r, s.CIBA.Flow(), r.get("auth_req_id"))
}

// redeemDevice answers a poll of a device (RFC 8628 §3.4, §3.5).
func (s *Service) redeemDevice(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	return s.redeemDecoupled(ctx, t, r, s.Device.Flow(), r.get("device_code"))
}

// redeemDecoupled answers a poll: with tokens once, when the subject has agreed.
func (s *Service) redeemDecoupled(ctx context.Context, t *tenant.Tenant, r *Request, f *decoupled.Flow, handle string) (grant.Tokens, error) {
	id, err := f.Poll(ctx, t, r.Client, handle)
	if err != nil {
		return grant.Tokens{}, err
	}
	now := s.Now()
	g, err := s.Grants.Grant(ctx, t.ID, id)
	switch {
	case errors.Is(err, grant.ErrNotFound), err == nil && (g.Code == nil || !g.Live(now)):
		return grant.Tokens{}, errApproval.Because(err)
	case err != nil:
		return grant.Tokens{}, err
	}
	effect := grant.Redemption{Grant: id, CodeHash: g.Code.Hash}
	out, err := s.mint(ctx, t, r, g, &effect)
	if err != nil {
		return grant.Tokens{}, err
	}
	if err := f.Redeem(ctx, t, effect); err != nil {
		return grant.Tokens{}, err
	}
	return out, nil
}

package token

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var errApproval = oauth.InvalidGrant("the user's answer no longer stands")

// redeemCIBA answers a poll (CIBA Core §10.1, §11): with tokens once, when the subject has agreed.
func (s *Service) redeemCIBA(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	id, err := s.CIBA.Flow().Poll(ctx, t, r.Client, r.get("auth_req_id"))
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
	if err := s.CIBA.Flow().Redeem(ctx, t, effect); err != nil {
		return grant.Tokens{}, err
	}
	return out, nil
}

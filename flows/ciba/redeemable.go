package ciba

import (
	"context"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// ParseAuthReqID returns the id of the authentication, and of its grant, that an auth_req_id reaches, and whether it is one that
// t made.
func ParseAuthReqID(t *tenant.Tenant, authReqID string) (id string, ok bool) {
	return authReqIDs.Parse(t, authReqID)
}

// maxRedeemable is how many a list of those that can be redeemed holds at most.
const maxRedeemable = 1000

// Redeemable lists the auth_req_ids of up to 1,000 requests whose subjects have agreed, and whose tokens nobody has fetched yet: in
// an order of their own, after the one that is given, if one is. They open nothing for whoever is not their client.
func (s *Service) Redeemable(ctx context.Context, t *tenant.Tenant, after string) ([]string, error) {
	id := ""
	if after != "" {
		var ok bool
		if id, ok = ParseAuthReqID(t, after); !ok {
			return nil, oauth.InvalidRequest("after is no auth_req_id")
		}
	}
	ids, err := s.Register.Redeemable(ctx, t.ID, s.Now(), id, maxRedeemable)
	if err != nil {
		return nil, err
	}
	for i := range ids {
		ids[i] = authReqIDs.Of(t, ids[i])
	}
	return ids, nil
}

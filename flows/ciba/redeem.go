package ciba

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// How polls are paced: one that comes early by less than leeway was only fast on its way, and each that comes earlier
// makes the interval longer by raise (CIBA Core §11, RFC 8628 §3.5).
const (
	leeway = 500 * time.Millisecond
	raise  = 5 * time.Second
)

// ErrSlowDown is the answer to a poll that came too soon. It is the protocol's own word, not a limit's.
var ErrSlowDown = oauth.SlowDown("the interval between two polls has not passed, and is longer from now on")

var errInvalid = oauth.InvalidGrant("auth_req_id is invalid or already used")

var errPending = oauth.AuthorizationPending("the user has not answered yet")

// Poll returns the id of the grant that authReqID may be redeemed for, or the error that the client is told instead (CIBA
// Core §11).
func (s *Service) Poll(ctx context.Context, t *tenant.Tenant, client *tenant.Client, authReqID string) (grantID string, err error) {
	id, ok := authReqIDs.parse(t, authReqID)
	if !ok {
		return "", errInvalid
	}
	now := s.Now()
	p, err := s.Store.Poll(ctx, t.ID, now, id, client.ID, leeway, raise)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", errInvalid.Because(err)
	case err != nil:
		return "", err
	case !now.Before(p.EndsAt):
		return "", oauth.ExpiredToken("auth_req_id has expired")
	case p.TooSoon:
		return "", ErrSlowDown
	case p.State == Granted:
		return id, nil
	case p.State == Refused && p.Refusal != nil:
		return "", p.Refusal.error()
	}
	return "", errPending
}

// Redeem records what was minted for a grant that Poll returned. Of any number of callers one succeeds; the others get
// invalid_grant.
func (s *Service) Redeem(ctx context.Context, t *tenant.Tenant, r grant.Redemption) error {
	err := s.Store.RedeemAuthentication(ctx, t.ID, s.Now(), r)
	if errors.Is(err, ErrNotFound) {
		return errInvalid.Because(err)
	}
	return err
}

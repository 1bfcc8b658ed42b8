package account

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Find returns the account whose subject or user name is hint, disabled or not, or nil. A hint that is the subject of
// one account and the user name of another means neither. A store that fails is temporarily_unavailable.
func (s *Service) Find(ctx context.Context, t *tenant.Tenant, hint string) (*Account, error) {
	named, err := s.named(ctx, t, hint, Fold(hint[:min(len(hint), 4*maxUsername)]))
	if err != nil || !possible(hint) {
		return named, err
	}
	a, err := s.Store.Account(ctx, t.ID, hint)
	switch {
	case errors.Is(err, ErrNotFound):
		return named, nil
	case err != nil:
		return nil, oauth.Unavailable().Because(err)
	case named != nil && named.Subject != a.Subject:
		return nil, nil
	}
	return a, nil
}

package account

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// Named returns the account of that user name, disabled or not, or nil. A store that fails is temporarily_unavailable.
func (s *Service) Named(ctx context.Context, t *tenant.Tenant, username string) (*Account, error) {
	return s.named(ctx, t, username, Fold(username[:min(len(username), 4*maxUsername)]))
}

package registration

import (
	"context"
	"errors"
	"strconv"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Numbers keeps clients by their numbers, for APIs that count them. Each method is one atomic effect.
type Numbers interface {
	// CreateNumbered is Store.CreateClient for a client whose id is its number in decimal; c has none yet.
	CreateNumbered(ctx context.Context, t tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error)
	// NumberedClient returns the id of the client of that number, or ErrNotFound.
	NumberedClient(ctx context.Context, t tenant.ID, number int64) (id string, err error)
	// NumberedClients lists clients by number, but for the first start of them, at most n, and tells how many there are:
	// those that were noted as that developer's, or where it is empty all.
	NumberedClients(ctx context.Context, t tenant.ID, developer string, start, n int) (cs []tenant.Client, total int, err error)
}

// Numbered returns the id of the client that name stands for: its number, or its id. What is neither comes back as it is.
func (s *Service) Numbered(ctx context.Context, t *tenant.Tenant, name string) (id string, err error) {
	if !numberForm.MatchString(name) {
		return name, nil
	}
	number, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return name, nil
	}
	id, err = s.Numbers.NumberedClient(ctx, t.ID, number)
	if errors.Is(err, ErrNotFound) {
		return name, nil
	}
	if err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	return id, nil
}

// ListNumbered lists clients by number, but for the first start of them, at most n, and tells how many there are: those
// that were noted as that developer's, or where it is empty all. It takes master authority.
func (s *Service) ListNumbered(ctx context.Context, t *tenant.Tenant, developer string, start, n int, by Authority) ([]tenant.Client, int, error) {
	if by.rank != master {
		return nil, 0, errToken
	}
	cs, total, err := s.Numbers.NumberedClients(ctx, t.ID, developer, start, n)
	if err != nil {
		return nil, 0, worded(err)
	}
	return cs, total, nil
}

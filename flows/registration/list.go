package registration

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// mayList returns nil for master authority.
func mayList(by Authority) error {
	switch by.rank {
	case master:
		return nil
	case anybody:
		return errNoToken
	}
	return errToken
}

// atOnce is how many clients are read at once while all are listed.
const atOnce = 200

// All hands all clients to page, by id and some at a time, and ends with its error. It takes master authority.
func (s *Service) All(ctx context.Context, t *tenant.Tenant, by Authority, page func([]Response) error) error {
	after := ""
	for {
		rs, err := s.List(ctx, t, after, atOnce, by)
		if err != nil || len(rs) == 0 {
			return err
		}
		if err := page(rs); err != nil {
			return err
		}
		if len(rs) < atOnce {
			return nil
		}
		after = rs[len(rs)-1].Client.ID
	}
}

// List returns clients by id after that one, at most n. It takes master authority.
func (s *Service) List(ctx context.Context, t *tenant.Tenant, after string, n int, by Authority) ([]Response, error) {
	if err := mayList(by); err != nil {
		return nil, err
	}
	cs, err := s.Store.Clients(ctx, t.ID, after, n)
	if err != nil {
		return nil, worded(err)
	}
	rs := make([]Response, len(cs))
	for i, c := range cs {
		rs[i] = response(t, c)
	}
	return rs, nil
}

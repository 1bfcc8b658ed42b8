package registration

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// SetDisabled disables a client, which from then on cannot authenticate or be asked for anything, or enables it again. It
// takes master authority; errors are those of Read and Update.
func (s *Service) SetDisabled(ctx context.Context, t *tenant.Tenant, id string, disabled bool, by Authority) (Response, error) {
	if by.rank != master {
		return Response{}, errToken
	}
	c, err := s.client(ctx, t, id, by)
	if err != nil {
		return Response{}, err
	}
	next := *c
	next.Disabled = disabled
	if next.UpdatedAt = s.now(); !next.UpdatedAt.After(c.UpdatedAt) {
		next.UpdatedAt = c.UpdatedAt.Add(time.Microsecond)
	}
	ev := s.event(audit.ClientUpdated, c.ID, by)
	ev.Detail["change"] = map[bool]string{true: "disabled", false: "enabled"}[disabled]
	if err := s.Store.UpdateClient(ctx, t.ID, next, c.UpdatedAt, ev); err != nil {
		return Response{}, worded(err)
	}
	return response(t, next), nil
}

package admin

import (
	"context"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Report says how far a tenant and its clients fulfil their profiles.
type Report struct {
	TenantID  tenant.ID           `json:"tenant_id"`
	Profile   string              `json:"profile,omitempty"`
	Fulfilled bool                `json:"fulfilled"`
	Settings  []tenant.FieldError `json:"settings,omitempty"` // what is wrong with the settings, whatever the profile
	Findings  []tenant.Finding    `json:"findings"`
}

// checkedAtOnce is how many clients are read at a time.
const checkedAtOnce = 500

// CheckTenant explains, rule by rule, how far the tenant and its clients fulfil the profile of its settings, or the one of
// that name where it is not empty, and each client its own. What is unknown is invalid_request.
func (c *Console) CheckTenant(ctx context.Context, id tenant.ID, profile string) (*Report, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	s := r.Settings
	if profile != "" {
		if tenant.DemandsOf(profile) == nil {
			return nil, oauth.InvalidRequest("There is no profile of that name")
		}
		s.Profile = profile
	}
	out := &Report{TenantID: id, Profile: s.Profile, Findings: s.Findings()}
	plain := s
	plain.Profile = "" // of which the findings tell
	out.Settings = plain.Check()
	for after := ""; ; {
		cs, err := c.Clients.Store.Clients(ctx, id, after, checkedAtOnce)
		if err != nil {
			return nil, worded(err)
		}
		for i := range cs {
			out.Findings = append(out.Findings, s.FindingsOf(&cs[i])...)
			after = cs[i].ID
		}
		if len(cs) == 0 {
			break
		}
	}
	out.Fulfilled = len(out.Settings) == 0
	for _, f := range out.Findings {
		out.Fulfilled = out.Fulfilled && f.Fulfilled
	}
	return out, nil
}

package console

import "github.com/chancery-id/chancery/tenant"

// profileReport says how far a tenant and its clients fulfil their profiles.
type profileReport struct {
	TenantID  tenant.ID      `json:"tenant_id"`
	Profile   string         `json:"profile,omitempty"`
	Fulfilled bool           `json:"fulfilled"`
	Settings  []settingFault `json:"settings,omitempty" doc:"What is wrong with the settings, whatever the profile"`
	Findings  []ruleFinding  `json:"findings"`
}

// settingFault is what is wrong with one setting.
type settingFault struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// ruleFinding says whether a rule of a profile is fulfilled.
type ruleFinding struct {
	Rule      string   `json:"rule"`
	Says      string   `json:"says"`
	Sections  []string `json:"sections,omitempty"`
	ClientID  string   `json:"client_id,omitempty" doc:"Left out where it is about the tenant's settings"`
	Fulfilled bool     `json:"fulfilled"`
	Why       string   `json:"why"`
}

func (d *Door) checkTenant(q *call) (*profileReport, error) {
	r, err := d.Console.CheckTenant(q.Request.Context(), q.id, q.query.Get("profile"))
	if err != nil {
		return nil, err
	}
	out := &profileReport{TenantID: r.TenantID, Profile: r.Profile, Fulfilled: r.Fulfilled, Findings: []ruleFinding{}}
	for _, f := range r.Settings {
		out.Settings = append(out.Settings, settingFault(f))
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, ruleFinding(f))
	}
	return out, nil
}

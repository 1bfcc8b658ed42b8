package script

import (
	"context"

	"github.com/chancery-id/chancery/tenant"
)

// Runner puts events to whatever a tenant has set to decide: the URL of a hook, or a script.
type Runner struct {
	*Webhook
	JavaScript *JavaScript
	Library    *Library
}

// Run puts ev to the hook of its name, which the tenant must have.
func (r *Runner) Run(ctx context.Context, t *tenant.Tenant, ev Event) (Outcome, error) {
	if h := t.Settings.Hook(ev.Hook); h != nil && h.Script != "" {
		return r.RunScript(ctx, t, h.Script, ev)
	}
	return r.Webhook.Run(ctx, t, ev)
}

// RunScript puts ev to the active version of the script of that name.
func (r *Runner) RunScript(ctx context.Context, t *tenant.Tenant, name string, ev Event) (Outcome, error) {
	p, err := r.Library.Active(ctx, t, name)
	if err != nil {
		r.JavaScript.note(ctx, &Program{Name: name, Version: t.Settings.Scripts[name].Version}, &Call{Tenant: t, Event: &ev}, r.JavaScript.Now(), nil, "", err)
		return Outcome{}, err
	}
	at := r.JavaScript.Now()
	o, err := r.JavaScript.Run(ctx, t, p, ev)
	o.Blame = func(err error) { r.JavaScript.blame(t.ID, p, at, err) }
	return o, err
}

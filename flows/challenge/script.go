package challenge

import (
	"context"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Scripted is a step that the tenant's own code decides (docs/scripts.md): a script, or its webhook.
type Scripted struct {
	Run func(ctx context.Context, t *tenant.Tenant, ev script.Event) (script.Outcome, error)
}

// What the tenant's code may not answer, for its log and for the operator.
const (
	errOutcome = misstep("says of the tokens what is not its to say")
	errClaim   = misstep("sets a claim that says what a token is")
	errNobody  = misstep("allows without a subject")
)

// credentials of the client are not the step's business.
var credentials = []string{"client_secret", "client_assertion", "client_assertion_type"}

// maxUserAgent is how much of a user agent is told, in bytes.
const maxUserAgent = 512

// Decide puts the call to the tenant's code.
func (s *Scripted) Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error) {
	o, err := s.Run(ctx, t, event(in))
	if err != nil {
		return Verdict{Wrong: o.Wrong}, err
	}
	v, err := verdict(&o)
	v.Blame = o.Blame
	return v, o.Fault(err)
}

// event is what the tenant's code is told of a call.
func event(in Input) script.Event {
	parameters, attributes := map[string]string{}, in.Attributes
	for name := range in.Params {
		if !slices.Contains(credentials, name) {
			parameters[name] = in.Params.Get(name)
		}
	}
	if attributes == nil {
		attributes = map[string]string{}
	}
	facts := map[string]any{"parameters": parameters, "attributes": attributes, "auth_session": in.Session, "acr": in.ACR}
	if p := in.Proved; p != nil {
		facts["proved"] = map[string]any{"subject": p.Subject, "amr": p.AMR, "auth_time": p.At, "step_up": p.StepUp}
	}
	r := script.Request{Address: in.Address, UserAgent: script.Clip(in.UserAgent, maxUserAgent)}
	if in.Request != nil {
		r.Scope, r.Resources = in.Request.Scope, in.Request.Resource
	}
	return script.Event{Hook: tenant.HookChallenge, Client: in.Client, Request: r, Facts: facts, Exchange: in.Exchange}
}

// verdict is what the answer comes to.
func verdict(o *script.Outcome) (Verdict, error) {
	switch o.Action {
	case script.Next:
		return Verdict{Outcome: Ask, Code: o.Code, Keep: o.Keep, Wrong: o.Wrong, Data: o.Data}, nil
	case script.Deny:
		return Verdict{Outcome: Deny, Code: o.Code, Description: o.Description, Wrong: o.Wrong}, nil
	}
	if o.Subject == "" {
		return Verdict{}, errNobody
	}
	if o.AuthTime != 0 || o.Audience != nil || o.Data != nil || o.AccessToken.Lifetime != 0 || o.AccessToken.Claims != nil || o.RefreshToken != nil || o.IDToken != nil {
		return Verdict{}, errOutcome
	}
	for name := range o.Claims {
		if !grant.Presettable(name) {
			return Verdict{}, errClaim
		}
	}
	v := Verdict{Outcome: Allow, Subject: o.Subject, ACR: o.ACR, AMR: o.AMR, Claims: o.Claims}
	if o.Rescoped {
		v.Scope = &o.Scope
	}
	return v, nil
}

// Refusal is why nothing can come of what a script answered to ev in a trial, or nil: what the flow finds wrong with it, as far
// as ev tells what was asked.
func Refusal(ev *script.Event, o *script.Outcome, now time.Time) error {
	v, err := verdict(o)
	switch {
	case err != nil:
		return err
	case v.Outcome == Allow:
		client := ""
		if ev.Client != nil {
			client = ev.Client.ID
		}
		if ev.Request.Scope == nil {
			v.Scope = nil
		}
		return v.allows(authorize.Authentication{Login: session.Login{Subject: v.Subject, ACR: v.ACR, AMR: v.AMR}}, client, ev.Request.Scope, now)
	}
	if err := v.asks(); err != nil {
		return err
	}
	return (&authSession{}).keep(v.Keep, nil)
}

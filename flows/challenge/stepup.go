package challenge

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// An auth_session whose code was issued stays, for a step-up (OAuth 2.0 for First-Party Applications §5.3.1, §6.2, RFC 9470):
// it names its subject to later steps, who must prove something anew, and opens nothing by itself.

// Grants are where it is looked up what became of a code.
type Grants interface {
	// Grant returns a grant, or grant.ErrNotFound.
	Grant(ctx context.Context, t tenant.ID, id string) (*grant.Grant, error)
}

// done is the data of a whose subject has proved that and got a code of that grant.
func (a *authSession) done(v Proved, grantID, handle string, params url.Values, now time.Time) (json.RawMessage, error) {
	s := state{Turn: a.state.Turn, Key: a.state.Key, Proved: &v, Grant: grantID}
	if handle != "" {
		s.Last = &last{Mark: mark(handle, params), At: now}
	}
	return json.Marshal(s)
}

// stepUp begins a step-up with a session whose code was issued. What the client asked for then is no part of it, but for
// scope and resources, which are as they were where it does not say. Its subject has proved what it proved then, if that is
// recent enough for what is asked now.
func (s *Service) stepUp(ctx context.Context, t *tenant.Tenant, c *call) error {
	a := c.session
	switch g, err := s.Grants.Grant(ctx, t.ID, a.state.Grant); {
	case errors.Is(err, grant.ErrNotFound): // nothing that came of it lives any more
	case err != nil:
		return err
	case !g.RevokedAt.IsZero():
		return errSession
	}
	c.params = maps.Clone(c.params)
	if c.params.Get("scope") == "" && len(a.Request.Scope) > 0 {
		c.params.Set("scope", a.Request.Scope.String())
	}
	if len(c.params["resource"]) == 0 && len(a.Request.Resource) > 0 {
		c.params["resource"] = a.Request.Resource
	}
	a.state.Grant, a.state.Attributes, a.state.Wrong = "", nil, 0
	a.state.Proved.StepUp = true
	return nil
}

// longestPause is for how many seconds a first factor counts while the second is awaited.
const longestPause = 600

// fresh drops what was proved too long ago for r, or for the tenant, at now.
func (p *Proved) fresh(t *tenant.Tenant, r *request.Request, now time.Time) *Proved {
	if p == nil {
		return nil
	}
	age := now.Unix() - p.At
	if !p.StepUp {
		if age > longestPause {
			return nil
		}
		return p
	}
	if r.MaxAge != nil && age > *r.MaxAge || r.Prompt.Has(oauth.PromptLogin) || t.Settings.Challenge.StepUpAfter > 0 && age > t.Settings.Challenge.StepUpAfter {
		return &Proved{Subject: p.Subject, StepUp: true}
	}
	return p
}

// Reopen returns the handle of a new auth_session with which the client of g, holding key, can have its subject authenticate
// further.
func (s *Service) Reopen(ctx context.Context, t *tenant.Tenant, g *grant.Grant, key oauth.Confirmation) (string, error) {
	a := s.newAuthSession(t)
	a.Request = &request.Request{ClientID: g.ClientID, Scope: g.Terms.Scope, Resource: g.Terms.Audience, DPoPJKT: key.JKT}
	a.state.Key = key
	var err error
	a.Data, err = a.done(Proved{Subject: g.Subject, AMR: g.Terms.Login.AMR, At: g.Terms.Login.AuthTime}, g.ID, "", nil, s.Now())
	if err == nil {
		err = s.Authorize.Store.Begin(ctx, t.ID, a.Interaction, nil)
	}
	return a.handle(t), err
}

// kept is what stays of the exchange of c when its subject gets a code of that grant, or nil where the client would not know
// how to reach it.
func (s *Service) kept(t *tenant.Tenant, c *call, v Proved, grantID string) (*authorize.Interaction, error) {
	a := c.session
	if a == nil {
		if !c.wanted || c.client.ChallengeErrorStyle != oauth.StyleDraft {
			return nil, nil
		}
		a = c.fresh
	}
	a.state.Key = c.key
	i := a.Interaction
	i.Request = c.request
	var err error
	i.Data, err = a.done(v, grantID, c.handle, c.Params, s.Now())
	return &i, err
}

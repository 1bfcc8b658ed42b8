package token

import (
	"context"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// StepUps make the auth_sessions by which clients have subjects authenticate further: *challenge.Service.
type StepUps interface {
	// Reopen returns the handle of a new auth_session for the client of g, which holds key, and the subject of g.
	Reopen(ctx context.Context, t *tenant.Tenant, g *grant.Grant, key oauth.Confirmation) (string, error)
}

// StepUp says that nothing is issued until the subject has authenticated further (OAuth 2.0 for First-Party Applications §6.2).
type StepUp struct {
	AuthSession string // to go on with at the authorization challenge endpoint
}

var errStepUp = oauth.InsufficientAuthorization("the user must authenticate anew")

// Error is for logs.
func (e *StepUp) Error() string { return errStepUp.Error() }

// Unwrap returns the insufficient_authorization.
func (e *StepUp) Unwrap() error { return errStepUp }

// stale returns a StepUp where the subject of g, a grant of the challenge, authenticated longer ago than the tenant lets its
// refresh tokens be used. Those stay as they are.
func (s *Service) stale(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant) error {
	c := &t.Settings.Challenge
	if s.StepUps == nil || !c.Enabled || c.StepUpAfter <= 0 || !g.Terms.FirstParty || s.Now().Unix()-g.Terms.Login.AuthTime <= c.StepUpAfter {
		return nil
	}
	handle, err := s.StepUps.Reopen(ctx, t, g, r.Proved)
	if err != nil {
		return err
	}
	return &StepUp{handle}
}

// reopened is the auth_session that goes with the tokens of g where the tenant wants that of its first-party clients; empty:
// there is none, for which the tokens need not wait.
func (s *Service) reopened(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant) string {
	if s.StepUps == nil || !t.Settings.Challenge.Enabled || !t.Settings.Challenge.TokenSession {
		return ""
	}
	if scope, err := oauth.ParseScope(r.Client.Scope); err != nil || !slices.Contains(scope, oauth.AuthorizationChallenge) {
		return ""
	}
	handle, err := s.StepUps.Reopen(ctx, t, g, r.Proved)
	if err != nil {
		return ""
	}
	return handle
}

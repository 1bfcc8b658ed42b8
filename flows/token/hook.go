package token

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// Hooks ask the tenant's own code what is the tenant's to decide (docs/hooks.md).
type Hooks interface {
	// Run puts ev to the tenant's hook of its name. Whatever fails is an error, and denies.
	Run(ctx context.Context, t *tenant.Tenant, ev script.Event) (script.Outcome, error)
}

// refusals are the error codes that a hook may refuse a token request with (RFC 6749 §5.2, RFC 8707 §2).
var refusals = []string{"invalid_request", "invalid_grant", "invalid_scope", "invalid_target", "unauthorized_client", "access_denied"}

// What a hook may not answer at the token endpoint, for the operator.
var (
	errHookCode   = errors.New("token: the hook refuses with a code that the token endpoint has not")
	errHookStep   = errors.New("token: the hook asks for a step, which the token endpoint has not")
	errHookClaim  = errors.New("token: the hook sets a claim that says what a token is")
	errHookSize   = errors.New("token: the hook brings more into the tokens than fits")
	errHookTokens = errors.New("token: the hook gives tokens that the grant has not")
)

// hooked asks the hook of that name about r, with what r asks for and what the hook is to know beside. The error of a
// refusal is for the client.
func (s *Service) hooked(ctx context.Context, t *tenant.Tenant, r *Request, name string, scope oauth.Scope, facts map[string]any) (script.Outcome, error) {
	o, err := s.Hooks.Run(ctx, t, script.Event{Hook: name, Client: r.Client, Facts: facts, Request: script.Request{Scope: scope,
		Resources: slices.Concat(r.Params["resource"], r.Params["audience"]), Parameters: script.Custom(r.Params), Address: r.Address, Key: r.Proved}})
	if err == nil {
		err = o.Fault(HookRefusal(&o))
	}
	if err == nil && o.Action == script.Deny {
		err = oauth.Custom(o.Code, o.Description, "")
	}
	return o, err
}

// HookRefusal is why nothing can come of what a hook of the token endpoint answered, whatever was asked, or nil.
func HookRefusal(o *script.Outcome) error {
	switch {
	case o.Action == script.Next:
		return errHookStep
	case o.Action == script.Deny && !slices.Contains(refusals, o.Code):
		return errHookCode
	}
	for _, claims := range []map[string]json.RawMessage{o.Claims, o.AccessToken.Claims} {
		for name := range claims {
			if !grant.Presettable(name) {
				return errHookClaim
			}
		}
	}
	return nil
}

// heed has the tokens that are made of g follow o, but for subject, scope and audience.
func heed(o *script.Outcome, g *grant.Grant) error {
	m := &g.Terms
	if o.AccessToken.Lifetime > 0 && (m.AccessToken.Lifetime <= 0 || o.AccessToken.Lifetime < m.AccessToken.Lifetime) {
		m.AccessToken.Lifetime = o.AccessToken.Lifetime
	}
	if len(o.AccessToken.Claims) > 0 {
		m.AccessToken.Claims = maps.Clone(o.AccessToken.Claims)
	}
	if o.Data != nil {
		m.Data = o.Data
	}
	if o.ACR != "" || o.AMR != nil || o.AuthTime != 0 {
		m.Login.ACR, m.Login.AMR, m.Login.AuthTime = o.ACR, o.AMR, o.AuthTime
	}
	if len(o.Claims) > 0 {
		m.PresetIDToken, m.PresetUserInfo = o.Claims, o.Claims
	}
	if m.Check() != nil {
		return o.Fault(errHookSize)
	}
	return nil
}

// narrower is the scope that o leaves of scope.
func narrower(o *script.Outcome, scope oauth.Scope) oauth.Scope {
	if !o.Rescoped {
		return scope
	}
	return scope.And(o.Scope)
}

// nearer is the audience that o leaves of aud.
func nearer(o *script.Outcome, aud []string) ([]string, error) {
	switch {
	case o.Audience == nil:
		return aud, nil
	case len(o.Audience) == 0 || !oauth.Scope(o.Audience).Within(aud):
		return nil, oauth.InvalidTarget("none of these resources is granted")
	}
	return o.Audience, nil
}

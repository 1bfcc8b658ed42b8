package access

import (
	"cmp"
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

// Hooks ask the tenant's own code what is the tenant's to tell (docs/hooks.md).
type Hooks interface {
	// Run puts ev to the tenant's hook of its name. Whatever fails is an error.
	Run(ctx context.Context, t *tenant.Tenant, ev script.Event) (script.Outcome, error)
}

// What a hook may not answer here, for whoever wrote it and for the operator.
var (
	errHookAction = errors.New("access: the hook does not allow: it tells claims, and decides nothing")
	errHookSays   = errors.New("access: the hook says more than claims")
	errHookClaim  = errors.New("access: the hook sets a claim that says what a token is")
	errHookSize   = errors.New("access: the hook tells more than max_answer")
)

// HookRefusal is why nothing can come of what a hook answered here, whatever was asked, or nil.
func HookRefusal(o *script.Outcome) error {
	switch {
	case o.Action != script.Allow:
		return errHookAction
	case o.ACR != "", o.AMR != nil, o.AuthTime != 0, o.Rescoped, o.Audience != nil, o.Data != nil, o.Keep != nil, o.Wrong,
		o.AccessToken.Lifetime != 0, o.AccessToken.Claims != nil, o.RefreshToken != nil, o.IDToken != nil:
		return errHookSays
	}
	for name := range o.Claims {
		if !grant.Presettable(name) {
			return errHookClaim
		}
	}
	return nil
}

// claimsOf returns the claims of an answer of h about subject, which may say nothing else. Null is left out unless h keeps it.
func claimsOf(o *script.Outcome, h *tenant.Hook, subject string) (map[string]json.RawMessage, error) {
	err := HookRefusal(o)
	if err == nil && o.Subject != "" && o.Subject != subject {
		err = errHookSays
	}
	if err != nil {
		return nil, o.Fault(err)
	}
	claims, size := map[string]json.RawMessage{}, 0
	for name, v := range o.Claims {
		if string(v) != "null" || h.KeepNull {
			claims[name] = v
			size += len(name) + len(v)
		}
	}
	if size > h.Room() {
		return nil, o.Fault(errHookSize)
	}
	return claims, nil
}

// asker is who asks about a token, as far as that is known.
type asker struct {
	ClientID string `json:"client_id,omitempty"`
	Resource string `json:"resource,omitempty"`
}

// parties are subject and actors of a token by the tenant's own names.
type parties struct {
	subject     string
	act, mayAct *grant.Actor
}

func partiesOf(a *grant.AccessToken) parties {
	return parties{a.Subject, a.Acting(), a.Delegation.MayAct}
}

// described is a token as the tenant's hook is told of it, in the words of RFC 7662 §2.2.
type described struct {
	Kind      string          `json:"kind"` // access_token or refresh_token
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	ClientID  string          `json:"client_id"`
	Scope     oauth.Scope     `json:"scope"`
	Audience  []string        `json:"aud,omitempty"`
	IssuedAt  int64           `json:"iat"`
	ExpiresAt int64           `json:"exp"`
	ID        string          `json:"jti,omitempty"`
	Act       *grant.Actor    `json:"act,omitempty"`
	MayAct    *grant.Actor    `json:"may_act,omitempty"`
	Details   oauth.Details   `json:"authorization_details,omitempty"`
	Data      json.RawMessage `json:"dat,omitempty"`
	ACR       string          `json:"acr,omitempty"`
	AuthTime  int64           `json:"auth_time,omitempty"`

	Confirmation oauth.Confirmation `json:"cnf,omitzero"`
}

// introspectionMembers are those of an introspection answer that no claim of a token is (RFC 7662 §2.2).
var introspectionMembers = []string{"username"}

// compose adds to i what the tenant's hook tells of the token beside, where there is one. What i says already it cannot say.
func (s *Service) compose(ctx context.Context, t *tenant.Tenant, i *Info, own parties, by asker) (*Info, error) {
	h := t.Settings.Hook(tenant.HookIntrospection)
	if h == nil || s.Hooks == nil {
		return i, nil
	}
	c, err := t.Clients.Client(ctx, i.ClientID)
	if err != nil && !errors.Is(err, tenant.ErrNoClient) {
		return nil, err
	}
	d := described{Kind: i.Kind, Issuer: cmp.Or(i.Issuer, t.Issuer), Subject: own.subject, ClientID: i.ClientID, Scope: i.Scope, Audience: i.Audience,
		IssuedAt: i.IssuedAt.Unix(), ExpiresAt: i.ExpiresAt.Unix(), ID: i.ID, Act: own.act, MayAct: own.mayAct, Details: i.Details, Data: i.Data, ACR: i.ACR, AuthTime: i.AuthTime,
		Confirmation: i.Confirmation}
	o, err := s.Hooks.Run(ctx, t, script.Event{Hook: tenant.HookIntrospection, Client: c, Facts: map[string]any{"token": d, "caller": by}})
	if err != nil {
		return nil, err
	}
	further, err := claimsOf(&o, h, own.subject)
	if err != nil {
		return nil, err
	}
	for name := range further {
		if slices.Contains(introspectionMembers, name) {
			return nil, o.Fault(errHookClaim)
		}
	}
	maps.Copy(further, i.Further)
	i.Further = further
	return i, nil
}

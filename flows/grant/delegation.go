package grant

import (
	"encoding/json"

	"github.com/chancery-id/chancery/tenant"
)

// Actor is who acts for a subject, or may; Act is who acted before it (RFC 8693 §4.1, §4.4). Its JSON is the claim.
type Actor struct {
	Subject  string `json:"sub,omitempty"`
	Issuer   string `json:"iss,omitempty"` // that Subject is one of; empty: the tenant
	ClientID string `json:"client_id,omitempty"`
	Act      *Actor `json:"act,omitempty"`
}

// For is a as client c is told it, which may know the tenant's subjects by names of its own (OIDC Core §8.1).
func (a *Actor) For(t *tenant.Tenant, c *tenant.Client) *Actor {
	if a == nil {
		return nil
	}
	told := *a
	if told.Issuer == "" && told.Subject != "" {
		told.Subject = t.SubjectFor(c, a.Subject)
	}
	told.Act = a.Act.For(t, c)
	return &told
}

// Delegation is who acts for a token's subject, and who may.
type Delegation struct {
	Act    *Actor `json:"act,omitempty"`
	MayAct *Actor `json:"may_act,omitempty"`
}

// acting is the act claim of what has that actor and delegation.
func acting(actor string, d Delegation) *Actor {
	switch {
	case d.Act != nil:
		return d.Act
	case actor != "":
		return &Actor{Subject: actor}
	}
	return nil
}

// Acting is the act claim of the tokens of g; nil: there is none.
func (g *Grant) Acting() *Actor { return acting(g.Actor, g.Terms.Delegation) }

// Acting is the act claim of a; nil: it has none.
func (a *AccessToken) Acting() *Actor { return acting(a.Actor, a.Delegation) }

// MayAct is the may_act claim of the tokens of g; nil: there is none.
func (g *Grant) MayAct() *Actor { return g.delegation().MayAct }

// delegation is what the access tokens of g say: its own, with whom the claims given with it permit to act.
func (g *Grant) delegation() Delegation {
	d := g.Terms.Delegation
	if raw, ok := g.Terms.AccessToken.Claims["may_act"]; ok && d.MayAct == nil {
		var may *Actor
		if json.Unmarshal(raw, &may) == nil {
			d.MayAct = may
		}
	}
	return d
}

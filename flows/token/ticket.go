package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// stepToken is the step of an interaction that is a token request, between Open and Settle or Drop.
const stepToken authorize.Step = "token"

// ticketLifetime is how long a token request waits for the tenant's backend.
const ticketLifetime = 24 * time.Hour

// Pending is a token request that waits for the tenant's backend. Ticket is its handle.
type Pending struct {
	Ticket string
	Client *tenant.Client
	Petition
	GrantType string

	interaction authorize.Interaction
}

// kept is what is stored of a Pending beside its client.
type kept struct {
	GrantType string
	Petition  Petition
}

// Tickets keep token requests as interactions.
type Tickets interface {
	Begin(ctx context.Context, t tenant.ID, i authorize.Interaction, touch *session.Session) error
	Load(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error)
	SubjectOf(ctx context.Context, t tenant.ID, sub, clientID string) (authorize.Subject, error)
	Finish(ctx context.Context, t tenant.ID, now time.Time, e authorize.FinishEffect) ([]tenant.Revocation, error)
}

// Open is Exchange for a door that hands out tickets: where the tenant's backend decides the request, it is kept, and comes
// back as pending in place of tokens.
func (s *Service) Open(ctx context.Context, t *tenant.Tenant, r *Request) (out grant.Tokens, pending *Pending, err error) {
	r.tickets = true
	if out, err = s.Exchange(ctx, t, r); err != nil || r.left == nil {
		return out, nil, err
	}
	name := r.get("grant_type")
	data, err := json.Marshal(kept{name, *r.left})
	if err != nil {
		return out, nil, err
	}
	now := s.Now()
	ticket := s.Issuer.NewHandle()
	p := &Pending{Ticket: ticket, Client: r.Client, Petition: *r.left, GrantType: name, interaction: authorize.Interaction{Hash: handleHash(ticket), Step: stepToken,
		Request: &request.Request{ClientID: r.Client.ID, Scope: r.left.Scope, Resource: r.left.Audience}, Data: data, Binding: ticketBinding(t),
		CreatedAt: now, ExpiresAt: now.Add(ticketLifetime)}}
	if !p.NotAfter.IsZero() && p.NotAfter.Before(p.interaction.ExpiresAt) {
		p.interaction.ExpiresAt = p.NotAfter
	}
	if err := s.Tickets.Begin(ctx, t.ID, p.interaction, nil); err != nil {
		return out, nil, err
	}
	return out, p, nil
}

func handleHash(ticket string) []byte {
	h := sha256.Sum256([]byte(ticket))
	return h[:]
}

// ticketBinding keeps these interactions apart from every other: neither opens the other's.
func ticketBinding(t *tenant.Tenant) []byte {
	return handleHash(base64.RawURLEncoding.EncodeToString(t.Secret.MAC("token ticket binding")))
}

// Ticket returns the request of a ticket, or authorize.ErrNotFound.
func (s *Service) Ticket(ctx context.Context, t *tenant.Tenant, ticket string) (*Pending, error) {
	i, err := s.Tickets.Load(ctx, t.ID, s.Now(), handleHash(ticket))
	if err != nil {
		return nil, err
	}
	if i.Step != stepToken || subtle.ConstantTimeCompare(i.Binding, ticketBinding(t)) != 1 {
		return nil, authorize.ErrNotFound
	}
	client, err := t.Clients.Client(ctx, i.Request.ClientID)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && client.Disabled {
		return nil, authorize.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(i.Data, &k); err != nil {
		return nil, err
	}
	return &Pending{Ticket: ticket, Client: client, Petition: k.Petition, GrantType: k.GrantType, interaction: *i}, nil
}

// Verdict is what the tenant's backend grants on a ticket.
type Verdict struct {
	Subject    string
	Wish       Wish
	Properties []grant.Property
	Actor      string // whose verdict it is: id of an API token
	Address    string
}

// Settle ends a ticket with tokens: of any number of concurrent calls one succeeds, the others get authorize.ErrNotFound. A
// verdict that is no answer is invalid_request, and the ticket stays.
func (s *Service) Settle(ctx context.Context, t *tenant.Tenant, p *Pending, v Verdict) (grant.Tokens, error) {
	switch {
	case !p.Client.MayGrant(p.GrantType) || !Offers(t.Settings, p.GrantType): // any more
		return grant.Tokens{}, oauth.UnauthorizedClient("the client may not use this grant_type")
	case p.Issued == oauth.TypeRefreshToken && !t.Settings.Serves(oauth.RefreshToken): // any more
		return grant.Tokens{}, oauth.UnauthorizedClient("the client may not use refresh tokens")
	case p.Alone: // about the client itself
	case !authorize.TicketSubject(v.Subject) || v.Subject == p.ClientID:
		return grant.Tokens{}, oauth.InvalidRequest("subject must have 1 to 100 printable ASCII characters, and not be the id of the client")
	case p.Subject != "" && p.Subject != v.Subject:
		return grant.Tokens{}, oauth.InvalidRequest("subject is not the one that the request is about")
	case p.Subject == "":
		p.Subject = v.Subject
	}
	who, err := s.Tickets.SubjectOf(ctx, t.ID, p.Subject, p.ClientID)
	if err != nil {
		return grant.Tokens{}, err
	}
	if who.Disabled {
		return grant.Tokens{}, p.over(nil)
	}
	if p.From != "" {
		g, err := s.Grants.Grant(ctx, t.ID, p.From)
		if errors.Is(err, grant.ErrNotFound) || err == nil && !g.Live(s.Now()) {
			return grant.Tokens{}, p.over(err)
		}
		if err != nil {
			return grant.Tokens{}, err
		}
	}
	r := &Request{Client: p.Client, Params: url.Values{"grant_type": {p.GrantType}}, Address: v.Address, Wish: v.Wish}
	properties := slices.Clone(v.Properties)
	out, err := s.issue(ctx, t, r, &p.Petition, func(g *grant.Grant) error {
		g.Terms.Properties = properties
		return g.Terms.Check()
	}, func(ctx context.Context, t *tenant.Tenant, d grant.Derivation) error {
		d.Event.Actor = v.Actor
		return s.finish(ctx, t, p, d)
	})
	return out, err
}

func (s *Service) finish(ctx context.Context, t *tenant.Tenant, p *Pending, d grant.Derivation) error {
	_, err := s.Tickets.Finish(ctx, t.ID, s.Now(), authorize.FinishEffect{Hash: p.interaction.Hash, Version: p.interaction.Version, Grant: d.Grant,
		AccessToken: d.AccessToken, Events: []audit.Event{d.Event}})
	return err
}

// Drop ends a ticket without tokens, as Settle ends it with some. code is what the client is told.
func (s *Service) Drop(ctx context.Context, t *tenant.Tenant, p *Pending, code, actor, address string) error {
	ev := audit.Event{At: s.Now(), Kind: audit.Denied, Actor: actor, Subject: p.Subject, ClientID: p.ClientID, Address: address,
		Detail: maps.Clone(p.Detail)}
	if ev.Detail == nil {
		ev.Detail = map[string]string{}
	}
	ev.Detail["grant_type"], ev.Detail["error"] = p.GrantType, code
	return s.finish(ctx, t, p, grant.Derivation{Event: ev})
}

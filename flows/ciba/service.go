// Package ciba is how a backchannel authentication begins (OpenID Connect Client-Initiated Backchannel Authentication 1.0,
// "CIBA Core"): a client asks for a subject, who is found by a hint and answers on another device.
package ciba

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Service leads backchannel authentications from the request to the token endpoint.
type Service struct {
	Now      func() time.Time
	Requests *request.Service
	Accounts Accounts
	Claims   grant.Accounts // for tokens that are pushed
	Issuer   *grant.Issuer
	Store    decoupled.Store
	Managed  grant.Managed    // agreements that clients manage; nil where Requests knows of none
	Limit    Limiter          // nil: clients may ask for a user as often as they like, and apps what waits
	Register Register         // of apps, and those who look after authentications; may be nil elsewhere
	Sessions *session.Service // likewise
}

// Limiter counts calls.
type Limiter interface {
	// Allow counts one call under the limit of that name, by each key. Where a limit is reached it says for how long.
	Allow(ctx context.Context, t tenant.ID, what string, keys ...string) (retryAfter time.Duration, ok bool)
}

// limited is the name of the limit on requests of one client for one user, by both together.
const limited = "backchannel"

// The handles of an authentication: the ticket is for whoever looks for its subject, auth_req_id for the client.
var (
	tickets    = decoupled.Handle{Use: "ciba ticket", Size: 16}
	authReqIDs = decoupled.Handle{Use: "ciba auth_req_id", Size: 32}
)

// kind is what backchannel authentication has of its own. An ID token is what the client asked for (CIBA Core §10.1.1).
var kind = decoupled.Kind{GrantType: oauth.CIBA, Handle: authReqIDs, Invalid: oauth.InvalidGrant("auth_req_id is invalid or already used"),
	Expired: oauth.ExpiredToken("auth_req_id has expired"), IDToken: true}

// Flow answers authentications, and the polls for them.
func (s *Service) Flow() *decoupled.Flow {
	return &decoupled.Flow{Kind: kind, Now: s.Now, Store: s.Store, Issuer: s.Issuer, Claims: s.Claims, Managed: s.Managed}
}

// Accounts finds the account that a hint means.
type Accounts interface {
	// Find returns the account whose subject or user name is hint, disabled or not, or nil.
	Find(ctx context.Context, t *tenant.Tenant, hint string) (*account.Account, error)
	// CheckUserCode returns nil where code is the user code of a, which is nil where nobody was found by hint; else
	// invalid_user_code, or slow_down after too many wrong ones.
	CheckUserCode(ctx context.Context, t *tenant.Tenant, a *account.Account, hint, code, clientID string) error
}

// begin validates a request of a client that has authenticated.
func (s *Service) begin(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (*request.Request, *decoupled.Authentication, error) {
	r, err := s.Requests.ValidateBackchannel(ctx, t, client, params)
	if err == nil {
		err = s.Requests.Spend(ctx, t, r)
	}
	if err != nil {
		return nil, nil, err
	}
	kept := *r
	kept.IDTokenHint, kept.Backchannel.LoginHintToken, kept.Backchannel.NotificationToken = "", "", "" // they have said all they can
	if token := r.Backchannel.NotificationToken; token != "" {
		if kept.Backchannel.Notification, err = decoupled.SealToken(t, token); err != nil {
			return nil, nil, err
		}
	}
	return r, &decoupled.Authentication{ID: s.Issuer.NewID(), ClientID: client.ID, Request: &kept, CreatedAt: s.Now()}, nil
}

// Begin records a request whose subject somebody else will find, and then Issue or Fail. The error is an *oauth.Error of
// CIBA Core §13.
func (s *Service) Begin(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (*Ticket, error) {
	r, a, err := s.begin(ctx, t, client, params)
	if err != nil {
		return nil, err
	}
	a.State, a.EndsAt = decoupled.Identifying, a.CreatedAt.Add(t.Settings.InteractionLifetime())
	if err := s.Store.BeginAuthentication(ctx, t.ID, *a); err != nil {
		return nil, err
	}
	return &Ticket{Handle: tickets.Of(t, a.ID), Client: client, Request: r}, nil
}

// Issue acknowledges the request of a ticket: its subject is known to whoever calls. A ticket that is unknown, over or
// acknowledged already is decoupled.ErrNotFound.
func (s *Service) Issue(ctx context.Context, t *tenant.Tenant, ticket string) (*decoupled.Pending, Acknowledgement, error) {
	p, err := s.Load(ctx, t, ticket)
	if err != nil {
		return nil, Acknowledgement{}, err
	}
	ack := acknowledgement(t, &p.Authentication)
	p.State, p.Interval, p.EndsAt = decoupled.Waiting, ack.Interval, s.Now().Add(ack.ExpiresIn)
	err = s.Store.Acknowledge(ctx, t.ID, s.Now(), p.ID, p.Interval, p.EndsAt)
	if errors.Is(err, decoupled.ErrConflict) {
		err = decoupled.ErrNotFound
	}
	if err != nil {
		return nil, Acknowledgement{}, err
	}
	return p, ack.to(p.Client), nil
}

func acknowledgement(t *tenant.Tenant, a *decoupled.Authentication) Acknowledgement {
	return Acknowledgement{AuthReqID: AuthReqID(t, a), ExpiresIn: t.Settings.CIBALifetime(a.Request.Backchannel.RequestedExpiry),
		Interval: t.Settings.CIBAInterval()}
}

// to is a as client is told it: one that does not poll has no interval to keep (CIBA Core §7.3).
func (a Acknowledgement) to(client *tenant.Client) Acknowledgement {
	if client.BackchannelMode == oauth.Push {
		a.Interval = 0
	}
	return a
}

// AuthReqID returns the auth_req_id of a. Only the client may see it.
func AuthReqID(t *tenant.Tenant, a *decoupled.Authentication) string { return authReqIDs.Of(t, a.ID) }

// Authenticate records and acknowledges a request at once, after finding its subject among our own accounts. The error
// is an *oauth.Error of CIBA Core §13.
func (s *Service) Authenticate(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (Acknowledgement, error) {
	r, a, err := s.begin(ctx, t, client, params)
	if err != nil {
		return Acknowledgement{}, err
	}
	if err := s.alone(t, r); err != nil {
		return Acknowledgement{}, err
	}
	if token := r.Backchannel.LoginHintToken; token != "" {
		if err := s.open(ctx, t, client, a.Request, token); err != nil {
			return Acknowledgement{}, err
		}
	}
	if err := s.identify(ctx, t, a, &r.Backchannel); err != nil {
		return Acknowledgement{}, err
	}
	if err := s.mayAsk(ctx, t, a); err != nil {
		return Acknowledgement{}, err
	}
	ack := acknowledgement(t, a)
	a.State, a.Interval, a.EndsAt = decoupled.Waiting, ack.Interval, a.CreatedAt.Add(ack.ExpiresIn)
	if err := s.Store.BeginAuthentication(ctx, t.ID, *a); err != nil {
		return Acknowledgement{}, err
	}
	return ack.to(client), nil
}

// open reads a login_hint_token into r, which it may not have be about another subject than that of the grant that r names.
func (s *Service) open(ctx context.Context, t *tenant.Tenant, client *tenant.Client, r *request.Request, token string) error {
	sub, hint, err := s.Requests.OpenHintToken(ctx, t, client, token)
	if err != nil {
		return err
	}
	if r.GrantID == "" {
		r.RequiredSub = sub
	} else if sub != "" && sub != r.RequiredSub {
		return request.ErrGrantID
	}
	r.LoginHint = hint
	return nil
}

// defaultBindingMessage is the form of binding messages that nobody else judges, unless the tenant says otherwise.
const defaultBindingMessage = `[\w ]{4,16}`

// alone refuses what only a tenant's backend could judge before the request is acknowledged.
func (s *Service) alone(t *tenant.Tenant, r *request.Request) error {
	m := r.Backchannel.BindingMessage
	if m != "" && t.Settings.CIBA.BindingMessage == "" && !request.Matches(defaultBindingMessage, m) {
		return oauth.InvalidBindingMessage("binding_message must be 4 to 16 letters, digits, underscores and spaces")
	}
	return nil
}

// mayAsk holds the client to how often it may ask for one user. Where nobody was found the hint counts as one, so that the
// limit tells nobody who has an account.
func (s *Service) mayAsk(ctx context.Context, t *tenant.Tenant, a *decoupled.Authentication) error {
	if s.Limit == nil {
		return nil
	}
	whom := a.Subject
	if whom == "" {
		whom = a.Request.LoginHint
	}
	if wait, ok := s.Limit.Allow(ctx, t.ID, limited, a.ClientID+"\n"+whom); !ok {
		return oauth.SlowDown("the client asks for this user too often").Because(oauth.Wait(wait))
	}
	return nil
}

var errUnknown = oauth.UnknownUserID("the hint names no user who could be asked")

// identify finds whom a is about, and checks the user code where there is one to check. An ID token of ours names its
// subject, also one that has no account here.
func (s *Service) identify(ctx context.Context, t *tenant.Tenant, a *decoupled.Authentication, b *request.Decoupled) error {
	r := a.Request
	hint := r.LoginHint
	if r.RequiredSub != "" {
		hint = r.RequiredSub
	}
	found, err := s.Accounts.Find(ctx, t, hint)
	if err != nil {
		return err
	}
	if found != nil && r.RequiredSub != "" && found.Subject != r.RequiredSub {
		found = nil // somebody whose user name is another's sub
	}
	unknown := t.Settings.CIBA.UnknownUsers
	if r.GrantID != "" && r.LoginHint != "" && r.LoginHint != r.RequiredSub {
		meant, err := s.Accounts.Find(ctx, t, r.LoginHint)
		if err != nil {
			return err
		}
		if meant != nil && meant.Subject != r.RequiredSub || meant == nil && unknown != tenant.PassUnknown {
			return request.ErrGrantID
		}
	}
	if checks := b.UserCodeRequired || b.UserCode != ""; checks && (found != nil && !found.Disabled || unknown == tenant.HideUnknown) {
		if err := s.Accounts.CheckUserCode(ctx, t, found, hint, b.UserCode, a.ClientID); err != nil {
			return err
		}
	} else if checks && (r.RequiredSub != "" || unknown == tenant.PassUnknown) {
		return oauth.UnauthorizedClient("a client that sends user_code is served for accounts of this server only")
	}
	switch {
	case found != nil && !found.Disabled:
		r.RequiredSub, a.Subject = found.Subject, found.Subject
	case found == nil && r.RequiredSub != "":
		a.Subject = r.RequiredSub
	case found == nil && unknown == tenant.PassUnknown:
		a.Subject = r.LoginHint
	case unknown != tenant.HideUnknown:
		return errUnknown
	}
	return nil
}

// Load returns the authentication that a ticket reaches, or decoupled.ErrNotFound.
func (s *Service) Load(ctx context.Context, t *tenant.Tenant, ticket string) (*decoupled.Pending, error) {
	id, ok := tickets.Parse(t, ticket)
	if !ok {
		return nil, decoupled.ErrNotFound
	}
	return s.Flow().Find(ctx, t, id)
}

// maxListed is how many authentications a list holds at most.
const maxListed = 100

// Waiting lists what waits for that subject: the newest of each client first, then the second of each, and so on.
func (s *Service) Waiting(ctx context.Context, t *tenant.Tenant, subject string) ([]decoupled.Pending, error) {
	as, err := s.Store.Authentications(ctx, t.ID, s.Now(), subject, maxListed)
	if err != nil {
		return nil, err
	}
	var out []decoupled.Pending
	for i := range as {
		p, err := decoupled.WithClient(ctx, t, &as[i])
		if errors.Is(err, decoupled.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *p)
	}
	return out, nil
}

package authorize

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// DirectRequest asks for tokens at once, for a subject and a client that the caller, whom the tenant trusts, has decided
// about by itself. Exactly one of Subject, Login and SID says who the subject is.
type DirectRequest struct {
	ClientID string
	Subject  string         // without a session, and so without an ID token
	Login    *session.Login // begins a session
	SID      string         // handle of the session that the tokens are given in
	Consent                 // without asterisks: there is nothing that was asked
	Code     bool           // an authorization code is given, without a redirect URI, and no tokens yet
	Actor    string         // id of the API token that vouches for it
}

// DirectResult are the tokens of a direct authorization.
type DirectResult struct {
	grant.Tokens
	Code string
	SID  string // of the session that was begun, if one was
}

// ErrMetadata says that a client registered what its ID tokens cannot be made with.
var ErrMetadata = errors.New("authorize: there is no key for the algorithm that the client registered for ID tokens")

// Direct grants what d says and makes its tokens, without a code. A client that is unknown or disabled is
// tenant.ErrNoClient, a session that is unknown or over session.ErrNotFound, an ID token that the client's registration
// stands against ErrMetadata, and all else that cannot be granted invalid_request; then nothing has changed. A client
// that may not use refresh tokens gets none.
func (s *Service) Direct(ctx context.Context, t *tenant.Tenant, d DirectRequest) (DirectResult, error) {
	now := s.Now()
	if err := d.check(t, now); err != nil {
		return DirectResult{}, err
	}
	client, err := t.Clients.Client(ctx, d.ClientID)
	if err == nil && client.Disabled {
		err = tenant.ErrNoClient
	}
	if err != nil {
		return DirectResult{}, err
	}
	if client.OnlyBound() { // RFC 9449 §5.2, RFC 8705 §3.4: nobody proves a key here
		return DirectResult{}, oauth.InvalidRequest("the client takes only access tokens that are bound to a key")
	}
	b, c, err := s.vouched(ctx, t, now, client, &d)
	if err == nil {
		err = s.impersonate(ctx, t, client, &b, d.Impersonated)
	}
	if err != nil {
		return DirectResult{}, err
	}
	g := d.grant(t, now, client, &b)
	if err := g.Terms.Check(); err != nil {
		return DirectResult{}, err
	}
	g.ID = s.Issuer.NewID()
	if alg := keys.Alg(client.IDTokenAlg); g.Terms.IDToken.Issue && alg != "" && !alg.HMAC() && alg != keys.None && !slices.Contains(t.Keys.Algs(now), alg) {
		return DirectResult{}, ErrMetadata
	}
	if d.Code {
		return s.directCode(ctx, t, client, &d, &b, c, g)
	}
	m, err := s.Issuer.Mint(ctx, t, g, client, s.Accounts, g.Terms.Audience)
	if errors.Is(err, keys.ErrTooLarge) {
		err = oauth.InvalidRequest("a token would be longer than 16 KiB").Because(err)
	}
	if err != nil {
		return DirectResult{}, err
	}
	g.Refresh, g.ExpiresAt = m.Refresh, m.ExpiresAt
	out := DirectResult{Tokens: m.Tokens}
	err = s.direct(ctx, t, client, &d, &b, c, g, m.Stored, &out)
	return out, err
}

// directCode gives a code for g. Whoever redeems it must authenticate as the client: no code_challenge protects it.
func (s *Service) directCode(ctx context.Context, t *tenant.Tenant, client *tenant.Client, d *DirectRequest, b *bearer, c change, g *grant.Grant) (DirectResult, error) {
	if client.Public() || !client.MayGrant(oauth.AuthorizationCode) {
		return DirectResult{}, oauth.InvalidRequest("the client must be confidential, and may use authorization codes")
	}
	out := DirectResult{Code: s.Issuer.MintCode(g.ID)}
	g.ExpiresAt = s.Now().Add(client.Demands.CodeLifetime(t.Settings.CodeLifetime()))
	g.Code = &grant.CodeState{Hash: grant.Hash(out.Code), ExpiresAt: g.ExpiresAt}
	err := s.direct(ctx, t, client, d, b, c, g, nil, &out)
	return out, err
}

// direct writes all that a direct authorization comes to, and completes out.
func (s *Service) direct(ctx context.Context, t *tenant.Tenant, client *tenant.Client, d *DirectRequest, b *bearer, c change, g *grant.Grant, stored *grant.AccessToken, out *DirectResult) error {
	now := g.CreatedAt
	var remembered *grant.Authorization
	if d.LongLived {
		remembered = merge(b.Authorization, &g.Terms, now)
	}
	e := effectOf(t, now, g, b.Session, remembered, c)
	e.AccessToken, e.FirstUse = stored, client.FirstUse()
	e.Events = append(e.Events, d.event(now, g))
	revoked, err := s.Store.Finish(ctx, t.ID, now, e)
	if errors.Is(err, ErrNotFound) {
		err = session.ErrNotFound // it ended meanwhile
	}
	if err != nil {
		*out = DirectResult{}
		return err
	}
	t.Revoked.Add(revoked...)
	if c.session != nil {
		out.SID = s.Sessions.Handle(t, c.session)
	}
	return nil
}

// Terms is what d agrees to, or invalid_request where that cannot be.
func (s *Service) Terms(t *tenant.Tenant, d DirectRequest) (grant.Terms, error) {
	if err := d.check(t, s.Now()); err != nil {
		return grant.Terms{}, err
	}
	return termsOf(t.Settings, &request.Request{}, d.Consent), nil
}

// check returns invalid_request where d holds what must not come into a token, or what cannot be meant.
func (d *DirectRequest) check(t *tenant.Tenant, now time.Time) error {
	if slices.Contains(d.Scope, "*") || slices.Contains(d.Claims, "*") || slices.Contains(d.Claims, idTokenPrefix+"*") {
		return oauth.InvalidRequest("scope and claims must name their values: nothing was asked that * could stand for")
	}
	return d.Consent.check(t, now)
}

// bearer is whom tokens are for.
type bearer struct {
	Subject
	subject, actor string // of the tokens; actor only where it acts as subject
}

// vouched returns whom the caller says that d is for, and what it changes that a session begins with it.
func (s *Service) vouched(ctx context.Context, t *tenant.Tenant, now time.Time, client *tenant.Client, d *DirectRequest) (b bearer, c change, err error) {
	c.address = d.Address
	if d.SID != "" {
		if b.Subject, err = s.holder(ctx, t, d.SID, client); err == nil && b.Session == nil {
			err = session.ErrNotFound
		}
		if err == nil {
			b.subject = b.Session.Subject
		}
		return b, c, err
	}
	login := session.Login{Subject: d.Subject}
	if d.Login != nil {
		login = *d.Login
	}
	if err := checkLogin(now, client, &login); err != nil {
		return b, c, err
	}
	if d.Login != nil {
		c.session = s.Sessions.New(t, login)
		if err := checkSession(now, c.session, login); err != nil {
			return b, c, err
		}
		c.events = []audit.Event{{At: now, Kind: audit.LoggedIn, Actor: d.Actor, Subject: login.Subject, ClientID: client.ID, Session: c.session.ID, Address: d.Address}}
	}
	if b.Subject, err = s.Store.SubjectOf(ctx, t.ID, login.Subject, client.ID); err != nil {
		return b, c, err
	}
	if b.Disabled {
		return b, c, oauth.InvalidRequest("the account of sub is disabled")
	}
	b.Session, b.subject = c.session, login.Subject
	return b, c, nil
}

// impersonate makes the bearer act as sub, unless that is empty or itself.
func (s *Service) impersonate(ctx context.Context, t *tenant.Tenant, client *tenant.Client, b *bearer, sub string) error {
	if sub == "" || sub == b.subject {
		return nil
	}
	b.subject, b.actor = sub, b.subject
	b.Authorization = nil // what the subject allowed for itself is not what it allowed as another
	return s.checkImpersonated(ctx, t, client, sub)
}

// grant is what d agrees to for b, without an id.
func (d *DirectRequest) grant(t *tenant.Tenant, now time.Time, client *tenant.Client, b *bearer) *grant.Grant {
	g := &grant.Grant{Subject: b.subject, Actor: b.actor, ClientID: client.ID, CreatedAt: now, Terms: termsOf(t.Settings, &request.Request{Face: t.Face()}, d.Consent)}
	g.Terms.RefreshToken.Issue = g.Terms.RefreshToken.Issue && client.MayGrant(oauth.RefreshToken)
	g.Terms.IDToken.Issue = g.Terms.IDToken.Issue && b.Session != nil
	g.Terms.Registration = !d.Code && len(g.Terms.Scope.Registers()) > 0
	if b.Session != nil {
		g.Terms.Offline = g.Terms.Offline || t.Settings.Logout.KeepGrants
		g.SessionID, g.Terms.Login = b.Session.ID, loginOf(b.Session, client.RequireAuthTime || client.DefaultMaxAge != nil)
	}
	return g
}

// event is what the record says of g.
func (d *DirectRequest) event(now time.Time, g *grant.Grant) audit.Event {
	ev := audit.Event{At: now, Kind: audit.GrantIssued, Actor: d.Actor, Subject: g.Subject, ClientID: g.ClientID, Session: g.SessionID, Grant: g.ID,
		Address: d.Address, Detail: map[string]string{"grant": "direct", "scope": g.Terms.Scope.String()}}
	if g.Actor != "" {
		ev.Detail["act_sub"] = g.Actor
	}
	return ev
}

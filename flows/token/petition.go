package token

import (
	"context"
	"errors"
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

// Petition is a token request that has been checked as far as we can, and that somebody has to decide: the tenant's hook,
// its backend, or its settings. What it says is the most that may come of it. Its JSON is kept while a backend decides.
type Petition struct {
	Hook     string             `json:"hook"`               // name of the hook that decides it
	ClientID string             `json:"client_id"`          // that asks
	Subject  string             `json:"subject,omitempty"`  // whom it is for; empty: who decides says
	Scope    oauth.Scope        `json:"scope,omitempty"`    //
	Audience []string           `json:"audience,omitempty"` // none: this server
	Details  oauth.Details      `json:"details,omitempty"`  // RFC 9396
	NotAfter time.Time          `json:"not_after,omitzero"` // nothing that comes of it lives longer; zero: no such end
	From     string             `json:"from,omitempty"`     // id of the grant that it comes of
	Session  string             `json:"session,omitempty"`  // that a new grant hangs on
	Offline  bool               `json:"offline,omitempty"`  // a new grant outlives that session
	Act      *grant.Actor       `json:"act,omitempty"`      // who acts for the subject
	MayAct   *grant.Actor       `json:"may_act,omitempty"`  // who may; nil: whoever has the right
	Issued   string             `json:"issued,omitempty"`   // token type that an exchange issues
	Refresh  bool               `json:"refresh,omitempty"`  // a refresh token may come of it
	IDToken  bool               `json:"id_token,omitempty"` // an ID token may
	Alone    bool               `json:"alone,omitempty"`    // for the client itself: no grant stands behind it
	Login    grant.Login        `json:"login,omitzero"`     // how the subject was authenticated
	Proved   oauth.Confirmation `json:"confirmation,omitzero"`
	Detail   map[string]string  `json:"detail,omitempty"` // for the record

	SubjectToken, ActorToken *PresentedToken `json:"-"` // ours, of a token exchange, for the backend; nil: none is

	facts map[string]any // for the hook
}

// errBackend: the tenant lets its backend decide, which is asked where it hands the requests in.
var errBackend = oauth.UnauthorizedClient("this grant_type is decided by the tenant's backend, which was not asked")

// backend reports whether the tenant's backend decides what that hook would.
func backend(s *tenant.Settings, hook string) bool {
	g := &s.Grants
	return map[string]bool{tenant.HookTokenExchange: g.TokenExchange.Backend, tenant.HookJWTBearer: g.JWTBearer.Backend,
		tenant.HookPassword: g.Password.Backend}[hook]
}

// asksBackend reports whether the tenant's backend decides what that hook would: it can be asked, and the settings or the want of a
// hook leave it to it.
func (r *Request) asksBackend(t *tenant.Tenant, hook string) bool {
	return r.tickets && (backend(t.Settings, hook) || t.Settings.Hook(hook) == nil)
}

// decide has p decided: by the backend where the door can ask it and no hook is to decide, by the hook, or by policy, which
// returns why not. What is left to the backend is noted in r.
func (s *Service) decide(ctx context.Context, t *tenant.Tenant, r *Request, p *Petition, policy func() error) (grant.Tokens, error) {
	p.ClientID, p.Proved = r.Client.ID, r.Proved
	switch {
	case r.asksBackend(t, p.Hook):
		r.left = p
		return grant.Tokens{}, nil
	case t.Settings.Hook(p.Hook) != nil:
		return s.decideByHook(ctx, t, r, p)
	case backend(t.Settings, p.Hook):
		return grant.Tokens{}, errBackend
	}
	if err := policy(); err != nil {
		return grant.Tokens{}, err
	}
	return s.issue(ctx, t, r, p, nil, s.derive)
}

func (s *Service) decideByHook(ctx context.Context, t *tenant.Tenant, r *Request, p *Petition) (grant.Tokens, error) {
	o, err := s.hooked(ctx, t, r, p.Hook, p.Scope, p.facts)
	if err != nil {
		return grant.Tokens{}, err
	}
	switch {
	case p.Subject == "":
		p.Subject = o.Subject
	case o.Subject != "" && o.Subject != p.Subject:
		return grant.Tokens{}, o.Fault(errHookSubject)
	}
	if !subject(p.Subject, r.Client) && !p.Alone {
		return grant.Tokens{}, o.Fault(errHookSubject)
	}
	scope := narrower(&o, p.Scope)
	if len(scope) == 0 && len(p.Scope) > 0 {
		return grant.Tokens{}, oauth.InvalidScope("nothing of this scope is granted")
	}
	p.Scope = scope
	if p.Audience, err = nearer(&o, p.Audience); err != nil {
		return grant.Tokens{}, err
	}
	for _, k := range []struct {
		says *bool
		may  *bool
	}{{o.RefreshToken, &p.Refresh}, {o.IDToken, &p.IDToken}} {
		switch {
		case k.says != nil && *k.says && !*k.may:
			return grant.Tokens{}, o.Fault(errHookTokens)
		case k.says != nil:
			*k.may = *k.says
		}
	}
	return s.issue(ctx, t, r, p, func(g *grant.Grant) error { return heed(&o, g) }, s.derive)
}

var errHookSubject = errors.New("token: the hook names no subject, one that cannot be, or another than the one that was proved")

// derive records what is issued.
func (s *Service) derive(ctx context.Context, t *tenant.Tenant, d grant.Derivation) error {
	return s.Grants.Derive(ctx, t.ID, s.Now(), d)
}

// over is why nothing comes of p any more.
func (p *Petition) over(cause error) error {
	if p.Hook == tenant.HookTokenExchange { // RFC 8693 §2.2.2
		return oauth.InvalidRequest("what was presented no longer stands").Because(cause)
	}
	return errStands.Because(cause)
}

// errStands: between its check and now, what was presented was revoked, or the account disabled.
var errStands = oauth.InvalidGrant("what was presented no longer stands")

// issue makes and records the tokens that p comes to. change has its say on the grant that they are made of, before the
// limits of p are put on it.
func (s *Service) issue(ctx context.Context, t *tenant.Tenant, r *Request, p *Petition, change func(*grant.Grant) error,
	record func(context.Context, *tenant.Tenant, grant.Derivation) error) (grant.Tokens, error) {
	g, fresh := s.granted(t, p)
	g.Terms.GrantType = r.get("grant_type")
	if change != nil {
		if err := change(g); err != nil {
			return grant.Tokens{}, err
		}
	}
	r.Proved = p.Proved
	r.on(g)
	if err := p.end(t, g, s.Now()); err != nil {
		return grant.Tokens{}, err
	}
	m, err := s.Issuer.Mint(ctx, t, g, r.Client, s.Accounts, p.Audience)
	if err != nil {
		return grant.Tokens{}, err
	}
	kind := audit.GrantIssued
	if p.Hook == tenant.HookTokenExchange {
		kind = audit.TokenExchanged
	}
	d := grant.Derivation{From: p.From, Subject: p.Subject, AccessToken: m.Stored, Event: s.event(kind, g, r)}
	d.Event.Detail = map[string]string{"grant_type": r.get("grant_type"), "scope": p.Scope.String()}
	for name, v := range p.Detail {
		d.Event.Detail[name] = v
	}
	if p.Act != nil {
		d.Event.Detail["act_sub"] = p.Act.Subject
	}
	if fresh {
		g.ExpiresAt, g.Refresh, d.Grant = m.ExpiresAt, m.Refresh, g
	}
	out, delivered := issued(p, &m, s.Now())
	if !delivered {
		d.AccessToken = nil
	}
	err = record(ctx, t, d)
	if errors.Is(err, grant.ErrNotFound) {
		err = p.over(err)
	}
	if err != nil {
		return grant.Tokens{}, err
	}
	return out, nil
}

// granted is the grant that the tokens of p are made of; fresh where it is a new one that must be recorded.
func (s *Service) granted(t *tenant.Tenant, p *Petition) (g *grant.Grant, fresh bool) {
	now := s.Now()
	g = &grant.Grant{ID: p.From, Subject: p.Subject, ClientID: p.ClientID, SessionID: p.Session, CreatedAt: now,
		Terms: grant.Terms{Face: t.Face(), Scope: p.Scope, Audience: p.Audience, Details: p.Details, Login: p.Login, Offline: p.Offline, Delegation: grant.Delegation{Act: p.Act, MayAct: p.MayAct}}}
	if p.Act != nil {
		g.Actor = p.Act.Subject
	}
	_, g.Terms.Claims = authorize.Wanted(t.Settings, &request.Request{}, p.Scope)
	g.Terms.IDToken.Issue = p.IDToken && (p.Scope.Has(oauth.OpenID) || p.Issued == oauth.TypeIDToken)
	g.Terms.RefreshToken.Issue = p.Refresh
	if p.Issued == oauth.TypeJWT {
		g.Terms.AccessToken.Encoding = grant.SelfContained
	}
	if fresh = !p.Alone && (p.From == "" || p.Refresh); fresh {
		g.ID, g.Terms.Parent = s.Issuer.NewID(), p.From
	}
	return g, fresh
}

// end lets nothing made of g outlive p.NotAfter.
func (p *Petition) end(t *tenant.Tenant, g *grant.Grant, now time.Time) error {
	if p.NotAfter.IsZero() {
		return nil
	}
	left := int64(p.NotAfter.Sub(now) / time.Second)
	if left < 1 {
		return oauth.InvalidRequest("what was presented is about to expire")
	}
	a, r, i := &g.Terms.AccessToken, &g.Terms.RefreshToken, &g.Terms.IDToken
	a.Lifetime = min(left, int64(grant.AccessLife(t, a.Lifetime)/time.Second))
	i.Lifetime = min(left, int64(t.Settings.IDTokenLifetime()/time.Second))
	if r.Lifetime == 0 || r.Lifetime > left {
		r.Lifetime = left
	}
	return nil
}

// issued is what the client gets of m; delivered where its access token is among it.
func issued(p *Petition, m *grant.Minted, now time.Time) (out grant.Tokens, delivered bool) {
	out = m.Tokens
	out.Issued = p.Issued
	switch p.Issued {
	case oauth.TypeRefreshToken:
		out.AccessToken, out.TokenType, out.ExpiresIn = m.RefreshToken, oauth.NotAccess, m.Refresh.End().Sub(now)
		out.IDToken = ""
	case oauth.TypeIDToken:
		out.AccessToken, out.TokenType, out.ExpiresIn = m.IDToken, oauth.NotAccess, time.Duration(m.Tokens.Grant.Terms.IDToken.Lifetime)*time.Second
		out.RefreshToken, out.IDToken, out.Scope = "", "", nil
	default:
		return out, true
	}
	out.Twin, out.RefreshToken = "", ""
	return out, false
}

// subject reports whether sub can be the subject of tokens for c: no client's id is mistaken for a user's (RFC 9700 §4.15).
func subject(sub string, c *tenant.Client) bool {
	return sub != c.ID && session.Subject(sub)
}

// wishes are the scope that r asks for, as far as its client registered any, or all that it registered where it asks for
// none. Of what it asks for something must be left.
func wishes(r *Request) (oauth.Scope, error) {
	asked, err := oauth.ParseScope(r.get("scope"))
	if err != nil {
		return nil, err
	}
	registered, err := oauth.ParseScope(r.Client.Scope)
	if err != nil {
		return nil, err
	}
	scope := asked
	switch {
	case len(asked) == 0:
		scope = registered
	case len(registered) > 0:
		scope = asked.And(registered)
	}
	if len(asked) > 0 && len(scope) == 0 {
		return nil, errNoScope
	}
	return scope, nil
}

var errNoScope = oauth.InvalidScope("the client may not ask for this scope")

// targets are the resources that r asks for, which the client must have registered; none is this server.
func targets(t *tenant.Tenant, r *Request) ([]string, error) {
	if !slices.ContainsFunc(r.Params["resource"], func(v string) bool { return v != "" }) {
		return nil, nil
	}
	aud, err := audience(r, r.Client.Audience)
	if err == nil {
		err = named(t, aud)
	}
	if err != nil {
		return nil, err
	}
	return aud, nil
}

// named returns why tokens for those resources are not issued, or nil: the tenant may take only those that it names.
func named(t *tenant.Tenant, aud []string) error {
	if slices.ContainsFunc(aud, func(v string) bool { return !t.MayTarget(v) }) {
		return oauth.InvalidTarget("this issuer issues no tokens for this resource")
	}
	return nil
}

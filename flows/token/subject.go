package token

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Access reads our own access tokens.
type Access interface {
	// Token returns the access token that is presented, if it lives; anything else is grant.ErrNotFound.
	Token(ctx context.Context, t *tenant.Tenant, token string) (*grant.AccessToken, error)
}

// presented is what a subject_token or actor_token says, once it has been verified (RFC 8693 §2.1).
type presented struct {
	kind        string // token type
	issuer      string // empty: ours
	subject     string
	clientID    string      // that it was issued to; empty: we do not know
	scope       oauth.Scope // most that it is worth; nil where not scoped: what the client registered
	scoped      bool
	audience    []string
	details     oauth.Details
	expires     time.Time
	grant       string // id
	act, mayAct *grant.Actor
	bound       oauth.Confirmation
	binds       bool // it is bound to no key itself, but all that its client gets is
	login       grant.Login
	claims      json.RawMessage // of a JWT that others issued
}

// PresentedToken is what is known of an access or refresh token of ours that was presented. It is for the tenant's backend.
type PresentedToken struct {
	ClientID  string
	Subject   string // empty: the client's own
	Scope     oauth.Scope
	Audience  []string // none: this server
	Details   oauth.Details
	ExpiresAt time.Time
	Grant     string // id; empty: none
}

// ours is what there is to tell of a token of ours; nil: it is none, or tells no more than what is in it.
func (p *presented) ours(t *tenant.Tenant) *PresentedToken {
	if p == nil || p.kind != oauth.TypeAccessToken && p.kind != oauth.TypeRefreshToken {
		return nil
	}
	out := &PresentedToken{ClientID: p.clientID, Subject: p.subject, Scope: p.scope, Details: p.details, ExpiresAt: p.expires, Grant: p.grant,
		Audience: slices.DeleteFunc(slices.Clone(p.audience), func(v string) bool { return v == t.Issuer })}
	if p.grant == "" {
		out.Subject = ""
	}
	return out
}

// tokenType is one kind of token that may be presented.
type tokenType struct {
	name string
	read func(*Service, context.Context, *tenant.Tenant, *Request, string) (*presented, error)
}

// tokenTypes are the kinds there are.
var tokenTypes = []tokenType{
	{oauth.TypeAccessToken, (*Service).accessPresented},
	{oauth.TypeRefreshToken, (*Service).refreshPresented},
	{oauth.TypeIDToken, (*Service).idTokenPresented},
	{oauth.TypeJWT, (*Service).jwtPresented},
}

// presented reads the token that the parameter which holds. What is no good is a cause, for the operator.
func (s *Service) presented(ctx context.Context, t *tenant.Tenant, r *Request, which string) (*presented, error) {
	kind := r.get(which + "_type")
	if kind == "" {
		return nil, oauth.InvalidRequest(which + "_type is missing")
	}
	i := slices.IndexFunc(tokenTypes, func(k tokenType) bool { return k.name == kind })
	if i < 0 {
		return nil, oauth.InvalidRequest(which + "_type is not supported")
	}
	p, err := tokenTypes[i].read(s, ctx, t, r, r.get(which))
	if err != nil {
		return nil, refused(oauth.InvalidRequest(which+" is invalid, expired, revoked or not for this client"), err)
	}
	p.kind = kind
	return p, nil
}

// accessPresented reads an access token of ours.
func (s *Service) accessPresented(ctx context.Context, t *tenant.Tenant, _ *Request, token string) (*presented, error) {
	a, err := s.Access.Token(ctx, t, token)
	if err != nil {
		return nil, err
	}
	return &presented{subject: a.Subject, clientID: a.ClientID, scope: a.Scope, scoped: true, audience: a.Audience, details: a.Details, expires: a.ExpiresAt, grant: a.Grant,
		act: a.Acting(), mayAct: a.Delegation.MayAct, bound: a.Confirmation}, nil
}

// refreshPresented reads a refresh token of ours, which only its client may present. It does not use it up.
func (s *Service) refreshPresented(ctx context.Context, t *tenant.Tenant, r *Request, token string) (*presented, error) {
	id, generation, ok := grant.ParseRefreshToken(t, token)
	if !ok {
		return nil, grant.ErrNotFound
	}
	g, err := s.Grants.Grant(ctx, t.ID, id)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if g.ClientID != r.Client.ID || g.Refresh == nil || g.Refresh.Generation != generation || !g.Live(now) || !now.Before(g.Refresh.End()) {
		return nil, grant.ErrNotFound
	}
	return &presented{subject: g.Subject, clientID: g.ClientID, scope: g.Terms.Scope, scoped: true, audience: audienceOf(t, g), details: g.Terms.Details, expires: g.Refresh.End(),
		grant: g.ID, act: g.Acting(), mayAct: g.MayAct(), bound: g.Refresh.Confirmation, login: g.Terms.Login}, nil
}

// audienceOf is the audience of access tokens of g.
func audienceOf(t *tenant.Tenant, g *grant.Grant) []string {
	if len(g.Terms.Audience) == 0 {
		return []string{t.Issuer}
	}
	return g.Terms.Audience
}

// idTokenPresented reads an ID token of ours. It tells nothing of scope: it is worth what the tenant says.
func (s *Service) idTokenPresented(ctx context.Context, t *tenant.Tenant, _ *Request, token string) (*presented, error) {
	now := s.Now()
	payload, err := t.Keys.Verify(now, grant.IDTokenType, token)
	if err != nil {
		return nil, err
	}
	f := foreign{}
	if json.Unmarshal(payload, &f.claims) != nil {
		return nil, errClaims
	}
	var sub string
	for name, read := range map[string]func(json.RawMessage) bool{"iss": stringOf(&f.iss), "sub": stringOf(&sub), "aud": f.readAudience,
		"exp": dateOf(&f.exp), "iat": dateOf(&f.iat)} {
		if !read(f.claims[name]) {
			return nil, errClaims
		}
	}
	for name, to := range map[string]**grant.Actor{"act": &f.act, "may_act": &f.mayAct} {
		if raw, there := f.claims[name]; there && !actorOf(to)(raw) {
			return nil, errClaims
		}
	}
	var azp string
	if len(f.aud) == 1 {
		azp = f.aud[0]
	}
	switch {
	case f.iss != t.Issuer:
		return nil, errIssuer
	case !now.Before(f.exp):
		return nil, errExpired
	}
	client, err := t.Clients.Client(ctx, azp)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && client.Disabled {
		return nil, grant.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if sub = t.SubjectOf(client, sub); t.Revoked.Revoked(tenant.Issued{Subject: sub, ClientID: azp, At: f.iat}) {
		return nil, grant.ErrNotFound
	}
	f.act, f.mayAct = known(t, client, f.act), known(t, client, f.mayAct)
	scope := oauth.Scope(t.Settings.Grants.TokenExchange.IDTokenScope)
	if len(scope) == 0 {
		scope = oauth.Scope{oauth.OpenID}
	}
	return &presented{subject: sub, clientID: azp, scope: scope, scoped: true, audience: f.aud, expires: f.exp, act: f.act, mayAct: f.mayAct,
		binds: client.DPoPBound || client.CertificateBound}, nil
}

// known undoes grant.Actor.For.
func known(t *tenant.Tenant, c *tenant.Client, a *grant.Actor) *grant.Actor {
	if a == nil {
		return nil
	}
	own := *a
	if own.Issuer == "" && own.Subject != "" {
		own.Subject = t.SubjectOf(c, a.Subject)
	}
	own.Act = known(t, c, a.Act)
	return &own
}

// jwtPresented reads a JWT of an issuer whom the tenant trusts with exchanges.
func (s *Service) jwtPresented(ctx context.Context, t *tenant.Tenant, r *Request, token string) (*presented, error) {
	f, err := parseForeign(token)
	if err != nil {
		return nil, err
	}
	i, err := s.trusted(ctx, t, r, f, tenant.UseExchange)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.aud, func(aud string) bool { return aud == t.Issuer || slices.Contains(i.Audience, aud) }) {
		return nil, errAudience
	}
	sub, err := s.subjectOf(ctx, t, r, i, f)
	if err != nil {
		return nil, err
	}
	p := &presented{issuer: f.iss, subject: sub, expires: f.exp, act: f.act, mayAct: f.mayAct, bound: f.bound, claims: f.told()}
	switch {
	case len(i.Scope) > 0 && f.scoped:
		p.scope, p.scoped = f.scope.And(i.Scope), true
	case f.scoped:
		p.scope, p.scoped = f.scope, true
	case len(i.Scope) > 0:
		p.scope, p.scoped = i.Scope, true
	}
	return p, nil
}

// told is what a hook is told of p.
func (p *presented) told() map[string]any {
	out := map[string]any{"type": p.kind, "sub": p.subject}
	for name, v := range map[string]string{"iss": p.issuer, "client_id": p.clientID, "scope": p.scope.String()} {
		if v != "" {
			out[name] = v
		}
	}
	if len(p.audience) > 0 {
		out["aud"] = p.audience
	}
	if p.act != nil {
		out["act"] = p.act
	}
	if p.mayAct != nil {
		out["may_act"] = p.mayAct
	}
	if p.claims != nil {
		out["claims"] = p.claims
	}
	out["exp"] = p.expires.Unix()
	return out
}

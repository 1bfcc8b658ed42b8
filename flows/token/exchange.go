package token

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// exchange issues a token for another (RFC 8693). What comes of it reaches no further than the token that was presented and
// the client, lives no longer, belongs to the same grant, and is bound to a key where that token is. It names who acts,
// unless the client may impersonate.
func (s *Service) exchange(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	p := &Petition{Hook: tenant.HookTokenExchange}
	if err := p.requested(t, r); err != nil {
		return grant.Tokens{}, err
	}
	subject, err := s.presented(ctx, t, r, "subject_token")
	if err != nil {
		return grant.Tokens{}, err
	}
	actor, err := s.actor(ctx, t, r)
	if err != nil {
		return grant.Tokens{}, err
	}
	for _, x := range []*presented{subject, actor} {
		if x != nil {
			if err := keeps(r, x); err != nil {
				return grant.Tokens{}, err
			}
		}
	}
	p.facts = map[string]any{"subject_token": subject.told(), "requested_token_type": p.Issued}
	p.Subject, p.From, p.NotAfter, p.Login, p.MayAct = subject.subject, subject.grant, subject.expires, subject.login, subject.mayAct
	p.Alone = subject.kind == oauth.TypeAccessToken && subject.grant == "" // a client's own
	p.SubjectToken, p.ActorToken = subject.ours(t), actor.ours(t)
	p.Detail = map[string]string{"subject_token_type": subject.kind}
	if subject.clientID != "" && subject.clientID != r.Client.ID {
		p.Detail["subject_token_client"] = subject.clientID
	}
	if actor != nil {
		p.facts["actor_token"] = actor.told()
		p.NotAfter = earlier(p.NotAfter, actor.expires)
	}
	if p.Scope, err = exchangedScope(r, subject, p); err != nil {
		return grant.Tokens{}, err
	}
	if p.Audience, err = exchangedAudience(t, r, subject); err != nil {
		return grant.Tokens{}, err
	}
	if p.Details, err = r.lessDetails(subject.details); err != nil {
		return grant.Tokens{}, err
	}
	if err := s.hang(ctx, t, p); err != nil {
		return grant.Tokens{}, err
	}
	ruled, err := delegated(t, r, subject, actor)
	if p.Act = ruled; err != nil && err != errRights { // which alone is for whoever decides
		return grant.Tokens{}, err
	}
	return s.decide(ctx, t, r, p, func() error {
		if err != nil {
			return err
		}
		return concerns(r, subject, actor)
	})
}

// requested checks what is asked for.
func (p *Petition) requested(t *tenant.Tenant, r *Request) error {
	switch p.Issued = r.get("requested_token_type"); p.Issued {
	case "":
		p.Issued = oauth.TypeAccessToken
	case oauth.TypeAccessToken, oauth.TypeJWT:
	case oauth.TypeIDToken:
		p.IDToken = true
	case oauth.TypeRefreshToken:
		if !t.Settings.Grants.TokenExchange.RefreshTokens || !r.Client.MayGrant(oauth.RefreshToken) || !t.Settings.Serves(oauth.RefreshToken) {
			return oauth.InvalidRequest("the client may not request a refresh token")
		}
		p.Refresh = true
	default:
		return oauth.InvalidRequest("requested_token_type is not supported")
	}
	return nil
}

// actor reads the actor_token, if there is one (RFC 8693 §2.1).
func (s *Service) actor(ctx context.Context, t *tenant.Tenant, r *Request) (*presented, error) {
	if r.get("actor_token") == "" {
		if r.get("actor_token_type") != "" {
			return nil, oauth.InvalidRequest("actor_token_type needs an actor_token")
		}
		return nil, nil
	}
	a, err := s.presented(ctx, t, r, "actor_token")
	if err == nil && a.act != nil {
		return nil, oauth.InvalidRequest("actor_token is itself of somebody who acts for another")
	}
	return a, err
}

// keeps returns why r may not present x, or nil: what is bound to a key is not exchanged for what is not (RFC 9449 §5). Its
// own client proves to hold that key, and so does a public one; another holds a key of its own, as it authenticates. A refresh
// token is presented as it is used.
func keeps(r *Request, x *presented) error {
	switch {
	case x.binds && r.Proved == (oauth.Confirmation{}):
		return errUnbound
	case x.bound == (oauth.Confirmation{}):
		return nil
	case x.kind == oauth.TypeRefreshToken: // its client's alone
		if err := constrained(r, x.bound); err != nil {
			return err
		}
		return nil
	case x.clientID == r.Client.ID || r.Client.Public() || x.issuer != "":
		if err := unproved(r, x.bound); err != nil {
			return err
		}
		return nil
	case r.Proved == (oauth.Confirmation{}):
		return errUnbound
	}
	return nil
}

var errUnbound = oauth.InvalidRequest("what is bound to a key is exchanged for what is bound to one: a DPoP proof is required")

// concerns returns why what is presented is none of the client's business, or nil: it was issued to it, or is for it, or
// says that it may act.
func concerns(r *Request, subject, actor *presented) error {
	for _, x := range []*presented{subject, actor} {
		switch {
		case x == nil, x.issuer != "", x.clientID == r.Client.ID:
		case slices.ContainsFunc(x.audience, func(aud string) bool { return aud == r.Client.ID || slices.Contains(r.Client.Audience, aud) }):
		case x == subject && subject.mayAct != nil: // delegated has checked it
		default:
			return oauth.InvalidRequest("a token was issued to another client, and not for this one")
		}
	}
	return nil
}

// What a client is told that may not act.
var (
	errChain  = oauth.InvalidRequest("too many have acted for the subject already")
	errMayAct = oauth.InvalidRequest("the subject_token names another who may act")
	errRights = oauth.UnauthorizedClient("the client may not act for others")
)

// delegated returns who acts in the tokens that come of it, with those who did before (RFC 8693 §1.1, §4.1): the subject of
// the actor_token; nobody anew where the client presents its own token, or may impersonate; else the client itself.
func delegated(t *tenant.Tenant, r *Request, subject, actor *presented) (*grant.Actor, error) {
	act := &grant.Actor{Subject: r.Client.ID, Act: subject.act}
	if actor != nil {
		act.Subject, act.Issuer = actor.subject, actor.issuer
	}
	if depth(act) > maxChain {
		return nil, errChain
	}
	own := actor == nil && subject.issuer == "" && subject.clientID == r.Client.ID
	impersonates := actor == nil && t.Settings.MayImpersonate(r.Client)
	if own {
		return subject.act, nil
	}
	if may := subject.mayAct; may != nil && !names(may, act, r.Client) {
		return nil, errMayAct
	}
	switch {
	case impersonates:
		return subject.act, nil
	case t.Settings.MayDelegate(r.Client):
		return act, nil
	}
	return act, errRights
}

// names reports whether may, a may_act claim, is about act, which the client presents (RFC 8693 §4.4).
func names(may, act *grant.Actor, c *tenant.Client) bool {
	return may.Subject+may.ClientID != "" && (may.Subject == "" || may.Subject == act.Subject) && may.Issuer == act.Issuer && (may.ClientID == "" || may.ClientID == c.ID)
}

func depth(a *grant.Actor) (n int) {
	for ; a != nil; a = a.Act {
		n++
	}
	return n
}

// exchangedScope is the scope that r is worth: what is asked for must lie within the subject token's, and is cut to what the
// client registered.
func exchangedScope(r *Request, subject *presented, p *Petition) (oauth.Scope, error) {
	asked, err := oauth.ParseScope(r.get("scope"))
	if err != nil {
		return nil, err
	}
	if subject.scoped && !asked.Within(subject.scope) {
		return nil, oauth.InvalidScope("scope exceeds that of the subject_token")
	}
	scope, err := wishes(r)
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 && subject.scoped {
		if scope = subject.scope; r.Client.Scope != "" {
			registered, err := oauth.ParseScope(r.Client.Scope)
			if err != nil {
				return nil, err
			}
			scope = scope.And(registered)
		}
	}
	if !p.Refresh {
		scope = scope.Without(oauth.Scope{oauth.OfflineAccess})
	}
	if p.Issued == oauth.TypeIDToken && !scope.Has(oauth.OpenID) {
		return nil, oauth.InvalidScope("an ID token needs the scope openid")
	}
	return scope, nil
}

// exchangedAudience is what r asks for by resource and audience: resources of the subject token; all that the client
// registered, where that token is for no resource in particular; and those that the tenant lets be asked for beyond it.
// Nothing asked for is what the token is for.
func exchangedAudience(t *tenant.Tenant, r *Request, subject *presented) ([]string, error) {
	ours := subject.issuer == "" && subject.kind != oauth.TypeIDToken // its audience are resources
	open := !ours || slices.ContainsFunc(subject.audience, t.Owns)
	allowed := func(aud string) bool {
		registered := slices.Contains(r.Client.Audience, aud)
		return ours && slices.Contains(subject.audience, aud) || registered && (open || slices.Contains(t.Settings.Grants.TokenExchange.Audience, aud))
	}
	var out []string
	for _, name := range []string{"resource", "audience"} {
		for _, v := range r.Params[name] {
			u, err := url.Parse(v)
			switch {
			case v == "" || slices.Contains(out, v):
			case name == "resource" && (err != nil || !u.IsAbs() || strings.Contains(v, "#")):
				return nil, oauth.InvalidTarget("resource is not an absolute URI without fragment")
			case !allowed(v):
				return nil, oauth.InvalidTarget("this resource was not granted")
			case !t.MayTarget(v):
				return nil, named(t, []string{v})
			default:
				out = append(out, v)
			}
		}
	}
	if len(out) == 0 && ours {
		out = slices.DeleteFunc(slices.Clone(subject.audience), t.Owns)
	}
	return out, nil
}

// hang has a new grant that comes of another hang on the same session.
func (s *Service) hang(ctx context.Context, t *tenant.Tenant, p *Petition) error {
	if !p.Refresh || p.From == "" {
		return nil
	}
	g, err := s.Grants.Grant(ctx, t.ID, p.From)
	if errors.Is(err, grant.ErrNotFound) || err == nil && !g.Live(s.Now()) {
		return p.over(err)
	}
	if err != nil {
		return err
	}
	p.Session, p.Offline, p.Login = g.SessionID, g.Terms.Offline || g.Terms.Scope.Has(oauth.OfflineAccess), g.Terms.Login
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

package authorize

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// StepTicket is the step of an interaction that the tenant's own backend decides, between Open and Issue or Refuse. No
// policy of ours asks its subject for anything.
const StepTicket Step = "ticket"

// ticketLifetime is how long such a request waits, unless the tenant set a time for all of its requests.
const ticketLifetime = 24 * time.Hour

// ticketBinding is what a ticket's interaction is bound to in place of a browser. It opens no interaction that is not a
// ticket's, and without it none of those opens: a ticket may stand in a browser's address bar.
func ticketBinding(t *tenant.Tenant) string {
	return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("ticket binding"))
}

// Open validates a request and keeps it for the tenant's backend, which decides about it whatever our policy would
// say; its handle is the ticket. The error of a request that may not be answered by a redirect is an *oauth.Error,
// every other refusal a Response. A client that registered itself gets no browser sent before its subject is known.
func (s *Service) Open(ctx context.Context, t *tenant.Tenant, in Start) (Result, error) {
	r, client, err := s.Requests.Validate(ctx, t, request.Authorize, in.Params)
	if err == nil {
		err = s.Requests.Spend(ctx, t, r)
	}
	if err == nil && r.Prompt.Has(oauth.PromptNone) {
		err = silent(t, r)
	}
	res := Result{Client: client}
	if err != nil {
		e := oauth.ErrorOf(err)
		if r == nil || e.Code == "server_error" || e.Code == "temporarily_unavailable" || client.SelfRegistered {
			return res, err
		}
		if res.Response, err = s.respondError(ctx, t, client, r, e); err != nil {
			return Result{Client: client}, err
		}
		return res, nil
	}
	r.Scope = offered(t, client, r)
	now, life := s.Now(), ticketLifetime
	if t.Settings.Authorization.InteractionLifetime != 0 {
		life = t.Settings.InteractionLifetime()
	}
	p := &Pending{Handle: s.newHandle(), Client: client, Interaction: Interaction{Step: StepTicket, Request: r, Data: in.Data,
		Binding: bind(ticketBinding(t)), CreatedAt: now, ExpiresAt: now.Add(life)}}
	p.Hash = hashHandle(p.Handle)
	if err := s.Store.Begin(ctx, t.ID, p.Interaction, nil); err != nil {
		return Result{}, usedUp(r, err)
	}
	res.Pending = p
	return res, nil
}

// silent returns why a request with prompt=none is refused whoever its subject is.
func silent(t *tenant.Tenant, r *request.Request) error {
	switch {
	case t.Settings.Authorization.HintWithPromptNone && r.IDTokenHint == "":
		return oauth.InvalidRequest("prompt=none requires an id_token_hint")
	case r.MaxAge != nil && *r.MaxAge == 0:
		return oauth.LoginRequired("the subject must authenticate")
	}
	return nil
}

// offered is what of the asked scope the backend is shown: what the tenant lists, where it lists any, or the client
// registered; offline_access only where the subject is asked for consent (OIDC Core §11).
func offered(t *tenant.Tenant, client *tenant.Client, r *request.Request) oauth.Scope {
	scope := r.Scope
	if listed := t.Settings.Authorization.Scopes; len(listed) > 0 {
		scope = scope.And(slices.Concat(listed, strings.Fields(client.Scope)))
	}
	if !r.Prompt.Has(oauth.PromptConsent) {
		scope = scope.Without(oauth.Scope{oauth.OfflineAccess})
	}
	return scope
}

// Ticket returns the interaction of a ticket, or ErrNotFound.
func (s *Service) Ticket(ctx context.Context, t *tenant.Tenant, ticket string) (*Pending, error) {
	return s.Load(ctx, t, ticket, ticketBinding(t))
}

// Wanted names the claims that r wants in the ID token and at UserInfo where scope is granted, sorted: those that its
// values ask for in both places (OIDC Core §5.4), and those of the claims parameter where it asks for them (§5.5). A
// request that is none of OpenID Connect wants none.
func Wanted(s *tenant.Settings, r *request.Request, scope oauth.Scope) (idToken, userInfo []string) {
	if !scope.Has(oauth.OpenID) {
		return nil, nil
	}
	for _, v := range scope {
		for _, names := range [][]string{oauth.ScopeClaims(v), s.Authorization.ClaimsOfScope[v]} {
			for _, name := range names {
				idToken, userInfo = add(idToken, name), add(userInfo, name)
			}
		}
	}
	if r.Claims != nil {
		for name := range r.Claims.IDToken {
			if grant.Presettable(name) {
				idToken = add(idToken, name)
			}
		}
		for name := range r.Claims.UserInfo {
			if grant.Presettable(name) {
				userInfo = add(userInfo, name)
			}
		}
	}
	slices.Sort(idToken)
	slices.Sort(userInfo)
	return idToken, userInfo
}

// Verdict is what the tenant's backend grants on a ticket.
type Verdict struct {
	Subject    string
	Scope      oauth.Scope // in place of what was asked, where Rescoped; openid only where it was asked
	Rescoped   bool
	Details    *oauth.Details             // in place of those asked for, where not nil (RFC 9396 §7.1)
	AuthTime   int64                      // Unix seconds; zero: not told
	ACR        string                     // empty: not told
	Claims     map[string]json.RawMessage // for the ID token; those that say what a token is are left out
	Consented  []string                   // claim names, for the record
	Properties []grant.Property
	Access     grant.AccessTerms
	ID         grant.IDTerms
	Actor      string // whose verdict it is: id of an API token
	Address    string
}

// check returns invalid_request where v is no answer to r.
func (v *Verdict) check(client *tenant.Client, r *request.Request, now time.Time) error {
	switch id := v.ID.Subject; {
	case !TicketSubject(v.Subject):
		return oauth.InvalidRequest("subject must have 1 to 100 printable ASCII characters")
	case id != "" && !TicketSubject(id):
		return oauth.InvalidRequest("sub must have at most 100 printable ASCII characters")
	case v.Subject == client.ID || id == client.ID:
		return oauth.InvalidRequest("subject is the id of the client")
	case r.GrantID != "" && r.RequiredSub != v.Subject:
		return oauth.InvalidRequest("subject is not the one of the grant that the request is about")
	case r.RequiredSub != "" && r.RequiredSub != v.Subject && r.RequiredSub != id:
		return oauth.InvalidRequest("subject is not the one that the request asks for")
	case len(r.EssentialACR) > 0 && !slices.Contains(r.EssentialACR, v.ACR):
		return oauth.InvalidRequest("acr is none of those that the request demands")
	case len(v.ACR) > 255 || strings.ContainsFunc(v.ACR, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return oauth.InvalidRequest("acr must be a short string without control characters")
	case v.AuthTime < 0:
		return oauth.InvalidRequest("authTime is out of range")
	case v.AuthTime > now.Add(time.Minute).Unix():
		return oauth.InvalidRequest("authTime must not lie ahead")
	case v.Access.Lifetime < 0 || v.Access.Lifetime > maxSeconds:
		return oauth.InvalidRequest("accessTokenDuration is out of range")
	}
	for _, value := range v.Scope {
		if !oauth.ScopeValue(value) {
			return oauth.InvalidRequest("scopes holds a value that is not allowed")
		}
	}
	return nil
}

const maxTicketSubject = 100

// TicketSubject reports whether sub may be the subject of a verdict: 1 to 100 printable ASCII characters.
func TicketSubject(sub string) bool { return len(sub) <= maxTicketSubject && session.Subject(sub) }

// Issue grants what v says to the client of a ticket, and ends it: of any number of concurrent calls one succeeds, the
// others get ErrNotFound. A verdict that does not answer the request is invalid_request, and the ticket stays. A subject
// whose account with us is disabled is refused, whoever vouches for it.
func (s *Service) Issue(ctx context.Context, t *tenant.Tenant, p *Pending, v Verdict) (Result, error) {
	r := p.Request
	if err := v.check(p.Client, r, s.Now()); err != nil {
		return Result{}, err
	}
	terms := v.terms(t, p)
	if terms.IDToken.Issue && v.AuthTime == 0 && tellsAuthTime(p.Client, r) {
		return Result{}, oauth.InvalidRequest("authTime is missing: the ID token must have it")
	}
	if err := terms.Check(); err != nil {
		return Result{}, err
	}
	who, err := s.Store.SubjectOf(ctx, t.ID, v.Subject, p.Client.ID)
	if err != nil {
		return Result{}, err
	}
	if who.Disabled {
		return s.Refuse(ctx, t, p, oauth.AccessDenied("the account is disabled"), v.Address)
	}
	now := s.Now()
	g := &grant.Grant{ID: s.Issuer.NewID(), Subject: v.Subject, ClientID: p.Client.ID, CreatedAt: now, Terms: terms}
	m, err := s.manage(ctx, t, r, g)
	if errors.Is(err, request.ErrGrantID) {
		return s.Refuse(ctx, t, p, request.ErrGrantID, v.Address)
	}
	if err != nil {
		return Result{}, err
	}
	out, err := s.issue(ctx, t, p.Client, r, g)
	if err != nil {
		return Result{}, err
	}
	resp, err := s.respond(ctx, t, p.Client, r, out.params...)
	if err != nil {
		return Result{}, err
	}
	ev := audit.Event{At: now, Kind: audit.GrantIssued, Actor: v.Actor, Subject: g.Subject, ClientID: g.ClientID, Grant: g.ID, Address: v.Address,
		Detail: map[string]string{"scope": g.Terms.Scope.String()}}
	revoked, err := s.Store.Finish(ctx, t.ID, now, FinishEffect{Hash: p.Hash, Version: p.Version, Pushed: r.Pushed, Grant: g, AccessToken: out.stored,
		AtOnce: out.atOnce(), Granted: true, FirstUse: p.Client.FirstUse(), Stands: m.Stands, Replaces: m.Replaces, TokensUntil: now.Add(t.Settings.LongestAccessToken()),
		Events: []audit.Event{ev}})
	if err != nil {
		return Result{}, err
	}
	t.Revoked.Add(append(revoked, m.Ended...)...)
	return Result{Client: p.Client, Subject: v.Subject, Issued: out.Issued, Response: resp}, nil
}

// terms words what v grants of the request of p.
func (v *Verdict) terms(t *tenant.Tenant, p *Pending) grant.Terms {
	r := p.Request
	scope := r.Scope
	if v.Rescoped {
		scope = nil
		for _, value := range v.Scope {
			scope = oauth.Scope(add(scope, value))
		}
		if !r.OpenID() {
			scope = scope.Without(oauth.Scope{oauth.OpenID})
		}
	}
	terms := grant.Terms{Face: r.Face, Scope: scope, Audience: r.Resource, ClaimsLocales: r.ClaimsLocales, Consented: v.Consented, Properties: v.Properties,
		AccessToken: v.Access, IDToken: v.ID, RefreshToken: grant.RefreshTerms{Issue: p.Client.MayGrant(oauth.RefreshToken)},
		Login: grant.Login{AuthTime: v.AuthTime, TellAuthTime: v.AuthTime != 0, ACR: v.ACR, Nonce: r.Nonce}, DPoPJKT: r.DPoPJKT}
	if terms.Details = r.Details; v.Details != nil {
		terms.Details = *v.Details
	}
	terms.IDToken.Issue = scope.Has(oauth.OpenID)
	_, terms.Claims = Wanted(t.Settings, r, scope)
	for name, value := range v.Claims {
		if grant.Presettable(name) {
			if terms.PresetIDToken == nil {
				terms.PresetIDToken = map[string]json.RawMessage{}
			}
			terms.PresetIDToken[name] = value
		}
	}
	terms.UserInfoAsked = r.ClaimsOf("userinfo")
	return terms
}

package authorize

import (
	"context"
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

// Consent is the answer to a consent step: what is granted, which need not be what was asked. In Scope and Claims an
// asterisk stands for all that was asked.
type Consent struct {
	Scope          oauth.Scope
	Claims         []string       // each with where it goes (claimPlaces)
	Details        *oauth.Details // in place of those asked for, where not nil (RFC 9396 §7.1)
	Audience       []string       // of access tokens; the requested resources where nil
	ClaimsLocales  []string       // as requested where nil
	PresetIDToken  map[string]json.RawMessage
	PresetUserInfo map[string]json.RawMessage
	LongLived      bool // remember it
	Offline        bool // outlives the login session
	AccessToken    grant.AccessTerms
	IDToken        grant.IDTerms
	RefreshToken   grant.RefreshTerms
	Data           json.RawMessage
	ClaimsData     json.RawMessage // object for sources of claims
	Impersonated   string          // sub of the tokens instead of the subject's
	Address        string
}

// check returns invalid_request where c holds what must not come into a token of t.
func (c *Consent) check(t *tenant.Tenant, now time.Time) error {
	for _, v := range c.Scope {
		if !oauth.ScopeValue(v) {
			return oauth.InvalidRequest("scope holds a value that is not allowed")
		}
	}
	if len(c.Scope.String()) > oauth.MaxScope {
		return oauth.InvalidRequest("scope is too long")
	}
	if err := checkClaims(c.Claims); err != nil {
		return err
	}
	for _, set := range []map[string]json.RawMessage{c.PresetIDToken, c.PresetUserInfo} {
		for name := range set {
			if !grant.Presettable(name) {
				return oauth.InvalidRequest("preset_claims holds a name that is not allowed")
			}
		}
	}
	for _, l := range []int64{c.AccessToken.Lifetime, c.IDToken.Lifetime, c.RefreshToken.Lifetime, c.RefreshToken.MaxIdle} {
		if l < 0 || l > maxSeconds {
			return oauth.InvalidRequest("a lifetime is out of range")
		}
	}
	if e := c.AccessToken.Encoding; e != "" && e != grant.SelfContained && e != grant.Identifier {
		return oauth.InvalidRequest("access_token.encoding must be SELF_CONTAINED or IDENTIFIER")
	}
	if a := c.AccessToken.Alg; a != "" && !slices.Contains(t.Keys.Algs(now), a) {
		return oauth.InvalidRequest("access_token.jws_alg is no algorithm that the tenant has a key for")
	}
	for _, a := range c.Audience {
		if a == "" || len(a) > 2048 || strings.ContainsFunc(a, func(r rune) bool { return r <= 0x20 || r == 0x7f }) {
			return oauth.InvalidRequest("audience holds a value that is not allowed")
		}
	}
	if v := c.Impersonated; v != "" && !session.Subject(v) {
		return oauth.InvalidRequest("impersonated_sub must have 1 to 255 printable ASCII characters")
	}
	return nil
}

const maxSeconds = 100 * 365 * 24 * 3600

// Complete takes the answer to a consent step and makes the response.
func (s *Service) Complete(ctx context.Context, t *tenant.Tenant, p *Pending, c Consent) (Result, error) {
	if p.Step != StepConsent {
		return Result{}, ErrConflict
	}
	if err := c.check(t, s.Now()); err != nil {
		return Result{}, err
	}
	who, err := s.Store.Subject(ctx, t.ID, p.SessionID, p.Client.ID)
	if err != nil {
		return Result{}, err
	}
	if who.Session == nil || !who.Session.Open(s.Now()) || who.Disabled {
		return s.Refuse(ctx, t, p, oauth.AccessDenied("the session has ended"), c.Address)
	}
	had := who.Authorization
	if c.Impersonated == who.Session.Subject {
		c.Impersonated = ""
	}
	if c.Impersonated != "" {
		if err := s.checkImpersonated(ctx, t, p.Client, c.Impersonated); err != nil {
			return Result{}, err
		}
		had = nil // what the subject allowed for itself is not what it allowed as another
	}
	a := agreement{terms: termsOf(t.Settings, p.Request, c), impersonated: c.Impersonated}
	a.terms.Login.SessionClaims = who.Session.Claims
	if err := a.terms.Check(); err != nil {
		return Result{}, err
	}
	if c.LongLived {
		a.authorization = merge(had, &a.terms, s.Now())
	}
	return s.finish(ctx, t, p, Facts{Session: who.Session}, a, change{address: c.Address})
}

// checkImpersonated returns invalid_request where nobody may act as sub.
func (s *Service) checkImpersonated(ctx context.Context, t *tenant.Tenant, client *tenant.Client, sub string) error {
	if sub == client.ID {
		return oauth.InvalidRequest("impersonated_sub is the id of the client")
	}
	who, err := s.Store.SubjectOf(ctx, t.ID, sub, client.ID)
	switch {
	case err != nil:
		return err
	case who.Disabled:
		return oauth.InvalidRequest("the account of impersonated_sub is disabled")
	}
	return nil
}

// agreement is what subject and client came to.
type agreement struct {
	terms         grant.Terms
	authorization *grant.Authorization // to be remembered
	impersonated  string
}

// remember is the agreement to a request that remembered consent covers: what is asked now, under the terms of then.
func remember(t *tenant.Tenant, p *Pending, f Facts) agreement {
	var had grant.Terms
	_ = json.Unmarshal(f.Had.Terms, &had) // stored by us; terms that cannot be read leave the defaults
	c := Consent{Scope: p.Request.Scope, Claims: append(agreed(t.Settings, p.Request, &had), FedClaims(&had)...), Audience: had.Audience, PresetIDToken: had.PresetIDToken, PresetUserInfo: had.PresetUserInfo,
		LongLived: true, Offline: had.Offline && (p.Request.Scope.Has(oauth.OfflineAccess) || !had.Scope.Has(oauth.OfflineAccess)), AccessToken: had.AccessToken, IDToken: had.IDToken, RefreshToken: had.RefreshToken, Data: had.Data, ClaimsData: had.ClaimsData}
	if len(p.Request.Resource) > 0 {
		c.Audience = p.Request.Resource
	}
	return agreement{terms: termsOf(t.Settings, p.Request, c)}
}

// agreed names the claims that r asks for, with the language and the place that was agreed on in had.
func agreed(s *tenant.Settings, r *request.Request, had *grant.Terms) []string {
	var names []string
	for _, name := range requestedNames(s, r) {
		before := len(names)
		for _, n := range had.Claims {
			if untagged(n) == name {
				names = append(names, n)
			}
		}
		for _, n := range had.IDTokenClaims {
			if untagged(n) == name {
				names = append(names, idTokenPrefix+n)
			}
		}
		if len(names) == before { // agreed on earlier than had
			names = append(names, name)
		}
	}
	return names
}

// termsOf words what c grants of r.
func termsOf(s *tenant.Settings, r *request.Request, c Consent) grant.Terms {
	terms := grant.Terms{Face: r.Face, Audience: c.Audience, ClaimsLocales: c.ClaimsLocales, PresetIDToken: c.PresetIDToken, PresetUserInfo: c.PresetUserInfo,
		LongLived: c.LongLived, Offline: c.Offline, Data: c.Data, ClaimsData: c.ClaimsData, AccessToken: c.AccessToken, IDToken: c.IDToken, RefreshToken: c.RefreshToken,
		DPoPJKT: r.DPoPJKT}
	for _, v := range c.Scope {
		if v == "*" {
			terms.Scope = terms.Scope.Plus(r.Scope)
		} else {
			terms.Scope = terms.Scope.Plus(oauth.Scope{v})
		}
	}
	if terms.Audience == nil {
		terms.Audience = r.Resource
	}
	if terms.Details = r.Details; c.Details != nil {
		terms.Details = *c.Details
	}
	if terms.ClaimsLocales == nil {
		terms.ClaimsLocales = r.ClaimsLocales
	}
	agreeClaims(&terms, s, r, c.Claims)
	terms.IDToken.Issue = terms.Scope.Has(oauth.OpenID)
	return terms
}

// places tells where the claims parameter of r asks for a claim (OIDC Core §5.5).
func places(r *request.Request, name string) (idToken, userInfo bool) {
	if r.Claims == nil {
		return false, false
	}
	if base, verified := strings.CutPrefix(name, tenant.Verified); verified {
		has := func(vs []oauth.Verified) bool {
			return slices.ContainsFunc(vs, func(v oauth.Verified) bool { return asks(v.Claims, base) })
		}
		return has(r.Claims.VerifiedIDToken), has(r.Claims.VerifiedUserInfo)
	}
	return asks(r.Claims.IDToken, name), asks(r.Claims.UserInfo, name)
}

// asks reports whether m asks for a claim, in whatever language.
func asks(m map[string]*oauth.Claim, name string) bool {
	for n := range m {
		if untagged(n) == untagged(name) {
			return true
		}
	}
	return false
}

func add(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// maxRecorded is how long the names of claims may be that are remembered together, in bytes. Beyond it what is agreed to takes
// the place of what was on record.
const maxRecorded = 2 * oauth.MaxClaims

func size(names []string) (n int) {
	for _, name := range names {
		n += len(name)
	}
	return n
}

// merge is what is remembered after terms were agreed: what was on record and what is new.
func merge(had *grant.Authorization, terms *grant.Terms, now time.Time) *grant.Authorization {
	a := grant.Authorization{CreatedAt: now}
	if had != nil {
		a = *had
		a.Merged = had.UpdatedAt
	}
	a.UpdatedAt = now
	if a.Scope = a.Scope.Plus(terms.Scope); len(a.Scope.String()) > oauth.MaxScope {
		a.Scope = terms.Scope // together they could not be read back
	}
	before, added := a.Claims, recorded(terms)
	if size(before)+size(added) > maxRecorded {
		before = nil // every request of the subject reads them
	}
	a.Claims = slices.Clone(before)
	for _, name := range added {
		a.Claims = add(a.Claims, name)
	}
	kept := *terms
	kept.Login, kept.DPoPJKT, kept.Details, kept.Face, kept.Verified = grant.Login{}, "", nil, "", grant.Verified{} // of this time alone
	a.Terms, _ = json.Marshal(&kept)                                                                                // plain data: cannot fail
	return &a
}

// finish mints what the response gives and writes the end of the interaction.
func (s *Service) finish(ctx context.Context, t *tenant.Tenant, p *Pending, f Facts, a agreement, c change) (Result, error) {
	now, r, who := s.Now(), p.Request, f.Session
	g := &grant.Grant{ID: s.Issuer.NewID(), Subject: who.Subject, ClientID: p.Client.ID, SessionID: who.ID, CreatedAt: now, Terms: a.terms}
	if a.impersonated != "" {
		g.Subject, g.Actor = a.impersonated, who.Subject
	}
	g.Terms.RefreshToken.Issue = g.Terms.RefreshToken.Issue && p.Client.MayGrant(oauth.RefreshToken)
	g.Terms.Login = loginOf(who, tellsAuthTime(p.Client, r))
	g.Terms.Login.Nonce = r.Nonce
	g.Terms.Login.ACR = t.Settings.ToldACR(who.ACR, who.AMR, slices.Concat(r.EssentialACR, r.ACRValues))
	g.Terms.Offline = g.Terms.Offline || t.Settings.Logout.KeepGrants
	m, err := s.manage(ctx, t, r, g)
	if errors.Is(err, request.ErrGrantID) {
		return s.Refuse(ctx, t, p, request.ErrGrantID, c.address)
	}
	if err != nil {
		return Result{}, err
	}
	out, err := s.issue(ctx, t, p.Client, r, g)
	if err != nil {
		return Result{}, err
	}
	if t.Settings.ChecksSession() && r.Scope.Has(oauth.OpenID) {
		out.add("session_state", s.Sessions.State(t, who, p.Client.ID, r.RedirectURI))
	}
	resp, err := s.respond(ctx, t, p.Client, r, out.params...)
	if err != nil {
		return Result{}, err
	}
	e := effectOf(t, now, g, who, a.authorization, c)
	e.Hash, e.Version, e.Pushed, e.FirstUse = p.Hash, p.Version, r.Pushed, p.Client.FirstUse()
	e.AccessToken, e.AtOnce, e.Stands, e.Replaces = out.stored, out.atOnce(), m.Stands, m.Replaces
	if a.authorization != nil || g.Actor != "" {
		e.Events = append(e.Events, consented(now, g, a.authorization != nil, c.address))
	}
	revoked, err := s.Store.Finish(ctx, t.ID, now, e)
	if err != nil {
		return Result{}, err
	}
	t.Revoked.Add(append(revoked, m.Ended...)...)
	res := Result{Client: p.Client, Subject: who.Subject, Current: who, Issued: out.Issued, Response: resp}
	if c.session != nil || c.moved {
		res.Session, res.SID = who, s.Sessions.Handle(t, who)
	}
	return res, nil
}

// consented is the event that g was agreed to, and who acts as its subject.
func consented(now time.Time, g *grant.Grant, remembered bool, address string) audit.Event {
	ev := audit.Event{At: now, Kind: audit.Consented, Subject: g.Subject, ClientID: g.ClientID, Session: g.SessionID, Grant: g.ID, Address: address,
		Detail: map[string]string{"scope": g.Terms.Scope.String()}}
	if !remembered {
		ev.Kind, ev.Detail["grant"] = audit.GrantIssued, "impersonation"
	}
	if g.Actor != "" {
		ev.Detail["act_sub"] = g.Actor
	}
	return ev
}

// tellsAuthTime reports whether an ID token that client gets for r has auth_time (OIDC Core §2, §3.1.2.1, §5.5).
func tellsAuthTime(client *tenant.Client, r *request.Request) bool {
	return r.MaxAge != nil || client.RequireAuthTime || r.Claims.AuthTime()
}

// loginOf is how the subject of who was authenticated, as tokens tell it. tellTime says that ID tokens tell when, too.
func loginOf(who *session.Session, tellTime bool) grant.Login {
	return grant.Login{AuthTime: who.AuthTime.Unix(), TellAuthTime: tellTime, ACR: who.ACR, AMR: who.AMR, SessionClaims: who.Claims}
}

// effectOf is what giving g changes beside: the session who that it is given in, nil if there is none, and what c says of
// that; and what is remembered of it, if anything is.
func effectOf(t *tenant.Tenant, now time.Time, g *grant.Grant, who *session.Session, remembered *grant.Authorization, c change) FinishEffect {
	e := FinishEffect{Grant: g, Session: c.session, Ended: c.ended, TokensUntil: now.Add(t.Settings.LongestAccessToken()), KeepNewest: c.quota(t), Events: c.events}
	if who != nil && !slices.Contains(who.Clients, g.ClientID) {
		e.ClientID = g.ClientID
	}
	e.Touch = c.session == nil && touched(who, now) != nil
	if remembered != nil {
		e.Authorization = remembered
		e.Authorization.Subject, e.Authorization.Actor, e.Authorization.ClientID = g.Subject, g.Actor, g.ClientID
	}
	return e
}

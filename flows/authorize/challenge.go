package authorize

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// StepChallenge is the step of an interaction that a first-party client leads: it posts what it asked its user for.
const StepChallenge Step = "challenge"

// Granted is an authorization code on its way to a client that asked for it directly.
type Granted struct {
	Code    string
	Session *session.Session // begun with it; nil: none
	SID     string           // its handle
}

// Given is what a code is worth beside what is asked for.
type Given struct {
	ID     string                     // of the grant; empty: a new one
	Scope  *oauth.Scope               // in place of what was asked for; nil: all of that
	Claims map[string]json.RawMessage // of the subject, for ID token and UserInfo
	X5T    string                     // of the certificate that the code is bound to; empty: none
	Kept   *Interaction               // what stays of the interaction; nil: nothing
}

// Grant ends the request of p, which need not be stored, in a code for all that it asks for: whoever led the client's
// user through it has authenticated the subject of a at this moment, and to a first-party client there is nothing to
// consent to. Of any number of concurrent calls for one stored interaction one succeeds, the others get ErrNotFound or
// ErrConflict. A subject whose account with us is disabled is access_denied.
func (s *Service) Grant(ctx context.Context, t *tenant.Tenant, p *Pending, a Authentication, v Given) (Granted, error) {
	r, now := p.Request, s.Now()
	who, err := s.Store.SubjectOf(ctx, t.ID, a.Subject, p.Client.ID)
	if err != nil {
		return Granted{}, err
	}
	if who.Disabled {
		return Granted{}, oauth.AccessDenied("the account is disabled")
	}
	c := Consent{Scope: oauth.Scope{"*"}, Claims: []string{"*"}, PresetIDToken: v.Claims, PresetUserInfo: v.Claims,
		RefreshToken: grant.RefreshTerms{Issue: p.Client.MayGrant(oauth.RefreshToken)}}
	if v.Scope != nil {
		c.Scope = *v.Scope
	}
	if err := c.check(t, now); err != nil {
		return Granted{}, err
	}
	terms := termsOf(t.Settings, r, c)
	terms.FirstParty, terms.X5T = true, v.X5T
	terms.Login = grant.Login{AuthTime: now.Unix(), TellAuthTime: true, ACR: a.ACR, AMR: a.AMR, Nonce: r.Nonce}
	if v.ID == "" {
		v.ID = s.Issuer.NewID()
	}
	g := &grant.Grant{ID: v.ID, Subject: a.Subject, ClientID: p.Client.ID, CreatedAt: now, ExpiresAt: now.Add(p.Client.Demands.CodeLifetime(t.Settings.CodeLifetime())), Terms: terms}
	out := Granted{Code: s.Issuer.MintCode(g.ID)}
	g.Code = &grant.CodeState{Hash: grant.Hash(out.Code), ExpiresAt: g.ExpiresAt, Challenge: r.CodeChallenge}
	e := FinishEffect{Hash: p.Hash, Version: p.Version, Kept: v.Kept, Grant: g}
	if t.Settings.Challenge.CreateSession {
		out.Session = s.Sessions.New(t, a.Login)
		out.SID, g.SessionID = s.Sessions.Handle(t, out.Session), out.Session.ID
		g.Terms.Offline = g.Terms.Offline || t.Settings.Logout.KeepGrants
		e.Session, e.ClientID = out.Session, p.Client.ID
		e.KeepNewest, e.TokensUntil = t.Settings.Sessions.Quota(), now.Add(t.Settings.LongestAccessToken())
	}
	e.Events = granted(now, g, a.Address)
	revoked, err := s.Store.Finish(ctx, t.ID, now, e)
	if err != nil {
		return Granted{}, err
	}
	t.Revoked.Add(revoked...)
	return out, nil
}

// granted records that the subject of g signed in, and what it came to.
func granted(now time.Time, g *grant.Grant, address string) []audit.Event {
	ev := audit.Event{At: now, Kind: audit.LoggedIn, Subject: g.Subject, ClientID: g.ClientID, Session: g.SessionID, Address: address}
	issued := ev
	issued.Kind, issued.Grant, issued.Detail = audit.GrantIssued, g.ID, map[string]string{"scope": g.Terms.Scope.String()}
	return []audit.Event{ev, issued}
}

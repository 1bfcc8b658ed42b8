package ciba

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Result is how a subject answered.
type Result string

// The results.
const (
	Authorized        Result = "authorized"
	AccessDenied      Result = "access_denied"
	TransactionFailed Result = "transaction_failed" // the subject could not be asked
)

// refusals are the results that end in an error, with what the client is told (CIBA Core §11).
var refusals = map[Result]*oauth.Error{
	AccessDenied:      oauth.AccessDenied("the user denied the request"),
	TransactionFailed: oauth.ExpiredToken("the user could not be asked"),
}

// Completion is the answer of a subject, or of whoever asked it.
type Completion struct {
	Result  Result
	Actor   string // id of the API token that vouches for it
	Address string

	// Of Authorized: who the subject is, and what is granted.
	Subject        string
	AuthTime       time.Time // zero: the ID token does not tell
	ACR            string
	AMR            []string
	Scope          oauth.Scope // as requested where nil
	Claims         []string    // for UserInfo; those of the scope where nil
	PresetIDToken  map[string]json.RawMessage
	PresetUserInfo map[string]json.RawMessage
	AccessToken    grant.AccessTerms
	RefreshToken   grant.RefreshTerms // Issue is for the client's registration to say
	Data           json.RawMessage

	// Of the other results: what the client is told instead of the standard sentence.
	Description string
	URI         string
}

// Complete records the answer of the subject of p. What cannot be granted is invalid_request; an authentication that does
// not wait for an answer is ErrConflict, one that is over ErrNotFound.
func (s *Service) Complete(ctx context.Context, t *tenant.Tenant, p *Pending, c Completion) error {
	now := s.Now()
	e := Settlement{ID: p.ID, Event: audit.Event{At: now, Kind: audit.GrantIssued, Actor: c.Actor, Subject: c.Subject, ClientID: p.ClientID,
		Grant: p.ID, Address: c.Address, Detail: map[string]string{"grant": oauth.CIBA}}}
	if refusal, refused := refusals[c.Result]; refused {
		told, err := worded(refusal, c.Description, c.URI)
		if err != nil {
			return err
		}
		e.Refusal = &Refusal{told.Code, told.Description, told.URI}
		e.Event.Kind, e.Event.Subject, e.Event.Grant, e.Event.Detail["error"] = audit.Denied, p.Subject, "", told.Code
		return s.Store.Settle(ctx, t.ID, now, e)
	}
	if err := c.check(p, now); err != nil {
		return err
	}
	e.Event.Detail["scope"] = c.Scope.String()
	e.Grant = s.grant(t, p, &c, now)
	return s.Store.Settle(ctx, t.ID, now, e)
}

// check returns invalid_request where c cannot be granted of p.
func (c *Completion) check(p *Pending, now time.Time) error {
	if c.Result != Authorized {
		return oauth.InvalidRequest("the result is unknown")
	}
	login := session.Login{Subject: c.Subject, AuthTime: c.AuthTime, ACR: c.ACR, AMR: c.AMR}
	if err := login.Check(now); err != nil {
		return err
	}
	switch {
	case c.Subject == p.ClientID:
		return oauth.InvalidRequest("sub is the id of the client")
	case p.Subject != "" && p.Request.RequiredSub != "" && c.Subject != p.Request.RequiredSub:
		return oauth.InvalidRequest("sub is not the subject that the request is about")
	}
	if c.Scope == nil {
		c.Scope = p.Request.Scope
	}
	for _, v := range c.Scope {
		if !oauth.ScopeValue(v) {
			return oauth.InvalidRequest("scope holds a value that is not allowed")
		}
	}
	for _, v := range c.Claims {
		if !oauth.ClaimName(v) {
			return oauth.InvalidRequest("claims holds a name that is not allowed")
		}
	}
	for _, set := range []map[string]json.RawMessage{c.PresetIDToken, c.PresetUserInfo} {
		for name := range set {
			if !grant.Presettable(name) {
				return oauth.InvalidRequest("preset claims hold a name that is not allowed")
			}
		}
	}
	for _, l := range []int64{c.AccessToken.Lifetime, c.RefreshToken.Lifetime, c.RefreshToken.MaxIdle} {
		if l < 0 || l > maxSeconds {
			return oauth.InvalidRequest("a lifetime is out of range")
		}
	}
	return nil
}

const maxSeconds = 100 * 365 * 24 * 3600

// grant is what c agrees to, to be redeemed once before p ends.
func (s *Service) grant(t *tenant.Tenant, p *Pending, c *Completion, now time.Time) *grant.Grant {
	g := &grant.Grant{ID: p.ID, Subject: c.Subject, ClientID: p.ClientID, CreatedAt: now, ExpiresAt: p.EndsAt,
		Code: &grant.CodeState{Hash: grant.Hash(AuthReqID(t, &p.Authentication)), ExpiresAt: p.EndsAt}}
	if c.Claims == nil {
		for _, v := range c.Scope {
			c.Claims = append(c.Claims, oauth.ScopeClaims(v)...)
			c.Claims = append(c.Claims, t.Settings.Authorization.ClaimsOfScope[v]...)
		}
		slices.Sort(c.Claims)
		c.Claims = slices.Compact(c.Claims)
	}
	g.Terms = grant.Terms{Scope: c.Scope, Audience: p.Request.Resource, Claims: c.Claims, PresetIDToken: c.PresetIDToken, PresetUserInfo: c.PresetUserInfo,
		Data: c.Data, AccessToken: c.AccessToken, RefreshToken: c.RefreshToken, IDToken: grant.IDTerms{Issue: true},
		Login: grant.Login{ACR: c.ACR, AMR: c.AMR}}
	g.Terms.RefreshToken.Issue = p.Client.MayGrant(oauth.RefreshToken)
	if !c.AuthTime.IsZero() {
		g.Terms.Login.AuthTime, g.Terms.Login.TellAuthTime = c.AuthTime.Unix(), true
	}
	return g
}

// worded is e with the words of a caller that is trusted to choose them, or invalid_request where they hold what must
// not come into an error (RFC 6749 §5.2).
func worded(e *oauth.Error, description, uri string) (*oauth.Error, error) {
	outside := func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }
	switch {
	case len(description) > maxWords || strings.ContainsFunc(description, outside):
		return nil, oauth.InvalidRequest("the description of the error holds characters that are not allowed, or is too long")
	case len(uri) > maxWords || strings.ContainsFunc(uri, func(r rune) bool { return r == ' ' || outside(r) }):
		return nil, oauth.InvalidRequest("the URI of the error holds characters that are not allowed, or is too long")
	}
	if description == "" {
		description = e.Description
	}
	return oauth.Custom(e.Code, description, uri), nil
}

const maxWords = 1024 // bytes

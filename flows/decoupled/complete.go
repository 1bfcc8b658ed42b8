package decoupled

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/request"
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
	Session *session.Session // that it is answered in, and must be there still; nil: in none

	// Of Authorized: who the subject is, and what is granted.
	Subject    string
	AuthTime   time.Time // zero: the ID token does not tell
	ACR        string
	AMR        []string
	Scope      oauth.Scope                // in place of what was asked; nil: as asked
	Claims     map[string]json.RawMessage // for the ID token; those that say what a token is are left out
	Consented  []string                   // claim names, for the record
	Properties []grant.Property
	Access     grant.AccessTerms
	ID         grant.IDTerms
	Refresh    grant.RefreshTerms // Issue is for the client's registration to say

	// Of the other results: what the client is told instead of the standard sentence.
	Description string
	URI         string
}

// Complete records the answer of the subject of p, and owes the client its notification, where it does not poll. What
// cannot be granted is invalid_request; an authentication that does not wait for an answer is ErrConflict, one that is over
// ErrNotFound.
func (f *Flow) Complete(ctx context.Context, t *tenant.Tenant, p *Pending, c Completion) error {
	_, err := f.settle(ctx, t, p, &c, true)
	return err
}

// Conclusion is what came of an answer.
type Conclusion struct {
	Grant        *grant.Grant  // nil: nothing was granted
	Notification *Notification // nil: the client polls
}

// Conclude is Complete for a caller that sends the client's notification itself.
func (f *Flow) Conclude(ctx context.Context, t *tenant.Tenant, p *Pending, c Completion) (*Conclusion, error) {
	return f.settle(ctx, t, p, &c, false)
}

// tries is how often an answer is made anew because the agreement that it joins has changed meanwhile.
const tries = 4

// settle records answer c, with the notification of the client where that is owed.
func (f *Flow) settle(ctx context.Context, t *tenant.Tenant, p *Pending, c *Completion, owed bool) (*Conclusion, error) {
	for k := 1; ; k++ {
		e, n, err := f.settlement(ctx, t, p, c)
		if err != nil {
			return nil, err
		}
		if owed && n != nil {
			e.Owed = []outbox.Message{f.owed(p, n)}
		}
		err = f.Store.Settle(ctx, t.ID, e.Event.At, e)
		switch {
		case err == nil:
			t.Revoked.Add(e.Joining.Ended...)
			return &Conclusion{e.Grant, n}, nil
		case !errors.Is(err, ErrOver) || k == tries:
			return nil, err
		}
	}
}

// settlement is the effect of answer c, and what the client is told of it.
func (f *Flow) settlement(ctx context.Context, t *tenant.Tenant, p *Pending, c *Completion) (e Settlement, n *Notification, err error) {
	now := f.Now()
	e = Settlement{ID: p.ID, Event: audit.Event{At: now, Kind: audit.GrantIssued, Actor: c.Actor, Subject: c.Subject, ClientID: p.ClientID,
		Grant: p.ID, Address: c.Address, Detail: map[string]string{"grant": f.GrantType}}}
	if n := c.Session; n != nil {
		e.Session, e.Touch, e.Event.Session = n.ID, n.Stale(now), n.ID
	}
	if refusal, refused := refusals[c.Result]; refused {
		told, err := Worded(refusal, c.Description, c.URI)
		if err != nil {
			return e, nil, err
		}
		e.refuse(told, p.Subject)
		n, err = f.notify(ctx, t, p, &e)
		return e, n, err
	}
	if err = c.check(p, now); err != nil {
		return e, nil, err
	}
	e.Grant = f.grant(t, p, c, now)
	if err = e.Grant.Terms.Check(); err != nil {
		return e, nil, err
	}
	if action := p.Request.GrantAction; action != "" {
		e.TokensUntil = now.Add(t.Settings.LongestAccessToken())
		e.Joining, err = f.Issuer.Manage(ctx, t, f.Managed, action, p.Request.GrantID, e.Grant)
		if errors.Is(err, grant.ErrNotFound) { // it is over meanwhile, which is the client's to know
			e.refuse(request.ErrGrantID, c.Subject)
			err = nil
		}
		if err != nil {
			return e, nil, err
		}
	}
	if e.Grant != nil {
		e.Event.Detail["scope"] = e.Grant.Terms.Scope.String()
	}
	n, err = f.notify(ctx, t, p, &e)
	return e, n, err
}

// refuse has e refuse the request of the subject.
func (e *Settlement) refuse(told *oauth.Error, subject string) {
	e.Grant, e.Refusal = nil, &Refusal{told.Code, told.Description, told.URI}
	e.Event.Kind, e.Event.Subject, e.Event.Grant, e.Event.Detail["error"] = audit.Denied, subject, "", told.Code
}

// check returns invalid_request where c cannot be granted of p.
func (c *Completion) check(p *Pending, now time.Time) error {
	if c.Result != Authorized {
		return oauth.InvalidRequest("the result is unknown")
	}
	for _, sub := range []string{c.Subject, cmp.Or(c.ID.Subject, c.Subject)} {
		login := session.Login{Subject: sub, AuthTime: c.AuthTime, ACR: c.ACR, AMR: c.AMR}
		if err := login.Check(now); err != nil {
			return err
		}
	}
	switch required := p.Request.RequiredSub; {
	case c.Subject == p.ClientID, c.ID.Subject == p.ClientID:
		return oauth.InvalidRequest("sub is the id of the client")
	case p.Request.GrantID != "" && required != c.Subject:
		return oauth.InvalidRequest("sub is not the subject of the grant that the request is about")
	case required != "" && required != c.Subject && required != c.ID.Subject:
		return oauth.InvalidRequest("sub is not the subject that the request is about")
	}
	if c.AuthTime.IsZero() && (p.Client.RequireAuthTime || p.Client.DefaultMaxAge != nil) {
		return oauth.InvalidRequest("auth_time is missing: the ID token must have it")
	}
	if slices.ContainsFunc(c.Scope, func(v string) bool { return !oauth.ScopeValue(v) }) {
		return oauth.InvalidRequest("scope holds a value that is not allowed")
	}
	for _, l := range []int64{c.Access.Lifetime, c.ID.Lifetime, c.Refresh.Lifetime, c.Refresh.MaxIdle} {
		if l < 0 || l > maxSeconds {
			return oauth.InvalidRequest("a lifetime is out of range")
		}
	}
	return nil
}

const maxSeconds = 100 * 365 * 24 * 3600

// grant is what c agrees to, to be redeemed once before p ends.
func (f *Flow) grant(t *tenant.Tenant, p *Pending, c *Completion, now time.Time) *grant.Grant {
	g := &grant.Grant{ID: p.ID, Subject: c.Subject, ClientID: p.ClientID, CreatedAt: now, ExpiresAt: p.EndsAt,
		Code: &grant.CodeState{Hash: grant.Hash(f.Handle.Of(t, p.ID)), ExpiresAt: p.EndsAt}}
	g.Terms = grant.Terms{Face: p.Request.Face, Scope: p.Request.Scope, Audience: p.Request.Resource, PresetIDToken: c.Claims, Consented: c.Consented, Properties: c.Properties,
		AccessToken: c.Access, IDToken: c.ID, RefreshToken: c.Refresh, Login: grant.Login{ACR: c.ACR, AMR: c.AMR}, GrantType: f.GrantType}
	if c.Scope != nil {
		g.Terms.Scope = oauth.Scope{}.Plus(c.Scope) // without repeats
	}
	g.Terms.Details = p.Request.Details
	g.Terms.Claims = claimsOf(t, g.Terms.Scope)
	g.Terms.IDToken.Issue = f.IDToken || g.Terms.Scope.Has(oauth.OpenID)
	g.Terms.RefreshToken.Issue = p.Client.MayGrant(oauth.RefreshToken)
	if !c.AuthTime.IsZero() {
		g.Terms.Login.AuthTime, g.Terms.Login.TellAuthTime = c.AuthTime.Unix(), true
	}
	return g
}

// claimsOf names the claims that scope asks for at UserInfo, sorted (OIDC Core §5.4).
func claimsOf(t *tenant.Tenant, scope oauth.Scope) []string {
	var names []string
	for _, v := range scope {
		names = append(names, oauth.ScopeClaims(v)...)
		names = append(names, t.Settings.Authorization.ClaimsOfScope[v]...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Worded is e with the words of a caller that is trusted to choose them, or invalid_request where they hold what must
// not come into an error (RFC 6749 §5.2).
func Worded(e *oauth.Error, description, uri string) (*oauth.Error, error) {
	switch {
	case len(description) > maxWords || strings.ContainsFunc(description, outside):
		return nil, oauth.InvalidRequest("the description of the error holds characters that are not allowed, or is too long")
	case !ErrorURI(uri):
		return nil, oauth.InvalidRequest("the URI of the error holds characters that are not allowed, or is too long")
	}
	if description == "" {
		description = e.Description
	}
	return oauth.Custom(e.Code, description, uri), nil
}

const maxWords = 1024 // bytes

func outside(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

// ErrorURI reports whether uri, which may be empty, can be the error_uri of an error.
func ErrorURI(uri string) bool {
	return len(uri) <= maxWords && !strings.ContainsFunc(uri, func(r rune) bool { return r == ' ' || outside(r) })
}

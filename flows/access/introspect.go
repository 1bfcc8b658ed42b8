package access

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

// Info is what introspection tells of a live token (RFC 7662 §2.2). Kind is access_token or refresh_token.
type Info struct {
	Kind      string
	Issuer    string // as a JWT says; empty: the tenant's
	ID        string
	Subject   string
	Actor     string
	ClientID  string
	Scope     oauth.Scope
	Audience  []string
	IssuedAt  time.Time
	ExpiresAt time.Time
	Details   oauth.Details // RFC 9396 §9.2
	Data      json.RawMessage
	Act       *grant.Actor // who acts for the subject, with those before; nil: nobody
	MayAct    *grant.Actor
	ACR       string // how and when the subject of an access token authenticated, in Unix seconds (RFC 9470 §6.2)
	AuthTime  int64

	Confirmation oauth.Confirmation // of an access token

	Further map[string]json.RawMessage // claims that the token was fed, and members that the tenant's hook adds; none is one of the above
}

// Introspect tells an authenticated client about a token. It returns nil where the token is not alive, is another
// tenant's, or is none of the client's business: one issued to it, or meant for it (RFC 7662 §4), and no one in particular
// is not meant by what tells of a pairwise subject. It needs no hint: every kind of token shows what it is. Of a hook that is down the
// error is temporarily_unavailable.
func (s *Service) Introspect(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token string) (*Info, error) {
	if c.Public() {
		return nil, oauth.InvalidClient("introspection requires client authentication")
	}
	g, ours, err := s.refresh(ctx, t, token)
	switch {
	case gone(err), ours && err == nil && g.ClientID != c.ID:
		return nil, nil
	case err != nil:
		return nil, err
	case ours:
		return s.compose(ctx, t, ofRefresh(t, c, g), parties{g.Subject, g.Acting(), nil}, asker{ClientID: c.ID})
	}
	a, err := s.Token(ctx, t, token)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if ok, err := meant(ctx, t, c, a); !ok || err != nil {
		return nil, err
	}
	i, err := s.compose(ctx, t, ofAccess(t, c, a), partiesOf(a), asker{ClientID: c.ID})
	if err != nil {
		return nil, err
	}
	i.narrow(t, c)
	return i, nil
}

// ofRefresh is all there is to tell c of the refresh token of g.
func ofRefresh(t *tenant.Tenant, c *tenant.Client, g *grant.Grant) *Info {
	return &Info{Kind: "refresh_token", Subject: t.SubjectFor(c, g.Subject), Actor: t.SubjectFor(c, g.Actor), ClientID: g.ClientID, Scope: g.Terms.Scope, Audience: g.Terms.Audience,
		IssuedAt: g.Refresh.RotatedAt, ExpiresAt: g.Refresh.End(), Details: g.Terms.Details, Data: g.Terms.Data, Act: g.Acting().For(t, c)}
}

// ofAccess is all there is to tell c of an access token.
func ofAccess(t *tenant.Tenant, c *tenant.Client, a *grant.AccessToken) *Info {
	i := &Info{Kind: "access_token", Issuer: a.Issuer, ID: a.ID, Subject: a.Subject, Actor: t.SubjectFor(c, a.Actor), ClientID: a.ClientID, Scope: a.Scope, Audience: a.Audience,
		IssuedAt: a.IssuedAt, ExpiresAt: a.ExpiresAt, Details: a.Details, Data: a.Data, Act: a.Acting().For(t, c), MayAct: a.Delegation.MayAct.For(t, c), Confirmation: a.Confirmation,
		ACR: a.ACR, AuthTime: a.AuthTime, Further: a.Fed.Members()}
	if a.Subject != a.ClientID { // a client is no subject with names of its own
		i.Subject = t.SubjectFor(c, a.Subject)
	}
	return i
}

// narrow leaves of a token that was not issued to c what is c's business: the audience that it is, and the scope values
// that it registered, if it registered any (RFC 9701 §5).
func (i *Info) narrow(t *tenant.Tenant, c *tenant.Client) {
	if i.ClientID == c.ID {
		return
	}
	i.Audience = slices.DeleteFunc(slices.Clone(i.Audience), func(aud string) bool { return !names(t, c, aud) })
	if own, err := oauth.ParseScope(c.Scope); err == nil && len(own) > 0 {
		i.Scope = slices.DeleteFunc(slices.Clone(i.Scope), func(v string) bool { return !own.Has(v) })
	}
}

// meant reports whether c may know of a: it was issued to c, or its audience names c. Where that names no one in
// particular, the client it was issued to must not have subjects of its sector's own: of these no stranger is told by any
// name (OIDC Core §8.1).
func meant(ctx context.Context, t *tenant.Tenant, c *tenant.Client, a *grant.AccessToken) (bool, error) {
	switch {
	case a.ClientID == c.ID || slices.ContainsFunc(a.Audience, func(aud string) bool { return own(c, aud) }):
		return true, nil
	case !slices.ContainsFunc(a.Audience, func(aud string) bool { return names(t, c, aud) }):
		return false, nil
	case a.Subject == a.ClientID:
		return true, nil
	}
	to, err := t.Clients.Client(ctx, a.ClientID)
	if errors.Is(err, tenant.ErrNoClient) {
		return false, nil
	}
	return err == nil && !to.Pairwise(), err
}

// names reports whether aud is c's own, or no one in particular, where the tenant lets every client know of such tokens.
func names(t *tenant.Tenant, c *tenant.Client, aud string) bool {
	return own(c, aud) || t.Owns(aud) && !t.Settings.Access.StrictIntrospection
}

// own reports whether aud is c or a resource that c registered.
func own(c *tenant.Client, aud string) bool { return aud == c.ID || slices.Contains(c.Audience, aud) }

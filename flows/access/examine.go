package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Demands are what a protected resource asks of an access token. What is zero is not asked for.
type Demands struct {
	Scope     oauth.Scope // all of it
	Subject   string
	Resources []string // each must be in the audience of a token that has one
	ACRValues []string // one of them
	MaxAge    int64    // seconds since the subject authenticated (RFC 9470 §4)
}

// Standing is all there is to tell of a live access token.
type Standing struct {
	Token       *grant.AccessToken
	Client      *tenant.Client // that it was issued to
	Grant       *grant.Grant   // nil: client credentials
	Refreshable bool           // a live refresh token belongs to it
}

// Subject is the subject of the token, empty where a client acts for itself.
func (s *Standing) Subject() string {
	if s.Grant == nil {
		return ""
	}
	return s.Token.Subject
}

// Resources are what the token is for, none where it is for this server alone.
func (s *Standing) Resources(t *tenant.Tenant) []string {
	return slices.DeleteFunc(slices.Clone(s.Token.Audience), t.Owns)
}

// Examine returns the standing of an access token that meets the demands of a resource. One that is not alive, or that
// no client stands behind any more, is invalid_token, and so is one for other resources; one that is not presented as it
// must be is as Present says. Lack of scope is insufficient_scope,
// another subject invalid_request, and an authentication that does not do insufficient_user_authentication. Where the
// error is one of the last four the standing is there with it.
func (s *Service) Examine(ctx context.Context, t *tenant.Tenant, p Presented, d Demands) (*Standing, error) {
	st, err := s.standing(ctx, t, p)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for _, demand := range demands {
		if err := demand(t, st, &d, now); err != nil {
			return st, err
		}
	}
	return st, nil
}

// standing returns the standing of a live access token, or an error of Present.
func (s *Service) standing(ctx context.Context, t *tenant.Tenant, p Presented) (*Standing, error) {
	a, err := s.Present(ctx, t, p)
	if err != nil {
		return nil, err
	}
	st := &Standing{Token: a}
	st.Client, err = t.Clients.Client(ctx, a.ClientID)
	switch {
	case errors.Is(err, tenant.ErrNoClient), err == nil && st.Client.Disabled:
		return nil, errToken.Because(tenant.ErrNoClient)
	case err != nil:
		return nil, err
	case a.Grant == "":
		return st, nil
	}
	now := s.Now()
	st.Grant, err = s.Grants.Grant(ctx, t.ID, a.Grant)
	if gone(err) || err == nil && !st.Grant.Live(now) {
		return nil, errToken.Because(err)
	}
	if err != nil {
		return nil, err
	}
	st.Refreshable = st.Grant.ClientID == a.ClientID && st.Grant.Refresh != nil && now.Before(st.Grant.Refresh.End())
	return st, nil
}

// demands run top to bottom; the first error wins.
var demands = []func(t *tenant.Tenant, st *Standing, d *Demands, now time.Time) error{
	func(t *tenant.Tenant, st *Standing, d *Demands, _ time.Time) error {
		own := st.Resources(t)
		if len(own) > 0 && slices.ContainsFunc(d.Resources, func(r string) bool { return !slices.Contains(own, r) }) {
			return oauth.InvalidToken("the access token is for other resources") // RFC 8707 §2.2
		}
		return nil
	},
	func(_ *tenant.Tenant, st *Standing, d *Demands, _ time.Time) error {
		if !d.Scope.Within(st.Token.Scope) {
			return oauth.InsufficientScope("the access token lacks a scope value") // RFC 6750 §3.1
		}
		return nil
	},
	func(_ *tenant.Tenant, st *Standing, d *Demands, _ time.Time) error {
		if d.Subject != "" && d.Subject != st.Subject() {
			return oauth.InvalidRequest("the access token is of another subject")
		}
		return nil
	},
	func(_ *tenant.Tenant, st *Standing, d *Demands, now time.Time) error { // RFC 9470 §3
		if len(d.ACRValues) == 0 && d.MaxAge <= 0 {
			return nil
		}
		var login grant.Login
		if st.Grant != nil {
			login = st.Grant.Terms.Login
		}
		switch {
		case len(d.ACRValues) > 0 && !slices.Contains(d.ACRValues, login.ACR):
			return oauth.InsufficientUserAuthentication("the subject did not authenticate as the resource demands")
		case d.MaxAge > 0 && (login.AuthTime == 0 || now.Unix()-login.AuthTime > d.MaxAge):
			return oauth.InsufficientUserAuthentication("the subject authenticated too long ago")
		}
		return nil
	},
}

// Inquire returns the standing of an access token whose holder may ask about its subject: an error of Present, invalid_token
// where it has no subject, insufficient_scope where it lacks openid (OIDC Core §5.3.1).
func (s *Service) Inquire(ctx context.Context, t *tenant.Tenant, p Presented) (*Standing, error) {
	st, err := s.standing(ctx, t, p)
	switch {
	case err != nil:
		return nil, err
	case st.Grant == nil:
		return st, oauth.InvalidToken("the access token has no subject")
	case !st.Token.Scope.Has(oauth.OpenID):
		return st, oauth.InsufficientScope("the access token lacks the scope openid")
	}
	return st, nil
}

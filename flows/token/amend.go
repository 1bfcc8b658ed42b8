package token

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Name is how whoever acts for the tenant names an access token: by the first of these that is not empty. The refresh token
// stands for the newest access token beside it that is stored.
type Name struct {
	Access  string // its value, or that of the JWT or of the identifier beside it
	Hash    string // SHA-256 of the identifier, base64url
	Refresh string
}

// Change is what becomes of an access token and of the grant that it is of. What is zero or nil stays as it is.
type Change struct {
	Scope       *oauth.Scope // values that the client cannot have are left out
	Details     *oauth.Details
	Properties  *[]grant.Property
	AccessEnds  time.Time // the tenant's limits hold for both
	RefreshEnds time.Time
	Anew        Anew
	Bound       oauth.Confirmation // each where it is not empty
	Value       bool               // the access token gets a new value
	Actor       string             // whose decision it is: id of an API token
	Address     string
}

// Anew says which tokens of a changed scope begin their lives anew.
type Anew struct{ Access, Refresh bool }

// Changed is an access token and its grant as they are after a change.
type Changed struct {
	Client *tenant.Client
	Token  *grant.AccessToken // nil: none is stored
	Value  string             // of the identifier; empty: it is not known here
	Grant  *grant.Grant       // nil: there is none
}

// amendments is how often a change is tried that others come before.
const amendments = 8

var errMoved = oauth.Unavailable().Because(grant.ErrMoved)

// Amend changes an access token, with its grant. What is named by c is grant.ErrNotFound if it is not alive, and
// unauthorized_client if its client is disabled; what cannot be is invalid_request. A JWT cannot be changed: where what it says is no
// longer so it is revoked, and an identifier stands in its place.
func (s *Service) Amend(ctx context.Context, t *tenant.Tenant, n Name, c Change) (*Changed, error) {
	for range amendments {
		out, err := s.amend(ctx, t, n, &c)
		if !errors.Is(err, grant.ErrMoved) {
			return out, err
		}
	}
	return nil, errMoved
}

func (s *Service) amend(ctx context.Context, t *tenant.Tenant, n Name, c *Change) (*Changed, error) {
	is, stored, err := s.named(ctx, t, n)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if err := c.check(is, now); err != nil {
		return nil, err
	}
	ev := audit.Event{At: now, Kind: audit.TokenChanged, Actor: c.Actor, ClientID: is.Client.ID, Address: c.Address}
	a := grant.Amendment{}
	if g := is.Grant; g != nil {
		ev.Subject, ev.Grant, ev.Session = g.Subject, g.ID, g.SessionID
		c.grant(t, is, now)
		a.Grant = g
	}
	if is.Token != nil {
		ev.Subject = is.Token.Subject
		s.token(t, is, c, stored, &a, now)
	}
	if is.Grant != nil && is.Token != nil && is.Token.ExpiresAt.After(is.Grant.ExpiresAt) {
		is.Grant.ExpiresAt = is.Token.ExpiresAt
	}
	a.Event = ev
	if a.Grant == nil && a.Token == nil { // nothing that there is changes
		return is, nil
	}
	if err := s.Records.Amend(ctx, t.ID, now, a); err != nil {
		return nil, err
	}
	if a.Revoked != nil {
		t.Revoked.Add(*a.Revoked)
	}
	return is, nil
}

// named returns what n names. stored is the hash that the token is stored under; nil: it is a JWT alone.
func (s *Service) named(ctx context.Context, t *tenant.Tenant, n Name) (is *Changed, stored []byte, err error) {
	is = &Changed{}
	now := s.Now()
	switch {
	case n.Access != "" && grant.IsJWT(n.Access):
		is.Token, err = s.Issuer.ParseAccess(t, n.Access)
		if err != nil {
			return nil, nil, err
		}
		is.Value = grant.TwinOf(t, is.Token.ID)
		twin, err := s.Grants.AccessToken(ctx, t.ID, now, grant.Hash(is.Value))
		switch {
		case errors.Is(err, grant.ErrNotFound):
			is.Value = ""
		case err != nil:
			return nil, nil, err
		default:
			is.Token = twin
		}
	case n.Access != "":
		is.Value = n.Access
		is.Token, err = s.Grants.AccessToken(ctx, t.ID, now, grant.Hash(n.Access))
	case n.Hash != "":
		is.Token, err = s.hashed(ctx, t, n.Hash)
	default:
		is, err = s.refreshed(ctx, t, n.Refresh)
	}
	if err != nil {
		return nil, nil, err
	}
	if is.Token != nil && t.Revoked.Revoked(grant.Issued(is.Token)) {
		if is.Grant == nil {
			return nil, nil, s.gone(ctx, t, is.Token)
		}
		is.Token = nil // a change that came before revoked it: the refresh token was named, and that lives
	}
	if is.Token != nil {
		stored = is.Token.Hash
	}
	return is, stored, s.complete(ctx, t, is)
}

// gone is why a revoked token cannot be changed: grant.ErrMoved if it was read just before another change gave it another id, else
// grant.ErrNotFound.
func (s *Service) gone(ctx context.Context, t *tenant.Tenant, before *grant.AccessToken) error {
	if before.Hash == nil {
		return grant.ErrNotFound
	}
	a, err := s.Grants.AccessToken(ctx, t.ID, s.Now(), before.Hash)
	switch {
	case err != nil:
		return err
	case a.ID == before.ID:
		return grant.ErrNotFound
	}
	return grant.ErrMoved
}

// hashed returns the stored access token of that hash.
func (s *Service) hashed(ctx context.Context, t *tenant.Tenant, hash string) (*grant.AccessToken, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(hash)
	if err != nil || len(b) != 32 {
		return nil, grant.ErrNotFound
	}
	return s.Grants.AccessToken(ctx, t.ID, s.Now(), b)
}

// refreshed returns the grant of a refresh token, with the newest access token of it.
func (s *Service) refreshed(ctx context.Context, t *tenant.Tenant, token string) (*Changed, error) {
	g, err := s.lineOf(ctx, t, token)
	if err != nil {
		return nil, err
	}
	is := &Changed{Grant: g}
	is.Token, err = s.Records.NewestToken(ctx, t.ID, s.Now(), g.ID)
	if errors.Is(err, grant.ErrNotFound) {
		is.Token, err = nil, nil
	}
	return is, err
}

// lineOf returns the grant of a refresh token that is the newest of its line.
func (s *Service) lineOf(ctx context.Context, t *tenant.Tenant, token string) (*grant.Grant, error) {
	id, generation, ok := grant.ParseRefreshToken(t, token)
	if !ok {
		return nil, grant.ErrNotFound
	}
	g, err := s.Grants.Grant(ctx, t.ID, id)
	if err != nil {
		return nil, err
	}
	if now := s.Now(); g.Refresh == nil || g.Refresh.Generation != generation || !now.Before(g.Refresh.End()) {
		return nil, grant.ErrNotFound
	}
	return g, nil
}

// complete finds the grant and the client of what is named.
func (s *Service) complete(ctx context.Context, t *tenant.Tenant, is *Changed) (err error) {
	if is.Grant == nil && is.Token.Grant != "" {
		if is.Grant, err = s.Grants.Grant(ctx, t.ID, is.Token.Grant); err != nil {
			return err
		}
	}
	clientID := ""
	if g := is.Grant; g != nil {
		if !g.Live(s.Now()) {
			return grant.ErrNotFound
		}
		clientID = g.ClientID
	}
	if is.Token != nil {
		clientID = is.Token.ClientID
	}
	is.Client, err = t.Clients.Client(ctx, clientID)
	switch {
	case errors.Is(err, tenant.ErrNoClient):
		return grant.ErrNotFound
	case err == nil && is.Client.Disabled:
		return oauth.UnauthorizedClient("the client is locked")
	}
	return err
}

// check returns why c cannot be made, or nil.
func (c *Change) check(is *Changed, now time.Time) error {
	switch {
	case c.Properties != nil && is.Grant == nil:
		return oauth.InvalidRequest("properties cannot be kept with the token of a client for itself")
	case !Thumbprint(c.Bound.JKT) || !Thumbprint(c.Bound.X5T):
		return oauth.InvalidRequest("a thumbprint is not the base64url form of a SHA-256 hash")
	case !c.AccessEnds.IsZero() && !c.AccessEnds.After(now):
		return oauth.InvalidRequest("accessTokenExpiresAt must lie ahead")
	case !c.RefreshEnds.IsZero() && !c.RefreshEnds.After(now):
		return oauth.InvalidRequest("refreshTokenExpiresAt must lie ahead")
	case !c.RefreshEnds.IsZero() && (is.Grant == nil || is.Grant.Refresh == nil):
		return oauth.InvalidRequest("there is no refresh token")
	}
	if c.Scope == nil {
		return nil
	}
	for _, v := range *c.Scope {
		if !oauth.ScopeValue(v) {
			return oauth.InvalidRequest("scopes holds a value that is not allowed")
		}
	}
	return nil
}

// grant makes the change of is.Grant.
func (c *Change) grant(t *tenant.Tenant, is *Changed, now time.Time) {
	g := is.Grant
	terms := &g.Terms
	if c.Scope != nil {
		scope := supported(t, is.Client, *c.Scope)
		_, before := authorize.Wanted(t.Settings, &request.Request{}, terms.Scope)
		_, after := authorize.Wanted(t.Settings, &request.Request{}, scope)
		for _, name := range terms.Claims {
			if !slices.Contains(before, name) && !slices.Contains(after, name) { // it was asked for by name
				after = append(after, name)
			}
		}
		terms.Scope, terms.Claims = scope, after
	}
	if c.Details != nil {
		terms.Details = *c.Details
	}
	if c.Properties != nil {
		terms.Properties = *c.Properties
	}
	if g.Refresh == nil {
		return
	}
	longest := now.Add(t.Settings.RefreshTokenLifetime())
	ends := c.RefreshEnds
	if c.Scope != nil && c.Anew.Refresh && ends.IsZero() {
		ends = longest
	}
	if ends.After(longest) {
		ends = longest
	}
	if !ends.IsZero() {
		g.Refresh.ExpiresAt = ends
	}
	if g.Refresh.ExpiresAt.After(g.ExpiresAt) {
		g.ExpiresAt = g.Refresh.ExpiresAt
	}
}

// supported is what of scope the client can have.
func supported(t *tenant.Tenant, client *tenant.Client, scope oauth.Scope) oauth.Scope {
	registered, _ := oauth.ParseScope(client.Scope) // it was one when it was registered
	can := registered
	if len(can) == 0 {
		can = t.Settings.Authorization.Scopes
	}
	out := oauth.Scope{}.Plus(scope)
	if len(can) > 0 {
		out = out.And(can)
	}
	return out
}

// token makes the change of is.Token, as far as there is any, and says what must be recorded of it. stored is its hash.
func (s *Service) token(t *tenant.Tenant, is *Changed, c *Change, stored []byte, to *grant.Amendment, now time.Time) {
	before, a := *is.Token, *is.Token
	if c.Scope != nil {
		a.Scope = supported(t, is.Client, *c.Scope)
		if is.Grant == nil {
			a.Scope = a.Scope.Without(neverAlone)
		}
	}
	if c.Details != nil {
		a.Details = *c.Details
	}
	if c.Bound.JKT != "" {
		a.Confirmation.JKT = c.Bound.JKT
	}
	if c.Bound.X5T != "" {
		a.Confirmation.X5T = c.Bound.X5T
	}
	ends := c.AccessEnds
	if c.Scope != nil && c.Anew.Access && ends.IsZero() {
		ends = now.Add(grant.AccessLife(t, 0))
	}
	if longest := now.Add(t.Settings.LongestAccessToken()); ends.After(longest) {
		ends = longest
	}
	if !ends.IsZero() {
		a.ExpiresAt = ends.Truncate(time.Second)
		if !a.ExpiresAt.After(now) {
			a.ExpiresAt = ends
		}
	}
	told := c.Scope != nil || c.Details != nil || a.Confirmation != before.Confirmation || a.ExpiresAt.Before(before.ExpiresAt)
	if !told && !c.Value && a.ExpiresAt.Equal(before.ExpiresAt) {
		return
	}
	jwt := stored == nil || string(stored) == string(grant.Hash(grant.TwinOf(t, before.ID)))
	if stored == nil || c.Value {
		is.Value = s.Issuer.NewHandle()
		a.Hash = grant.Hash(is.Value)
	}
	if jwt && (told || c.Value || stored == nil) {
		a.ID = s.Issuer.NewID()
		to.Revoked = &tenant.Revocation{Token: before.ID, At: now, ExpiresAt: before.ExpiresAt}
	}
	is.Token, to.Token, to.Replaced = &a, &a, stored
}

// Properties are those of the grant of that id; none where there is none.
func (s *Service) Properties(ctx context.Context, t *tenant.Tenant, grantID string) ([]grant.Property, error) {
	if grantID == "" {
		return nil, nil
	}
	g, err := s.Grants.Grant(ctx, t.ID, grantID)
	if errors.Is(err, grant.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return g.Terms.Properties, nil
}

package access

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// MaxAuthorizations is how many authorizations are listed at most.
const MaxAuthorizations = 1000

// Authorizations lists what subjects allowed clients: those of a subject, to a client, by an actor, each where it is not
// empty.
func (s *Service) Authorizations(ctx context.Context, t *tenant.Tenant, sub, clientID, actor string) ([]grant.Authorization, error) {
	return s.Register.ListAuthorizations(ctx, t.ID, sub, clientID, actor, MaxAuthorizations)
}

// Behind returns the grant that a live token of any client belongs to, else grant.ErrNotFound. That of a token which
// belongs to none, of client credentials, has no id.
func (s *Service) Behind(ctx context.Context, t *tenant.Tenant, token string) (*grant.Grant, error) {
	if g, ours, err := s.refresh(ctx, t, token); ours {
		if err != nil {
			return nil, err
		}
		return g, nil
	}
	a, err := s.Token(ctx, t, token)
	if err != nil {
		return nil, err
	}
	if a.Grant == "" {
		return &grant.Grant{Subject: a.Subject, Actor: a.Actor, ClientID: a.ClientID, CreatedAt: a.IssuedAt, ExpiresAt: a.ExpiresAt,
			Terms: grant.Terms{Scope: a.Scope, Audience: a.Audience, Details: a.Details, Data: a.Data}}, nil
	}
	g, err := s.Grants.Grant(ctx, t.ID, a.Grant)
	if err == nil && !g.Live(s.Now()) {
		err = grant.ErrNotFound
	}
	return g, err
}

// Redeemable returns the grant of that id while it waits to be redeemed, else grant.ErrNotFound.
func (s *Service) Redeemable(ctx context.Context, t *tenant.Tenant, id string) (*grant.Grant, error) {
	g, err := s.Grants.Grant(ctx, t.ID, id)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if !g.Live(now) || g.Code == nil || !g.Code.RedeemedAt.IsZero() || !now.Before(g.Code.ExpiresAt) {
		return nil, grant.ErrNotFound
	}
	return g, able(ctx, t, g.ClientID)
}

// Renouncement says what is forgotten and revoked: what a subject allowed, to a client, by an actor, each where it is not
// empty, until a time; zero: now.
type Renouncement struct {
	Subject, ClientID, Actor string
	Until                    time.Time
}

// Forget forgets what r says, and revokes all that came of it until then. It returns what was on record; none, where nothing
// was forgotten.
func (s *Service) Forget(ctx context.Context, t *tenant.Tenant, r Renouncement, by By) ([]grant.Authorization, error) {
	now := s.Now()
	if r.Until.IsZero() {
		r.Until = now
	}
	if r.Until.After(now.Add(time.Second)) {
		return nil, oauth.InvalidRequest("what is to come cannot be revoked")
	}
	had, err := s.Authorizations(ctx, t, r.Subject, r.ClientID, r.Actor)
	if err != nil {
		return nil, err
	}
	what := tenant.Revocation{Subject: r.Subject, Actor: r.Actor, ClientID: r.ClientID, At: r.Until, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
	ev := audit.Event{At: now, Kind: audit.GrantRevoked, Actor: by.Actor, Subject: r.Subject, ClientID: r.ClientID, Address: by.Address}
	if r.Actor != "" {
		ev.Detail = map[string]string{"act_sub": r.Actor}
	}
	n, err := s.Register.Renounce(ctx, t.ID, now, what, ev)
	if err != nil {
		return nil, err
	}
	t.Revoked.Add(what)
	if n == 0 {
		return nil, nil
	}
	return slices.DeleteFunc(had, func(z grant.Authorization) bool { return z.UpdatedAt.Unix() > r.Until.Unix() }), nil
}

// Counts counts what subjects allowed clients: of a subject, to a client, by an actor, each where it is not empty.
func (s *Service) Counts(ctx context.Context, t *tenant.Tenant, sub, clientID, actor string) (grant.Counts, error) {
	return s.Register.CountAuthorizations(ctx, t.ID, sub, clientID, actor)
}

// Consenting lists subjects after that one that allowed clients something.
func (s *Service) Consenting(ctx context.Context, t *tenant.Tenant, after string) ([]string, error) {
	return s.Register.ListConsenting(ctx, t.ID, after, MaxAuthorizations)
}

// Consented lists ids of clients after that one that were allowed something.
func (s *Service) Consented(ctx context.Context, t *tenant.Tenant, after string) ([]string, error) {
	return s.Register.ListConsented(ctx, t.ID, after, MaxAuthorizations)
}

// Amend replaces what is on record for the subject, client and actor of a, or returns grant.ErrNotFound. Tokens stay as
// they are.
func (s *Service) Amend(ctx context.Context, t *tenant.Tenant, a grant.Authorization, terms *grant.Terms, by By) error {
	if err := terms.Check(); err != nil {
		return err
	}
	a.UpdatedAt = s.Now()
	a.Terms, _ = json.Marshal(terms) // plain data: cannot fail
	return s.Register.PutAuthorization(ctx, t.ID, a, audit.Event{At: a.UpdatedAt, Kind: audit.Consented, Actor: by.Actor, Subject: a.Subject,
		ClientID: a.ClientID, Address: by.Address, Detail: map[string]string{"scope": a.Scope.String()}})
}

// ForgetToken revokes what a token of any client belongs to: what its subject allowed the client, with all that came of
// it. Where the subject was acted for it is the one grant, and where there is none the token alone. A token that is not
// alive is no error.
func (s *Service) ForgetToken(ctx context.Context, t *tenant.Tenant, token string, by By) ([]grant.Authorization, error) {
	g, err := s.Behind(ctx, t, token)
	switch {
	case err != nil:
		return nil, unlessGone(err)
	case g.ID == "":
		return nil, s.Revoke(ctx, t, &tenant.Client{ID: g.ClientID}, token, by.Address)
	case g.Actor != "":
		return nil, unlessGone(s.RevokeGranted(ctx, t, g.ID, by))
	}
	return s.Forget(ctx, t, Renouncement{Subject: g.Subject, ClientID: g.ClientID}, by)
}

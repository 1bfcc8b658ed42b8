package access

import (
	"context"

	"github.com/chancery-id/chancery/flows/grant"
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

// Forget is Withdraw, also of every subject for a client where sub is empty. It returns what was on record before; none,
// where nothing was forgotten.
func (s *Service) Forget(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) ([]grant.Authorization, error) {
	had, err := s.Authorizations(ctx, t, sub, clientID, "")
	if err != nil {
		return nil, err
	}
	n, err := s.withdraw(ctx, t, sub, clientID, by)
	if err != nil || n == 0 {
		return nil, err
	}
	return had, nil
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
	return s.Forget(ctx, t, g.Subject, g.ClientID, by)
}

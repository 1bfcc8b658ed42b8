package token

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// maxAmended is how many grants of one subject to one client are changed at once.
const maxAmended = 500

// Rescope gives all that lives of a subject and a client another scope, of which values that the client cannot have are
// left out, and tells how many grants that were. Identifier tokens have it at once. JWTs cannot be changed: those that were
// issued are revoked, with the identifiers beside them, and the next refresh has it.
func (s *Service) Rescope(ctx context.Context, t *tenant.Tenant, sub string, client *tenant.Client, scope oauth.Scope, actor, address string) (int, error) {
	c := &Change{Scope: &scope}
	rs, _, err := s.Records.ListRecords(ctx, t.ID, s.Now(), grant.Whose{Subject: sub, ClientID: client.ID}, 0, maxAmended)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range rs {
		if r.Grant == nil {
			continue
		}
		err := s.rescope(ctx, t, &Changed{Client: client, Grant: r.Grant}, c, actor, address)
		switch {
		case errors.Is(err, grant.ErrNotFound): // it went meanwhile
		case err != nil:
			return n, err
		default:
			n++
		}
	}
	return n, nil
}

func (s *Service) rescope(ctx context.Context, t *tenant.Tenant, is *Changed, c *Change, actor, address string) (err error) {
	for range amendments {
		now := s.Now()
		if err := c.check(is, now); err != nil {
			return err
		}
		g := is.Grant
		c.grant(t, is, now)
		a := grant.Amendment{Grant: g, Rescoped: true, Event: audit.Event{At: now, Kind: audit.TokenChanged, Actor: actor, Subject: g.Subject, Grant: g.ID,
			Session: g.SessionID, ClientID: g.ClientID, Address: address}}
		if !t.Settings.Tokens.AccessTokenOpaque && g.Terms.AccessToken.Encoding != grant.Identifier || g.Terms.AccessToken.Encoding == grant.SelfContained {
			a.Revoked = &tenant.Revocation{Subject: g.Subject, ClientID: g.ClientID, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
		}
		if err = s.Records.Amend(ctx, t.ID, now, a); err == nil && a.Revoked != nil {
			t.Revoked.Add(*a.Revoked)
		}
		if !errors.Is(err, grant.ErrMoved) {
			return err
		}
		if is.Grant, err = s.Grants.Grant(ctx, t.ID, g.ID); err != nil {
			return err
		}
	}
	return errMoved
}

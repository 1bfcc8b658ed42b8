package grant

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Managed keeps the grants that clients manage (Grant Management for OAuth 2.0). Those of one id are one agreement: the newest
// says what it is.
type Managed interface {
	// ManagedGrants lists what stands at now of the agreement of that id, the newest first.
	ManagedGrants(ctx context.Context, t tenant.ID, now time.Time, id string) ([]Grant, error)
	// RevokeManaged revokes all that stands of the agreement of that id, with the client, and returns the revocations that
	// are entered until then. Where nothing stands it is ErrNotFound, and so for all but one of any number of concurrent calls.
	RevokeManaged(ctx context.Context, t tenant.ID, id, clientID string, now, until time.Time, ev audit.Event) ([]tenant.Revocation, error)
}

// Joining is how a new grant stands to the agreement that it is of.
type Joining struct {
	Stands   string              // id of the grant that must stand until the new one is recorded; empty: none
	Replaces string              // id of the agreement, of which nothing but the new one is left; empty: all is left
	Ended    []tenant.Revocation // of what is replaced
}

// Manage has g be, or join, an agreement, as action says of the one of that id (Grant Management for OAuth 2.0 §5.1). One that is
// over, or of another client or subject, is ErrNotFound.
func (i *Issuer) Manage(ctx context.Context, t *tenant.Tenant, store Managed, action, id string, g *Grant) (j Joining, err error) {
	switch action {
	case "":
		return j, nil
	case oauth.GrantCreate:
		g.Managed = i.NewID()
		return j, nil
	}
	before, err := store.ManagedGrants(ctx, t.ID, i.Now(), id)
	if err != nil {
		return j, err
	}
	if len(before) == 0 || before[0].ClientID != g.ClientID || before[0].Subject != g.Subject || before[0].Actor != g.Actor {
		return j, ErrNotFound
	}
	g.Managed, j.Stands = id, before[0].ID
	if newest := before[0].CreatedAt; !g.CreatedAt.After(newest) { // the clocks of two instances need not agree
		g.CreatedAt = newest.Add(time.Microsecond)
	}
	if action == oauth.GrantReplace {
		j.Replaces = id
		for k := range before {
			j.Ended = append(j.Ended, i.Revocation(t, before[k].ID))
		}
		return j, nil
	}
	g.Terms.Merge(&before[0].Terms)
	return j, g.Terms.Check()
}

// Merge adds to t what was agreed before, and is to stand beside it.
func (t *Terms) Merge(before *Terms) {
	t.Scope = before.Scope.Plus(t.Scope)
	for _, s := range []struct{ to, from *[]string }{{&t.Claims, &before.Claims}, {&t.IDTokenClaims, &before.IDTokenClaims}, {&t.AccessTokenClaims, &before.AccessTokenClaims}, {&t.Consented, &before.Consented}} {
		for _, name := range *s.from {
			if !slices.Contains(*s.to, name) {
				*s.to = append(slices.Clone(*s.to), name)
			}
		}
	}
	if t.Verified.UserInfo == nil {
		t.Verified.UserInfo = before.Verified.UserInfo
	}
	if t.Verified.IDToken == nil {
		t.Verified.IDToken = before.Verified.IDToken
	}
	if len(t.Audience) > 0 && len(before.Audience) > 0 { // without any they are for this server alone
		t.Audience = append(slices.Clone(before.Audience), slices.DeleteFunc(slices.Clone(t.Audience), func(v string) bool { return slices.Contains(before.Audience, v) })...)
	}
	details := slices.Clone(before.Details)
	for _, d := range t.Details {
		if !slices.ContainsFunc(details, func(had json.RawMessage) bool { return string(had) == string(d) }) {
			details = append(details, d)
		}
	}
	t.Details = oauth.Details(details)
}

// AgreedClaims are the claims that g agrees to, in whatever place, sorted.
func (g *Grant) AgreedClaims() []string {
	out := slices.Concat(g.Terms.Claims, g.Terms.IDTokenClaims, g.Terms.Consented)
	slices.Sort(out)
	return slices.Compact(out)
}

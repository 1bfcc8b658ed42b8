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

// Merge adds to t what was agreed before, and is to stand beside it.
func (t *Terms) Merge(before *Terms) {
	t.Scope = before.Scope.Plus(t.Scope)
	for _, s := range []struct{ to, from *[]string }{{&t.Claims, &before.Claims}, {&t.IDTokenClaims, &before.IDTokenClaims}, {&t.Consented, &before.Consented}} {
		for _, name := range *s.from {
			if !slices.Contains(*s.to, name) {
				*s.to = append(slices.Clone(*s.to), name)
			}
		}
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

package grant

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// GrantedScopes is what a subject granted a client by the tenant's backend, whatever became of the tokens.
type GrantedScopes struct {
	Latest    oauth.Scope // by the last grant, sorted
	Merged    oauth.Scope // by all of them, sorted
	GrantedAt time.Time   // when the last one was
}

// Ledger keeps granted scopes, and what of them stands. Each method is one atomic effect. They are entered by authorize.Store.Finish.
type Ledger interface {
	// GrantedScopes returns what a subject granted a client, or ErrNotFound where it never granted anything.
	GrantedScopes(ctx context.Context, t tenant.ID, sub, clientID string) (*GrantedScopes, error)
	// ForgetScopes forgets it, and reports whether there was something. Tokens stay as they are.
	ForgetScopes(ctx context.Context, t tenant.ID, sub, clientID string, ev audit.Event) (bool, error)
	// RevokeGrants revokes all grants that stand at now, of a subject, to a client, each where it is not empty, and enters
	// revoked into the journal. Where both are empty it changes nothing. What was allowed is kept. It returns how many there were.
	RevokeGrants(ctx context.Context, t tenant.ID, sub, clientID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (int, error)
}

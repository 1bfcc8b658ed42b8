package decoupled

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Flow answers the requests of one grant type, and the polls for them.
type Flow struct {
	Kind
	Now    func() time.Time
	Store  Store
	Issuer *grant.Issuer  // of what is pushed, and names messages; may be nil where clients only poll, and manage no grants
	Claims grant.Accounts // for what is pushed

	Managed grant.Managed // agreements that clients manage
}

// Kind is what one grant type has of its own.
type Kind struct {
	GrantType string
	Handle    Handle       // that the client polls with
	Invalid   *oauth.Error // what the client is told of one that is unknown, or redeemed
	Expired   *oauth.Error
	IDToken   bool // one comes with the tokens in any case, not only where the scope holds openid
}

// How polls are paced: one that comes early by less than leeway was only fast on its way, and each that comes earlier
// makes the interval longer by raise (CIBA Core §11, RFC 8628 §3.5).
const (
	leeway = 500 * time.Millisecond
	raise  = 5 * time.Second
)

// ErrSlowDown is the answer to a poll that came too soon. It is the protocol's own word, not a limit's.
var ErrSlowDown = oauth.SlowDown("the interval between two polls has not passed, and is longer from now on")

var errPending = oauth.AuthorizationPending("the user has not answered yet")

// Poll returns the id of the grant that the client's handle may be redeemed for, or the error that the client is told
// instead (CIBA Core §11, RFC 8628 §3.5).
func (f *Flow) Poll(ctx context.Context, t *tenant.Tenant, client *tenant.Client, handle string) (grantID string, err error) {
	id, ok := f.Handle.Parse(t, handle)
	if !ok {
		return "", f.Invalid
	}
	now := f.Now()
	p, err := f.Store.Poll(ctx, t.ID, now, id, client.ID, leeway, raise)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", f.Invalid.Because(err)
	case err != nil:
		return "", err
	case !now.Before(p.EndsAt):
		return "", f.Expired
	case p.TooSoon:
		return "", ErrSlowDown
	case p.State == Granted:
		return id, nil
	case p.State == Refused && p.Refusal != nil:
		return "", p.Refusal.Told()
	}
	return "", errPending
}

// Redeem records what was minted for a grant that Poll returned. Of any number of callers one succeeds; the others get
// what the client is told of an invalid handle.
func (f *Flow) Redeem(ctx context.Context, t *tenant.Tenant, r grant.Redemption) error {
	err := f.Store.RedeemAuthentication(ctx, t.ID, f.Now(), r)
	if errors.Is(err, ErrNotFound) {
		return f.Invalid.Because(err)
	}
	return err
}

// Find returns the authentication of that id, or ErrNotFound. Only those who act for the tenant know ids.
func (f *Flow) Find(ctx context.Context, t *tenant.Tenant, id string) (*Pending, error) {
	a, err := f.Store.Authentication(ctx, t.ID, f.Now(), id)
	if err != nil {
		return nil, err
	}
	return WithClient(ctx, t, a)
}

// WithClient adds the client. Without one that is alive there is nothing to be answered.
func WithClient(ctx context.Context, t *tenant.Tenant, a *Authentication) (*Pending, error) {
	client, err := t.Clients.Client(ctx, a.ClientID)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && client.Disabled {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &Pending{Authentication: *a, Client: client}, nil
}

// Package admin is what an administrator may do: each operation is a check, a change and its audit event in one call
// of the store.
package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Console does what an administrator asks for.
type Console struct {
	Store   Store
	Access  Access  // who may administer
	Policy  *Policy // what they may
	Answers Answers // to calls that may be repeated
	Trail   Trail   // of what happened
	Outbox  Outbox  // what tenants owe others
	// Live returns an enabled tenant as the flows see it.
	Live        func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error)
	Webhooks    outbox.Webhooks
	Owed        outbox.Store
	ScriptStore script.Store
	Trials      Trials                 // of scripts
	Permits     func(url string) error // why a URL of a tenant's is not called, or nil
	Numbers     Numbers                // nil: tenants are not listed by number
	Clients     *registration.Service
	Accounts    *account.Service
	Logins      *session.Service // subjects' sessions
	Granted     *access.Service  // what subjects granted
	Keys        Generator
	Grace       time.Duration // for which a deleted tenant can be restored; zero: none
	Now         func() time.Time
	Rand        io.Reader
	PublicURL   *url.URL // below which issuers lie unless given; without a trailing slash
	// PasswordPage is where the page lies that sets a password, below an issuer and before the token of its link.
	PasswordPage string
	Resolver     Refresher // of this instance, which sees each change at once; nil where nothing is cached
}

// Refresher catches up with what was committed. *tenant.Resolver is one.
type Refresher interface {
	Refresh(ctx context.Context) error
}

// Generator makes signing keys. *keys.Pool is one.
type Generator interface {
	Generate(alg keys.Alg, now time.Time) (keys.Key, error)
}

// By is who makes a change, for the record.
type By struct {
	Actor   string // id of an API token, or what acts for the operator
	Address string // of the caller
	// Caller bounds what is done and granted by what the caller may; nil: nothing does, as for who reaches the database.
	Caller *Caller
	Once   *audit.Once // idempotency key of the call; nil: it has none
}

// What the operations say, beside *Invalid. The store's sentinel is the cause.
var (
	errUnknown  = oauth.NotFound("There is no such tenant").Because(tenant.ErrUnknown)
	errTaken    = oauth.InvalidRequest("The tenant id or the issuer is taken").Because(tenant.ErrExists)
	errConflict = oauth.InvalidRequest("The tenant was changed in the meantime").Because(tenant.ErrConflict)
)

// worded turns what the store says into what a caller is told.
func worded(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tenant.ErrUnknown):
		return errUnknown
	case errors.Is(err, tenant.ErrExists):
		return errTaken
	case errors.Is(err, tenant.ErrConflict):
		return errConflict
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e
	}
	return oauth.Unavailable().Because(err)
}

// changed lets this instance see what the store has just committed. Should that fail, it learns of it as the others do.
func (c *Console) changed(ctx context.Context) {
	if c.Resolver != nil {
		_ = c.Resolver.Refresh(ctx)
	}
}

// event is the record of a change. details are names and values in turn.
func (c *Console) event(kind audit.Kind, by By, details ...string) audit.Event {
	e := audit.Event{At: c.now(), Kind: kind, Actor: by.Actor, Address: by.Address, Once: by.Once}
	if len(details) > 0 {
		e.Detail = make(map[string]string, len(details)/2)
	}
	for i := 0; i+1 < len(details); i += 2 {
		e.Detail[details[i]] = details[i+1]
	}
	return e
}

// now is the time in the precision of the stores.
func (c *Console) now() time.Time { return c.Now().UTC().Truncate(time.Microsecond) }

// random returns n random bytes in base64url.
func (c *Console) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.Rand, b); err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// record returns the tenant of that id, enabled or not.
func (c *Console) record(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	if _, err := tenant.ParseID(string(id)); err != nil {
		return nil, errUnknown
	}
	r, err := c.Store.Tenant(ctx, id)
	return r, worded(err)
}

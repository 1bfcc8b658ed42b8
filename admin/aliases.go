package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Alias is a further issuer of a tenant, such as the domain that it had before: to whoever knows it under that, it is all
// that the tenant is.
type Alias struct {
	ID        string // derived from the issuer
	Issuer    string
	CreatedAt time.Time
}

// AliasOf is the alias of that issuer.
func AliasOf(issuer string, now time.Time) Alias {
	sum := sha256.Sum256([]byte(issuer))
	return Alias{ID: hex.EncodeToString(sum[:12]), Issuer: issuer, CreatedAt: now}
}

// Aliases keeps aliases. No issuer is that of two tenants, be it an alias or the one that a tenant was made with.
type Aliases interface {
	// Aliases lists a tenant's aliases by issuer.
	Aliases(ctx context.Context, id tenant.ID) ([]Alias, error)
	// PutAlias records an alias of the tenant at that version; tenant.ErrExists where any tenant has it as an issuer,
	// tenant.ErrUnknown, tenant.ErrConflict.
	PutAlias(ctx context.Context, id tenant.ID, version int64, a Alias, ev audit.Event) error
	// DropAlias removes the alias of that id, or is ErrNoAlias.
	DropAlias(ctx context.Context, id tenant.ID, alias string, now time.Time, ev audit.Event) error
}

// ErrNoAlias means that the tenant has no such alias.
var ErrNoAlias = errors.New("admin: no such alias")

var (
	errNoAlias     = oauth.NotFound("There is no such alias").Because(ErrNoAlias)
	errAliasTaken  = oauth.InvalidRequest("The issuer is taken").Because(tenant.ErrExists)
	errManyAliases = oauth.InvalidRequest("The tenant has as many aliases as it may have").Because(tenant.ErrConflict)
	errNoIssuers   = oauth.InvalidRequest("The platform has no aliases")
)

// ListAliases lists the aliases of a tenant by issuer.
func (c *Console) ListAliases(ctx context.Context, id tenant.ID) ([]Alias, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	as, err := c.Store.Aliases(ctx, id)
	return as, worded(err)
}

// AddAlias gives a tenant a further issuer. It must be one that a tenant could be made with, else it is *Invalid; one that
// any tenant has is invalid_request with the cause tenant.ErrExists.
func (c *Console) AddAlias(ctx context.Context, id tenant.ID, issuer string, by By) (Alias, error) {
	if id == tenant.Platform {
		return Alias{}, errNoIssuers
	}
	for tries := 0; ; tries++ {
		r, err := c.record(ctx, id)
		if err != nil {
			return Alias{}, err
		}
		if issuer == "" {
			return Alias{}, invalid("/issuer", "is missing")
		}
		if _, err := c.checkIssuer(issuer, id); err != nil {
			return Alias{}, err
		}
		if len(r.Aliases) >= tenant.MaxAliases {
			return Alias{}, errManyAliases
		}
		a := AliasOf(issuer, c.now())
		err = c.Store.PutAlias(ctx, id, r.Version, a, c.event(audit.AliasAdded, by, "issuer", issuer, "alias", a.ID))
		switch {
		case errors.Is(err, tenant.ErrConflict) && tries < retries:
			continue
		case errors.Is(err, tenant.ErrExists):
			return Alias{}, errAliasTaken
		case err != nil:
			return Alias{}, worded(err)
		}
		c.changed(ctx)
		return a, nil
	}
}

// RemoveAlias takes an alias from a tenant. What its clients began there goes on at the issuer that the tenant was made with.
func (c *Console) RemoveAlias(ctx context.Context, id tenant.ID, alias string, by By) error {
	if _, err := c.record(ctx, id); err != nil {
		return err
	}
	err := c.Store.DropAlias(ctx, id, alias, c.now(), c.event(audit.AliasRemoved, by, "alias", alias))
	if errors.Is(err, ErrNoAlias) {
		return errNoAlias
	}
	if err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

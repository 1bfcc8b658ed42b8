package admin

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Store keeps tenants. Each method is one atomic effect, raises the tenant's version and tells every instance.
type Store interface {
	History
	Aliases
	Usage
	// CreateTenant records a tenant whole, with its aliases, and gives it its ServiceID; tenant.ErrExists when its id or an issuer is taken.
	CreateTenant(ctx context.Context, r tenant.Record, ev audit.Event) (tenant.Record, error)
	// Tenant returns the tenant of that id, enabled or not, or tenant.ErrUnknown.
	Tenant(ctx context.Context, id tenant.ID) (*tenant.Record, error)
	// Tenants lists tenants without keys, secret and tokens, by id after that one, at most n.
	Tenants(ctx context.Context, after tenant.ID, n int) ([]tenant.Record, error)
	// FindTenants lists those tenants but the platform that the filter lets through, as Tenants does.
	FindTenants(ctx context.Context, f TenantFilter, after tenant.ID, n int) ([]tenant.Record, error)
	// UpdateTenant replaces settings and the enabled flag of the tenant at that version; tenant.ErrUnknown, or
	// tenant.ErrConflict when the version is another.
	UpdateTenant(ctx context.Context, id tenant.ID, version int64, s tenant.Settings, enabled bool, now time.Time, ev audit.Event) error
	// MarkDeleted hides a tenant from every method but RestoreTenant, RemoveDeleted, DeleteTenant and FindTenants, which has to ask for it,
	// until it is restored, or removed after purgeAt; tenant.ErrUnknown where it is not there, or hidden already. Its id and
	// issuer stay taken until RemoveDeleted.
	MarkDeleted(ctx context.Context, id tenant.ID, now, purgeAt time.Time, ev audit.Event) error
	// RestoreTenant brings back a tenant that was marked deleted until after now, or is tenant.ErrUnknown.
	RestoreTenant(ctx context.Context, id tenant.ID, now time.Time, ev audit.Event) error
	// RemoveDeleted removes a tenant that could be restored at now, and everything it had, or is tenant.ErrUnknown.
	RemoveDeleted(ctx context.Context, id tenant.ID, now time.Time, ev audit.Event) error
	// DeleteTenant removes a tenant and everything it has, or tenant.ErrUnknown.
	DeleteTenant(ctx context.Context, id tenant.ID, ev audit.Event) error
	// PutKeys replaces the key list of the tenant at that version; tenant.ErrUnknown, tenant.ErrConflict.
	PutKeys(ctx context.Context, id tenant.ID, version int64, ks []keys.Key, now time.Time, ev audit.Event) error
	// PutToken records an API token that does not open the administration; tenant.ErrUnknown.
	PutToken(ctx context.Context, id tenant.ID, k tenant.APIToken, ev audit.Event) error
	// KeysDue lists up to n tenants, by id after that one, that have a key which became active before that time and which
	// nothing retires: the newest of its algorithm.
	KeysDue(ctx context.Context, activeBefore time.Time, after tenant.ID, n int) ([]tenant.ID, error)
	// Events lists a tenant's events, newest first, older than before (zero: all), at most n.
	Events(ctx context.Context, id tenant.ID, before time.Time, n int) ([]audit.Event, error)
}

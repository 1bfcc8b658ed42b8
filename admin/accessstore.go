package admin

import (
	"context"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// ServiceAccount is who acts with API tokens for a program. Its roles hold for each of its tokens.
type ServiceAccount struct {
	ID        string
	Name      string
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Grant gives a role to a principal: token:{id}, service:{id} or user:{sub}.
type Grant struct {
	Principal string
	Role      string
	At        time.Time
	By        string // actor
}

// AccessRecord is who may administer a tenant, as of one version of it.
type AccessRecord struct {
	Version  int64
	Roles    []Role // of its own
	Accounts []ServiceAccount
	Grants   []Grant
}

// rolesOf are the names of the roles of a principal.
func (a *AccessRecord) rolesOf(principal string) (names []string) {
	for _, g := range a.Grants {
		if g.Principal == principal {
			names = append(names, g.Role)
		}
	}
	return names
}

// account returns the service account of that id, or nil.
func (a *AccessRecord) account(id string) *ServiceAccount {
	for i := range a.Accounts {
		if a.Accounts[i].ID == id {
			return &a.Accounts[i]
		}
	}
	return nil
}

// acts reports whether a principal can act: its service account is not disabled.
func (a *AccessRecord) acts(principal string) bool {
	id, ok := strings.CutPrefix(principal, servicePrefix)
	if !ok {
		return true
	}
	s := a.account(id)
	return s != nil && !s.Disabled
}

// What the names of principals begin with.
const (
	tokenPrefix   = "token:"
	servicePrefix = "service:"
	userPrefix    = "user:" // a person, signed in at the platform
)

// Person is the name under which roles are given to a person of the platform.
func Person(sub string) string { return userPrefix + sub }

// PutOut is the end of an account of a person who may be an administrator.
type PutOut struct {
	Subject string
	Remove  bool // else it is disabled
	Revoked tenant.Revocation
}

// Access keeps who may administer a tenant. Each method that changes something is one atomic effect at a known version
// of the tenant, which it raises, and tells every instance; it returns tenant.ErrUnknown, or tenant.ErrConflict when the
// version is another: so of two changes that each were right alone, such as taking away one of two owners, one is made.
type Access interface {
	// Access returns who may administer a tenant, or tenant.ErrUnknown.
	Access(ctx context.Context, id tenant.ID) (*AccessRecord, error)
	// PutRole records a role of the tenant's own, or changes it.
	PutRole(ctx context.Context, id tenant.ID, version int64, r Role, ev audit.Event) error
	// DeleteRole removes a role of the tenant's own, from those who have it too.
	DeleteRole(ctx context.Context, id tenant.ID, version int64, name string, ev audit.Event) error
	// PutServiceAccount records a service account, or changes it, and gives it those roles beside what it has.
	PutServiceAccount(ctx context.Context, id tenant.ID, version int64, a ServiceAccount, roles []string, ev audit.Event) error
	// DeleteServiceAccount removes a service account with its tokens and roles.
	DeleteServiceAccount(ctx context.Context, id tenant.ID, version int64, account string, ev audit.Event) error
	// PutGrants makes the roles of a principal those.
	PutGrants(ctx context.Context, id tenant.ID, version int64, principal string, roles []string, ev audit.Event) error
	// PutConsoleToken records an API token with roles of its own.
	PutConsoleToken(ctx context.Context, id tenant.ID, version int64, k tenant.APIToken, roles []string, ev audit.Event) error
	// DropToken removes an API token with its roles.
	DropToken(ctx context.Context, id tenant.ID, version int64, tokenID string, ev audit.Event) error
	// PutOut disables or removes an account, ends its sessions, revokes its grants and enters Revoked into the journal;
	// what is removed loses its roles at the tenant too.
	PutOut(ctx context.Context, id tenant.ID, version int64, out PutOut, ev audit.Event) error
	// Record writes an event that came with no change.
	Record(ctx context.Context, id tenant.ID, ev audit.Event) error
}

package console

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// caller is who calls.
type caller struct {
	Tenant      tenant.ID          `json:"tenant_id"`
	Principal   string             `json:"principal"`
	Roles       []string           `json:"roles"`
	Permissions []admin.Permission `json:"permissions"`
}

func (d *Door) me(q *call) (caller, error) {
	who := q.by.Caller
	if who == nil {
		all := admin.Permissions(true)
		slices.Sort(all)
		return caller{Tenant: tenant.Platform, Principal: q.by.Actor, Roles: []string{admin.Owner}, Permissions: all}, nil
	}
	out := caller{Tenant: who.Home.ID, Principal: who.Principal, Roles: []string{}, Permissions: []admin.Permission{}}
	all, err := d.Console.Administrators(q.Request.Context(), who.Home.ID)
	if err != nil {
		return out, err
	}
	for _, a := range all {
		if a.Principal == who.Principal {
			out.Roles, out.Permissions = a.Roles, a.Permissions
		}
	}
	return out, nil
}

// shownRole is a role as an administrator sees it.
type shownRole struct {
	Name        string             `json:"name"`
	Description string             `json:"description"`
	Permissions []admin.Permission `json:"permissions"`
	BuiltIn     bool               `json:"built_in"`
	UpdatedAt   time.Time          `json:"updated_at,omitzero"`
}

func shownRoleOf(r admin.Role) shownRole {
	return shownRole{Name: r.Name, Description: r.Description, Permissions: r.Permissions, BuiltIn: r.BuiltIn, UpdatedAt: r.UpdatedAt}
}

// roleList is every role of a tenant, and what roles of its own may hold.
type roleList struct {
	Roles       []shownRole        `json:"roles"`
	Permissions []admin.Permission `json:"permissions"`
}

func (d *Door) listRoles(q *call) (roleList, error) {
	rs, err := d.Console.Roles(q.Request.Context(), q.id)
	out := roleList{Roles: make([]shownRole, len(rs)), Permissions: admin.Permissions(q.id == tenant.Platform)}
	for i, r := range rs {
		out.Roles[i] = shownRoleOf(r)
	}
	return out, err
}

func (d *Door) readRole(q *call) (shownRole, error) {
	r, err := d.Console.Role(q.Request.Context(), q.id, q.Param("role"))
	return shownRoleOf(r), err
}

// putRole is the body that makes a role. What is shown of it may be sent back.
type newRole struct {
	Description string             `json:"description"`
	Permissions []admin.Permission `json:"permissions" need:"yes"`
}

func (d *Door) putRole(q *call, b *newRole) (shownRole, error) {
	r, err := d.Console.PutRole(q.Request.Context(), q.id, admin.Role{Name: q.Param("role"), Description: b.Description, Permissions: b.Permissions}, q.by)
	return shownRoleOf(r), err
}

func (d *Door) deleteRole(q *call) (none, error) {
	return none{}, d.Console.DeleteRole(q.Request.Context(), q.id, q.Param("role"), q.by)
}

// administrator is who has roles at a tenant.
type administrator struct {
	Principal   string             `json:"principal"`
	Roles       []string           `json:"roles"`
	Permissions []admin.Permission `json:"permissions"`
}

func shownAdministrator(a admin.Administrator) administrator {
	out := administrator{Principal: a.Principal, Roles: a.Roles, Permissions: a.Permissions}
	if out.Roles == nil {
		out.Roles = []string{}
	}
	if out.Permissions == nil {
		out.Permissions = []admin.Permission{}
	}
	return out
}

// administratorList is everyone who has roles at a tenant.
type administratorList struct {
	Administrators []administrator `json:"administrators"`
}

func (d *Door) listAdministrators(q *call) (administratorList, error) {
	all, err := d.Console.Administrators(q.Request.Context(), q.id)
	out := administratorList{Administrators: make([]administrator, len(all))}
	for i, a := range all {
		out.Administrators[i] = shownAdministrator(a)
	}
	return out, err
}

func (d *Door) readAdministrator(q *call) (administrator, error) {
	a, err := d.Console.Administrator(q.Request.Context(), q.id, q.Param("principal"))
	return shownAdministrator(a), err
}

// newRoles is the body that sets the roles of a principal.
type newRoles struct {
	Roles []string `json:"roles" need:"yes"`
}

func (d *Door) putAdministrator(q *call, b *newRoles) (administrator, error) {
	a, err := d.Console.PutAdministrator(q.Request.Context(), q.id, q.Param("principal"), b.Roles, q.by)
	if err != nil {
		return administrator{}, err
	}
	return shownAdministrator(a), nil
}

func (d *Door) deleteAdministrator(q *call) (none, error) {
	_, err := d.Console.Administrator(q.Request.Context(), q.id, q.Param("principal"))
	if err == nil {
		_, err = d.Console.PutAdministrator(q.Request.Context(), q.id, q.Param("principal"), nil, q.by)
	}
	return none{}, err
}

// newServiceAccount is the body that creates a service account.
type newServiceAccount struct {
	Name  string   `json:"name" need:"yes"`
	Roles []string `json:"roles"`
}

// serviceAccount is a service account as an administrator sees it.
type serviceAccount struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Disabled  bool      `json:"disabled"`
	Roles     []string  `json:"roles"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func shownServiceAccount(s admin.ShownServiceAccount) serviceAccount {
	out := serviceAccount{ID: s.ID, Name: s.Name, Disabled: s.Disabled, Roles: s.Roles, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt}
	if out.Roles == nil {
		out.Roles = []string{}
	}
	return out
}

func (d *Door) createServiceAccount(q *call, b *newServiceAccount) (serviceAccount, error) {
	s, err := d.Console.CreateServiceAccount(q.Request.Context(), q.id, admin.NewServiceAccount{Name: b.Name, Roles: b.Roles}, q.by)
	return shownServiceAccount(s), err
}

// serviceAccountList is every service account of a tenant.
type serviceAccountList struct {
	ServiceAccounts []serviceAccount `json:"service_accounts"`
}

func (d *Door) listServiceAccounts(q *call) (serviceAccountList, error) {
	all, err := d.Console.ServiceAccounts(q.Request.Context(), q.id)
	out := serviceAccountList{ServiceAccounts: make([]serviceAccount, len(all))}
	for i, s := range all {
		out.ServiceAccounts[i] = shownServiceAccount(s)
	}
	return out, err
}

func (d *Door) readServiceAccount(q *call) (serviceAccount, error) {
	s, err := d.Console.ServiceAccount(q.Request.Context(), q.id, q.Param("account"))
	return shownServiceAccount(s), err
}

// serviceAccountPatch is the body that changes a service account.
type serviceAccountPatch struct {
	Name     *string `json:"name"`
	Disabled *bool   `json:"disabled"`
}

func (d *Door) patchServiceAccount(q *call, b *serviceAccountPatch) (serviceAccount, error) {
	s, err := d.Console.UpdateServiceAccount(q.Request.Context(), q.id, q.Param("account"), b.Name, b.Disabled, q.by)
	return shownServiceAccount(s), err
}

func (d *Door) deleteServiceAccount(q *call) (none, error) {
	return none{}, d.Console.DeleteServiceAccount(q.Request.Context(), q.id, q.Param("account"), q.by)
}

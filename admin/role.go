package admin

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Role is a set of permissions. Who has it holds them.
type Role struct {
	Name        string
	Description string
	Permissions []Permission
	BuiltIn     bool
	UpdatedAt   time.Time // zero where it is built in
}

// The names of built-in roles.
const (
	Owner     = "owner"
	Operator  = "operator" // of the platform
	Admin     = "admin"
	Developer = "developer"
	Support   = "support"
	Auditor   = "auditor"
)

// builtIn is a role that every tenant has, or the platform.
type builtIn struct {
	name, description string
	holds             map[Domain][]Permission
}

// platformRoles are the platform's. On tenants they hold for each.
var platformRoles = []builtIn{
	{Owner, "Everything, on the platform and on every tenant", map[Domain][]Permission{OnPlatform: Permissions(true), OnTenant: Permissions(true)}},
	{Operator, "Everything on every tenant; on the platform, the list of tenants and new ones", map[Domain][]Permission{
		OnPlatform: {ListTenants, CreateTenants, ReadTenant, ReadUsage}, OnTenant: Permissions(true)}},
	{Auditor, "Reads everything and changes nothing", map[Domain][]Permission{
		OnPlatform: slices.Concat([]Permission{ListTenants}, reading), OnTenant: reading}},
}

// tenantRoles are those of each tenant.
var tenantRoles = []builtIn{
	{Owner, "Everything at the tenant", map[Domain][]Permission{OnTenant: ofTenants}},
	{Admin, "Everything at the tenant but who may administer it", map[Domain][]Permission{
		OnTenant: slices.DeleteFunc(slices.Clone(ofTenants), func(p Permission) bool { return p == WriteAccess })}},
	{Developer, "Clients only", map[Domain][]Permission{OnTenant: {ReadClients, WriteClients}}},
	{Support, "Users, sessions and grants", map[Domain][]Permission{OnTenant: {ReadUsers, WriteUsers, ReadSessions, WriteSessions}}},
	{Auditor, "Reads everything and changes nothing", map[Domain][]Permission{OnTenant: reading}},
}

// builtIns are the built-in roles of a tenant.
func builtIns(id tenant.ID) []builtIn {
	if id == tenant.Platform {
		return platformRoles
	}
	return tenantRoles
}

// holdsOf is what a custom role of a tenant holds. The platform's own administration is for its built-in roles alone.
func holdsOf(id tenant.ID, ps []Permission) map[Domain][]Permission {
	if id != tenant.Platform {
		return map[Domain][]Permission{OnTenant: ps}
	}
	var platform []Permission
	for _, p := range ps {
		if p == ListTenants || p == CreateTenants {
			platform = append(platform, p)
		}
	}
	return map[Domain][]Permission{OnPlatform: platform, OnTenant: ps}
}

// roleNamed returns what the role of that name holds.
func (a *AccessRecord) roleNamed(id tenant.ID, name string) (map[Domain][]Permission, bool) {
	for _, r := range builtIns(id) {
		if r.name == name {
			return r.holds, true
		}
	}
	for _, r := range a.Roles {
		if r.Name == name {
			return holdsOf(id, r.Permissions), true
		}
	}
	return nil, false
}

// held is all that the roles hold together. Roles that there are not hold nothing.
func (a *AccessRecord) held(id tenant.ID, roles []string) map[Domain][]Permission {
	all := map[Domain][]Permission{}
	for _, name := range roles {
		h, _ := a.roleNamed(id, name)
		for d, ps := range h {
			all[d] = append(all[d], ps...)
		}
	}
	return all
}

// list returns the built-in roles and the tenant's own.
func (a *AccessRecord) list(id tenant.ID) []Role {
	var out []Role
	for _, r := range builtIns(id) {
		all := slices.Concat(slices.Collect(maps.Values(r.holds))...)
		slices.Sort(all)
		out = append(out, Role{Name: r.name, Description: r.description, Permissions: slices.Compact(all), BuiltIn: true})
	}
	own := slices.Clone(a.Roles)
	slices.SortFunc(own, func(x, y Role) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	return append(out, own...)
}

// roleName is what a role of a tenant's own may be called.
var roleName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

package admin

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Administrator is a principal with its roles at a tenant.
type Administrator struct {
	Principal   string
	Roles       []string
	Permissions []Permission
}

// Most roles of a tenant's own, and most principals with roles. Each costs memory and a decision's time.
const (
	maxRoles          = 50
	maxAdministrators = 1000
)

var (
	errNoRole      = oauth.NotFound("The tenant has no such role")
	errNoPrincipal = oauth.NotFound("The tenant has no such administrator")
	errManyRoles   = oauth.InvalidRequest("The tenant has as many roles of its own as it may")
	errManyAdmins  = oauth.InvalidRequest("The tenant has as many administrators as it may")
	errAdminToken  = oauth.InvalidRequest("A token that reaches everything is the owner's: revoke it instead")
)

// Roles lists the roles of a tenant: those built in, then its own.
func (c *Console) Roles(ctx context.Context, id tenant.ID) ([]Role, error) {
	a, err := c.access(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.list(id), nil
}

// Role returns one role of a tenant.
func (c *Console) Role(ctx context.Context, id tenant.ID, name string) (Role, error) {
	rs, err := c.Roles(ctx, id)
	if err != nil {
		return Role{}, err
	}
	if i := slices.IndexFunc(rs, func(r Role) bool { return r.Name == name }); i >= 0 {
		return rs[i], nil
	}
	return Role{}, errNoRole
}

// PutRole records a role of a tenant's own, or changes it. What it holds, and what it held, must be within what the
// caller holds.
func (c *Console) PutRole(ctx context.Context, id tenant.ID, r Role, by By) (Role, error) {
	if err := checkRole(id, &r); err != nil {
		return Role{}, err
	}
	err := c.changeAccess(ctx, id, func(a *AccessRecord, _ *tenant.Record) error {
		before, exists := a.roleNamed(id, r.Name)
		if !exists && len(a.Roles) >= maxRoles {
			return errManyRoles
		}
		for _, h := range []map[Domain][]Permission{before, holdsOf(id, r.Permissions)} {
			if err := c.covers(ctx, id, h, by); err != nil {
				return c.refused(ctx, err, by, "role", r.Name, "tenant", string(id))
			}
		}
		ev := c.event(audit.RoleChanged, by, "role", r.Name, "permissions", joinedPermissions(r.Permissions))
		r.UpdatedAt = ev.At
		return c.Access.PutRole(ctx, id, a.Version, r, ev)
	})
	return r, err
}

// checkRole checks a role of a tenant's own, and puts its permissions in order.
func checkRole(id tenant.ID, r *Role) error {
	var fields []tenant.FieldError
	wrong := func(pointer, message string) {
		fields = append(fields, tenant.FieldError{Pointer: pointer, Message: message})
	}
	if !roleName.MatchString(r.Name) {
		wrong("/name", "must be 1 to 63 of a-z, 0-9, hyphen and underscore, a letter first")
	}
	if slices.ContainsFunc(slices.Concat(platformRoles, tenantRoles), func(b builtIn) bool { return b.name == r.Name }) {
		wrong("/name", "is that of a built-in role")
	}
	if !printable(r.Description) || len(r.Description) > maxDescription {
		wrong("/description", "must be at most 256 printable characters")
	}
	known := Permissions(id == tenant.Platform)
	for i, p := range r.Permissions {
		if !slices.Contains(known, p) {
			wrong("/permissions/"+itoa(i), "is no permission that the role can have")
		}
	}
	if len(r.Permissions) == 0 {
		wrong("/permissions", "must hold at least one permission")
	}
	if len(fields) > 0 {
		return &Invalid{fields}
	}
	slices.Sort(r.Permissions)
	r.Permissions = slices.Compact(r.Permissions)
	return nil
}

const maxDescription = 256

// DeleteRole removes a role of a tenant's own, also from those who have it.
func (c *Console) DeleteRole(ctx context.Context, id tenant.ID, name string, by By) error {
	return c.changeAccess(ctx, id, func(a *AccessRecord, _ *tenant.Record) error {
		i := slices.IndexFunc(a.Roles, func(r Role) bool { return r.Name == name })
		if i < 0 {
			if _, builtIn := a.roleNamed(id, name); builtIn {
				return oauth.InvalidRequest("A built-in role cannot be removed")
			}
			return errNoRole
		}
		if err := c.covers(ctx, id, holdsOf(id, a.Roles[i].Permissions), by); err != nil {
			return c.refused(ctx, err, by, "role", name, "tenant", string(id))
		}
		return c.Access.DeleteRole(ctx, id, a.Version, name, c.event(audit.RoleChanged, by, "role", name, "change", "deleted"))
	})
}

// Administrators lists who has roles at a tenant, by name.
func (c *Console) Administrators(ctx context.Context, id tenant.ID) ([]Administrator, error) {
	a, err := c.access(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []Administrator
	for _, g := range a.Grants {
		if !slices.ContainsFunc(out, func(x Administrator) bool { return x.Principal == g.Principal }) {
			out = append(out, a.administrator(id, g.Principal))
		}
	}
	slices.SortFunc(out, func(x, y Administrator) int { return strings.Compare(x.Principal, y.Principal) })
	return out, nil
}

// Administrator returns a principal that has roles at a tenant.
func (c *Console) Administrator(ctx context.Context, id tenant.ID, principal string) (Administrator, error) {
	a, err := c.access(ctx, id)
	if err != nil {
		return Administrator{}, err
	}
	if len(a.rolesOf(principal)) == 0 {
		return Administrator{}, errNoPrincipal
	}
	return a.administrator(id, principal), nil
}

func (a *AccessRecord) administrator(id tenant.ID, principal string) Administrator {
	out := Administrator{Principal: principal, Roles: a.rolesOf(principal)}
	slices.Sort(out.Roles)
	for _, ps := range a.held(id, out.Roles) {
		out.Permissions = append(out.Permissions, ps...)
	}
	slices.Sort(out.Permissions)
	out.Permissions = slices.Compact(out.Permissions)
	return out
}

// PutAdministrator makes the roles of a principal at a tenant those; none takes all away. The principal is a token of
// the tenant's that opens the administration, a service account of its own, or a person at the platform.
func (c *Console) PutAdministrator(ctx context.Context, id tenant.ID, principal string, roles []string, by By) (Administrator, error) {
	var out Administrator
	err := c.changeAccess(ctx, id, func(a *AccessRecord, r *tenant.Record) error {
		if err := checkPrincipal(a, r, principal); err != nil {
			return err
		}
		before := a.rolesOf(principal)
		if len(before) == 0 && len(a.Grants) >= maxAdministrators {
			return errManyAdmins
		}
		if err := c.checkRoles(ctx, a, id, before, roles, by, principal); err != nil {
			return err
		}
		last, err := c.lastOwner(ctx, a, r, principal)
		if err != nil {
			return err
		}
		if !slices.Contains(roles, Owner) && last {
			return c.refused(ctx, errLastOwner, by, "principal", principal, "tenant", string(id))
		}
		roles = slices.Compact(slices.Sorted(slices.Values(roles)))
		ev := c.event(audit.RolesGranted, by, "principal", principal, "roles", strings.Join(roles, " "), "before", strings.Join(before, " "))
		if err := c.Access.PutGrants(ctx, id, a.Version, principal, roles, ev); err != nil {
			return err
		}
		a.Grants = nil
		for _, name := range roles {
			a.Grants = append(a.Grants, Grant{Principal: principal, Role: name})
		}
		out = a.administrator(id, principal)
		return nil
	})
	return out, err
}

// checkRoles refuses roles that there are not, and to give or take away what the caller does not hold.
func (c *Console) checkRoles(ctx context.Context, a *AccessRecord, id tenant.ID, before, after []string, by By, principal string) error {
	var fields []tenant.FieldError
	for i, name := range after {
		if _, ok := a.roleNamed(id, name); !ok {
			fields = append(fields, tenant.FieldError{Pointer: "/roles/" + itoa(i), Message: "is no role of the tenant"})
		}
	}
	if len(fields) > 0 {
		return &Invalid{fields}
	}
	if err := c.covers(ctx, id, a.held(id, slices.Concat(before, after)), by); err != nil {
		return c.refused(ctx, err, by, "principal", principal, "roles", strings.Join(after, " "), "tenant", string(id))
	}
	return nil
}

// personName is what the sub of a person may be here.
var personName = regexp.MustCompile(`^[!-~]{1,255}$`)

func checkPrincipal(a *AccessRecord, r *tenant.Record, principal string) error {
	kind, name, _ := strings.Cut(principal, ":")
	switch kind + ":" {
	case tokenPrefix:
		i := slices.IndexFunc(r.Tokens, func(k tenant.APIToken) bool { return k.ID == name })
		switch {
		case i < 0 || !r.Tokens[i].Administers() || r.Tokens[i].ServiceAccount != "":
			return errNoPrincipal
		case r.Tokens[i].Reaches(tenant.AdminAPI):
			return errAdminToken
		}
		return nil
	case servicePrefix:
		if a.account(name) != nil {
			return nil
		}
	case userPrefix:
		if personName.MatchString(name) {
			return nil
		}
	}
	return errNoPrincipal
}

// owners are the principals that are owners and can act now.
func (c *Console) owners(ctx context.Context, a *AccessRecord, r *tenant.Record) (names []string, err error) {
	now := c.now()
	for _, g := range a.Grants {
		if g.Role != Owner || !a.acts(g.Principal) {
			continue
		}
		acts := slices.ContainsFunc(r.Tokens, func(k tenant.APIToken) bool {
			return k.Administers() && k.Live(now) && k.Principal() == g.Principal
		})
		if strings.HasPrefix(g.Principal, userPrefix) {
			if acts, err = c.signsIn(ctx, g.Principal); err != nil {
				return nil, err
			}
		}
		if acts {
			names = append(names, g.Principal)
		}
	}
	return names, nil
}

// lastOwner reports whether a principal is an owner who can act now, and nobody else is.
func (c *Console) lastOwner(ctx context.Context, a *AccessRecord, r *tenant.Record, principal string) (bool, error) {
	if !slices.Contains(a.rolesOf(principal), Owner) {
		return false, nil
	}
	names, err := c.owners(ctx, a, r)
	return slices.Equal(names, []string{principal}), err
}

// access returns who may administer a tenant.
func (c *Console) access(ctx context.Context, id tenant.ID) (*AccessRecord, error) {
	if _, err := tenant.ParseID(string(id)); err != nil {
		return nil, errUnknown
	}
	a, err := c.Access.Access(ctx, id)
	return a, worded(err)
}

// changeAccess has change decide on who may administer a tenant as of one version, and again when another change came
// between.
func (c *Console) changeAccess(ctx context.Context, id tenant.ID, change func(a *AccessRecord, r *tenant.Record) error) error {
	for tries := 0; ; tries++ {
		a, err := c.access(ctx, id)
		if err != nil {
			return err
		}
		r, err := c.record(ctx, id)
		if err != nil {
			return err
		}
		err = tenant.ErrConflict
		if a.Version == r.Version {
			err = change(a, r)
		}
		if errors.Is(err, tenant.ErrConflict) && tries < retries {
			continue
		}
		if err == nil {
			c.changed(ctx)
		}
		return settled(err)
	}
}

// settled is worded, but for errors that say what was wrong already.
func settled(err error) error {
	if _, ok := errors.AsType[*Invalid](err); ok {
		return err
	}
	if _, ok := errors.AsType[*oauth.Error](err); ok {
		return err
	}
	return worded(err)
}

func joinedPermissions(ps []Permission) string {
	s := make([]string, len(ps))
	for i, p := range ps {
		s[i] = string(p)
	}
	return strings.Join(s, " ")
}

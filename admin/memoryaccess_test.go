package admin

import (
	"context"
	"slices"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func (m *memory) Access(_ context.Context, id tenant.ID) (*AccessRecord, error) {
	r, ok := m.records[id]
	if !ok {
		return nil, tenant.ErrUnknown
	}
	a := m.access[id]
	a.Version = r.Version
	a.Roles, a.Accounts, a.Grants = slices.Clone(a.Roles), slices.Clone(a.Accounts), slices.Clone(a.Grants)
	for _, k := range r.Tokens {
		if k.Reaches(tenant.AdminAPI) {
			a.Grants = append(a.Grants, Grant{Principal: k.Principal(), Role: Owner})
		}
	}
	return &a, nil
}

func (m *memory) change(id tenant.ID, version int64, ev audit.Event, change func(*tenant.Record, *AccessRecord)) error {
	return m.at(id, version, ev, func(r *tenant.Record) {
		a := m.access[id]
		change(r, &a)
		m.access[id] = a
	})
}

func (m *memory) PutRole(_ context.Context, id tenant.ID, version int64, r Role, ev audit.Event) error {
	return m.change(id, version, ev, func(_ *tenant.Record, a *AccessRecord) {
		a.Roles = append(slices.DeleteFunc(a.Roles, func(x Role) bool { return x.Name == r.Name }), r)
	})
}

func (m *memory) DeleteRole(_ context.Context, id tenant.ID, version int64, name string, ev audit.Event) error {
	return m.change(id, version, ev, func(_ *tenant.Record, a *AccessRecord) {
		a.Roles = slices.DeleteFunc(a.Roles, func(x Role) bool { return x.Name == name })
		a.Grants = slices.DeleteFunc(a.Grants, func(g Grant) bool { return g.Role == name })
	})
}

func (m *memory) PutServiceAccount(_ context.Context, id tenant.ID, version int64, s ServiceAccount, roles []string, ev audit.Event) error {
	return m.change(id, version, ev, func(_ *tenant.Record, a *AccessRecord) {
		a.Accounts = append(slices.DeleteFunc(a.Accounts, func(x ServiceAccount) bool { return x.ID == s.ID }), s)
		for _, role := range roles {
			a.Grants = append(a.Grants, Grant{Principal: servicePrefix + s.ID, Role: role})
		}
	})
}

func (m *memory) DeleteServiceAccount(_ context.Context, id tenant.ID, version int64, account string, ev audit.Event) error {
	return m.change(id, version, ev, func(r *tenant.Record, a *AccessRecord) {
		a.Accounts = slices.DeleteFunc(a.Accounts, func(x ServiceAccount) bool { return x.ID == account })
		a.Grants = slices.DeleteFunc(a.Grants, func(g Grant) bool { return g.Principal == servicePrefix+account })
		r.Tokens = slices.DeleteFunc(slices.Clone(r.Tokens), func(k tenant.APIToken) bool { return k.ServiceAccount == account })
	})
}

func (m *memory) PutGrants(_ context.Context, id tenant.ID, version int64, principal string, roles []string, ev audit.Event) error {
	return m.change(id, version, ev, func(_ *tenant.Record, a *AccessRecord) {
		a.Grants = slices.DeleteFunc(a.Grants, func(g Grant) bool { return g.Principal == principal })
		for _, role := range roles {
			a.Grants = append(a.Grants, Grant{Principal: principal, Role: role})
		}
	})
}

func (m *memory) PutConsoleToken(_ context.Context, id tenant.ID, version int64, k tenant.APIToken, roles []string, ev audit.Event) error {
	return m.change(id, version, ev, func(r *tenant.Record, a *AccessRecord) {
		r.Tokens = append(slices.Clone(r.Tokens), k)
		if k.Reaches(tenant.AdminAPI) {
			return
		}
		for _, role := range roles {
			a.Grants = append(a.Grants, Grant{Principal: tokenPrefix + k.ID, Role: role})
		}
	})
}

func (m *memory) DropToken(_ context.Context, id tenant.ID, version int64, tokenID string, ev audit.Event) error {
	return m.change(id, version, ev, func(r *tenant.Record, a *AccessRecord) {
		r.Tokens = slices.DeleteFunc(slices.Clone(r.Tokens), func(k tenant.APIToken) bool { return k.ID == tokenID })
		a.Grants = slices.DeleteFunc(a.Grants, func(g Grant) bool { return g.Principal == tokenPrefix+tokenID })
	})
}

func (m *memory) PutOut(_ context.Context, id tenant.ID, version int64, out PutOut, ev audit.Event) error {
	return m.change(id, version, ev, func(_ *tenant.Record, a *AccessRecord) {
		if out.Remove {
			a.Grants = slices.DeleteFunc(a.Grants, func(g Grant) bool { return g.Principal == Person(out.Subject) })
		}
	})
}

func (m *memory) Record(_ context.Context, id tenant.ID, ev audit.Event) error {
	m.events[id] = append(m.events[id], ev)
	return nil
}

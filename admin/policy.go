package admin

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/maypok86/otter/v2"

	"github.com/chancery-id/chancery/tenant"
)

// Policy decides what the administrators of each tenant may do. It holds one casbin enforcer per tenant and version,
// made on first use and never changed: a change of roles raises the version of the tenant, by which every instance asks
// for another enforcer as soon as it sees the change.
type Policy struct {
	store     Access
	enforcers *otter.Cache[edition, *casbin.Enforcer]
	decisions [2]atomic.Uint64 // refused, allowed
	loads     atomic.Uint64
}

// edition is a tenant at a version.
type edition struct {
	tenant  tenant.ID
	version int64
}

// How many enforcers are kept at most, of about 20 kB each, and for how long after their last use.
const (
	maxEnforcers = 2000
	enforcerLife = 10 * time.Minute
)

// NewPolicy returns a Policy over s that has loaded nothing.
func NewPolicy(s Access) *Policy {
	return &Policy{store: s, enforcers: otter.Must(&otter.Options[edition, *casbin.Enforcer]{
		MaximumSize: maxEnforcers, ExpiryCalculator: otter.ExpiryAccessing[edition, *casbin.Enforcer](enforcerLife),
	})}
}

// Allows reports whether a principal of t may do p in a domain.
func (y *Policy) Allows(ctx context.Context, t *tenant.Tenant, principal string, in Domain, p Permission) (bool, error) {
	e, err := y.enforcers.Get(ctx, edition{t.ID, t.Version}, otter.LoaderFunc[edition, *casbin.Enforcer](y.load))
	if err != nil {
		return false, worded(err)
	}
	ok, err := e.Enforce(principal, string(in), string(p))
	if ok {
		y.decisions[1].Add(1)
	} else {
		y.decisions[0].Add(1)
	}
	return ok && err == nil, err
}

// Roleless reports whether a principal of t has no role there.
func (y *Policy) Roleless(ctx context.Context, t *tenant.Tenant, principal string) (bool, error) {
	e, err := y.enforcers.Get(ctx, edition{t.ID, t.Version}, otter.LoaderFunc[edition, *casbin.Enforcer](y.load))
	if err != nil {
		return false, worded(err)
	}
	roles, err := e.GetRolesForUser(principal)
	return len(roles) == 0, err
}

// Stats tells how many decisions were made, how many of them allowed, and how many enforcers were loaded.
func (y *Policy) Stats() (allowed, refused, loads uint64) {
	return y.decisions[1].Load(), y.decisions[0].Load(), y.loads.Load()
}

// rules is casbin's model: a request names who, where and what; a rule gives a role a set of permissions in a domain.
// What is cheap is asked first.
const rules = `
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, dom, acts
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.dom == p.dom && holds(p.acts, r.act) && g(r.sub, p.sub)
`

func (y *Policy) load(ctx context.Context, at edition) (*casbin.Enforcer, error) {
	y.loads.Add(1)
	a, err := y.store.Access(ctx, at.tenant)
	if err != nil {
		return nil, err
	}
	m, err := model.NewModelFromString(rules)
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewEnforcer(m, adapter{at.tenant, a})
	if err != nil {
		return nil, err
	}
	e.AddFunction("holds", func(args ...any) (any, error) {
		return strings.Contains(args[0].(string), " "+args[1].(string)+" "), nil
	})
	return e, nil
}

// adapter lets casbin read who may administer a tenant. It writes nothing: changes go through Access.
type adapter struct {
	tenant tenant.ID
	*AccessRecord
}

var errReadOnly = errors.New("admin: the policy is read only")

// LoadPolicy implements persist.Adapter.
func (a adapter) LoadPolicy(m model.Model) error {
	rule := func(role string, holds map[Domain][]Permission) error {
		for d, ps := range holds {
			set := " "
			for _, p := range ps {
				set += string(p) + " "
			}
			if err := persist.LoadPolicyArray([]string{"p", role, string(d), set}, m); err != nil {
				return err
			}
		}
		return nil
	}
	for _, r := range builtIns(a.tenant) {
		if err := rule(r.name, r.holds); err != nil {
			return err
		}
	}
	for _, r := range a.Roles {
		if err := rule(r.Name, holdsOf(a.tenant, r.Permissions)); err != nil {
			return err
		}
	}
	for _, g := range a.Grants {
		if !a.acts(g.Principal) {
			continue
		}
		if err := persist.LoadPolicyArray([]string{"g", g.Principal, g.Role}, m); err != nil {
			return err
		}
	}
	return nil
}

// SavePolicy implements persist.Adapter.
func (adapter) SavePolicy(model.Model) error { return errReadOnly }

// AddPolicy implements persist.Adapter.
func (adapter) AddPolicy(string, string, []string) error { return errReadOnly }

// RemovePolicy implements persist.Adapter.
func (adapter) RemovePolicy(string, string, []string) error { return errReadOnly }

// RemoveFilteredPolicy implements persist.Adapter.
func (adapter) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }

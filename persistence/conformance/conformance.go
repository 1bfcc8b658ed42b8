// Package conformance holds the promises that every engine keeps: one case for each sentence of the stores' doc
// comments, and for every method of every store what happens when many call it at once, and that under one tenant
// nothing of another is read or changed.
package conformance

import (
	"maps"
	"reflect"
	"testing"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
)

// DB is what a persistence.DB must be.
type DB interface {
	tenant.Directory
	admin.Store
	admin.Access
	admin.Answers
	admin.Trail
	admin.Uses
	admin.Census
	account.Store
	account.Factors
	script.Store
	authorize.Store
	challenge.Store
	decoupled.Store
	ciba.Register
	device.Store
	clientauth.Replay
	grant.Store
	request.Store
	registration.Store
	registration.Numbers
	registration.InitialTokens
	registration.Granted
	admin.Numbers
	session.Store
	outbox.Store
	limit.UsageStore
	outbox.Webhooks
	session.Register
	grant.Register
	grant.Records
	grant.Managed
	grant.Ledger
	Pool() (open, used, idle, most int)
}

var _ DB = (*persistence.DB)(nil)

// Run checks an engine. open returns a new, empty database of it, closed when the test ends.
func Run(t *testing.T, open func(t *testing.T) *persistence.DB) {
	groups := []struct {
		name  string
		cases []promise
	}{
		{"tenants", tenants},
		{"history", history},
		{"aliases", aliases},
		{"usage", usages},
		{"census", census},
		{"deleted tenants", deletedTenants},
		{"access", accesses},
		{"answers", answers},
		{"seals", seals},
		{"last uses", lastUses},
		{"directory", directory},
		{"clients", clients},
		{"initial tokens", initialTokens},
		{"numbers", numbers},
		{"accounts", accounts},
		{"factors", factors},
		{"scripts", scripts},
		{"imports", imports},
		{"sessions", sessions},
		{"interactions", interactions},
		{"finish", finish},
		{"challenges", challenges},
		{"pushes", pushes},
		{"authentications", authentications},
		{"queues", queues},
		{"devices", devices},
		{"grants", grants},
		{"refresh", refreshes},
		{"tokens", tokens},
		{"derivations", derivations},
		{"consent", consents},
		{"ledger", ledger},
		{"replays", replays},
		{"outbox", messages},
		{"webhooks", webhooks},
		{"leases", leases},
		{"logout", logouts},
		{"registers", registers},
		{"renouncing", renouncing},
		{"records", records},
		{"agreements", agreements},
		{"sweep", sweeps},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			for _, c := range g.cases {
				t.Run(c.says, func(t *testing.T) { c.test(newKit(t, db)) })
			}
		})
	}
	t.Run("race", func(t *testing.T) {
		t.Parallel()
		db := open(t)
		complete(t, races)
		for name, c := range races {
			if c.race != nil {
				t.Run(name, func(t *testing.T) { c.race(newKit(t, db)) })
			}
		}
		for _, c := range meetings {
			t.Run(c.says, func(t *testing.T) { c.test(newKit(t, db)) })
		}
	})
	t.Run("isolation", func(t *testing.T) {
		t.Parallel()
		db := open(t)
		complete(t, isolations)
		n := newNeighbour(t, db)
		for name, c := range isolations {
			if c.call != nil {
				t.Run(name, func(t *testing.T) { n.isolated(t, c.call) })
			}
		}
	})
}

// promise is a sentence that holds for a tenant of its own.
type promise struct {
	says string
	test func(*kit)
}

// stores are the interfaces whose every method needs a race and an isolation case, or a reason why it has none.
var stores = []reflect.Type{
	reflect.TypeFor[tenant.Directory](),
	reflect.TypeFor[admin.Store](),
	reflect.TypeFor[admin.Access](),
	reflect.TypeFor[admin.Answers](),
	reflect.TypeFor[admin.Trail](),
	reflect.TypeFor[admin.Uses](),
	reflect.TypeFor[admin.Census](),
	reflect.TypeFor[limit.UsageStore](),
	reflect.TypeFor[account.Store](),
	reflect.TypeFor[account.Factors](),
	reflect.TypeFor[script.Store](),
	reflect.TypeFor[authorize.Store](),
	reflect.TypeFor[challenge.Store](),
	reflect.TypeFor[decoupled.Store](),
	reflect.TypeFor[ciba.Register](),
	reflect.TypeFor[device.Store](),
	reflect.TypeFor[clientauth.Replay](),
	reflect.TypeFor[grant.Store](),
	reflect.TypeFor[request.Store](),
	reflect.TypeFor[registration.Store](),
	reflect.TypeFor[registration.Numbers](),
	reflect.TypeFor[registration.InitialTokens](),
	reflect.TypeFor[registration.Granted](),
	reflect.TypeFor[admin.Numbers](),
	reflect.TypeFor[session.Store](),
	reflect.TypeFor[outbox.Store](),
	reflect.TypeFor[outbox.Webhooks](),
	reflect.TypeFor[session.Register](),
	reflect.TypeFor[grant.Register](),
	reflect.TypeFor[grant.Records](),
	reflect.TypeFor[grant.Managed](),
	reflect.TypeFor[grant.Ledger](),
}

// listed is a case in a list, or the reason why there is none.
type listed interface {
	reason() (why string, tested bool)
}

// all is these lists as one.
func all[C listed](lists ...map[string]C) map[string]C {
	whole := map[string]C{}
	for _, l := range lists {
		maps.Copy(whole, l)
	}
	return whole
}

// complete fails where a method of a store is neither in the list nor excused, or the list names what is no method.
func complete[C listed](t *testing.T, list map[string]C) {
	t.Helper()
	methods := map[string]bool{}
	for _, s := range stores {
		for i := range s.NumMethod() {
			name := s.String() + "." + s.Method(i).Name
			methods[name] = true
			c, ok := list[name]
			if !ok {
				t.Errorf("%s has no case", name)
				continue
			}
			if why, tested := c.reason(); tested == (why != "") {
				t.Errorf("%s needs either a case or a reason", name)
			}
		}
	}
	for name := range list {
		if !methods[name] {
			t.Errorf("%s is no method of a store", name)
		}
	}
}

package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// rename changes the settings of the tenant.
func (k *kit) rename(name string) {
	k.Helper()
	r, err := k.db.Tenant(k.ctx, k.t)
	k.must(err)
	k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, tenant.Settings{Name: name}, r.Enabled, k.now, k.event(audit.TenantUpdated)))
}

// names are what the tenant was called, newest first.
func (k *kit) names(before int64, n int) (names []string) {
	k.Helper()
	rs, err := k.db.Revisions(k.ctx, k.t, before, n)
	k.must(err)
	for _, r := range rs {
		var s tenant.Settings
		k.must(json.Unmarshal(r.Settings, &s))
		names = append(names, s.Name)
	}
	return names
}

var history = []promise{
	{"each change of settings leaves a revision at the version of the tenant after it", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.rename("second")
		got, err := k.db.Revision(k.ctx, k.t, r.Version+1)
		k.must(err)
		var s tenant.Settings
		k.must(json.Unmarshal(got.Settings, &s))
		k.same(s, tenant.Settings{Name: "second"})
		got.Settings = nil
		k.same(got, admin.Revision{Version: r.Version + 1, At: k.now, Actor: "admin", Address: "192.0.2.1", Detail: map[string]string{"k": "v"}})
		k.same(k.names(0, 10), []string{"second", mark(k.t)})
		k.same(k.names(r.Version+1, 10), []string{mark(k.t)})
		k.same(k.names(0, 1), []string{"second"})
		_, err = k.db.Revision(k.ctx, k.t, r.Version+2)
		k.is(err, admin.ErrNoRevision)
	}},
	{"what changes no settings leaves none, nor does a change that is refused", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, r.Settings, false, k.now, k.event(audit.TenantUpdated)))
		k.must(k.db.PutKeys(k.ctx, k.t, r.Version+1, r.Keys, k.now, k.event(audit.KeysRotated)))
		k.is(k.db.UpdateTenant(k.ctx, k.t, r.Version, tenant.Settings{Name: "late"}, true, k.now, k.event(audit.TenantUpdated)), tenant.ErrConflict)
		k.same(k.names(0, 10), []string{mark(k.t)})
	}},
	{"settings that come back are a revision again", func(k *kit) {
		k.rename("second")
		k.rename("first")
		k.rename("second")
		k.same(k.names(0, 3), []string{"second", "first", "second"})
	}},
	{"so many stay, and the oldest go first", func(k *kit) {
		for i := range admin.KeptRevisions + 5 {
			k.rename(fmt.Sprint("name ", i))
		}
		names := k.names(0, admin.KeptRevisions+10)
		k.same(len(names), admin.KeptRevisions)
		k.same(names[admin.KeptRevisions-1], "name 5")
	}},
	{"a tenant takes its history with it", func(k *kit) {
		k.rename("second")
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		k.must(k.create(k.t))
		k.same(k.names(0, 10), []string{mark(k.t)})
	}},
}

var oldRevisions = promise{"old settings go, but the newest stay however old", func(k *kit) {
	k.rename("second")
	k.now = k.at(time.Hour)
	k.rename("third")
	end := k.at(admin.RevisionsKept)
	k.swept(end.Add(-30 * time.Minute))
	k.same(k.names(0, 10), []string{"third"})
	k.swept(end.Add(time.Hour))
	k.same(k.names(0, 10), []string{"third"})
}}

// raceRevisions: of many changes at once each that is made leaves its revision.
func raceRevisions(k *kit) {
	r, err := k.db.Tenant(k.ctx, k.t)
	k.must(err)
	k.oneWins(crowd(func(i int) error {
		return k.db.UpdateTenant(k.ctx, k.t, r.Version, tenant.Settings{Name: strconv.Itoa(i)}, true, k.now, k.event(audit.TenantUpdated))
	}), tenant.ErrConflict)
	k.same(len(k.events()), 1)
	k.same(len(k.names(0, 10)), 2)
}

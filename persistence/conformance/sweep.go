package conformance

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// These share a database, and sweep it in turn: what is to stay must not have expired at the time of a later case.
var sweeps = []promise{
	{"what has expired is deleted, and what lives stays", func(k *kit) {
		k.swept(k.now)
		over := k.at(time.Hour)
		dead, alive := k.interaction("dead"), k.interaction("alive")
		dead.ExpiresAt, alive.ExpiresAt = over, over.Add(time.Second)
		k.must(k.db.Begin(k.ctx, k.t, dead, nil))
		k.must(k.db.Begin(k.ctx, k.t, alive, nil))
		for _, g := range []struct {
			id  string
			end time.Time
		}{{"dead", over}, {"alive", over.Add(time.Second)}} {
			x, a := k.refreshable(g.id), k.token(g.id, "")
			x.ExpiresAt, a.ExpiresAt = g.end, g.end
			k.must(k.db.PutGrant(k.ctx, k.t, x, &a, audit.Event{}))
			k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, tenant.Revocation{Token: g.id, At: k.now, ExpiresAt: g.end}, audit.Event{}))
		}
		for _, s := range []struct {
			id               string
			created, used    time.Duration
			maxLife, maxIdle int64
		}{
			{"lived", -2 * time.Minute, 0, 60, -1}, {"idled", 0, -2 * time.Minute, -1, 60},
			{"lives", 2 * time.Minute, 0, 60, -1}, {"used", 0, 2 * time.Minute, -1, 60},
			{"for ever", -time.Hour, -time.Hour, -1, -1}, {"for ever and ever", -time.Hour, -time.Hour, 1 << 60, 1 << 60},
		} {
			x := k.session(s.id)
			x.CreatedAt, x.UsedAt, x.MaxLife, x.MaxIdle = k.at(s.created), k.at(s.used), s.maxLife, s.maxIdle
			k.begin(x)
		}
		n := k.swept(over)
		if n < 6 {
			k.Errorf("%d rows deleted", n)
		}
		past := k.at(-time.Hour)
		_, err := k.db.Load(k.ctx, k.t, past, dead.Hash)
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Load(k.ctx, k.t, past, alive.Hash)
		k.is(err, nil)
		_, err = k.db.Grant(k.ctx, k.t, "dead")
		k.is(err, grant.ErrNotFound)
		_, err = k.db.Grant(k.ctx, k.t, "alive")
		k.is(err, nil)
		_, err = k.db.AccessToken(k.ctx, k.t, past, hash("dead"))
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, past, hash("alive"))
		k.is(err, nil)
		for _, id := range []string{"lived", "idled"} {
			_, err = k.db.Session(k.ctx, k.t, id)
			k.is(err, session.ErrNotFound)
		}
		for _, id := range []string{"lives", "used", "for ever", "for ever and ever"} {
			_, err = k.db.Session(k.ctx, k.t, id)
			k.is(err, nil)
		}
		_, rs, err := k.db.Snapshot(k.ctx, k.t, past)
		k.must(err)
		k.same(rs, []tenant.Revocation{{Token: "alive", At: k.now, ExpiresAt: over.Add(time.Second)}})
		k.same(len(k.events()), 0)
	}},
	{"changes stay for ten minutes", func(k *kit) {
		k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, k.revocation("g"), audit.Event{}))
		k.swept(k.at(9 * time.Minute))
		k.same(len(k.feed()), 1)
		k.swept(k.at(11 * time.Minute))
		cs, _, err := k.db.Changes(k.ctx, time.Time{})
		k.must(err)
		k.same(cs, []tenant.Change(nil))
	}},
	{"a sweep deletes at most as many of a kind as asked, and the next goes on", func(k *kit) {
		k.swept(k.at(24 * time.Hour))
		for i := range 25 {
			x := k.interaction(fmt.Sprint("batch ", i))
			x.ExpiresAt = k.at(-time.Second)
			k.must(k.db.Begin(k.ctx, k.t, x, nil))
		}
		for _, want := range []int{10, 10, 5, 0} {
			n, err := k.db.Sweep(k.ctx, k.now, 10)
			k.must(err)
			k.same(n, want)
		}
	}},
	oldRevisions,
	oldUsage,
	oldLines,
	{"several sweep at once, and each row is counted once", func(k *kit) {
		k.swept(k.at(24 * time.Hour))
		for i := range 200 {
			x := k.interaction(fmt.Sprint("shared ", i))
			x.ExpiresAt = k.at(-time.Second)
			k.must(k.db.Begin(k.ctx, k.t, x, nil))
		}
		var total atomic.Int64
		for _, err := range crowd(func(int) error {
			n, err := k.db.Sweep(k.ctx, k.now, 7)
			total.Add(int64(n))
			return err
		}) {
			k.is(err, nil)
		}
		total.Add(int64(k.swept(k.now)))
		k.same(total.Load(), int64(200))
	}},
}

// swept sweeps until nothing is left, and returns how much it was.
func (k *kit) swept(now time.Time) (total int) {
	k.Helper()
	for {
		n, err := k.db.Sweep(k.ctx, now, 100)
		k.must(err)
		if total += n; n == 0 {
			return total
		}
	}
}

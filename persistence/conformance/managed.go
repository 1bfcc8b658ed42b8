package conformance

import (
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// managing puts a grant of an agreement, made so long after now.
func (k *kit) managing(id, managed string, after time.Duration) grant.Grant {
	k.Helper()
	g := k.refreshable(id)
	g.Managed, g.CreatedAt = managed, k.at(after)
	k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
	return g
}

// agreed returns the ids of what stands of an agreement.
func (k *kit) agreed(managed string) (ids []string) {
	k.Helper()
	gs, err := k.db.ManagedGrants(k.ctx, k.t, k.now, managed)
	k.must(err)
	for _, g := range gs {
		ids = append(ids, g.ID)
	}
	return ids
}

// agree finishes an interaction with a grant of an agreement.
func (k *kit) agree(id, managed, stands, replaces string) ([]tenant.Revocation, error) {
	k.Helper()
	i := k.interaction(id)
	k.must(k.db.Begin(k.ctx, k.t, i, nil))
	g := k.grant(id)
	g.Managed, g.CreatedAt = managed, k.at(time.Hour)
	return k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: i.Version, Grant: &g, Stands: stands, Replaces: replaces, TokensUntil: k.at(time.Hour),
		Events: []audit.Event{k.event(audit.GrantIssued)}})
}

// joining settles an authentication with a grant of an agreement.
func (k *kit) joining(id, managed, stands, replaces string) error {
	k.Helper()
	g := k.grant(id)
	g.Managed, g.CreatedAt = managed, k.at(time.Hour)
	return k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: id, Grant: &g, Joining: grant.Joining{Stands: stands, Replaces: replaces}, TokensUntil: k.at(time.Hour),
		Event: k.event(audit.GrantIssued)})
}

func (k *kit) revokeManaged(managed, client string) ([]tenant.Revocation, error) {
	return k.db.RevokeManaged(k.ctx, k.t, managed, client, k.now, k.at(time.Hour), k.event(audit.GrantRevoked))
}

var agreements = []promise{
	{"an agreement is what stands of its id, the newest first", func(k *kit) {
		first := k.managing("first", "m", 0)
		k.managing("second", "m", time.Minute)
		k.managing("other", "n", 0)
		k.managing("none", "", 0)
		over := k.refreshable("over")
		over.Managed, over.ExpiresAt = "m", k.now
		k.must(k.db.PutGrant(k.ctx, k.t, over, nil, audit.Event{}))
		k.same(k.agreed("m"), []string{"second", "first"})
		k.same(k.agreed(""), []string(nil))
		k.same(k.agreed("a\x00b"), []string(nil))
		got, err := k.db.Grant(k.ctx, k.t, "first")
		k.must(err)
		k.same(*got, first)
	}},
	{"revoking an agreement ends all of it, by its client alone", func(k *kit) {
		k.managing("first", "m", 0)
		k.managing("second", "m", time.Minute)
		k.managing("other", "n", 0)
		for _, c := range [][2]string{{"m", "other"}, {"unknown", "app"}, {"", "app"}} {
			_, err := k.revokeManaged(c[0], c[1])
			k.is(err, grant.ErrNotFound)
		}
		revoked, err := k.revokeManaged("m", "app")
		k.must(err)
		k.same(len(revoked), 2)
		k.same(len(k.journal()), 2)
		k.same(k.agreed("m"), []string(nil))
		k.same(k.agreed("n"), []string{"other"})
		_, err = k.revokeManaged("m", "app")
		k.is(err, grant.ErrNotFound)
	}},
	{"a grant joins an agreement, or takes the place of all of it", func(k *kit) {
		k.managing("first", "m", 0)
		k.managing("other", "n", 0)
		_, err := k.agree("second", "m", "first", "")
		k.must(err)
		k.same(k.agreed("m"), []string{"second", "first"})
		_, err = k.agree("third", "m", "second", "m")
		k.must(err)
		k.same(k.agreed("m"), []string{"third"})
		k.same(k.agreed("n"), []string{"other"})
		k.same(len(k.journal()), 2)
	}},
	{"so does one that is given on another device", func(k *kit) {
		k.managing("first", "m", 0)
		k.waiting("second")
		k.must(k.joining("second", "m", "first", ""))
		k.same(k.agreed("m"), []string{"second", "first"})
		k.waiting("third")
		k.must(k.joining("third", "m", "second", "m"))
		k.same(k.agreed("m"), []string{"third"})
		k.same(len(k.journal()), 2)
		k.waiting("late")
		k.is(k.joining("late", "m", "first", "m"), decoupled.ErrOver)
		k.same(k.agreed("m"), []string{"third"})
		got, err := k.poll("late")
		k.must(err)
		k.same(got.State, decoupled.Waiting)
	}},
	{"nothing joins an agreement that is over", func(k *kit) {
		k.managing("first", "m", 0)
		_, err := k.revokeManaged("m", "app")
		k.must(err)
		for _, replaces := range []string{"", "m"} {
			_, err = k.agree("late"+replaces, "m", "first", replaces)
			k.is(err, authorize.ErrConflict)
		}
		k.same(k.agreed("m"), []string(nil))
	}},
}

// raceReplaced: of those who take the place of an agreement as it stands one does, and the others are told that it is over.
func raceReplaced(k *kit) {
	k.managing("first", "m", 0)
	for n := range callers {
		k.waiting("a" + strconv.Itoa(n))
	}
	k.oneWins(crowd(func(n int) error { return k.joining("a"+strconv.Itoa(n), "m", "first", "m") }), decoupled.ErrOver)
	k.same(len(k.agreed("m")), 1)
}

// raceRevokeManaged: of those who revoke an agreement one ends it, and nothing joins it any more.
func raceRevokeManaged(k *kit) {
	k.managing("first", "m", 0)
	k.managing("second", "m", time.Minute)
	k.oneWins(crowd(func(int) error {
		revoked, err := k.revokeManaged("m", "app")
		if err == nil && len(revoked) != 2 {
			k.Errorf("%d were revoked", len(revoked))
		}
		return err
	}), grant.ErrNotFound)
	k.same(k.agreed("m"), []string(nil))
}

package conformance

import (
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// grace is that of all cases.
const grace = 10 * time.Second

// rotate presents the refresh token of a generation at now, for one of the next, and an opaque token named after it.
func (k *kit) rotate(id string, presented, next int64) (retry bool, err error) {
	a := k.token(newID(), id)
	retry, err = k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: presented, Next: k.line(next), AccessToken: &a},
		grace, k.revocation(id), k.event(audit.RefreshReplayed))
	_, lost := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
	if (err == nil) != (lost == nil) {
		k.Errorf("rotation: %v; its access token: %v", err, lost)
	}
	return retry, err
}

// refreshing puts a grant with a refresh token of the first generation, changed if need be, and returns its id.
func (k *kit) refreshing(change func(*grant.Grant)) string {
	k.Helper()
	g := k.refreshable(newID())
	if change != nil {
		change(&g)
	}
	k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
	return g.ID
}

var refreshes = []promise{
	{"the newest token rotates, and its use is recorded", func(k *kit) {
		id := k.refreshing(nil)
		want, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		k.now = k.at(time.Minute)
		retry, err := k.rotate(id, 1, 2)
		k.must(err)
		k.same(retry, false)
		got, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		r := k.line(2)
		r.ExpiresAt = want.Refresh.ExpiresAt // whatever its use says of that
		want.Refresh = &r
		k.same(got, want)
	}},
	{"a token that does not rotate is used again and again", func(k *kit) {
		id := k.refreshing(nil)
		want := k.line(1)
		for range 3 {
			k.now = k.at(time.Minute)
			retry, err := k.rotate(id, 1, 1)
			k.must(err)
			k.same(retry, false)
		}
		got, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		want.RotatedAt, want.UsedAt, want.IdleUntil = k.now, k.now, k.line(1).IdleUntil
		k.same(*got.Refresh, want)
	}},
	{"the one before, within the grace, is a retry and changes nothing but what it mints", func(k *kit) {
		id := k.refreshing(nil)
		_, err := k.rotate(id, 1, 2)
		k.must(err)
		want, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		k.now = k.at(grace - time.Microsecond)
		for range 2 {
			retry, err := k.rotate(id, 1, 2)
			k.must(err)
			k.same(retry, true)
		}
		got, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		k.same(got, want)
		k.same(len(k.journal()), 0)
		retry, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(2)}, grace, k.revocation(id), audit.Event{})
		k.must(err)
		k.same(retry, true)
	}},
	{"the one before, outside the grace, is ErrReplayed and revokes the grant", func(k *kit) {
		for _, late := range []time.Duration{grace, time.Hour - time.Microsecond} {
			id := k.refreshing(nil)
			_, err := k.rotate(id, 1, 2)
			k.must(err)
			now := k.now
			k.now = k.at(late)
			_, err = k.rotate(id, 1, 2)
			k.is(err, grant.ErrReplayed)
			k.now = now
			k.revoked(id)
		}
	}},
	{"without a grace, the one before is ErrReplayed at once", func(k *kit) {
		id := k.refreshing(nil)
		_, err := k.rotate(id, 1, 2)
		k.must(err)
		_, err = k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(2)}, 0, k.revocation(id), k.event(audit.RefreshReplayed))
		k.is(err, grant.ErrReplayed)
		k.revoked(id)
	}},
	{"an older one is ErrReplayed and revokes the grant, also within the grace", func(k *kit) {
		id := k.refreshing(nil)
		for n := range int64(2) {
			_, err := k.rotate(id, n+1, n+2)
			k.must(err)
		}
		_, err := k.rotate(id, 1, 2)
		k.is(err, grant.ErrReplayed)
		k.revoked(id)
	}},
	{"a grant that is unknown, revoked or expired, also for lack of use, is ErrNotFound and nothing is told", func(k *kit) {
		for _, c := range []struct {
			says   string
			change func(*grant.Grant)
		}{
			{"revoked", func(g *grant.Grant) { g.RevokedAt = k.now }},
			{"expired", func(g *grant.Grant) { g.ExpiresAt = k.now }},
			{"its refresh token has expired", func(g *grant.Grant) { g.Refresh.ExpiresAt = k.now }},
			{"unused for too long", func(g *grant.Grant) { g.Refresh.IdleUntil = k.now }},
			{"without a refresh token", func(g *grant.Grant) { g.Refresh = nil }},
		} {
			id := k.refreshing(c.change)
			for _, presented := range []int64{1, 0} {
				if _, err := k.rotate(id, presented, 2); err != grant.ErrNotFound {
					k.Errorf("%s: %v", c.says, err)
				}
			}
		}
		for _, id := range []string{"none", "a\x00b"} {
			_, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(2)}, grace, k.revocation(id), k.event(audit.RefreshReplayed))
			k.is(err, grant.ErrNotFound)
		}
		k.same(len(k.journal()), 0)
		k.same(len(k.events()), 0)
	}},
	{"a generation that was never made is ErrNotFound", func(k *kit) {
		id := k.refreshing(nil)
		_, err := k.rotate(id, 5, 6)
		k.is(err, grant.ErrNotFound)
		_, err = k.rotate(id, 1, 2)
		k.is(err, nil)
	}},
	{"a line without an idle limit lives to its end", func(k *kit) {
		id := k.refreshing(func(g *grant.Grant) { g.Refresh.IdleUntil = time.Time{} })
		k.now = k.at(23 * time.Hour)
		_, err := k.rotate(id, 1, 2)
		k.is(err, nil)
	}},
}

// revoked fails the test where a grant is not revoked, or it was not told once.
func (k *kit) revoked(id string) {
	k.Helper()
	g, err := k.db.Grant(k.ctx, k.t, id)
	k.must(err)
	if g.RevokedAt.IsZero() {
		k.Error("the grant stands")
	}
	_, err = k.rotate(id, 2, 3)
	k.is(err, grant.ErrNotFound)
	told := 0
	for _, c := range k.feed() {
		if c.Revocation != nil && c.Revocation.Grant == id {
			told++
		}
	}
	k.same(told, 1)
	found := false
	for _, r := range k.journal() {
		found = found || r == tenant.Revocation{Grant: id, At: r.At, ExpiresAt: r.ExpiresAt} && r.Grant == id
	}
	k.same(found, true)
}

package conformance

import (
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

var lastUses = []promise{
	{"a use is read with the token, and raises no version", func(k *kit) {
		before, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(before.Tokens[0].UsedAt, time.Time{})
		k.must(k.db.PutUses(k.ctx, []admin.Use{{Tenant: k.t, Token: "token", At: k.now}}))
		k.same(k.usedAt(), k.now)
		after, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(after.Version, before.Version)
		k.same(len(k.feed()), 0)
	}},
	{"what is not a minute later changes nothing", func(k *kit) {
		for _, u := range []struct {
			at   time.Duration
			want time.Duration
		}{{0, 0}, {time.Minute - time.Microsecond, 0}, {-time.Hour, 0}, {time.Minute, time.Minute}, {3 * time.Minute, 3 * time.Minute}} {
			k.must(k.db.PutUses(k.ctx, []admin.Use{{Tenant: k.t, Token: "token", At: k.at(u.at)}}))
			k.same(k.usedAt(), k.at(u.want))
		}
	}},
	{"many are recorded at once, and those of a token that is not there are passed over", func(k *kit) {
		other := newKit(k.TB, k.db)
		k.must(k.db.PutUses(k.ctx, []admin.Use{{Tenant: other.t, Token: "gone", At: k.now}, {Tenant: "nobody", Token: "token", At: k.now},
			{Tenant: k.t, Token: "token", At: k.now}, {Tenant: other.t, Token: "token", At: k.at(time.Second)}}))
		k.same(k.usedAt(), k.now)
		k.same(other.usedAt(), k.at(time.Second))
		k.must(k.db.PutUses(k.ctx, nil))
	}},
}

// usedAt is when the tenant's token was last used.
func (k *kit) usedAt() time.Time {
	r, err := k.db.Tenant(k.ctx, k.t)
	k.must(err)
	return r.Tokens[0].UsedAt
}

// raceUses has many instances record uses of one token: the latest stays.
func raceUses(k *kit) {
	k.win(crowd(func(i int) error {
		return k.db.PutUses(k.ctx, []admin.Use{{Tenant: k.t, Token: "token", At: k.at(time.Duration(i) * admin.UseEvery)}, {Tenant: tenant.Platform, Token: "x", At: k.now}})
	}), callers)
	k.same(k.usedAt(), k.at((callers-1)*admin.UseEvery))
}

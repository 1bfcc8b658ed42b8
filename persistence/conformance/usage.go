package conformance

import (
	"fmt"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/tenant"
)

// today is the day that cases count on.
const today = 20777 // 2026-11-20

func (k *kit) issued(day int32, client, kind string, n int64) limit.Issued {
	return limit.Issued{Tenant: k.t, Day: day, ClientID: client, Kind: kind, Tokens: n, First: k.now, EndsAt: k.at(time.Hour)}
}

func (k *kit) active(month int32, subject byte, days uint32) limit.Active {
	return limit.Active{Tenant: k.t, Month: month, Subject: [16]byte{subject}, Days: days, First: k.now, EndsAt: k.at(time.Hour)}
}

// used lists what the tenant issued by a group.
func (k *kit) used(by admin.UsageGroup) (rows []admin.UsageRow) {
	k.Helper()
	rows, err := k.db.TokensIssued(k.ctx, k.t, admin.UsageQuery{From: today - 100, To: today + 100, By: by}, admin.UsageRow{}, 100)
	k.must(err)
	return rows
}

const thisMonth = 2026*12 + 10

var usages = []promise{
	{"tokens add up by day, client and kind", func(k *kit) {
		other := newKit(k.TB, k.db)
		k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "a", "access_token", 2), k.issued(today, "a", "id_token", 1), other.issued(today, "a", "access_token", 9)}, nil))
		k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "a", "access_token", 3), k.issued(today, "b", "access_token", 1), k.issued(today+1, "a", "access_token", 4)}, nil))
		k.same(k.used(admin.ByNothing), []admin.UsageRow{{Day: today, Tokens: 7}, {Day: today + 1, Tokens: 4}})
		k.same(k.used(admin.ByClient), []admin.UsageRow{{Day: today, Group: "a", Tokens: 6}, {Day: today, Group: "b", Tokens: 1}, {Day: today + 1, Group: "a", Tokens: 4}})
		k.same(k.used(admin.ByKind), []admin.UsageRow{{Day: today, Group: "access_token", Tokens: 6}, {Day: today, Group: "id_token", Tokens: 1}, {Day: today + 1, Group: "access_token", Tokens: 4}})
		q := admin.UsageQuery{From: today, To: today, By: admin.ByClient}
		rows, err := k.db.TokensIssued(k.ctx, k.t, q, admin.UsageRow{Day: today, Group: "a", Tokens: 6}, 100)
		k.must(err)
		k.same(rows, []admin.UsageRow{{Day: today, Group: "b", Tokens: 1}})
		rows, err = k.db.TokensIssued(k.ctx, k.t, q, admin.UsageRow{}, 1)
		k.must(err)
		k.same(rows, []admin.UsageRow{{Day: today, Group: "a", Tokens: 6}})
		all, err := k.db.AllTokensIssued(k.ctx, admin.UsageQuery{From: today, To: today, By: admin.ByTenant}, admin.UsageRow{}, 1000)
		k.must(err)
		found := 0
		for _, r := range all {
			if r.Group == string(k.t) && r.Tokens == 7 || r.Group == string(other.t) && r.Tokens == 9 {
				found++
			}
		}
		k.same(found, 2)
	}},
	{"a subject is one, however often it comes", func(k *kit) {
		k.must(k.db.PutUsage(k.ctx, nil, []limit.Active{k.active(thisMonth, 1, 1), k.active(thisMonth, 2, 1<<30), k.active(thisMonth+1, 1, 2)}))
		k.must(k.db.PutUsage(k.ctx, nil, []limit.Active{k.active(thisMonth, 1, 1|1<<4)}))
		ms, err := k.db.ActiveSubjects(k.ctx, k.t, thisMonth-1, thisMonth+1)
		k.must(err)
		want := []admin.ActiveMonth{{Month: thisMonth, Subjects: 2}, {Month: thisMonth + 1, Subjects: 1}}
		want[0].Days[0], want[0].Days[4], want[0].Days[30], want[1].Days[1] = 1, 1, 1, 1
		k.same(ms, want)
	}},
	{"what was counted of an earlier tenant of the same id, or of none, is passed over", func(k *kit) {
		old := k.issued(today, "a", "access_token", 1)
		old.First = k.at(-2 * time.Second)
		nobodys := old
		nobodys.Tenant = tenant.ID(newLabel())
		was := k.active(thisMonth, 1, 1)
		was.First = old.First
		k.must(k.db.PutUsage(k.ctx, []limit.Issued{old, nobodys}, []limit.Active{was}))
		k.same(len(k.used(admin.ByNothing)), 0)
		k.must(k.db.PutUsage(k.ctx, nil, nil))
	}},
	{"a tenant takes its usage with it", func(k *kit) {
		k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "a", "access_token", 1)}, []limit.Active{k.active(thisMonth, 1, 1)}))
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		k.must(k.create(k.t))
		k.same(len(k.used(admin.ByNothing)), 0)
		ms, err := k.db.ActiveSubjects(k.ctx, k.t, 0, 1<<30)
		k.must(err)
		k.same(len(ms), 0)
	}},
}

var oldUsage = promise{"usage goes when its time is over", func(k *kit) {
	k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "a", "access_token", 1)}, []limit.Active{k.active(thisMonth, 1, 1)}))
	k.swept(k.at(59 * time.Minute))
	k.same(len(k.used(admin.ByNothing)), 1)
	k.swept(k.at(time.Hour))
	k.same(len(k.used(admin.ByNothing)), 0)
}}

// raceUsage: of many instances that count at once nothing is lost.
func raceUsage(k *kit) {
	k.win(crowd(func(i int) error {
		return k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "a", "access_token", 1), k.issued(today, fmt.Sprint("b", i%4), "id_token", 1)},
			[]limit.Active{k.active(thisMonth, 1, 1<<(i%31))})
	}), callers)
	k.same(k.used(admin.ByKind), []admin.UsageRow{{Day: today, Group: "access_token", Tokens: callers}, {Day: today, Group: "id_token", Tokens: callers}})
	ms, err := k.db.ActiveSubjects(k.ctx, k.t, thisMonth, thisMonth)
	k.must(err)
	k.same(ms[0].Subjects, int64(1))
	for _, n := range ms[0].Days {
		k.same(n, int64(1))
	}
}

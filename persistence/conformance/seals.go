package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence"
)

// seal seals all that is due, and returns how many events it sealed.
func (k *kit) seal(holder string) (total int) {
	k.Helper()
	for {
		n, err := k.db.SealEvents(k.ctx, holder, k.at(time.Hour), k.at(time.Minute), 100)
		k.must(err)
		if total += n; n == 0 {
			return total
		}
	}
}

func (k *kit) verify(head string) *admin.Verdict {
	k.Helper()
	c := &admin.Console{Store: k.db, Trail: k.db, Now: func() time.Time { return k.at(time.Hour) }}
	v, err := c.VerifyAudit(k.ctx, k.t, head)
	k.must(err)
	return v
}

func (k *kit) happen(n int) {
	k.Helper()
	for i := range n {
		ev := k.event(audit.LoggedIn)
		ev.Subject, ev.At = fmt.Sprint("s", i), k.at(time.Duration(i)*time.Second)
		k.must(k.db.Record(k.ctx, k.t, ev))
	}
}

var seals = []promise{
	{"what happened is sealed in turn, and each event once", func(k *kit) {
		k.happen(5)
		k.seal("one")
		first := k.verify("")
		k.happen(4)
		k.seal("one")
		second := k.verify(first.Head)
		if !first.Intact || !second.Intact || second.Seals <= first.Seals || second.Events != first.Events+4 || second.Head == first.Head {
			k.Errorf("%+v, then %+v", first, second)
		}
		if other := k.verify("00"); other.Intact {
			k.Errorf("a head that never was is in the chain: %+v", other)
		}
	}},
	{"what is too new is not sealed, nor what comes after it", func(k *kit) {
		k.seal("one")
		late := k.event(audit.LoggedIn)
		late.At = k.at(2 * time.Minute)
		k.must(k.db.Record(k.ctx, k.t, late))
		k.happen(1)
		if n := k.seal("one"); n != 0 {
			k.Errorf("%d were sealed", n)
		}
		if v := k.verify(""); v.Intact {
			k.Errorf("events that ought to be sealed are not missed: %+v", v)
		}
		n, err := k.db.SealEvents(k.ctx, "one", k.at(time.Hour), k.at(3*time.Minute), 100)
		k.must(err)
		k.same(n, 2)
	}},
	{"one instance seals at a time, and another when it does no more", func(k *kit) {
		k.seal("one")
		k.happen(1)
		n, err := k.db.SealEvents(k.ctx, "two", k.at(time.Hour), k.at(time.Minute), 100)
		k.must(err)
		k.same(n, 0)
		n, err = k.db.SealEvents(k.ctx, "two", k.at(2*time.Hour), k.at(time.Minute), 100)
		k.must(err)
		k.same(n, 1)
		n, err = k.db.SealEvents(k.ctx, "one", k.at(4*time.Hour), k.at(time.Minute), 100) // and gives the lease back
		k.must(err)
		k.same(n, 0)
		if v := k.verify(""); !v.Intact {
			k.Errorf("%+v", v)
		}
	}},
	{"many instances that seal at once seal each event once", func(k *kit) {
		k.seal("one")
		k.happen(40)
		total := make([]int, callers)
		for _, err := range crowd(func(i int) (err error) {
			total[i], err = k.db.SealEvents(k.ctx, "one", k.at(time.Hour), k.at(time.Minute), 7)
			return err
		}) {
			k.must(err)
		}
		k.seal("one")
		v := k.verify("")
		all, err := k.db.FindEvents(k.ctx, k.t, admin.EventFilter{}, 1000)
		k.must(err)
		if !v.Intact || int(v.Events) != len(all) {
			k.Errorf("%d of %d events are sealed: %+v", v.Events, len(all), v)
		}
	}},
	{"events are found by what they say, from either end, and page by page", func(k *kit) {
		k.happen(5)
		find := func(f admin.EventFilter, n int) (subjects []string) {
			es, err := k.db.FindEvents(k.ctx, k.t, f, n)
			k.must(err)
			for _, e := range es {
				subjects = append(subjects, e.Subject)
			}
			return subjects
		}
		k.same(find(admin.EventFilter{Kind: audit.LoggedIn}, 2), []string{"s4", "s3"})
		k.same(find(admin.EventFilter{Kind: audit.LoggedIn, Oldest: true}, 2), []string{"s0", "s1"})
		k.same(find(admin.EventFilter{Subject: "s3", Actor: "admin", ClientID: "app"}, 9), []string{"s3"})
		k.same(len(find(admin.EventFilter{Actor: "nobody"}, 9)), 0)
		k.same(find(admin.EventFilter{Since: k.at(3 * time.Second)}, 9), []string{"s4", "s3"})
		k.same(find(admin.EventFilter{Kind: audit.LoggedIn, Before: k.at(2 * time.Second)}, 9), []string{"s1", "s0"})
		es, err := k.db.FindEvents(k.ctx, k.t, admin.EventFilter{Kind: audit.LoggedIn}, 2)
		k.must(err)
		k.same(find(admin.EventFilter{Kind: audit.LoggedIn, After: es[1]}, 2), []string{"s2", "s1"})
		k.same(find(admin.EventFilter{Kind: audit.LoggedIn, After: es[1], Oldest: true}, 9), []string{"s4"})
		got, err := k.db.SealedEvents(k.ctx, k.t, []int64{es[0].Seq, es[1].Seq, 1 << 40})
		k.must(err)
		slices.Reverse(es)
		k.same(got, es)
	}},
	{"the chain of a deleted tenant goes with it", func(k *kit) {
		k.happen(2)
		k.seal("one")
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		k.must(k.create(k.t))
		ss, err := k.db.Seals(k.ctx, k.t, 0, 9)
		k.must(err)
		k.same(len(ss), 0)
		k.seal("one")
		if v := k.verify(""); !v.Intact || v.Seals != 1 {
			k.Errorf("%+v", v)
		}
	}},
}

// Tampered checks that what is changed of sealed events behind the program's back is found out. exec runs a statement on
// the database of db.
func Tampered(t *testing.T, db *persistence.DB, exec func(sql string)) {
	k := newKit(t, db)
	k.happen(5)
	k.seal("one")
	k.happen(3)
	k.seal("one")
	kept := k.verify("")
	if !kept.Intact || kept.Seals < 2 {
		t.Fatalf("before: %+v", kept)
	}
	of := ` WHERE tenant_id = '` + string(k.t) + `' AND `
	for _, tt := range []struct{ rule, do, undo string }{
		{"an event is changed", `UPDATE audit_events SET actor = 'somebody else'` + of + `subject = 's4'`, `UPDATE audit_events SET actor = 'admin'` + of + `subject = 's4'`},
		{"a seal has another number", `UPDATE audit_seals SET number = 102` + of + `number = 2`, `UPDATE audit_seals SET number = 2` + of + `number = 102`},
		{"an event is another tenant's", `UPDATE audit_events SET tenant_id = 'other'` + of + `subject = 's4'`,
			`UPDATE audit_events SET tenant_id = '` + string(k.t) + `' WHERE tenant_id = 'other'`},
		{"an event is removed", `DELETE FROM audit_events` + of + `subject = 's4'`, ``},
	} {
		exec(tt.do)
		if v := k.verify(""); v.Intact {
			t.Errorf("%s, and it does not show: %+v", tt.rule, v)
		}
		if tt.undo == "" {
			continue
		}
		exec(tt.undo)
		if v := k.verify(kept.Head); !v.Intact {
			t.Errorf("%s, and put right: %+v", tt.rule, v)
		}
	}
	// Whoever removes the newest seals with their events is found out by who has kept the head.
	last := newKit(t, db)
	last.happen(2)
	last.seal("one")
	before := last.verify("").Head
	last.happen(1)
	last.seal("one")
	kept = last.verify(before)
	exec(`DELETE FROM audit_events WHERE tenant_id = '` + string(last.t) + `' AND seq > (SELECT max(seq) - 1 FROM audit_events)`)
	exec(`DELETE FROM audit_seals WHERE tenant_id = '` + string(last.t) + `' AND number = 2`)
	if v := last.verify(before); !v.Intact {
		t.Errorf("what is left does not hold: %+v", v)
	}
	if v := last.verify(kept.Head); v.Intact {
		t.Errorf("the newest seal is gone, and it does not show: %+v", v)
	}
}

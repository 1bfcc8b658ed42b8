package conformance

import (
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/session"
)

// queued returns the ids of what waits for the subject of a session.
func (k *kit) queued(sessionID, id string, n int) (ids []string) {
	k.Helper()
	q, err := k.db.Queue(k.ctx, k.t, k.now, sessionID, id, n)
	k.must(err)
	for _, a := range q.Waiting {
		ids = append(ids, a.ID)
	}
	return ids
}

var queues = []promise{
	{"a queue is what waits for the subject of a session, with the session", func(k *kit) {
		s := k.session("s")
		s.Context = session.NativeApp
		k.begin(s)
		k.waiting("a")
		for id, change := range map[string]func(*decoupled.Authentication){
			"identifying": func(a *decoupled.Authentication) { a.State = decoupled.Identifying },
			"ended":       func(a *decoupled.Authentication) { a.EndsAt = k.now },
			"nobody's":    func(a *decoupled.Authentication) { a.Subject = "" },
			"bob's":       func(a *decoupled.Authentication) { a.Subject = "bob" },
		} {
			a := k.authentication(id, decoupled.Waiting)
			change(&a)
			k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		}
		k.granted("granted")
		q, err := k.db.Queue(k.ctx, k.t, k.now, "s", "", 10)
		k.must(err)
		k.same(*q, ciba.Queue{Session: s, Waiting: []decoupled.Authentication{k.authentication("a", decoupled.Waiting)}})
		k.same(k.queued("s", "a", 10), []string{"a"})
		for _, id := range []string{"none", "granted", "bob's", "identifying", "ended"} {
			k.same(k.queued("s", id, 10), []string(nil))
		}
	}},
	{"a queue without anything in it tells of the session all the same, whatever its times say", func(k *kit) {
		s := k.session("s")
		s.MaxLife = 1
		k.begin(s)
		q, err := k.db.Queue(k.ctx, k.t, k.now, "s", "", 10)
		k.must(err)
		k.same(*q, ciba.Queue{Session: s})
		for _, id := range []string{"none", "", "a\x00b", "\xff"} {
			_, err := k.db.Queue(k.ctx, k.t, k.now, id, "", 10)
			k.is(err, session.ErrNotFound)
		}
	}},
	{"it tells whether the account is disabled", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		k.begin(k.session("s"))
		for _, disabled := range []bool{false, true} {
			q, err := k.db.Queue(k.ctx, k.t, k.now, "s", "", 10)
			k.must(err)
			k.same(q.Disabled, disabled)
			if !disabled {
				k.disable("alice")
				k.begin(k.session("s"))
			}
		}
	}},
	{"many requests of one client leave the queue to the others as well", func(k *kit) {
		k.begin(k.session("s"))
		a := k.authentication("other", decoupled.Waiting)
		a.ClientID = "other"
		k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		for i := range 9 {
			a := k.authentication("app "+strconv.Itoa(i), decoupled.Waiting)
			a.CreatedAt = k.at(time.Duration(i+1) * time.Second)
			k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		}
		k.same(k.queued("s", "", 3), []string{"app 8", "other", "app 7"})
		k.same(k.queued("s", "app 0", 3), []string{"app 0"})
	}},
	{"an answer in a session needs that session, and uses it", func(k *kit) {
		k.begin(k.session("s"))
		k.waiting("a")
		k.waiting("b")
		g := k.grant("a")
		gone := decoupled.Settlement{ID: "a", Grant: &g, Session: "none", Touch: true, Event: k.event(audit.GrantIssued)}
		k.is(k.db.Settle(k.ctx, k.t, k.now, gone), session.ErrNotFound)
		k.same(len(k.events()), 0)
		there := gone
		there.Session = "s"
		k.is(k.db.Settle(k.ctx, k.t, k.now, there), nil)
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(got.UsedAt, k.now)
		k.is(k.db.Settle(k.ctx, k.t, k.now, there), decoupled.ErrConflict)
		k.is(k.db.Settle(k.ctx, k.t, k.at(time.Minute), decoupled.Settlement{ID: "b", Refusal: &denied, Session: "s", Event: k.event(audit.Denied)}), nil)
		got, err = k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(got.UsedAt, k.now)
	}},
	{"what can be redeemed is listed in the order of ids, after one, as many as asked", func(k *kit) {
		for _, id := range []string{"c", "a", "b", "redeemed", "revoked"} {
			k.granted(id)
		}
		k.waiting("waiting")
		k.waiting("refused")
		k.must(k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: "refused", Refusal: &denied, Event: k.event(audit.Denied)}))
		k.must(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(k.grant("redeemed"))))
		k.must(k.db.RevokeGrant(k.ctx, k.t, "revoked", k.now, k.revocation("revoked"), audit.Event{}))
		for _, c := range []struct {
			after string
			n     int
			late  time.Duration
			want  []string
		}{{"", 10, 0, []string{"a", "b", "c"}}, {"", 2, 0, []string{"a", "b"}}, {"b", 2, 0, []string{"c"}}, {"c", 2, 0, nil},
			{"", 10, time.Minute, nil}} {
			ids, err := k.db.Redeemable(k.ctx, k.t, k.at(c.late), c.after, c.n)
			k.must(err)
			k.same(ids, c.want)
		}
	}},
}

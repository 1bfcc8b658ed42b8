package conformance

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// authentication returns one in that state, with alice as its subject.
func (k *kit) authentication(id string, state decoupled.State) decoupled.Authentication {
	return decoupled.Authentication{ID: id, State: state, ClientID: "app", Subject: "alice", Interval: 5 * time.Second, CreatedAt: k.now, EndsAt: k.at(10 * time.Minute),
		Request: &request.Request{ClientID: "app", Scope: oauth.Scope{"openid"}, RequiredSub: "alice", LoginHint: mark(k.t),
			Backchannel: request.Decoupled{BindingMessage: "W4SCT", RequestedExpiry: 60, Context: json.RawMessage(`{"b":1}`)}}}
}

// waiting begins an authentication that waits for alice.
func (k *kit) waiting(id string) {
	k.Helper()
	k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication(id, decoupled.Waiting)))
}

// granting settles an authentication by a grant.
func (k *kit) granting(id string) error {
	g := k.grant(id)
	return k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: id, Grant: &g, Event: k.event(audit.GrantIssued)})
}

// granted begins an authentication and grants it.
func (k *kit) granted(id string) grant.Grant {
	k.Helper()
	k.waiting(id)
	k.must(k.granting(id))
	return k.grant(id)
}

func (k *kit) poll(id string) (*decoupled.Polled, error) {
	return k.db.Poll(k.ctx, k.t, k.now, id, "app", time.Second, 5*time.Second)
}

var denied = decoupled.Refusal{Code: "access_denied", Description: "no", URI: "https://why.example"}

var authentications = []promise{
	{"an authentication is read as it was begun", func(k *kit) {
		a := k.authentication("a", decoupled.Identifying)
		k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		got, err := k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(*got, a)
	}},
	{"one that is unknown, or has ended to the microsecond, is ErrNotFound, but for a poll", func(k *kit) {
		k.waiting("a")
		end := k.at(10 * time.Minute)
		_, err := k.db.Authentication(k.ctx, k.t, end.Add(-time.Microsecond), "a")
		k.is(err, nil)
		for _, c := range []struct {
			id string
			at time.Time
		}{{"a", end}, {"none", k.now}, {"", k.now}, {"a\x00b", k.now}} {
			_, err = k.db.Authentication(k.ctx, k.t, c.at, c.id)
			k.is(err, decoupled.ErrNotFound)
			k.is(k.db.Acknowledge(k.ctx, k.t, c.at, c.id, time.Second, k.at(time.Hour)), decoupled.ErrNotFound)
			k.is(k.db.Settle(k.ctx, k.t, c.at, decoupled.Settlement{ID: c.id, Refusal: &denied, Event: k.event(audit.Denied)}), decoupled.ErrNotFound)
		}
		k.same(len(k.events()), 0)
		for _, id := range []string{"none", "", "a\x00b"} {
			_, err := k.poll(id)
			k.is(err, decoupled.ErrNotFound)
		}
		k.now = end
		p, err := k.poll("a")
		k.must(err)
		k.same(*p, decoupled.Polled{State: decoupled.Waiting, EndsAt: end})
	}},
	{"an acknowledgement begins its time and its interval", func(k *kit) {
		a := k.authentication("a", decoupled.Identifying)
		k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		a.State, a.Interval, a.EndsAt = decoupled.Waiting, 7*time.Second, k.at(time.Hour)
		k.must(k.db.Acknowledge(k.ctx, k.t, k.now, "a", a.Interval, a.EndsAt))
		got, err := k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(*got, a)
		k.is(k.db.Acknowledge(k.ctx, k.t, k.now, "a", time.Second, k.at(2*time.Hour)), decoupled.ErrConflict)
		got, err = k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(*got, a)
	}},
	{"those that wait for a subject are listed, the newest first, as many as asked", func(k *kit) {
		for i, id := range []string{"c", "b", "a"} {
			a := k.authentication(id, decoupled.Waiting)
			a.CreatedAt = k.at(time.Duration(i) * time.Second)
			k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		}
		k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("identifying", decoupled.Identifying)))
		ended, nobodys, bobs := k.authentication("ended", decoupled.Waiting), k.authentication("nobody's", decoupled.Waiting), k.authentication("bob's", decoupled.Waiting)
		ended.EndsAt, nobodys.Subject, bobs.Subject = k.now, "", "bob"
		for _, a := range []decoupled.Authentication{ended, nobodys, bobs} {
			k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		}
		k.granted("granted")
		for _, c := range []struct {
			subject string
			n       int
			want    []string
		}{{"alice", 10, []string{"a", "b", "c"}}, {"alice", 2, []string{"a", "b"}}, {"bob", 10, []string{"bob's"}}, {"", 10, nil}, {"carol", 10, nil}, {"a\x00b", 10, nil}} {
			as, err := k.db.Authentications(k.ctx, k.t, k.now, c.subject, c.n)
			k.must(err)
			var ids []string
			for _, a := range as {
				ids = append(ids, a.ID)
			}
			k.same(ids, c.want)
		}
	}},
	{"what many requests of one client leave of the list is the other clients' as well", func(k *kit) {
		a := k.authentication("other", decoupled.Waiting)
		a.ClientID = "other"
		k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		for i := range 9 {
			a := k.authentication("app "+strconv.Itoa(i), decoupled.Waiting)
			a.CreatedAt = k.at(time.Duration(i+1) * time.Second)
			k.must(k.db.BeginAuthentication(k.ctx, k.t, a))
		}
		as, err := k.db.Authentications(k.ctx, k.t, k.now, "alice", 3)
		k.must(err)
		var ids []string
		for _, a := range as {
			ids = append(ids, a.ID)
		}
		k.same(ids, []string{"app 8", "other", "app 7"})
	}},
	{"a denial is recorded, and every poll is told", func(k *kit) {
		k.waiting("a")
		k.must(k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: "a", Refusal: &denied, Event: k.event(audit.Denied)}))
		a := k.authentication("a", decoupled.Refused)
		a.Refusal = &denied
		got, err := k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(*got, a)
		for range 2 {
			p, err := k.poll("a")
			k.must(err)
			k.same(*p, decoupled.Polled{State: decoupled.Refused, Refusal: &denied, EndsAt: a.EndsAt})
		}
		k.same(k.events(), []audit.Kind{audit.Denied})
		k.is(k.granting("a"), decoupled.ErrConflict)
		_, err = k.db.Grant(k.ctx, k.t, "a")
		k.is(err, grant.ErrNotFound)
	}},
	{"an approval is recorded with its grant, once", func(k *kit) {
		g := k.granted("a")
		got, err := k.db.Grant(k.ctx, k.t, "a")
		k.must(err)
		k.same(*got, g)
		p, err := k.poll("a")
		k.must(err)
		k.same(p.State, decoupled.Granted)
		k.is(k.granting("a"), decoupled.ErrConflict)
		k.is(k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: "a", Refusal: &denied}), decoupled.ErrConflict)
		k.same(k.events(), []audit.Kind{audit.GrantIssued})
	}},
	{"an answer is recorded with what was minted for it, and what is owed for it", func(k *kit) {
		k.waiting("a")
		g, a := k.grant("a"), k.token("pushed", "a")
		r := k.line(1)
		g.Code.RedeemedAt, g.Refresh, g.ExpiresAt = k.now, &r, k.at(24*time.Hour)
		s := decoupled.Settlement{ID: "a", Grant: &g, AccessToken: &a, Owed: []outbox.Message{k.message("m", "a")}, Event: k.event(audit.GrantIssued)}
		k.must(k.db.Settle(k.ctx, k.t, k.now, s))
		got, err := k.db.Grant(k.ctx, k.t, "a")
		k.must(err)
		k.same(*got, g)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("pushed"))
		k.is(err, nil)
		k.is(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(g)), decoupled.ErrNotFound)
		s.Owed = []outbox.Message{k.message("n", "a")}
		k.is(k.db.Settle(k.ctx, k.t, k.now, s), decoupled.ErrConflict)
		owed, err := k.db.Messages(k.ctx, k.t, false, "", 10)
		k.must(err)
		k.same(len(owed), 1)
	}},
	{"nobody answers before the acknowledgement", func(k *kit) {
		k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("a", decoupled.Identifying)))
		k.is(k.granting("a"), decoupled.ErrConflict)
		_, err := k.poll("a")
		k.is(err, decoupled.ErrNotFound)
	}},
	{"a disabled account is not granted anything, but may be refused", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		k.waiting("a")
		k.disable("alice")
		k.is(k.granting("a"), decoupled.ErrDisabled)
		_, err := k.db.Grant(k.ctx, k.t, "a")
		k.is(err, grant.ErrNotFound)
		k.is(k.db.Settle(k.ctx, k.t, k.now, decoupled.Settlement{ID: "a", Refusal: &denied}), nil)
	}},
	{"a poll that comes too soon makes the interval longer, and one that waits does not", func(k *kit) {
		k.waiting("a") // interval 5 s; the leeway is 1 s, and each adds 5 s
		for _, c := range []struct {
			after time.Duration
			soon  bool
		}{{0, false}, {4 * time.Second, false}, {3999 * time.Millisecond, true}, {8999 * time.Millisecond, true}, {14 * time.Second, false}, {14 * time.Second, false}, {13 * time.Second, true}} {
			k.now = k.at(c.after)
			p, err := k.poll("a")
			k.must(err)
			if p.TooSoon != c.soon {
				k.Errorf("after %v: too soon is %v", c.after, p.TooSoon)
			}
		}
		a, err := k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(a.Interval, 20*time.Second)
		k.must(k.granting("a"))
		for range 2 {
			p, err := k.poll("a")
			k.must(err)
			k.same(p.TooSoon, false) // there is nothing to wait for any more
		}
	}},
	{"another client's poll finds nothing and counts for nothing", func(k *kit) {
		k.waiting("a")
		_, err := k.db.Poll(k.ctx, k.t, k.now, "a", "other", 0, time.Second)
		k.is(err, decoupled.ErrNotFound)
		p, err := k.poll("a")
		k.must(err)
		k.same(p.TooSoon, false)
	}},
	{"what is dropped is gone, in any state; nothing is dropped twice", func(k *kit) {
		k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("identifying", decoupled.Identifying)))
		k.waiting("waiting")
		k.granted("granted")
		before := len(k.events())
		for _, id := range []string{"identifying", "waiting", "granted"} {
			for range 2 {
				k.is(k.db.DropAuthentication(k.ctx, k.t, id, k.event(audit.Denied)), nil)
			}
			_, err := k.db.Authentication(k.ctx, k.t, k.now, id)
			k.is(err, decoupled.ErrNotFound)
			_, err = k.poll(id)
			k.is(err, decoupled.ErrNotFound)
		}
		for _, id := range []string{"none", "", "a\x00b"} {
			k.is(k.db.DropAuthentication(k.ctx, k.t, id, k.event(audit.Denied)), nil)
		}
		k.same(len(k.events())-before, 3)
	}},
	{"what is redeemed is gone, and what it paid for is there", func(k *kit) {
		g := k.granted("a")
		k.must(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(g)))
		_, err := k.poll("a")
		k.is(err, decoupled.ErrNotFound)
		got, err := k.db.Grant(k.ctx, k.t, "a")
		k.must(err)
		r := k.line(1)
		g.Code.RedeemedAt, g.Refresh, g.ExpiresAt = k.now, &r, k.at(24*time.Hour)
		k.same(*got, g)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("token of a"))
		k.is(err, nil)
	}},
	{"what is redeemed twice, late, revoked, or wrong, is ErrNotFound and revokes nothing", func(k *kit) {
		once := k.granted("once")
		k.must(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(once)))
		late, revoked, other := k.granted("late"), k.granted("revoked"), k.granted("other")
		k.must(k.db.RevokeGrant(k.ctx, k.t, "revoked", k.now, k.revocation("revoked"), audit.Event{}))
		wrong := k.redemption(other)
		wrong.CodeHash = hash("wrong")
		unknown := k.redemption(k.grant("unknown"))
		for _, c := range []struct {
			r  grant.Redemption
			at time.Time
		}{{k.redemption(once), k.now}, {k.redemption(late), k.at(time.Minute)}, {k.redemption(revoked), k.now}, {wrong, k.now}, {unknown, k.now}} {
			c.r.AccessToken.Hash = hash("never")
			k.is(k.db.RedeemAuthentication(k.ctx, k.t, c.at, c.r), decoupled.ErrNotFound)
		}
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("never"))
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("token of once"))
		k.is(err, nil)
	}},
	{"an account that is disabled or deleted after the approval gets nothing", func(k *kit) {
		delete := func() {
			k.must(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.now}, audit.Event{}))
		}
		for _, end := range []func(){delete, func() { k.disable("alice") }} {
			k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
			g := k.granted(newID())
			end()
			k.is(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(g)), decoupled.ErrNotFound)
		}
	}},
	{"an authentication that has ended is swept, but not at once", func(k *kit) {
		k.waiting("a")
		k.swept(k.at(11 * time.Minute))
		_, err := k.poll("a")
		k.is(err, nil)
		k.swept(k.at(10*time.Minute + time.Hour))
		_, err = k.poll("a")
		k.is(err, decoupled.ErrNotFound)
	}},
}

// disable disables an account.
func (k *kit) disable(sub string) {
	k.Helper()
	k.must(k.db.DisableAccount(k.ctx, k.t, sub, k.now, &tenant.Revocation{Subject: sub, At: k.now, ExpiresAt: k.now}, audit.Event{}))
}

// What happens when many call at once.

func raceAcknowledge(k *kit) {
	k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("a", decoupled.Identifying)))
	k.oneWins(crowd(func(n int) error {
		return k.db.Acknowledge(k.ctx, k.t, k.now, "a", time.Second, k.at(time.Duration(n+1)*time.Minute))
	}), decoupled.ErrConflict)
}

func raceSettle(k *kit) {
	raceReplaced(k)
	k.waiting("a")
	k.begin(k.session("s"))
	errs := crowd(func(n int) error {
		in := decoupled.Settlement{ID: "a", Event: k.event(audit.GrantIssued)}
		if n%4 > 1 {
			in.Session, in.Touch = "s", true
		}
		if n%2 == 0 {
			g := k.grant("a")
			in.Grant = &g
		} else {
			in.Refusal = &denied
		}
		return k.db.Settle(k.ctx, k.t, k.now, in)
	})
	k.oneWins(errs, decoupled.ErrConflict)
	k.same(len(k.events()), 2) // with that of the race before
	p, err := k.poll("a")
	k.must(err)
	_, err = k.db.Grant(k.ctx, k.t, "a")
	k.same(err == nil, p.State == decoupled.Granted)
}

func raceDrop(k *kit) {
	k.waiting("a")
	k.win(crowd(func(int) error { return k.db.DropAuthentication(k.ctx, k.t, "a", k.event(audit.Denied)) }), callers)
	k.same(len(k.events()), 1)
}

// racePoll: one is the first, and each of the others comes too soon after it.
func racePoll(k *kit) {
	k.waiting("a")
	soon := make([]bool, callers)
	k.win(crowd(func(n int) error {
		p, err := k.poll("a")
		if err == nil {
			soon[n] = p.TooSoon
		}
		return err
	}), callers)
	first := 0
	for _, s := range soon {
		if !s {
			first++
		}
	}
	k.same(first, 1)
	a, err := k.db.Authentication(k.ctx, k.t, k.now, "a")
	k.must(err)
	k.same(a.Interval, callers*5*time.Second)
}

func raceRedeemAuthentication(k *kit) {
	g := k.granted("a")
	k.oneWins(crowd(func(n int) error {
		r, a := k.redemption(g), k.token("token "+strconv.Itoa(n), "a")
		r.AccessToken = &a
		return k.db.RedeemAuthentication(k.ctx, k.t, k.now, r)
	}), decoupled.ErrNotFound)
	alive := 0
	for n := range callers {
		if _, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("token "+strconv.Itoa(n))); err == nil {
			alive++
		}
	}
	k.same(alive, 1) // the winner's, which the others leave alone
	k.same(len(k.journal()), 0)
}

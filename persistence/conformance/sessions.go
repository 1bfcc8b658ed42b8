package conformance

import (
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// begin records a session, as a login that needs no interaction does.
func (k *kit) begin(s session.Session) {
	k.Helper()
	_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Session: &s})
	k.must(err)
}

// finish records consent and a grant, either of which may be nil, as an authorization that was never stored does.
func (k *kit) finish(z *grant.Authorization, g *grant.Grant) {
	k.Helper()
	_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Authorization: z, Grant: g})
	k.must(err)
}

var sessions = []promise{
	{"a session is read as it was written, whatever its times say", func(k *kit) {
		s := k.session("s")
		s.MaxLife = 1
		k.begin(s)
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(*got, s)
	}},
	{"a session without anything is read as such", func(k *kit) {
		s := session.Session{ID: "bare", Subject: "alice", AuthTime: k.now, CreatedAt: k.now, UsedAt: k.now}
		k.begin(s)
		got, err := k.db.Session(k.ctx, k.t, "bare")
		k.must(err)
		k.same(*got, s)
	}},
	{"written again, it keeps when it began and its relying parties", func(k *kit) {
		k.begin(k.session("s"))
		s := k.session("s")
		s.CreatedAt, s.Clients, s.AuthTime, s.UsedAt, s.Turn, s.ACR, s.AMR = k.now, nil, k.now, k.now, 4, "high", []string{"otp"}
		s.MaxLife, s.AuthLife, s.MaxIdle, s.Claims, s.Data = 1, 2, 3, nil, nil
		k.begin(s)
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		s.CreatedAt, s.Clients = k.session("s").CreatedAt, k.session("s").Clients
		k.same(*got, s)
	}},
	{"an unknown session is ErrNotFound", func(k *kit) {
		for _, id := range []string{"none", "", "a\x00b", "\xff"} {
			_, err := k.db.Session(k.ctx, k.t, id)
			k.is(err, session.ErrNotFound)
			_, err = k.db.EndSession(k.ctx, k.t, id, k.now, k.now, k.event(audit.SessionEnded))
			k.is(err, session.ErrNotFound)
		}
		k.same(len(k.events()), 0)
	}},
	{"a subject's sessions are listed newest first", func(k *kit) {
		for i, id := range []string{"a", "c", "b"} {
			s := k.session(id)
			s.CreatedAt = k.at(time.Duration(i) * time.Minute)
			k.begin(s)
		}
		other := k.session("bob's")
		other.Subject = "bob"
		k.begin(other)
		ss, err := k.db.Sessions(k.ctx, k.t, "alice")
		k.must(err)
		var ids []string
		for _, s := range ss {
			ids = append(ids, s.ID)
		}
		k.same(ids, []string{"b", "c", "a"})
	}},
	{"ending a session revokes the grants that hang on it, and only them", func(k *kit) {
		k.begin(k.session("s"))
		k.begin(k.session("t"))
		until := k.at(time.Hour)
		for _, g := range []struct {
			id, session string
			change      func(*grant.Grant)
			revoked     bool
		}{
			{"hanging", "s", nil, true},
			{"refreshing", "s", func(g *grant.Grant) { r := k.line(1); g.Code, g.Refresh, g.ExpiresAt = nil, &r, k.at(24*time.Hour) }, true},
			{"offline", "s", func(g *grant.Grant) { g.Terms.Scope = append(g.Terms.Scope, "offline_access") }, false},
			{"said to be offline", "s", func(g *grant.Grant) { g.Terms.Offline = true }, false},
			{"remembered", "s", func(g *grant.Grant) { g.Terms.LongLived, g.Terms.RefreshToken.Issue = true, true }, true},
			{"expired", "s", func(g *grant.Grant) { g.ExpiresAt = k.now }, false},
			{"revoked before", "s", func(g *grant.Grant) { g.RevokedAt = k.at(-time.Minute) }, false},
			{"elsewhere", "t", nil, false},
			{"nowhere", "", nil, false},
		} {
			x := k.grant(g.id)
			x.SessionID = g.session
			if g.change != nil {
				g.change(&x)
			}
			k.finish(nil, &x)
			defer func() {
				got, err := k.db.Grant(k.ctx, k.t, g.id)
				k.must(err)
				if g.revoked != got.RevokedAt.Equal(k.now) {
					k.Errorf("%s: revoked at %v", g.id, got.RevokedAt)
				}
			}()
		}
		rs, err := k.db.EndSession(k.ctx, k.t, "s", k.now, until, k.event(audit.SessionEnded))
		k.must(err)
		var want []tenant.Revocation
		for _, id := range []string{"hanging", "refreshing", "remembered"} {
			want = append(want, tenant.Revocation{Grant: id, At: k.now, ExpiresAt: until})
		}
		k.same(sorted(rs), want)
		k.same(sorted(k.journal()), want)
		k.same(len(k.feed()), len(want))
		k.same(k.events(), []audit.Kind{audit.SessionEnded})
		_, err = k.db.Session(k.ctx, k.t, "s")
		k.is(err, session.ErrNotFound)
		_, err = k.db.EndSession(k.ctx, k.t, "s", k.now, until, k.event(audit.SessionEnded))
		k.is(err, session.ErrNotFound)
	}},
	{"a code given while its session was being ended is worth nothing, unless it is offline", func(k *kit) {
		g, o := k.grant("late"), k.grant("late but offline")
		g.SessionID, o.SessionID, o.Terms.Scope = "gone", "gone", append(o.Terms.Scope, "offline_access")
		k.finish(nil, &g)
		k.finish(nil, &o)
		k.is(k.redeem(g), grant.ErrNotFound)
		k.is(k.redeem(o), nil)
	}},
}

// sorted sorts a few revocations by grant.
func sorted(rs []tenant.Revocation) []tenant.Revocation {
	for i := range rs {
		for j := i; j > 0 && rs[j].Grant < rs[j-1].Grant; j-- {
			rs[j], rs[j-1] = rs[j-1], rs[j]
		}
	}
	return rs
}

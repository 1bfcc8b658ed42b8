package conformance

import (
	"bytes"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var registers = []promise{
	{"sessions are listed by id, a subject's or all", func(k *kit) {
		for _, id := range []string{"c", "a", "b"} {
			k.begin(k.session(id))
		}
		other := k.session("bb")
		other.Subject = "bob"
		k.begin(other)
		ids := func(sub, after string, n int) (ids []string) {
			ss, err := k.db.ListSessions(k.ctx, k.t, sub, after, n)
			k.must(err)
			for _, s := range ss {
				ids = append(ids, s.ID)
			}
			return ids
		}
		k.same(ids("alice", "", 9), []string{"a", "b", "c"})
		k.same(ids("alice", "a", 1), []string{"b"})
		k.same(ids("", "a", 9), []string{"b", "bb", "c"})
		k.same(ids("nobody\x00", "", 9), []string(nil))
		ss, err := k.db.ListSessions(k.ctx, k.t, "bob", "", 1)
		k.must(err)
		k.same(ss, []session.Session{other})
	}},
	{"a subject's sessions end all at once, but for one, with what hangs on them", func(k *kit) {
		k.parties()
		for _, id := range []string{"kept", "t"} {
			k.begin(k.session(id))
		}
		other := k.session("bob's")
		other.Subject = "bob"
		k.begin(other)
		for _, id := range []string{"s", "t", "kept"} {
			g := k.grant("grant of " + id)
			g.SessionID = id
			k.finish(nil, &g)
		}
		rs, err := k.db.EndSessions(k.ctx, k.t, "alice", "kept", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
		k.must(err)
		want := []tenant.Revocation{{Grant: "grant of s", At: k.now, ExpiresAt: k.at(time.Hour)}, {Grant: "grant of t", At: k.now, ExpiresAt: k.at(time.Hour)}}
		k.same(sorted(rs), want)
		k.same(sorted(k.journal()), want)
		k.same(k.open("alice"), []string{"kept"})
		k.same(k.open("bob"), []string{"bob's"})
		k.same(k.told(), bothTold)
		k.same(k.events(), []audit.Kind{audit.SessionEnded, audit.SessionEnded})
		_, err = k.db.EndSessions(k.ctx, k.t, "alice", "kept", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
		k.is(err, session.ErrNotFound)
		k.same(len(k.events()), 2)
	}},
	{"a session is amended by what is said of it, and one that has ended is not brought back", func(k *kit) {
		s, life := k.session("s"), int64(7)
		k.begin(s)
		for _, a := range []session.Amendment{
			{UsedAt: s.UsedAt.Add(time.Minute)}, {UsedAt: s.UsedAt.Add(-time.Minute)}, {},
			{AuthLife: &life, Claims: json.RawMessage(`{"tier":"gold"}`)}, {Data: json.RawMessage(`{"theme":"dark"}`)},
		} {
			k.must(k.db.AmendSession(k.ctx, k.t, "s", a, audit.Event{}))
		}
		k.must(k.db.AmendSession(k.ctx, k.t, "s", session.Amendment{}, k.event(audit.SessionChanged)))
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		s.UsedAt, s.AuthLife, s.Claims, s.Data = s.UsedAt.Add(time.Minute), life, json.RawMessage(`{"tier":"gold"}`), json.RawMessage(`{"theme":"dark"}`)
		for _, b := range []*json.RawMessage{&got.Claims, &got.Data} {
			*b = bytes.ReplaceAll(*b, []byte(": "), []byte(":"))
		}
		k.same(*got, s)
		k.same(k.events(), []audit.Kind{audit.SessionChanged})
		k.is(k.db.AmendSession(k.ctx, k.t, "none", session.Amendment{UsedAt: k.now}, k.event(audit.SessionChanged)), session.ErrNotFound)
		k.same(len(k.events()), 1)
	}},
	{"a session stays bound to what it was bound to when it began", func(k *kit) {
		s := k.session("s")
		s.JKT, s.FPT, s.Context = "key", "browser", "NIA"
		k.begin(s)
		again := s
		again.JKT, again.FPT, again.Context, again.UsedAt = "other", "", "", s.UsedAt.Add(time.Minute)
		k.begin(again)
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same([]string{got.JKT, got.FPT, got.Context}, []string{"key", "browser", "NIA"})
	}},
	{"an authentication is amended with its methods and class", func(k *kit) {
		s, class := k.session("s"), "loa3"
		k.begin(s)
		k.must(k.db.AmendSession(k.ctx, k.t, "s", session.Amendment{AuthTime: k.at(time.Minute), ACR: &class, AMR: []string{}}, audit.Event{}))
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(got.AuthTime, k.at(time.Minute))
		k.same(got.ACR, class)
		k.same(len(got.AMR), 0)
	}},
	{"sessions that are open are counted, with their subjects; those that are over are purged", func(k *kit) {
		count := func(sub string) [2]int64 {
			sessions, subjects, err := k.db.CountSessions(k.ctx, k.t, sub, k.now)
			k.must(err)
			return [2]int64{sessions, subjects}
		}
		subjects := func(after string, n int) []string {
			out, err := k.db.ListSubjects(k.ctx, k.t, after, k.now, n)
			k.must(err)
			return out
		}
		for id, sub := range map[string]string{"a": "alice", "b": "alice", "c": "bob", "over": "eve", "idle": "eve", "for ever": "carol"} {
			s := k.session(id)
			s.Subject, s.CreatedAt, s.UsedAt, s.MaxLife, s.MaxIdle = sub, k.now, k.now, 60, 60
			switch id {
			case "over":
				s.CreatedAt = k.at(-2 * time.Hour)
			case "idle":
				s.UsedAt = k.at(-2 * time.Hour)
			case "for ever":
				s.CreatedAt, s.UsedAt, s.MaxLife, s.MaxIdle = k.at(-9999*time.Hour), k.at(-9999*time.Hour), -1, -1
			}
			k.begin(s)
		}
		k.same(count(""), [2]int64{4, 3})
		k.same(count("alice"), [2]int64{2, 1})
		k.same(count("eve"), [2]int64{0, 0})
		k.same(subjects("", 9), []string{"alice", "bob", "carol"})
		k.same(subjects("alice", 1), []string{"bob"})
		for _, want := range []int{1, 1, 0} {
			n, err := k.db.PurgeSessions(k.ctx, k.t, k.now, 1)
			k.must(err)
			k.same(n, want)
		}
		k.same(count(""), [2]int64{4, 3})
		k.same(k.open("eve"), []string(nil))
	}},
	{"what was allowed is listed by who allowed it, whom, and who acted", func(k *kit) {
		for _, x := range [][3]string{{"bob", "app", ""}, {"alice", "desk", ""}, {"alice", "app", "admin"}, {"alice", "app", ""}} {
			k.finish(&grant.Authorization{Subject: x[0], ClientID: x[1], Actor: x[2], Scope: oauth.Scope{"openid"}, CreatedAt: k.now, UpdatedAt: k.now}, nil)
		}
		list := func(sub, client, actor string, n int) (found [][3]string) {
			zs, err := k.db.ListAuthorizations(k.ctx, k.t, sub, client, actor, n)
			k.must(err)
			for _, z := range zs {
				found = append(found, [3]string{z.Subject, z.ClientID, z.Actor})
			}
			return found
		}
		k.same(list("alice", "", "", 9), [][3]string{{"alice", "app", ""}, {"alice", "app", "admin"}, {"alice", "desk", ""}})
		k.same(list("", "app", "", 9), [][3]string{{"alice", "app", ""}, {"alice", "app", "admin"}, {"bob", "app", ""}})
		k.same(list("", "app", "", 1), [][3]string{{"alice", "app", ""}})
		k.same(list("alice", "app", "admin", 9), [][3]string{{"alice", "app", "admin"}})
		k.same(list("", "", "nobody", 9), [][3]string(nil))
	}},
	{"grants that stand are listed by id, to one client or any", func(k *kit) {
		for _, x := range []struct {
			id     string
			change func(*grant.Grant)
		}{
			{"c", nil}, {"a", func(g *grant.Grant) { g.ClientID = "desk" }}, {"b", nil},
			{"over", func(g *grant.Grant) { g.ExpiresAt = k.now }}, {"revoked", func(g *grant.Grant) { g.RevokedAt = k.now }},
			{"bob's", func(g *grant.Grant) { g.Subject = "bob" }},
		} {
			g := k.refreshable(x.id)
			if x.change != nil {
				x.change(&g)
			}
			k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
		}
		ids := func(sub, client, after string, n int) (ids []string) {
			gs, err := k.db.ListGrants(k.ctx, k.t, k.now, sub, client, after, n)
			k.must(err)
			for _, g := range gs {
				ids = append(ids, g.ID)
			}
			return ids
		}
		k.same(ids("alice", "", "", 9), []string{"a", "b", "c"})
		k.same(ids("alice", "app", "", 1), []string{"b"})
		k.same(ids("alice", "app", "b", 9), []string{"c"})
		k.same(ids("nobody", "", "", 9), []string(nil))
		gs, err := k.db.ListGrants(k.ctx, k.t, k.now, "bob", "", "", 9)
		k.must(err)
		want, err := k.db.Grant(k.ctx, k.t, "bob's")
		k.must(err)
		k.same(gs, []grant.Grant{*want})
	}},
}

// racePurge: each session that is over is removed by one.
func racePurge(k *kit) {
	for _, id := range []string{"s", "t", "u"} {
		s := k.session(id)
		s.CreatedAt, s.UsedAt, s.MaxLife, s.MaxIdle = k.at(-2*time.Hour), k.at(-2*time.Hour), 60, 60
		k.begin(s)
	}
	var removed atomic.Int64
	k.win(crowd(func(int) error {
		n, err := k.db.PurgeSessions(k.ctx, k.t, k.now, 9)
		removed.Add(int64(n))
		return err
	}), callers)
	k.same(removed.Load(), int64(3))
}

// raceEndSessions: of what hung on the sessions, each is revoked by one.
func raceEndSessions(k *kit) {
	for _, id := range []string{"s", "t", "u"} {
		k.begin(k.session(id))
		g := k.grant("grant of " + id)
		g.SessionID = id
		k.finish(nil, &g)
	}
	var told atomic.Int64
	for _, err := range crowd(func(int) error {
		rs, err := k.db.EndSessions(k.ctx, k.t, "alice", "", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
		told.Add(int64(len(rs)))
		return err
	}) {
		if err != nil {
			k.is(err, session.ErrNotFound)
		}
	}
	k.same(told.Load(), int64(3))
	k.same(len(k.events()), 3)
	k.same(len(k.journal()), 3)
}

// raceAmendSession: once one of the crowd has ended the session, nobody brings it back.
func raceAmendSession(k *kit) {
	k.begin(k.session("s"))
	for _, err := range crowd(func(i int) error {
		if i == 7 {
			_, err := k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
			return err
		}
		return k.db.AmendSession(k.ctx, k.t, "s", session.Amendment{UsedAt: k.at(time.Duration(i) * time.Minute)}, audit.Event{})
	}) {
		if err != nil {
			k.is(err, session.ErrNotFound)
		}
	}
	_, err := k.db.Session(k.ctx, k.t, "s")
	k.is(err, session.ErrNotFound)
}

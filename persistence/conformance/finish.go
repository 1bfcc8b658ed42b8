package conformance

import (
	"errors"
	"fmt"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var finish = []promise{
	{"the interaction goes, and all it came to is there", func(k *kit) {
		i, s, z, g, a := k.interaction("h"), k.session("s"), k.authorization("app"), k.grant("g"), k.token("a", "g")
		g.SessionID, g.Terms.Login.AuthTime = "s", 7
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		later := k.event(audit.GrantIssued)
		later.At = k.at(time.Second)
		rs, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, Authorization: &z, Grant: &g, AccessToken: &a,
			Session: &s, ClientID: "app", Events: []audit.Event{k.event(audit.Consented), later}})
		k.must(err)
		k.same(len(rs), 0)
		_, err = k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.is(err, authorize.ErrNotFound)
		gotGrant, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(*gotGrant, g)
		gotToken, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.must(err)
		a.AuthTime = g.Terms.Login.AuthTime
		k.same(*gotToken, a)
		gotSession, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		s.Clients = []string{"other", "app"}
		k.same(*gotSession, s)
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same(zs, []grant.Authorization{z})
		k.same(k.events(), []audit.Kind{audit.GrantIssued, audit.Consented})
	}},
	{"one that was refused leaves only events", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, ClientID: "app", Events: []audit.Event{k.event(audit.Denied)}})
		k.must(err)
		k.same(k.events(), []audit.Kind{audit.Denied})
		_, err = k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.is(err, authorize.ErrNotFound)
	}},
	{"a client is noted in the grant's session once, whether or not the session is written", func(k *kit) {
		k.begin(k.session("s"))
		s := k.session("s")
		for n, e := range []authorize.FinishEffect{{ClientID: "app"}, {ClientID: "app"}, {ClientID: "app", Session: &s}, {ClientID: "third", Session: &s}, {ClientID: "other"}, {}} {
			g := k.grant(newID())
			g.SessionID = "s"
			e.Grant = &g
			_, err := k.db.Finish(k.ctx, k.t, k.now, e)
			k.must(err)
			got, err := k.db.Session(k.ctx, k.t, "s")
			k.must(err)
			want := []string{"other", "app"}
			if n > 2 {
				want = append(want, "third")
			}
			k.same(got.Clients, want)
			k.same(got.UsedAt, k.session("s").UsedAt)
		}
	}},
	{"a session is touched when asked, and never backwards", func(k *kit) {
		k.begin(k.session("s"))
		g := k.grant("g")
		g.SessionID = "s"
		for _, c := range []struct {
			now  time.Time
			want time.Time
		}{{k.now, k.now}, {k.at(-time.Hour), k.now}, {k.at(time.Second), k.at(time.Second)}} {
			g.ID = newID()
			_, err := k.db.Finish(k.ctx, k.t, c.now, authorize.FinishEffect{Grant: &g, Touch: true, ClientID: "app"})
			k.must(err)
			got, err := k.db.Session(k.ctx, k.t, "s")
			k.must(err)
			k.same(got.UsedAt, c.want)
			k.same(got.Clients, []string{"other", "app"})
		}
	}},
	{"consent is overwritten with what the caller merged, and keeps when it began", func(k *kit) {
		z := k.authorization("app")
		k.finish(&z, nil)
		y := z
		y.Scope, y.Claims, y.Terms, y.CreatedAt, y.UpdatedAt = append(y.Scope, "phone"), nil, nil, k.at(time.Hour), k.at(time.Minute)
		y.Merged = z.UpdatedAt
		k.finish(&y, nil)
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		y.CreatedAt, y.Merged = z.CreatedAt, time.Time{}
		k.same(zs, []grant.Authorization{y})
	}},
	{"a session and consent that look new are written over what is there", func(k *kit) {
		s, z := k.session("s"), k.authorization("app")
		s.CreatedAt, s.UsedAt, z.Merged = k.now, k.now, z.UpdatedAt
		for _, turn := range []int64{1, 2} {
			s.Turn, z.Claims = turn, []string{fmt.Sprint(turn)}
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Session: &s, Authorization: &z, ClientID: "app"})
			k.must(err)
			i := k.interaction(fmt.Sprint(turn))
			k.must(k.db.Begin(k.ctx, k.t, i, nil))
			_, err = k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s})
			k.must(err)
		}
		s.Clients, z.Merged = append(s.Clients, "app"), time.Time{}
		who, err := k.db.Subject(k.ctx, k.t, "s", "app")
		k.must(err)
		k.same(who, authorize.Subject{Session: &s, Authorization: &z})
	}},
	{"the session it replaces ends, with the oldest beyond those kept", func(k *kit) {
		for n, id := range []string{"a", "b", "c"} {
			s := k.session(id)
			s.CreatedAt = k.at(time.Duration(n-10) * time.Minute)
			k.begin(s)
			g := k.grant("of " + id)
			g.SessionID = id
			k.finish(nil, &g)
		}
		s, g, until := k.session("new"), k.grant("g"), k.at(time.Hour)
		s.CreatedAt, g.SessionID = k.now, "new"
		rs, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Grant: &g, Session: &s, Ended: "c", KeepNewest: 2, TokensUntil: until, ClientID: "app"})
		k.must(err)
		want := []tenant.Revocation{{Grant: "of a", At: k.now, ExpiresAt: until}, {Grant: "of c", At: k.now, ExpiresAt: until}}
		k.same(sorted(rs), want)
		k.same(sorted(k.journal()), want)
		k.same(k.open("alice"), []string{"new", "b"})
		k.same(k.ended(), []string{"a of alice: quota, by  at ", "c of alice: replaced, by  at "})
	}},
	{"what a subject allows at once is all remembered", func(k *kit) {
		allow := func(i int) error {
			z := k.authorization("app")
			z.Scope, z.Claims, z.UpdatedAt = oauth.Scope{"openid", fmt.Sprint("s", i)}, []string{"c'\"", fmt.Sprint("c", i)}, k.at(time.Duration(i)*time.Second)
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Authorization: &z})
			return err
		}
		k.win(crowd(allow), callers)
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same([]int{len(zs), len(zs[0].Scope), len(zs[0].Claims)}, []int{1, callers + 1, callers + 1})
		z := zs[0] // and where nobody else wrote, it is what it was merged to
		z.Merged, z.UpdatedAt, z.Scope, z.Claims = z.UpdatedAt, k.at(time.Hour), oauth.Scope{"a"}, []string{"b"}
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Authorization: &z})
		k.must(err)
		z.Scope, z.Claims, z.Merged = oauth.Scope{"a", "c"}, []string{"b", "d"}, time.Time{}
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Authorization: &z})
		k.must(err)
		zs, err = k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same(zs, []grant.Authorization{z})
	}},
	{"of sessions that begin at once no more stay than a subject keeps", func(k *kit) {
		k.win(crowd(func(i int) error {
			s := k.session(fmt.Sprint("s", i))
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Session: &s, KeepNewest: 5, TokensUntil: k.now})
			return err
		}), callers)
		k.same(len(k.open("alice")), 5)
	}},
	{"of one context a subject keeps so many, and of all so many: all contexts count", func(k *kit) {
		for n, c := range []struct{ id, context string }{{"w1", ""}, {"a1", "NIA"}, {"w2", ""}, {"a2", "NIA"}, {"w3", ""}} {
			s := k.session(c.id)
			s.CreatedAt, s.Context = k.at(time.Duration(n-10)*time.Minute), c.context
			k.begin(s)
		}
		bobs := k.session("bob's")
		bobs.Subject, bobs.Context = "bob", "NIA"
		k.begin(bobs)
		begun := func(id, context string, keep, alike int, want ...string) {
			k.Helper()
			s := k.session(id)
			s.CreatedAt, s.Context = k.now, context
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Session: &s, KeepNewest: keep, KeepAlike: alike, TokensUntil: k.now})
			k.must(err)
			k.same(k.open("alice"), want)
			k.now = k.at(time.Minute)
		}
		begun("a3", "NIA", 5, 2, "a3", "w3", "a2", "w2", "w1") // a1 goes first, so that no other has to
		begun("a4", "NIA", 3, 1, "a4", "w3", "w2")
		begun("w4", "", 3, 0, "w4", "a4", "w3")
		begun("w5", "", 2, 0, "w5", "w4")
		begun("x", "other", 0, 0, "x", "w5", "w4")
		begun("w6", "", 0, 2, "w6", "x", "w5")
		k.same(k.open("bob"), []string{"bob's"})
	}},
	{"tokens at once, beside a code or without one, hang on a session that is there", func(k *kit) {
		for n, c := range []struct {
			session string
			code    bool
			atOnce  bool
			want    error
		}{{"gone", true, false, nil}, {"gone", true, true, authorize.ErrConflict}, {"gone", false, true, authorize.ErrConflict},
			{"s", true, true, nil}, {"s", false, true, nil}} {
			k.begin(k.session("s"))
			i, g := k.interaction(newID()), k.grant(newID())
			if g.SessionID = c.session; !c.code {
				g.Code = nil
			}
			g.Terms.Offline, g.Terms.Scope = false, nil
			a := k.token(newID(), g.ID)
			k.must(k.db.Begin(k.ctx, k.t, i, nil))
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, Grant: &g, AccessToken: &a, AtOnce: c.atOnce})
			if !errors.Is(err, c.want) {
				k.Errorf("case %d: %v, want %v", n, err, c.want)
			}
			if _, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash); (err == nil) != (c.want == nil) {
				k.Errorf("case %d: the access token: %v", n, err)
			}
		}
	}},
	{"what replaces nothing ends nothing", func(k *kit) {
		k.begin(k.session("s"))
		g := k.grant("g")
		rs, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Grant: &g, Ended: "none", KeepNewest: 1, TokensUntil: k.now})
		k.must(err)
		k.same(len(rs), 0)
		k.same(k.open("alice"), []string{"s"})
		k.same(k.ended(), []string(nil))
	}},
	{"when one part cannot be written, nothing is", func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		i, s, z := k.interaction("h"), k.session("s"), k.authorization("app")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, Authorization: &z, Session: &s, Grant: &g,
			Events: []audit.Event{k.event(audit.Consented)}})
		if err == nil {
			k.Error("a grant id was used twice")
		}
		got, err := k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.must(err)
		k.same(*got, i)
		k.same(len(k.open("alice")), 0)
		k.same(len(k.events()), 0)
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same(len(zs), 0)
	}},
}

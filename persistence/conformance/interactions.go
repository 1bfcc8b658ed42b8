package conformance

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var interactions = []promise{
	{"an interaction is loaded as it was begun", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		k.same(*got, i)
	}},
	{"one that is unknown, or has expired to the microsecond, is ErrNotFound", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		_, err := k.db.Load(k.ctx, k.t, i.ExpiresAt.Add(-time.Microsecond), hash("h"))
		k.is(err, nil)
		_, err = k.db.Load(k.ctx, k.t, i.ExpiresAt, hash("h"))
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Load(k.ctx, k.t, k.now, hash("other"))
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Load(k.ctx, k.t, k.now, nil)
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Login(k.ctx, k.t, i.ExpiresAt, authorize.LoginEffect{Interaction: i})
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Finish(k.ctx, k.t, i.ExpiresAt, authorize.FinishEffect{Hash: i.Hash, Version: 1})
		k.is(err, authorize.ErrNotFound)
		k.is(k.db.PutData(k.ctx, k.t, i.ExpiresAt, i.Hash, nil), authorize.ErrNotFound)
	}},
	{"beginning raises a session's last use, and never lowers it", func(k *kit) {
		s := k.session("s")
		k.begin(s)
		s.UsedAt = k.now
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), &s))
		got, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(*got, s)
		earlier := s
		earlier.UsedAt = k.at(-time.Hour)
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("g"), &earlier))
		got, err = k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(*got, s)
		s.ID = "none"
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("f"), &s))
		_, err = k.db.Session(k.ctx, k.t, "none")
		k.is(err, session.ErrNotFound)
	}},
	{"the subject of a session is told with its account and its consent", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		k.begin(k.session("s"))
		z := k.authorization("app")
		k.finish(&z, nil)
		acted := k.authorization("other")
		acted.Actor = "bob"
		k.finish(&acted, nil)
		s := k.session("s")
		for _, c := range []struct {
			session, client string
			want            authorize.Subject
		}{
			{"s", "app", authorize.Subject{Session: &s, Authorization: &z}},
			{"s", "none", authorize.Subject{Session: &s}},
			{"s", "other", authorize.Subject{Session: &s}}, // given while bob acted as alice
			{"none", "app", authorize.Subject{}},
			{"", "app", authorize.Subject{}},
			{"a\x00b", "app", authorize.Subject{}},
			{"s", "\xff", authorize.Subject{Session: &s}},
		} {
			got, err := k.db.Subject(k.ctx, k.t, c.session, c.client)
			k.must(err)
			if c.client == "\xff" {
				continue // engines differ, and neither fails
			}
			k.same(got, c.want)
		}
		got, err := k.db.SubjectOf(k.ctx, k.t, "alice", "app")
		k.must(err)
		k.same(got, authorize.Subject{Authorization: &z})
		got, err = k.db.SubjectOf(k.ctx, k.t, "bob", "app")
		k.must(err)
		k.same(got, authorize.Subject{})
		k.must(k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &tenant.Revocation{Subject: "alice", ExpiresAt: k.now}, k.event(audit.UserUpdated)))
		got, err = k.db.SubjectOf(k.ctx, k.t, "alice", "none")
		k.must(err)
		k.same(got, authorize.Subject{Disabled: true})
		k.begin(k.session("s"))
		got, err = k.db.Subject(k.ctx, k.t, "s", "none")
		k.must(err)
		k.same(got, authorize.Subject{Session: &s, Disabled: true})
	}},
	{"data is replaced without moving the interaction", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		for _, data := range []json.RawMessage{json.RawMessage(`{"n": 1.50}`), nil} {
			k.must(k.db.PutData(k.ctx, k.t, k.now, i.Hash, data))
			got, err := k.db.Load(k.ctx, k.t, k.now, i.Hash)
			k.must(err)
			i.Data = data
			k.same(*got, i)
		}
		k.is(k.db.PutData(k.ctx, k.t, k.now, hash("other"), nil), authorize.ErrNotFound)
	}},
	{"a login moves the interaction on and writes the session", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		k.must(k.db.PutData(k.ctx, k.t, k.now, i.Hash, json.RawMessage(`{"later":1}`)))
		s, next := k.session("s"), i
		next.Step, next.SessionID, next.Answered, next.Request.LoginHint, next.ExpiresAt, next.Binding = authorize.StepConsent, "s", true, "hint", k.at(time.Hour), nil
		rs, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: next, Session: &s, Event: k.event(audit.LoggedIn)})
		k.must(err)
		k.same(len(rs), 0)
		got, err := k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.must(err)
		next.Version, next.Data = 2, json.RawMessage(`{"later":1}`) // which came in between, and stays
		k.same(*got, next)
		written, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(*written, s)
		k.same(k.events(), []audit.Kind{audit.LoggedIn})
	}},
	{"a login at an old version is ErrConflict and changes nothing; of one that is gone, ErrNotFound", func(k *kit) {
		i, s := k.interaction("h"), k.session("s")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		i.Version = 7
		_, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, Event: k.event(audit.LoggedIn)})
		k.is(err, authorize.ErrConflict)
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 7, Session: &s})
		k.is(err, authorize.ErrConflict)
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1})
		k.must(err)
		i.Version = 1
		_, err = k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, Event: k.event(audit.LoggedIn)})
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, Session: &s})
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Session(k.ctx, k.t, "s")
		k.is(err, session.ErrNotFound)
		k.same(len(k.events()), 0)
	}},
	{"a login ends the session it replaces, and the oldest beyond those kept", func(k *kit) {
		for n := range 5 {
			s := k.session("s" + strconv.Itoa(n))
			s.CreatedAt = k.at(time.Duration(n-100) * time.Minute)
			k.begin(s)
			g := k.grant("g" + strconv.Itoa(n))
			g.SessionID = s.ID
			k.finish(nil, &g)
		}
		bob := k.session("bob's")
		bob.Subject, bob.CreatedAt = "bob", k.at(-1000*time.Minute)
		k.begin(bob)
		i, s := k.interaction("h"), k.session("new")
		s.CreatedAt = k.now
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		until, by := k.at(time.Hour), audit.Event{At: k.now, Kind: audit.LoggedIn, Subject: "alice", Actor: "actor", Address: "192.0.2.1"}
		rs, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, Ended: "s3", KeepNewest: 3, TokensUntil: until, Event: by})
		k.must(err)
		k.same(k.ended(), []string{"s0 of alice: quota, by actor at 192.0.2.1", "s1 of alice: quota, by actor at 192.0.2.1",
			"s3 of alice: replaced, by actor at 192.0.2.1"})
		want := []tenant.Revocation{{Grant: "g0", At: k.now, ExpiresAt: until}, {Grant: "g1", At: k.now, ExpiresAt: until}, {Grant: "g3", At: k.now, ExpiresAt: until}}
		k.same(sorted(rs), want)
		k.same(sorted(k.journal()), want)
		k.same(k.open("alice"), []string{"new", "s4", "s2"})
		k.same(k.open("bob"), []string{"bob's"})
	}},
	{"a session that authenticates again is one of those kept", func(k *kit) {
		for n := range 3 {
			s := k.session("s" + strconv.Itoa(n))
			s.CreatedAt = k.at(time.Duration(n-100) * time.Minute)
			k.begin(s)
		}
		i, s := k.interaction("h"), k.session("s0")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		_, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, Ended: "s0", KeepNewest: 2, TokensUntil: k.now})
		k.must(err)
		k.same(k.open("alice"), []string{"s2", "s0"})
	}},
}

// ended tells which sessions events say were ended, and why and by whom, sorted.
func (k *kit) ended() (out []string) {
	k.Helper()
	evs, err := k.db.Events(k.ctx, k.t, time.Time{}, 100)
	k.must(err)
	for _, ev := range evs {
		if ev.Kind == audit.SessionEnded {
			out = append(out, ev.Session+" of "+ev.Subject+": "+ev.Detail["cause"]+", by "+ev.Actor+" at "+ev.Address)
		}
	}
	slices.Sort(out)
	return out
}

// open returns the ids of a subject's sessions, newest first.
func (k *kit) open(sub string) (ids []string) {
	k.Helper()
	ss, err := k.db.Sessions(k.ctx, k.t, sub)
	k.must(err)
	for _, s := range ss {
		ids = append(ids, s.ID)
	}
	return ids
}

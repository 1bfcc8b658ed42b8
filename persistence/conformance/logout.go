package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// parties makes clients of which all but one want to know when a session ends, and returns a session in which they are.
func (k *kit) parties() session.Session {
	k.Helper()
	for _, id := range []string{"told", "told too", "quiet"} {
		c := k.client(id)
		if id != "quiet" {
			c.BackchannelLogoutURI = "https://rp.example/" + id
		}
		_, err := k.db.CreateClient(k.ctx, k.t, c, 9, audit.Event{})
		k.must(err)
	}
	s := k.session("s")
	s.CreatedAt, s.UsedAt, s.Clients = k.now, k.now, []string{"told", "quiet", "told too", "gone"}
	k.begin(s)
	return s
}

// told returns whom logout messages are for, with the subject they tell, after a session has ended.
func (k *kit) told() (ds []string) {
	k.Helper()
	ms, err := k.db.Lease(k.ctx, k.t, k.at(time.Minute), k.at(time.Hour), 100, nil)
	k.must(err)
	for _, m := range ms {
		var d outbox.LogoutDetail
		k.must(json.Unmarshal(m.Detail, &d))
		k.same(m.Target, "https://rp.example/"+d.Client)
		if m.Kind != outbox.Logout || m.ID == "" || m.End().Sub(m.CreatedAt).Round(time.Second) != outbox.Patience || m.CreatedAt.Sub(k.now).Abs() > time.Minute {
			k.Errorf("%+v", m)
		}
		ds = append(ds, d.Client+" of "+d.Session+": "+d.Subject)
	}
	slices.Sort(ds)
	return ds
}

var bothTold = []string{"told of s: alice", "told too of s: alice"}

var logouts = []promise{
	{"relying parties that asked for it are owed a logout token when a session is ended, once", func(k *kit) {
		k.parties()
		_, err := k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), audit.Event{})
		k.must(err)
		k.same(k.told(), bothTold)
		_, err = k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), audit.Event{})
		k.is(err, session.ErrNotFound)
		k.same(len(k.owes(false)), 2)
	}},
	{"the same when a login replaces it, or the quota closes it", func(k *kit) {
		old := k.parties()
		old.ID, old.CreatedAt = "older", k.at(-time.Minute)
		k.begin(old)
		i, s := k.interaction("h"), k.session("new")
		s.CreatedAt, s.UsedAt, s.Clients = k.at(time.Second), k.at(time.Second), nil
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		_, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, Ended: "s", KeepNewest: 1, TokensUntil: k.now})
		k.must(err)
		k.same(k.told(), []string{"told of older: alice", "told of s: alice", "told too of older: alice", "told too of s: alice"})
	}},
	{"the same when its account is disabled or deleted", func(k *kit) {
		s := k.parties()
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &r, audit.Event{}))
		k.same(k.told(), bothTold)
		k.begin(s)
		k.must(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, r, audit.Event{}))
		k.same(k.told(), bothTold)
	}},
	{"the same when its time is over", func(k *kit) {
		k.parties()
		k.swept(k.at(599 * time.Minute))
		k.same(k.told(), []string(nil))
		k.swept(k.at(602 * time.Minute))
		k.same(k.told(), bothTold)
	}},
	{"who knows the subject by another name is told the session alone", func(k *kit) {
		k.parties()
		g, h := k.grant("impersonated"), k.grant("renamed")
		g.SessionID, g.ClientID, g.Subject, g.Actor = "s", "told", "bob", "alice"
		h.SessionID, h.ClientID, h.Terms.IDToken.Subject = "s", "told too", "somebody"
		for _, x := range []grant.Grant{g, h} {
			k.must(k.db.PutGrant(k.ctx, k.t, x, nil, audit.Event{}))
		}
		_, err := k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), audit.Event{})
		k.must(err)
		k.same(k.told(), []string{"told of s: ", "told too of s: "})
	}},
	{"a tenant that is deleted owes nothing", func(k *kit) {
		k.parties()
		k.must(k.db.DeleteTenant(k.ctx, k.t, audit.Event{At: k.now}))
		k.same(k.owes(false), []string(nil))
	}},
	{"of another tenant's client of that name nobody is told", func(k *kit) {
		k.parties()
		other := newKit(k.TB, k.db)
		c := other.client("told")
		c.BackchannelLogoutURI = "https://foreign.example/"
		_, err := other.db.CreateClient(other.ctx, other.t, c, 9, audit.Event{})
		k.must(err)
		s := other.session("s")
		s.Clients = []string{"told", "quiet"}
		other.begin(s)
		_, err = k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), audit.Event{})
		k.must(err)
		k.same(k.told(), bothTold)
		k.same(other.owes(false), []string(nil))
		_, err = other.db.EndSession(k.ctx, other.t, "s", k.now, k.at(time.Hour), audit.Event{})
		k.must(err)
		ms, err := other.db.Messages(k.ctx, other.t, false, "", 10)
		k.must(err)
		if len(ms) != 1 || !strings.HasPrefix(ms[0].Target, "https://foreign.example/") {
			k.Errorf("%+v", ms)
		}
	}},
}

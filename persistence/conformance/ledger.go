package conformance

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// enters ends an interaction with a grant of these scope values to app by alice.
func (k *kit) enters(after time.Duration, scope string) {
	k.Helper()
	g := k.grant(newID())
	g.Terms.Scope = oauth.Scope(strings.Fields(scope))
	_, err := k.db.Finish(k.ctx, k.t, k.at(after), authorize.FinishEffect{Grant: &g, Granted: true})
	k.must(err)
}

var ledger = []promise{
	{"the last scope that was granted is told apart from all", func(k *kit) {
		_, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.is(err, grant.ErrNotFound)
		k.enters(0, "read openid")
		k.enters(time.Second, "write openid openid")
		got, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.must(err)
		k.same(*got, grant.GrantedScopes{Latest: oauth.Scope{"openid", "write"}, Merged: oauth.Scope{"openid", "read", "write"}, GrantedAt: k.at(time.Second)})
		_, err = k.db.GrantedScopes(k.ctx, k.t, "alice", "other")
		k.is(err, grant.ErrNotFound)
		_, err = k.db.GrantedScopes(k.ctx, k.t, "bob", "app")
		k.is(err, grant.ErrNotFound)
	}},
	{"no scope at all is a grant too", func(k *kit) {
		k.enters(0, "")
		got, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.must(err)
		k.same(*got, grant.GrantedScopes{GrantedAt: k.now})
	}},
	{"what is forgotten is gone, and tokens stay", func(k *kit) {
		k.enters(0, "read")
		g := k.grant("g")
		k.must(k.db.PutGrant(k.ctx, k.t, g, nil, k.event(audit.GrantIssued)))
		was, err := k.db.ForgetScopes(k.ctx, k.t, "alice", "app", k.event(audit.ConsentForgotten))
		k.must(err)
		k.same(was, true)
		_, err = k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.is(err, grant.ErrNotFound)
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(got.Live(k.now), true)
		was, err = k.db.ForgetScopes(k.ctx, k.t, "alice", "app", k.event(audit.ConsentForgotten))
		k.must(err)
		k.same(was, false)
	}},
	{"all that stands of a subject and a client is revoked, and nothing else", func(k *kit) {
		k.enters(0, "read")
		for id, change := range map[string]func(*grant.Grant){"a": nil, "b": nil, "other": func(g *grant.Grant) { g.ClientID = "other" }, "bob": func(g *grant.Grant) { g.Subject = "bob" }} {
			g := k.grant(id)
			if change != nil {
				change(&g)
			}
			k.must(k.db.PutGrant(k.ctx, k.t, g, nil, k.event(audit.GrantIssued)))
		}
		n, err := k.db.RevokeGrants(k.ctx, k.t, "alice", "app", k.now, k.pair(), k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 3)
		for id, lives := range map[string]bool{"a": false, "b": false, "other": true, "bob": true} {
			g, err := k.db.Grant(k.ctx, k.t, id)
			k.must(err)
			k.same(g.Live(k.now), lives)
		}
		_, err = k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.must(err)
		n, err = k.db.RevokeGrants(k.ctx, k.t, "alice", "app", k.now, k.pair(), k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 0)
	}},
	{"and of a client alone, or of a subject, and of nobody nothing", func(k *kit) {
		whose := map[string]func(*grant.Grant){"alice": nil, "bob": func(g *grant.Grant) { g.Subject = "bob" }, "other": func(g *grant.Grant) { g.ClientID = "other" }}
		for id, change := range whose {
			g := k.grant(id)
			if change != nil {
				change(&g)
			}
			k.must(k.db.PutGrant(k.ctx, k.t, g, nil, k.event(audit.GrantIssued)))
		}
		for _, c := range []struct {
			sub, client string
			n           int
			live        string
		}{{"", "", 0, "alice bob other"}, {"bob", "", 1, "alice other"}, {"", "app", 1, "other"}} {
			n, err := k.db.RevokeGrants(k.ctx, k.t, c.sub, c.client, k.now, k.pair(), k.event(audit.GrantRevoked))
			k.must(err)
			k.same(n, c.n)
			for id := range whose {
				g, err := k.db.Grant(k.ctx, k.t, id)
				k.must(err)
				k.same(g.Live(k.now), strings.Contains(c.live, id))
			}
		}
	}},
	{"where a grant is rescoped, so are its stored tokens", func(k *kit) {
		g, a, b := k.grant("g"), k.token("a", "g"), k.token("b", "other")
		k.must(k.db.PutGrant(k.ctx, k.t, g, &a, k.event(audit.GrantIssued)))
		k.must(k.db.PutGrant(k.ctx, k.t, k.grant("other"), &b, k.event(audit.GrantIssued)))
		g.Terms.Scope = oauth.Scope{"less"}
		k.must(k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Grant: &g, Rescoped: true, Event: k.event(audit.TokenChanged)}))
		got, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.must(err)
		k.same(got.Scope, oauth.Scope{"less"})
		got, err = k.db.AccessToken(k.ctx, k.t, k.now, b.Hash)
		k.must(err)
		k.same(got.Scope, b.Scope)
	}},
	{"what was granted goes with its client", func(k *kit) {
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, k.event(audit.ClientCreated))
		k.must(err)
		k.enters(0, "read")
		k.must(k.db.DeleteClient(k.ctx, k.t, "app", k.now, k.revocation(""), k.event(audit.ClientDeleted)))
		_, err = k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.is(err, grant.ErrNotFound)
	}},
	{"and with its subject's account", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		k.enters(0, "read")
		k.must(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, k.revocation(""), k.event(audit.UserDeleted)))
		_, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
		k.is(err, grant.ErrNotFound)
	}},
}

// raceForgetScopes is many callers who forget the same, of whom one finds it, while others grant anew.
func raceForgetScopes(k *kit) {
	k.enters(0, "read write")
	k.oneWins(crowd(func(int) error {
		was, err := k.db.ForgetScopes(k.ctx, k.t, "alice", "app", k.event(audit.ConsentForgotten))
		if err == nil && !was {
			err = errNothing
		}
		return err
	}), errNothing)
	k.win(crowd(func(i int) error {
		g := k.grant("g" + strconv.Itoa(i))
		g.Terms.Scope = oauth.Scope{"write", "read", "s" + strconv.Itoa(i%8)}
		_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Grant: &g, Granted: true})
		return err
	}), callers)
	got, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
	k.must(err)
	k.same(len(got.Merged), 10)
}

// pair is the revocation of what alice granted app.
func (k *kit) pair() tenant.Revocation {
	return tenant.Revocation{Subject: "alice", ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}
}

// raceRevokeGrants is many callers who revoke the same grants, each of which one of them finds.
func raceRevokeGrants(k *kit) {
	for i := range 3 {
		k.must(k.db.PutGrant(k.ctx, k.t, k.grant("g"+strconv.Itoa(i)), nil, k.event(audit.GrantIssued)))
	}
	var found atomic.Int64
	k.win(crowd(func(int) error {
		n, err := k.db.RevokeGrants(k.ctx, k.t, "alice", "app", k.now, k.pair(), k.event(audit.GrantRevoked))
		found.Add(int64(n))
		return err
	}), callers)
	k.same(found.Load(), int64(3))
}

var errNothing = errors.New("there was nothing")

package conformance

import (
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
)

// derive records an opaque token of that name that comes of a grant.
func (k *kit) derive(name, from string) error {
	a := k.token(name, from)
	a.Delegation = grant.Delegation{Act: &grant.Actor{Subject: "svc", Act: &grant.Actor{Subject: "bob", Issuer: mark(k.t)}}, MayAct: &grant.Actor{ClientID: "other"}}
	return k.db.Derive(k.ctx, k.t, k.now, grant.Derivation{From: from, Subject: a.Subject, AccessToken: &a, Event: k.event(audit.TokenExchanged)})
}

var derivations = []promise{
	{"a derived token is read as it was written, with who acts", func(k *kit) {
		k.must(k.db.PutGrant(k.ctx, k.t, k.refreshable("g"), nil, k.event(audit.GrantIssued)))
		k.must(k.derive("a", "g"))
		got, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("a"))
		k.must(err)
		want := k.token("a", "g")
		want.Delegation = got.Delegation
		k.same(*got, want)
		k.same(got.Delegation, grant.Delegation{Act: &grant.Actor{Subject: "svc", Act: &grant.Actor{Subject: "bob", Issuer: mark(k.t)}}, MayAct: &grant.Actor{ClientID: "other"}})
		k.same(k.events(), []audit.Kind{audit.TokenExchanged, audit.GrantIssued})
	}},
	{"it dies with the grant that it comes of", func(k *kit) {
		k.must(k.db.PutGrant(k.ctx, k.t, k.refreshable("g"), nil, audit.Event{}))
		k.must(k.derive("a", "g"))
		k.must(k.db.RevokeGrant(k.ctx, k.t, "g", k.now, k.revocation("g"), audit.Event{}))
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("a"))
		k.is(err, grant.ErrNotFound)
	}},
	{"of a grant that is revoked, over or unknown nothing comes", func(k *kit) {
		over, revoked := k.refreshable("over"), k.refreshable("revoked")
		over.ExpiresAt, revoked.RevokedAt = k.now, k.now
		k.must(k.db.PutGrant(k.ctx, k.t, over, nil, audit.Event{}))
		k.must(k.db.PutGrant(k.ctx, k.t, revoked, nil, audit.Event{}))
		for _, id := range []string{"over", "revoked", "none", "a\x00b"} {
			k.is(k.derive("a", id), grant.ErrNotFound)
		}
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("a"))
		k.is(err, grant.ErrNotFound)
		k.same(len(k.events()), 0)
	}},
	{"a new grant comes of nothing, unless its subject is disabled", func(k *kit) {
		g := k.refreshable("g")
		d := grant.Derivation{Subject: "alice", Grant: &g, Event: k.event(audit.GrantIssued)}
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		k.must(k.db.Derive(k.ctx, k.t, k.now, d))
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(*got, g)
		k.disable("alice")
		g.ID = "h"
		k.is(k.db.Derive(k.ctx, k.t, k.now, d), grant.ErrNotFound)
		_, err = k.db.Grant(k.ctx, k.t, "h")
		k.is(err, grant.ErrNotFound)
		d.Subject = "nobody of ours"
		k.must(k.db.Derive(k.ctx, k.t, k.now, d))
	}},
	{"a JWT leaves nothing but the event", func(k *kit) {
		k.must(k.db.Derive(k.ctx, k.t, k.now, grant.Derivation{Subject: "alice", Event: k.event(audit.TokenExchanged)}))
		k.same(k.events(), []audit.Kind{audit.TokenExchanged})
	}},
}

// raceDerive has tokens derived while their grant is revoked: none is alive afterwards.
func raceDerive(k *kit) {
	for _, id := range []string{"one", "two", "three"} {
		k.must(k.db.PutGrant(k.ctx, k.t, k.refreshable(id), nil, audit.Event{}))
		names := make([]string, callers)
		crowd(func(n int) error {
			if n == callers/2 {
				k.is(k.db.RevokeGrant(k.ctx, k.t, id, k.now, k.revocation(id), audit.Event{}), nil)
				return nil
			}
			names[n] = id + " token " + string(rune('A'+n))
			if err := k.derive(names[n], id); err != nil {
				k.is(err, grant.ErrNotFound)
			}
			return nil
		})
		for _, name := range names {
			_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash(name))
			k.is(err, grant.ErrNotFound)
		}
		k.is(k.derive("late", id), grant.ErrNotFound)
	}
}

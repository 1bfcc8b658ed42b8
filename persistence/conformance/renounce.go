package conformance

import (
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// renounce forgets and revokes until now.
func (k *kit) renounce(sub, clientID, actor string) (int, error) {
	return k.db.Renounce(k.ctx, k.t, k.now, tenant.Revocation{Subject: sub, ClientID: clientID, Actor: actor, At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked))
}

// allow puts consent on record, and a grant of that id that comes of it.
func (k *kit) allow(id, sub, clientID, actor string, after time.Duration) {
	k.Helper()
	at := k.at(after)
	g := k.grant(id)
	g.Subject, g.ClientID, g.Actor, g.CreatedAt = sub, clientID, actor, at
	k.finish(&grant.Authorization{Subject: sub, ClientID: clientID, Actor: actor, Scope: oauth.Scope{"openid"}, CreatedAt: at, UpdatedAt: at}, &g)
}

// stands are those of ids whose grant is not revoked.
func (k *kit) stands(ids ...string) (out []string) {
	k.Helper()
	for _, id := range ids {
		g, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		if g.RevokedAt.IsZero() {
			out = append(out, id)
		}
	}
	return out
}

var renouncing = []promise{
	{"what was allowed is counted, with who allowed it and whom", func(k *kit) {
		k.allow("a", "alice", "app", "", 0)
		k.allow("b", "alice", "desk", "", 0)
		k.allow("c", "bob", "app", "admin", 0)
		count := func(sub, client, actor string) grant.Counts {
			c, err := k.db.CountAuthorizations(k.ctx, k.t, sub, client, actor)
			k.must(err)
			return c
		}
		k.same(count("", "", ""), grant.Counts{Authorizations: 3, Subjects: 2, Clients: 2})
		k.same(count("alice", "", ""), grant.Counts{Authorizations: 2, Subjects: 1, Clients: 2})
		k.same(count("", "", "admin"), grant.Counts{Authorizations: 1, Subjects: 1, Clients: 1})
		k.same(count("nobody", "", ""), grant.Counts{})
		subjects, err := k.db.ListConsenting(k.ctx, k.t, "", 9)
		k.must(err)
		k.same(subjects, []string{"alice", "bob"})
		clients, err := k.db.ListConsented(k.ctx, k.t, "app", 9)
		k.must(err)
		k.same(clients, []string{"desk"})
	}},
	{"what is on record is replaced, and what is not is not put there", func(k *kit) {
		k.allow("a", "alice", "app", "", 0)
		z := grant.Authorization{Subject: "alice", ClientID: "app", Scope: oauth.Scope{"read"}, Claims: []string{"email"}, UpdatedAt: k.at(time.Minute)}
		k.must(k.db.PutAuthorization(k.ctx, k.t, z, k.event(audit.Consented)))
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		z.CreatedAt = k.now
		k.same(zs, []grant.Authorization{z})
		k.same(k.stands("a"), []string{"a"})
		z.Actor = "admin"
		k.is(k.db.PutAuthorization(k.ctx, k.t, z, k.event(audit.Consented)), grant.ErrNotFound)
		k.same(k.events(), []audit.Kind{audit.Consented})
	}},
	{"an actor's are revoked, and no others", func(k *kit) {
		k.allow("own", "alice", "app", "", 0)
		k.allow("acted", "alice", "app", "admin", 0)
		k.allow("acted too", "bob", "desk", "admin", 0)
		n, err := k.renounce("", "", "admin")
		k.must(err)
		k.same(n, 2)
		k.same(k.stands("own", "acted", "acted too"), []string{"own"})
		k.same(k.journal(), []tenant.Revocation{{Actor: "admin", At: k.now, ExpiresAt: k.at(time.Hour)}})
		n, err = k.renounce("", "", "")
		k.must(err)
		k.same(n, 0)
		k.same(k.stands("own"), []string{"own"})
	}},
	{"what began after the time that is named stays", func(k *kit) {
		k.allow("before", "alice", "app", "", -time.Minute)
		k.allow("after", "alice", "desk", "", time.Minute)
		n, err := k.renounce("alice", "", "")
		k.must(err)
		k.same(n, 1)
		k.same(k.stands("before", "after"), []string{"after"})
	}},
}

// raceRenounce: what is forgotten is forgotten by one.
func raceRenounce(k *kit) {
	k.allow("a", "alice", "app", "", 0)
	k.allow("b", "alice", "desk", "", 0)
	var forgotten atomic.Int64
	k.win(crowd(func(int) error {
		n, err := k.renounce("alice", "", "")
		forgotten.Add(int64(n))
		return err
	}), callers)
	k.same(forgotten.Load(), int64(2))
	k.same(k.stands("a", "b"), []string(nil))
}

// racePutAuthorization: once one of the crowd has forgotten it, nobody brings it back.
func racePutAuthorization(k *kit) {
	k.allow("a", "alice", "app", "", 0)
	for _, err := range crowd(func(i int) error {
		if i == 7 {
			_, err := k.renounce("alice", "app", "")
			return err
		}
		return k.db.PutAuthorization(k.ctx, k.t, grant.Authorization{Subject: "alice", ClientID: "app", UpdatedAt: k.now}, audit.Event{})
	}) {
		if err != nil {
			k.is(err, grant.ErrNotFound)
		}
	}
	zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
	k.must(err)
	k.same(len(zs), 0)
}

package conformance

import (
	"fmt"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var tokens = []promise{
	{"an opaque token without a grant is read as it was put, while it lives", func(k *kit) {
		a := k.token("a", "")
		k.must(k.db.PutAccessToken(k.ctx, k.t, a))
		got, err := k.db.AccessToken(k.ctx, k.t, a.ExpiresAt.Add(-time.Microsecond), a.Hash)
		k.must(err)
		k.same(*got, a)
		_, err = k.db.AccessToken(k.ctx, k.t, a.ExpiresAt, a.Hash)
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("other"))
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, nil)
		k.is(err, grant.ErrNotFound)
	}},
	{"tokens put at once are each as they were put, and one that cannot be is the trouble of its caller alone", func(k *kit) {
		taken := k.token("taken", "")
		k.must(k.db.PutAccessToken(k.ctx, k.t, taken))
		for round := range 5 {
			errs := crowd(func(i int) error {
				if i == round {
					return k.db.PutAccessToken(k.ctx, k.t, taken)
				}
				a := k.token(fmt.Sprint(round, i), "")
				if i%2 == 0 {
					a.Data, a.Audience, a.Confirmation, a.Details = nil, nil, oauth.Confirmation{}, nil
				}
				return k.db.PutAccessToken(k.ctx, k.t, a)
			})
			for i, err := range errs {
				if (err != nil) != (i == round) {
					k.Errorf("%d: %v", i, err)
				}
				want := k.token(fmt.Sprint(round, i), "")
				if i%2 == 0 {
					want.Data, want.Audience, want.Confirmation, want.Details = nil, nil, oauth.Confirmation{}, nil
				}
				if got, err := k.db.AccessToken(k.ctx, k.t, k.now, want.Hash); i != round {
					k.must(err)
					k.same(*got, want)
				}
			}
		}
	}},
	{"one of a grant lives as long as the grant stands", func(k *kit) {
		for _, c := range []struct {
			says   string
			change func(*grant.Grant)
			lives  bool
		}{
			{"standing", func(*grant.Grant) {}, true},
			{"revoked", func(g *grant.Grant) { g.RevokedAt = k.now }, false},
			{"expired", func(g *grant.Grant) { g.ExpiresAt = k.now }, false},
		} {
			g := k.refreshable(newID())
			a := k.token(newID(), g.ID)
			c.change(&g)
			k.must(k.db.PutGrant(k.ctx, k.t, g, &a, audit.Event{}))
			if _, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash); (err == nil) != c.lives {
				k.Errorf("%s: %v", c.says, err)
			}
		}
		a := k.token("orphan", "none")
		k.must(k.db.PutAccessToken(k.ctx, k.t, a))
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.is(err, grant.ErrNotFound)
	}},
	{"a token without anything is read as such", func(k *kit) {
		a := grant.AccessToken{Hash: hash("bare"), IssuedAt: k.now, ExpiresAt: k.at(time.Minute)}
		k.must(k.db.PutAccessToken(k.ctx, k.t, a))
		got, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.must(err)
		k.same(*got, a)
	}},
	{"a withdrawn token is gone and told, another stays", func(k *kit) {
		a, b := k.token("a", ""), k.token("b", "")
		k.must(k.db.PutAccessToken(k.ctx, k.t, a))
		k.must(k.db.PutAccessToken(k.ctx, k.t, b))
		r := tenant.Revocation{Token: a.ID, At: k.now, ExpiresAt: a.ExpiresAt}
		k.must(k.db.RevokeToken(k.ctx, k.t, a.Hash, k.now, r, k.event(audit.GrantRevoked)))
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, b.Hash)
		k.is(err, nil)
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}})
		k.same(k.events(), []audit.Kind{audit.GrantRevoked})
	}},
	{"a token that is not stored is withdrawn by its id alone", func(k *kit) {
		r := tenant.Revocation{Token: "jwt", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, r, k.event(audit.GrantRevoked)))
		k.same(k.journal(), []tenant.Revocation{r})
	}},
}

var consents = []promise{
	{"withdrawing for one client forgets and revokes what it has, and nothing else", func(k *kit) {
		r := tenant.Revocation{Subject: "alice", ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.consented()
		n, err := k.db.Withdraw(k.ctx, k.t, "alice", "app", k.now, r, k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 2)
		k.same(k.standing(), []string{"alice at other", "bob at app"})
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}})
		k.same(k.events(), []audit.Kind{audit.GrantRevoked})
		n, err = k.db.Withdraw(k.ctx, k.t, "alice", "app", k.now, r, k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 0)
	}},
	{"withdrawing for all clients leaves another subject's", func(k *kit) {
		k.consented()
		r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
		n, err := k.db.Withdraw(k.ctx, k.t, "alice", "", k.now, r, k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 3)
		k.same(k.standing(), []string{"bob at app"})
	}},
	{"withdrawing for a client of all subjects leaves other clients'", func(k *kit) {
		k.consented()
		r := tenant.Revocation{ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}
		n, err := k.db.Withdraw(k.ctx, k.t, "", "app", k.now, r, k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 3)
		k.same(k.standing(), []string{"alice at other"})
		k.same(k.journal(), []tenant.Revocation{r})
		n, err = k.db.Withdraw(k.ctx, k.t, "", "", k.now, r, k.event(audit.GrantRevoked))
		k.must(err)
		k.same(n, 0)
		k.same(k.standing(), []string{"alice at other"})
	}},
	{"consent is listed with who acted", func(k *kit) {
		k.consented()
		zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		acted := k.authorization("app")
		acted.Actor = "carol"
		k.same(zs, []grant.Authorization{k.authorization("app"), acted, k.authorization("other")})
	}},
}

// consented gives consent and grants of two subjects at two clients.
func (k *kit) consented() {
	k.Helper()
	for _, c := range []struct{ sub, actor, client string }{{"alice", "", "app"}, {"alice", "", "other"}, {"bob", "", "app"}, {"alice", "carol", "app"}} {
		z, g := k.authorization(c.client), k.grant(c.sub+" at "+c.client)
		z.Subject, z.Actor, g.Subject, g.ClientID = c.sub, c.actor, c.sub, c.client
		if c.actor != "" {
			k.finish(&z, nil)
			continue
		}
		k.finish(&z, &g)
	}
}

// standing returns which of those grants stand, and checks that consent does where they do.
func (k *kit) standing() (ids []string) {
	k.Helper()
	for _, c := range []struct{ sub, client string }{{"alice", "app"}, {"alice", "other"}, {"bob", "app"}} {
		id := c.sub + " at " + c.client
		g, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		who, err := k.db.SubjectOf(k.ctx, k.t, c.sub, c.client)
		k.must(err)
		if g.RevokedAt.IsZero() != (who.Authorization != nil) {
			k.Errorf("%s: revoked at %v, consent %v", id, g.RevokedAt, who.Authorization)
		}
		if g.RevokedAt.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

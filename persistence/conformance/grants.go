package conformance

import (
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// redemption returns what redeems a grant's code for a refresh token and an opaque access token.
func (k *kit) redemption(g grant.Grant) grant.Redemption {
	r, a := k.line(1), k.token("token of "+g.ID, g.ID)
	return grant.Redemption{Grant: g.ID, CodeHash: g.Code.Hash, Refresh: &r, AccessToken: &a, ExpiresAt: k.at(24 * time.Hour)}
}

// redeem redeems a grant's code.
func (k *kit) redeem(g grant.Grant) error {
	return k.db.RedeemCode(k.ctx, k.t, k.now, k.redemption(g), k.revocation(g.ID), k.event(audit.CodeReplayed))
}

var grants = []promise{
	{"a grant is read as it was put, with its token", func(k *kit) {
		g, a := k.refreshable("g"), k.token("a", "g")
		g.Actor, g.SessionID = "bob", "s"
		k.must(k.db.PutGrant(k.ctx, k.t, g, &a, k.event(audit.GrantIssued)))
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(*got, g)
		token, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.must(err)
		k.same(*token, a)
		k.same(k.events(), []audit.Kind{audit.GrantIssued})
	}},
	{"an unknown grant is ErrNotFound; one that has expired or is revoked is read", func(k *kit) {
		for _, id := range []string{"none", "", "a\x00b", "\xff"} {
			_, err := k.db.Grant(k.ctx, k.t, id)
			k.is(err, grant.ErrNotFound)
		}
		g := k.grant("over")
		g.ExpiresAt, g.RevokedAt = k.at(-time.Hour), k.at(-time.Hour)
		k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
		got, err := k.db.Grant(k.ctx, k.t, "over")
		k.must(err)
		k.same(*got, g)
	}},
	{"a code is redeemed, and what it paid for is there", func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		k.must(k.redeem(g))
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		r := k.line(1)
		g.Code.RedeemedAt, g.Refresh, g.ExpiresAt = k.now, &r, k.at(24*time.Hour)
		k.same(*got, g)
		a, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("token of g"))
		k.must(err)
		k.same(*a, k.token("token of g", "g"))
		k.same(len(k.events()), 0)
	}},
	{"a code that is redeemed without a refresh token leaves none", func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		k.must(k.db.RedeemCode(k.ctx, k.t, k.now, grant.Redemption{Grant: "g", CodeHash: g.Code.Hash, ExpiresAt: k.at(time.Hour)}, k.revocation("g"), audit.Event{}))
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		g.Code.RedeemedAt, g.ExpiresAt = k.now, k.at(time.Hour)
		k.same(*got, g)
	}},
	{"a code used again is ErrReplayed, and revokes all it paid for, once", func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		k.must(k.redeem(g))
		again := k.redemption(g)
		second := k.token("second", "g")
		again.AccessToken = &second
		for range 2 {
			k.is(k.db.RedeemCode(k.ctx, k.t, k.at(time.Second), again, k.revocation("g"), k.event(audit.CodeReplayed)), grant.ErrReplayed)
		}
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(got.RevokedAt, k.at(time.Second))
		for _, name := range []string{"token of g", "second"} {
			_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash(name))
			k.is(err, grant.ErrNotFound)
		}
		_, err = k.rotate("g", 1, 2)
		k.is(err, grant.ErrNotFound)
		r := k.revocation("g")
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}})
		k.same(k.events(), []audit.Kind{audit.CodeReplayed})
	}},
	{"a code that is wrong, unknown, expired or of a revoked grant is ErrNotFound, and revokes nothing", func(k *kit) {
		for _, c := range []struct {
			says   string
			change func(*grant.Grant, *grant.Redemption)
		}{
			{"wrong", func(_ *grant.Grant, r *grant.Redemption) { r.CodeHash = hash("wrong") }},
			{"none", func(_ *grant.Grant, r *grant.Redemption) { r.CodeHash = nil }},
			{"unknown", func(_ *grant.Grant, r *grant.Redemption) { r.Grant = "none" }},
			{"not to be stored", func(_ *grant.Grant, r *grant.Redemption) { r.Grant = "a\x00b" }},
			{"expired", func(g *grant.Grant, _ *grant.Redemption) { g.Code.ExpiresAt = k.now }},
			{"of an expired grant", func(g *grant.Grant, _ *grant.Redemption) { g.ExpiresAt = k.now }},
			{"of a revoked grant", func(g *grant.Grant, _ *grant.Redemption) { g.RevokedAt = k.now }},
			{"redeemed and expired since", func(g *grant.Grant, _ *grant.Redemption) { g.Code.RedeemedAt, g.Code.ExpiresAt = k.now, k.now }},
			{"of a grant without one", func(g *grant.Grant, _ *grant.Redemption) { g.Code = nil }},
		} {
			g := k.grant(newID())
			r := k.redemption(g)
			c.change(&g, &r)
			k.finish(nil, &g)
			if err := k.db.RedeemCode(k.ctx, k.t, k.now, r, k.revocation(g.ID), k.event(audit.CodeReplayed)); err != grant.ErrNotFound {
				k.Errorf("%s: %v", c.says, err)
			}
			_, err := k.db.AccessToken(k.ctx, k.t, k.now, r.AccessToken.Hash)
			k.is(err, grant.ErrNotFound)
		}
		k.same(len(k.journal()), 0)
		k.same(len(k.events()), 0)
	}},
	{"a code may be redeemed until the microsecond before it expires", func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		k.now = g.Code.ExpiresAt.Add(-time.Microsecond)
		k.is(k.redeem(g), nil)
	}},
	{"revoking a grant kills its tokens and is told; doing it again, or to none, changes nothing", func(k *kit) {
		g, a := k.refreshable("g"), k.token("a", "g")
		k.must(k.db.PutGrant(k.ctx, k.t, g, &a, audit.Event{}))
		r := k.revocation("g")
		for range 2 {
			k.is(k.db.RevokeGrant(k.ctx, k.t, "g", k.now, r, k.event(audit.GrantRevoked)), nil)
		}
		for _, id := range []string{"none", "a\x00b"} {
			k.is(k.db.RevokeGrant(k.ctx, k.t, id, k.now, k.revocation(id), k.event(audit.GrantRevoked)), nil)
		}
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.is(err, grant.ErrNotFound)
		_, err = k.rotate("g", 1, 2)
		k.is(err, grant.ErrNotFound)
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}})
		k.same(k.events(), []audit.Kind{audit.GrantRevoked})
	}},
}

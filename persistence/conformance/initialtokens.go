package conformance

import (
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// initialToken returns an initial access token for an hour.
func (k *kit) initialToken(id string, uses int) registration.InitialToken {
	return registration.InitialToken{ID: id, Label: mark(k.t), Hash: hash(id), Scope: "openid a", GrantTypes: []string{"client_credentials"}, Uses: uses,
		CreatedAt: k.now, ExpiresAt: k.at(time.Hour)}
}

// with registers a client with an initial access token.
func (k *kit) with(token, client string, most int, now time.Time) error {
	_, err := k.db.CreateClientWith(k.ctx, k.t, k.client(client), most, hash(token), now, k.event(audit.ClientCreated))
	return err
}

// raceToRegister: many register with a token that has few uses, and each use is worth one client.
func raceToRegister(k *kit) {
	const uses = 5
	k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("a", uses), 9, audit.Event{}))
	k.win(crowd(func(i int) error { return k.with("a", strconv.Itoa(i), 1000, k.now) }), uses, registration.ErrUsedUp)
	cs, err := k.db.Clients(k.ctx, k.t, "", 1000)
	k.must(err)
	k.same(len(cs), uses)
	k.same(len(k.events()), uses)
	numbers := map[int64]bool{}
	for _, c := range cs {
		numbers[c.Number] = true
	}
	k.same(len(numbers), uses)
	ks, err := k.db.InitialTokens(k.ctx, k.t)
	k.must(err)
	k.same(ks[0].Uses, 0)
}

// by registers a client with the access token of a grant.
func (k *kit) by(grantID, client string, most int, now time.Time) error {
	_, err := k.db.CreateClientBy(k.ctx, k.t, k.client(client), most, grantID, now, k.revocation(grantID), k.event(audit.ClientCreated))
	return err
}

// raceToRegisterBy: many register with the token of one grant, which is worth one client.
func raceToRegisterBy(k *kit) {
	a := k.token("token", "grant")
	k.must(k.db.PutGrant(k.ctx, k.t, k.refreshable("grant"), &a, audit.Event{}))
	k.oneWins(crowd(func(i int) error { return k.by("grant", strconv.Itoa(i), 1000, k.now) }), registration.ErrUsedUp)
	cs, err := k.db.Clients(k.ctx, k.t, "", 1000)
	k.must(err)
	k.same(len(cs), 1)
	k.same(len(k.events()), 1)
}

var initialTokens = []promise{
	{"the token of a grant makes one client and ends the grant; where it makes none the grant stands", func(k *kit) {
		a := k.token("token", "grant")
		g := k.refreshable("grant")
		k.must(k.db.PutGrant(k.ctx, k.t, g, &a, audit.Event{}))
		k.is(k.by("none", "x", 9, k.now), registration.ErrUsedUp)
		k.is(k.by("grant", "x", 9, g.ExpiresAt), registration.ErrUsedUp)
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("x"), 9, audit.Event{})
		k.must(err)
		k.is(k.by("grant", "x", 9, k.now), registration.ErrExists)
		k.is(k.by("grant", "y", 1, k.now), registration.ErrFull)
		k.must(k.by("grant", "y", 2, k.now))
		k.is(k.by("grant", "z", 9, k.now), registration.ErrUsedUp)
		got, err := k.db.Grant(k.ctx, k.t, "grant")
		k.must(err)
		k.same(got.Live(k.now), false)
		_, revoked, err := k.db.Snapshot(k.ctx, k.t, k.now)
		k.must(err)
		k.same(revoked, []tenant.Revocation{k.revocation("grant")})
	}},
	{"a token is read as it was made, until its time is over to the microsecond", func(k *kit) {
		want := k.initialToken("a", 2)
		k.must(k.db.PutInitialToken(k.ctx, k.t, want, 9, k.event(audit.InitialTokenCreated)))
		got, err := k.db.InitialToken(k.ctx, k.t, k.at(time.Hour).Add(-time.Microsecond), hash("a"))
		k.must(err)
		k.same(*got, want)
		for _, name := range []string{"a", "none"} {
			_, err = k.db.InitialToken(k.ctx, k.t, k.at(time.Hour), hash(name))
			k.is(err, registration.ErrNotFound)
		}
		k.same(k.events(), []audit.Kind{audit.InitialTokenCreated})
	}},
	{"tokens are listed, the oldest first, as many as there may be", func(k *kit) {
		second := k.initialToken("a", 1)
		second.CreatedAt = k.at(time.Second)
		k.must(k.db.PutInitialToken(k.ctx, k.t, second, 2, audit.Event{}))
		k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("b", 1), 2, audit.Event{}))
		k.is(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("c", 1), 2, audit.Event{}), registration.ErrFull)
		ks, err := k.db.InitialTokens(k.ctx, k.t)
		k.must(err)
		k.same(ks, []registration.InitialToken{k.initialToken("b", 1), second})
		k.must(k.db.DeleteInitialToken(k.ctx, k.t, "b", k.event(audit.InitialTokenRevoked)))
		k.is(k.db.DeleteInitialToken(k.ctx, k.t, "b", k.event(audit.InitialTokenRevoked)), registration.ErrNotFound)
		k.same(k.events(), []audit.Kind{audit.InitialTokenRevoked})
	}},
	{"each use makes one client; what makes none takes none", func(k *kit) {
		k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("a", 2), 9, audit.Event{}))
		k.is(k.with("none", "x", 9, k.now), registration.ErrUsedUp)
		k.is(k.with("a", "x", 9, k.at(time.Hour)), registration.ErrUsedUp)
		k.must(k.with("a", "x", 9, k.now))
		k.is(k.with("a", "x", 9, k.now), registration.ErrExists)
		k.is(k.with("a", "y", 1, k.now), registration.ErrFull)
		k.must(k.with("a", "y", 2, k.now))
		k.is(k.with("a", "z", 9, k.now), registration.ErrUsedUp)
		_, err := k.db.InitialToken(k.ctx, k.t, k.now, hash("a"))
		k.is(err, registration.ErrNotFound)
		c, err := k.db.Client(k.ctx, k.t, "y")
		k.must(err)
		want := k.client("y")
		want.Number = c.Number
		k.same(*c, want)
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, ClientID: "x"}, {Tenant: k.t, ClientID: "y"}})
	}},
	{"a client that nobody uses goes when its time is over, and gives its place back", func(k *kit) {
		k.swept(k.now)
		for _, id := range []string{"unused", "used", "later"} {
			c := k.client(id)
			if c.ExpiresAt = k.at(time.Hour); id == "later" {
				c.ExpiresAt = c.ExpiresAt.Add(time.Microsecond)
			}
			made, err := k.db.CreateClient(k.ctx, k.t, c, 4, audit.Event{})
			k.must(err)
			got, err := k.db.Client(k.ctx, k.t, id)
			k.must(err)
			k.same(*got, made)
			k.same(got.ExpiresAt, c.ExpiresAt)
		}
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("stays"), 4, audit.Event{})
		k.must(err)
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{FirstUse: "used"})
		k.must(err)
		used, err := k.db.Client(k.ctx, k.t, "used")
		k.must(err)
		k.same(used.ExpiresAt, time.Time{})
		k.must(k.db.UpdateClient(k.ctx, k.t, k.client("used"), used.UpdatedAt, audit.Event{})) // read before its use
		k.swept(k.at(time.Hour))
		_, err = k.db.Client(k.ctx, k.t, "unused")
		k.is(err, tenant.ErrNoClient)
		for _, id := range []string{"used", "later", "stays"} {
			_, err = k.db.Client(k.ctx, k.t, id)
			k.is(err, nil)
		}
		k.same(k.events(), []audit.Kind{audit.ClientExpired})
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("next"), 4, audit.Event{})
		k.is(err, nil)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("too many"), 4, audit.Event{})
		k.is(err, registration.ErrFull)
	}},
}

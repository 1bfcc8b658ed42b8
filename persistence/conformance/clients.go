package conformance

import (
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

var clients = []promise{
	{"a client is read as it was created, with a number of its own", func(k *kit) {
		a, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, k.event(audit.ClientCreated))
		k.must(err)
		b, err := k.db.CreateClient(k.ctx, k.t, k.client("b"), 9, k.event(audit.ClientCreated))
		k.must(err)
		if a.Number <= 0 || a.Number == b.Number || b.Number >= 1<<53 {
			k.Errorf("numbers %d and %d", a.Number, b.Number)
		}
		got, err := k.db.Client(k.ctx, k.t, "a")
		k.must(err)
		want := k.client("a")
		want.Number = a.Number
		k.same(*got, want)
		k.same(a, want)
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, ClientID: "a"}, {Tenant: k.t, ClientID: "b"}})
	}},
	{"a client without anything is read as such", func(k *kit) {
		c := tenant.Client{ID: "bare", CreatedAt: k.now, UpdatedAt: k.now}
		c, err := k.db.CreateClient(k.ctx, k.t, c, 9, k.event(audit.ClientCreated))
		k.must(err)
		got, err := k.db.Client(k.ctx, k.t, "bare")
		k.must(err)
		k.same(*got, c)
	}},
	{"an unknown client is ErrNoClient, also where its id cannot be stored", func(k *kit) {
		for _, id := range []string{"none", "", "a\x00b", "\xff", "' OR true --"} {
			_, err := k.db.Client(k.ctx, k.t, id)
			k.is(err, tenant.ErrNoClient)
		}
	}},
	{"an id that is taken is ErrExists, and takes no number and no place", func(k *kit) {
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 2, k.event(audit.ClientCreated))
		k.must(err)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("a"), 2, k.event(audit.ClientCreated))
		k.is(err, registration.ErrExists)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("b"), 2, k.event(audit.ClientCreated))
		k.is(err, nil)
		k.same(k.events(), []audit.Kind{audit.ClientCreated, audit.ClientCreated})
	}},
	{"a tenant that has as many as it may is ErrFull, until one goes", func(k *kit) {
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 1, k.event(audit.ClientCreated))
		k.must(err)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("b"), 1, k.event(audit.ClientCreated))
		k.is(err, registration.ErrFull)
		k.must(k.db.DeleteClient(k.ctx, k.t, "a", k.now, k.revocation(""), k.event(audit.ClientDeleted)))
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("b"), 1, k.event(audit.ClientCreated))
		k.is(err, nil)
	}},
	{"a client changes when it is as it was read", func(k *kit) {
		c, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, k.event(audit.ClientCreated))
		k.must(err)
		read := c.UpdatedAt
		c.Name, c.Secrets, c.Disabled, c.UpdatedAt = "other", c.Secrets[:1], true, k.at(time.Minute)
		k.must(k.db.UpdateClient(k.ctx, k.t, c, read, k.event(audit.ClientUpdated)))
		got, err := k.db.Client(k.ctx, k.t, "a")
		k.must(err)
		k.same(*got, c)
		k.is(k.db.UpdateClient(k.ctx, k.t, c, read, k.event(audit.ClientUpdated)), registration.ErrConflict)
		c.ID = "none"
		k.is(k.db.UpdateClient(k.ctx, k.t, c, read, k.event(audit.ClientUpdated)), registration.ErrNotFound)
		k.same(k.events(), []audit.Kind{audit.ClientUpdated, audit.ClientCreated})
	}},
	{"two changes within one tick of the clock do not look like one", func(k *kit) {
		c, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, k.event(audit.ClientCreated))
		k.must(err)
		k.must(k.db.UpdateClient(k.ctx, k.t, c, c.UpdatedAt, k.event(audit.ClientUpdated)))
		k.is(k.db.UpdateClient(k.ctx, k.t, c, c.UpdatedAt, k.event(audit.ClientUpdated)), registration.ErrConflict)
	}},
	{"a deleted client takes its grants, tokens and consent with it", func(k *kit) {
		for _, id := range []string{"app", "other"} {
			_, err := k.db.CreateClient(k.ctx, k.t, k.client(id), 9, k.event(audit.ClientCreated))
			k.must(err)
			g, a, z := k.grant("grant of "+id), k.token("token of "+id, ""), k.authorization(id)
			g.ClientID, a.ClientID = id, id
			k.must(k.db.PutGrant(k.ctx, k.t, g, nil, k.event(audit.GrantIssued)))
			k.must(k.db.PutAccessToken(k.ctx, k.t, a))
			k.finish(&z, nil)
		}
		r := tenant.Revocation{ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.DeleteClient(k.ctx, k.t, "app", k.now, r, k.event(audit.ClientDeleted)))
		k.is(k.db.DeleteClient(k.ctx, k.t, "app", k.now, r, k.event(audit.ClientDeleted)), registration.ErrNotFound)
		_, err := k.db.Client(k.ctx, k.t, "app")
		k.is(err, tenant.ErrNoClient)
		_, err = k.db.Grant(k.ctx, k.t, "grant of app")
		k.is(err, grant.ErrNotFound)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("token of app"))
		k.is(err, grant.ErrNotFound)
		as, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same(as, []grant.Authorization{k.authorization("other")})
		_, err = k.db.Grant(k.ctx, k.t, "grant of other")
		k.is(err, nil)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, hash("token of other"))
		k.is(err, nil)
		k.same(k.journal(), []tenant.Revocation{r})
		told := k.feed()[2:]
		slices.SortFunc(told, func(a, b tenant.Change) int { return strings.Compare(b.ClientID, a.ClientID) })
		k.same(told, []tenant.Change{{Tenant: k.t, ClientID: "app"}, {Tenant: k.t, Revocation: &r}})
	}},
	{"clients are listed by id, in pages", func(k *kit) {
		for _, id := range []string{"c", "a", "b"} {
			_, err := k.db.CreateClient(k.ctx, k.t, k.client(id), 9, k.event(audit.ClientCreated))
			k.must(err)
		}
		for _, c := range []struct {
			after string
			n     int
			want  []string
		}{{"", 2, []string{"a", "b"}}, {"b", 2, []string{"c"}}, {"c", 2, nil}, {"a\x00", 2, nil}} {
			cs, err := k.db.Clients(k.ctx, k.t, c.after, c.n)
			k.must(err)
			if c.after == "a\x00" {
				continue // either all after a, or none: engines differ, and neither fails
			}
			var ids []string
			for _, x := range cs {
				ids = append(ids, x.ID)
			}
			k.same(ids, c.want)
		}
	}},
}

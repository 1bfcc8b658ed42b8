package conformance

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

var numbers = []promise{
	{"a numbered client's id is its number, and it is told of like any other", func(k *kit) {
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, k.event(audit.ClientCreated))
		k.must(err)
		c, err := k.db.CreateNumbered(k.ctx, k.t, k.client(""), 9, k.event(audit.ClientCreated))
		k.must(err)
		if c.ID != strconv.FormatInt(c.Number, 10) || c.Number <= 0 {
			k.Errorf("id %q, number %d", c.ID, c.Number)
		}
		got, err := k.db.Client(k.ctx, k.t, c.ID)
		k.must(err)
		want := k.client(c.ID)
		want.Number = c.Number
		k.same(*got, want)
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, ClientID: "a"}, {Tenant: k.t, ClientID: c.ID}})
		evs, err := k.db.Events(k.ctx, k.t, k.at(time.Second), 9)
		k.must(err)
		told := false
		for _, ev := range evs {
			told = told || ev.ClientID == c.ID && ev.Kind == audit.ClientCreated && ev.Actor == "admin" && ev.Detail["k"] == "v"
		}
		k.same(told, true)
	}},
	{"a numbered client does not go beyond the limit", func(k *kit) {
		_, err := k.db.CreateNumbered(k.ctx, k.t, k.client(""), 1, k.event(audit.ClientCreated))
		k.must(err)
		_, err = k.db.CreateNumbered(k.ctx, k.t, k.client(""), 1, k.event(audit.ClientCreated))
		k.is(err, registration.ErrFull)
	}},
	{"a client is found by its number, whatever its id", func(k *kit) {
		a, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, k.event(audit.ClientCreated))
		k.must(err)
		id, err := k.db.NumberedClient(k.ctx, k.t, a.Number)
		k.must(err)
		k.same(id, "a")
		_, err = k.db.NumberedClient(k.ctx, k.t, a.Number+1)
		k.is(err, registration.ErrNotFound)
	}},
	{"clients are listed by number, in pages, with how many there are", func(k *kit) {
		for _, id := range []string{"c", "a", "b"} {
			_, err := k.db.CreateClient(k.ctx, k.t, k.client(id), 9, k.event(audit.ClientCreated))
			k.must(err)
		}
		for _, p := range []struct {
			start, n int
			want     []string
		}{{0, 2, []string{"c", "a"}}, {2, 2, []string{"b"}}, {3, 2, nil}, {0, 0, nil}} {
			cs, total, err := k.db.NumberedClients(k.ctx, k.t, "", p.start, p.n)
			k.must(err)
			var ids []string
			for _, c := range cs {
				ids = append(ids, c.ID)
			}
			k.same(ids, p.want)
			k.same(total, 3)
		}
	}},
	{"clients of a developer are listed alone", func(k *kit) {
		for _, id := range []string{"a", "b", "c"} {
			c := k.client(id)
			if id != "b" {
				c.Noted = map[string]json.RawMessage{"developer": json.RawMessage(`"dev"`)}
			}
			_, err := k.db.CreateClient(k.ctx, k.t, c, 9, k.event(audit.ClientCreated))
			k.must(err)
		}
		cs, total, err := k.db.NumberedClients(k.ctx, k.t, "dev", 1, 9)
		k.must(err)
		k.same(total, 2)
		k.same(len(cs), 1)
		k.same(cs[0].ID, "c")
		k.same(string(cs[0].Noted["developer"]), `"dev"`)
		_, total, err = k.db.NumberedClients(k.ctx, k.t, "nobody", 0, 9)
		k.must(err)
		k.same(total, 0)
	}},
	{"tenants are listed by number, and the platform is none of them", func(k *kit) {
		rs, total, err := k.db.NumberedTenants(k.ctx, 0, 100_000)
		k.must(err)
		k.same(total, len(rs))
		here, last := false, int64(0)
		for _, r := range rs {
			if r.ServiceID <= last || r.ID == tenant.Platform {
				k.Errorf("%s has number %d after %d", r.ID, r.ServiceID, last)
			}
			here, last = here || r.ID == k.t, r.ServiceID
		}
		k.same(here, true)
		rs, _, err = k.db.NumberedTenants(k.ctx, total-1, 9)
		k.must(err)
		k.same(len(rs), 1)
	}},
}

// createNumbered is many callers who create numbered clients, up to the limit.
func createNumbered(k *kit) {
	ids := make([]string, callers)
	k.win(crowd(func(i int) error {
		c, err := k.db.CreateNumbered(k.ctx, k.t, k.client(""), 9, k.event(audit.ClientCreated))
		if err == nil {
			ids[i] = c.ID
		}
		return err
	}), 9, registration.ErrFull)
	seen := map[string]bool{}
	for _, id := range ids {
		if id != "" && seen[id] {
			k.Errorf("%s is given twice", id)
		}
		seen[id] = true
	}
}

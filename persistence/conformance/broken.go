package conformance

import (
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence"
)

// Broken checks that a row that cannot be read is the trouble of its tenant alone. exec changes the database behind
// the back of all rules.
func Broken(t *testing.T, db *persistence.DB, exec func(sql string)) {
	for _, c := range []struct{ says, sql, names string }{
		{"settings that are null", `UPDATE tenants SET settings = 'null' WHERE tenant_id = '$'`, "settings"},
		{"settings that are something else", `UPDATE tenants SET settings = '{"tokens": "many"}' WHERE tenant_id = '$'`, "settings"},
		{"a key that does not open", `UPDATE tenant_keys SET sealed = secret FROM tenants WHERE tenants.tenant_id = tenant_keys.tenant_id AND tenants.tenant_id = '$'`, "key "},
		{"a key of an unknown algorithm", `UPDATE tenant_keys SET alg = 'none' WHERE tenant_id = '$'`, "key "},
		{"a secret that does not open", `UPDATE tenants SET secret = (SELECT sealed FROM tenant_keys WHERE tenant_keys.tenant_id = tenants.tenant_id) WHERE tenant_id = '$'`, "secret"},
		{"a secret moved from another tenant", `UPDATE tenants SET secret = (SELECT secret FROM tenants o WHERE o.tenant_id <> tenants.tenant_id LIMIT 1) WHERE tenant_id = '$'`, "secret"},
	} {
		t.Run(c.says, func(t *testing.T) {
			healthy, k := newKit(t, db), newKit(t, db)
			exec(strings.ReplaceAll(c.sql, "$", string(k.t)))
			_, _, err := db.Snapshot(k.ctx, k.t, k.now)
			if err == nil || !strings.Contains(err.Error(), string(k.t)) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got error %v", err)
			}
			_, _, err = db.Snapshot(k.ctx, healthy.t, k.now)
			healthy.must(err)
			rs, err := db.Tenants(k.ctx, "", 10000)
			k.must(err)
			found := 0
			for _, r := range rs {
				if r.ID == k.t || r.ID == healthy.t {
					found++
				}
			}
			k.same(found, 2)
			k.must(db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		})
	}
	t.Run("a client that is something else", func(t *testing.T) {
		k := newKit(t, db)
		for _, id := range []string{"broken", "healthy"} {
			_, err := db.CreateClient(k.ctx, k.t, k.client(id), 9, k.event(audit.ClientCreated))
			k.must(err)
		}
		exec(`UPDATE clients SET metadata = '[1]' WHERE id = 'broken'`)
		if _, err := db.Client(k.ctx, k.t, "broken"); err == nil {
			t.Error("it was read")
		}
		_, err := db.Client(k.ctx, k.t, "healthy")
		k.must(err)
	})
	t.Run("an interaction without a request", func(t *testing.T) {
		k := newKit(t, db)
		k.must(db.Begin(k.ctx, k.t, k.interaction("h"), nil))
		exec(`UPDATE interactions SET request = 'null' WHERE tenant_id = '` + string(k.t) + `'`)
		if _, err := db.Load(k.ctx, k.t, k.now, hash("h")); err == nil {
			t.Error("it was read")
		}
	})
}

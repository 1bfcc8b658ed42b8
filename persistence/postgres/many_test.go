package postgres_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant"
)

// Among 100,000 tenants a page of the list takes under 20 ms and as much memory as among few, and who administers one
// tenant is read, and decided on, within a millisecond.
func TestAmongManyTenants(t *testing.T) {
	dsn := fresh(t)
	db := open(t, postgres.Options{DSN: dsn})
	insert := func(from, to int) {
		exec(t, dsn, fmt.Sprintf(`INSERT INTO tenants (tenant_id, issuer, enabled, secret, settings, created_at, updated_at)
			SELECT 't' || lpad(n::text, 6, '0'), 'https://t' || n || '.example', true, '\x00', jsonb_build_object('name', 'Tenant ' || n), now(), now()
			FROM generate_series(%d, %d) n`, from, to),
			fmt.Sprintf(`INSERT INTO admin_grants (tenant_id, principal, role, granted_at, granted_by)
			SELECT 't' || lpad(n::text, 6, '0'), 'token:x', 'developer', now(), 'test' FROM generate_series(%d, %d) n`, from, to),
			`ANALYZE tenants`, `ANALYZE admin_grants`)
	}
	best := func(f func()) (fastest time.Duration, bytes uint64) {
		f()
		fastest = time.Hour
		for range 7 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := time.Now()
			f()
			fastest = min(fastest, time.Since(begun))
			runtime.ReadMemStats(&after)
			bytes = after.TotalAlloc - before.TotalAlloc
		}
		return fastest, bytes
	}
	page := func(f admin.TenantFilter, after tenant.ID) func() {
		return func() {
			if rs, err := db.FindTenants(t.Context(), f, after, 101); err != nil || len(rs) != 101 {
				t.Fatal(len(rs), err)
			}
		}
	}
	insert(1, 1000)
	_, few := best(page(admin.TenantFilter{}, ""))
	insert(1001, 100_000)
	for _, tt := range []struct {
		rule string
		list func()
	}{
		{"the first page", page(admin.TenantFilter{}, "")},
		{"a page in the middle", page(admin.TenantFilter{}, "t050000")},
		{"the first page of a search", page(admin.TenantFilter{Query: "tenant 9"}, "")},
		{"the first page of those that are enabled", page(admin.TenantFilter{Enabled: new(true)}, "")},
	} {
		took, bytes := best(tt.list)
		t.Logf("%s: %v, %d bytes", tt.rule, took, bytes)
		if took > slower*20*time.Millisecond || bytes > few+few/4+64<<10 {
			t.Errorf("%s takes %v and %d bytes; among few it is %d bytes", tt.rule, took, bytes, few)
		}
	}
	policy, version := admin.NewPolicy(db), int64(0)
	cold, _ := best(func() {
		version++ // which no enforcer is for
		at := &tenant.Tenant{ID: tenant.ID(fmt.Sprintf("t%06d", 1000*version)), Version: version}
		if ok, err := policy.Allows(t.Context(), at, "token:x", admin.OnTenant, admin.WriteClients); err != nil || !ok {
			t.Fatal(ok, err)
		}
	})
	at := &tenant.Tenant{ID: "t000001", Version: 1}
	warm, _ := best(func() {
		for range 100 {
			_, _ = policy.Allows(t.Context(), at, "token:x", admin.OnTenant, admin.ReadKeys)
		}
	})
	t.Logf("a decision takes %v cold and %v warm", cold, warm/100)
	if cold > slower*time.Millisecond || warm/100 > slower*50*time.Microsecond {
		t.Errorf("a decision takes %v cold and %v warm", cold, warm/100)
	}
}

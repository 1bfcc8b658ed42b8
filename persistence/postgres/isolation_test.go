package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant"
)

// tables are all tables of tenants' rows.
func tables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name::text FROM information_schema.columns WHERE column_name = 'tenant_id' AND table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 13 {
		t.Fatal(names, err)
	}
	return names
}

func connect(t *testing.T, dsn string, before ...string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, s := range before {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

func TestRowLevelSecurity(t *testing.T) {
	dsn := fresh(t)
	owner := connect(t, dsn, `SET session_replication_role = replica`) // in whatever order the rows come
	all := tables(t, owner)
	for _, table := range all { // a row of each tenant, whatever it says
		for _, id := range []string{"a", "b"} {
			if _, err := owner.Exec(t.Context(), fill(t, owner, table, id)); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
	count := func(conn *pgx.Conn, where string) map[string]int {
		n := map[string]int{}
		for _, table := range all {
			var rows int
			if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE `+where).Scan(&rows); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			n[table] = rows
		}
		return n
	}
	for _, c := range []struct {
		says   string
		before []string
		a, b   int
	}{
		{"the tenants' role without a tenant sees nothing", []string{`SET ROLE chancery_app`}, 0, 0},
		{"nor with an empty one", []string{`SET ROLE chancery_app`, `SET app.tenant_id = ''`}, 0, 0},
		{"as a, it sees a", []string{`SET ROLE chancery_app`, `SET app.tenant_id = 'a'`}, 1, 0},
		{"as b, it sees b", []string{`SET ROLE chancery_app`, `SET app.tenant_id = 'b'`}, 0, 1},
		{"the system's role sees all", []string{`SET ROLE chancery_system`}, 1, 1},
	} {
		t.Run(c.says, func(t *testing.T) {
			conn := connect(t, dsn, c.before...)
			for table, n := range count(conn, `tenant_id = 'a' OR tenant_id IS NULL`) {
				if n != c.a {
					t.Errorf("%s: %d rows of a", table, n)
				}
			}
			for table, n := range count(conn, `tenant_id = 'b'`) {
				if n != c.b {
					t.Errorf("%s: %d rows of b", table, n)
				}
			}
		})
	}
	t.Run("as a, nothing of b is changed, and nothing becomes b's", func(t *testing.T) {
		conn := connect(t, dsn, `SET ROLE chancery_app`, `SET app.tenant_id = 'a'`)
		for _, table := range all {
			for _, change := range []string{`UPDATE ` + table + ` SET tenant_id = 'b'`, `DELETE FROM ` + table + ` WHERE tenant_id = 'b'`, fill(t, owner, table, "b")} {
				tag, err := conn.Exec(t.Context(), change)
				if err == nil && tag.RowsAffected() > 0 {
					t.Errorf("%s: %d rows", change, tag.RowsAffected())
				}
			}
		}
		for table, n := range count(owner, `tenant_id = 'b'`) {
			if n != 1 {
				t.Errorf("%s: %d rows of b", table, n)
			}
		}
	})
	t.Run("every table is under it, also for its owner", func(t *testing.T) {
		var open []string
		rows, err := owner.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relname = ANY ($1) AND NOT (relrowsecurity AND relforcerowsecurity)`, all)
		if err == nil {
			open, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil || len(open) > 0 {
			t.Error(open, err)
		}
	})
	t.Run("every primary and unique key begins with the tenant, but those that find one", func(t *testing.T) {
		rows, err := owner.Query(t.Context(), `SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			WHERE i.indisunique AND i.indrelid::regclass::text = ANY ($1) AND a.attname <> 'tenant_id' ORDER BY 1`, all)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !slices.Equal(got, []string{"tenant_issuers_issuer_key", "tenants_issuer_key", "tenants_service_id_key"}) {
			t.Error(got, err)
		}
	})
}

// fill returns a statement that inserts a row of a tenant, with any value in each other column that needs one.
func fill(t *testing.T, conn *pgx.Conn, table, id string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1
		AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND column_name <> 'tenant_id'`, table)
	if err != nil {
		t.Fatal(err)
	}
	names, values := []string{"tenant_id"}, []string{"'" + id + "'"}
	var name, kind string
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		value, ok := map[string]string{"timestamp with time zone": "now()", "bigint": "1", "integer": "1", "boolean": "true", "text": "'x" + id + "'",
			"bytea": "''", "json": "'{}'", "jsonb": "'{}'"}[kind]
		if !ok {
			return fmt.Errorf("%s is of type %s", name, kind)
		}
		names, values = append(names, name), append(values, value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if table == "tenants" {
		return fmt.Sprintf(`INSERT INTO tenants (%s) VALUES (%s) ON CONFLICT DO NOTHING`, strings.Join(names, ", "), strings.Join(values, ", "))
	}
	return fmt.Sprintf(`INSERT INTO tenants (tenant_id, issuer, created_at, updated_at, enabled, secret, settings)
		VALUES ('%s', 'x%s', now(), now(), true, '', '{}') ON CONFLICT DO NOTHING; INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING`,
		id, id, table, strings.Join(names, ", "), strings.Join(values, ", "))
}

// One connection serves many tenants in turn: what it was told for one must never serve another.
func TestAConnectionForgetsItsTenant(t *testing.T) {
	db := open(t, postgres.Options{DSN: fresh(t), Conns: 2})
	now := time.Now()
	const n = 20
	id := func(i int) tenant.ID { return tenant.ID(fmt.Sprintf("t%d", i%n)) }
	for i := range n {
		a := account.Account{Subject: "alice", Username: string(id(i)), CreatedAt: now, UpdatedAt: now}
		if err := db.CreateAccount(t.Context(), id(i), a, audit.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+w)%7 == 0 {
					cancel() // at whatever moment
				} else if (i+w)%11 == 0 {
					time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
				}
				as, err := db.Accounts(ctx, id(i*w), "", 10)
				cancel()
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					continue
				}
				if len(as) != 1 || as[0].Username != string(id(i*w)) {
					t.Errorf("%s sees %v", id(i*w), as)
				}
			}
		})
	}
	wg.Wait()
}

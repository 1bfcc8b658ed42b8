package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/conformance"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant/keys"
)

func sealer(t testing.TB) keys.Sealer {
	s, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, path string) *persistence.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Sealer: sealer(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) *persistence.DB { return open(t, filepath.Join(t.TempDir(), "chancery.db")) })
}

func BenchmarkStore(b *testing.B) {
	conformance.Benchmark(b, open(b, filepath.Join(b.TempDir(), "chancery.db")), nil)
}

func TestBrokenRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	db := open(t, path)
	behind, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	conformance.Broken(t, db, func(sql string) {
		if _, err := behind.Exec(sql); err != nil {
			t.Fatal(sql, err)
		}
	})
}

func TestTamperedEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	db := open(t, path)
	behind, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	conformance.Tampered(t, db, func(sql string) {
		if _, err := behind.Exec(sql); err != nil {
			t.Fatal(sql, err)
		}
	})
}

func TestKeysBeginWithTheTenant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	open(t, path)
	behind, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	rows, err := behind.Query(`SELECT m.name, c.name FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
		WHERE m.type = 'table' AND i."unique" AND c.seqno = 0 AND c.name <> 'tenant_id' AND m.name NOT IN ('goose_db_version')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if table != "tenants" && table != "tenant_issuers" || column != "issuer" { // by which the directory finds one
			t.Errorf("a key of %s begins with %s", table, column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

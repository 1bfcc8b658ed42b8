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

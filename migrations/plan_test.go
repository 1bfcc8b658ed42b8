package migrations

import (
	"context"
	"database/sql"
	"testing"

	_ "modernc.org/sqlite"
)

// A step that raises the floor is told apart, but not on an empty database, where nobody serves.
func TestPlan(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, engine := range []string{"postgres", "sqlite"} {
		steps, err := Plan(context.Background(), db, engine)
		if err != nil || len(steps) < 5 || steps[0].Version != 1 || steps[0].Name != "tenants and flows" {
			t.Fatalf("%s: %d steps, %v", engine, len(steps), err)
		}
		for i, s := range steps {
			if s.SQL == "" || s.Contracts || i > 0 && s.Version <= steps[i-1].Version {
				t.Errorf("%s: step %d is %+v", engine, i, s)
			}
		}
	}
	for _, q := range []string{
		"CREATE TABLE goose_db_version (version_id INTEGER, is_applied INTEGER)", "INSERT INTO goose_db_version VALUES (2, 1)",
		"CREATE TABLE schema_floor (version INTEGER)", "INSERT INTO schema_floor VALUES (1)",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if steps, err := Plan(context.Background(), db, "sqlite"); err != nil || len(steps) == 0 || steps[0].Version != 3 {
		t.Errorf("%v, %v", steps, err)
	}
}

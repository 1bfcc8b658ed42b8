package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/migrations"
	"github.com/chancery-id/chancery/persistence/postgres"
)

// works fails the test where a migrated database does not serve.
func works(t *testing.T, dsn string) {
	t.Helper()
	db := open(t, postgres.Options{DSN: dsn})
	a := account.Account{Subject: "alice", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := db.CreateAccount(t.Context(), "t", a, audit.Event{}); err != nil {
		t.Error(err)
	}
	if _, err := db.Account(t.Context(), "t", "alice"); err != nil {
		t.Error(err)
	}
	if _, err := db.Sweep(t.Context(), time.Now(), 10); err != nil {
		t.Error(err)
	}
}

func TestManyMigrateAtOnce(t *testing.T) {
	dsns := []string{database(t, ""), database(t, "")} // the roles are those of both
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			db, err := postgres.Open(t.Context(), postgres.Options{DSN: dsns[i%2], Sealer: sealer(t)})
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	wg.Wait()
	works(t, dsns[0])
	works(t, dsns[1])
}

// user makes a user of the server who is no superuser, with a database of its own.
func user(t *testing.T, options string) string {
	t.Helper()
	dsn, name := server(t), "chancery_user_"+random()
	exec(t, dsn, `CREATE USER `+name+` PASSWORD '`+name+`' NOSUPERUSER `+options)
	t.Cleanup(func() { exec(t, dsn, `DROP ROLE `+name) })
	exec(t, dsn, `CREATE DATABASE `+name+` OWNER `+name)
	t.Cleanup(func() { exec(t, dsn, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return with(t, dsn, name, name)
}

func TestAnOwnerWhoMayMakeRolesMigrates(t *testing.T) { works(t, user(t, "CREATEROLE")) }

func TestAnOwnerWhoWasGrantedTheRolesMigrates(t *testing.T) {
	fresh(t) // so that there are the roles
	dsn := user(t, "")
	name := strings.Split(strings.SplitAfter(dsn, "://")[1], ":")[0]
	_, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, Sealer: sealer(t)})
	if err == nil {
		t.Fatal("it migrated without being granted the roles")
	}
	if !strings.Contains(err.Error(), "chancery_app") {
		t.Errorf("the error does not say what is missing: %v", err)
	}
	exec(t, server(t), `GRANT chancery_app, chancery_system TO `+name)
	works(t, dsn)
}

func TestASchemaThatIsTooNewIsRefused(t *testing.T) {
	dsn := fresh(t)
	exec(t, dsn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	works(t, dsn) // of a later release, which still suits this one
	exec(t, dsn, `UPDATE schema_floor SET version = 999`)
	_, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, Sealer: sealer(t)})
	if !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatForgetsIsRefused(t *testing.T) {
	dsn := fresh(t)
	exec(t, dsn, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`)
	_, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, Sealer: sealer(t), Durable: true})
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("got %v", err)
	}
	open(t, postgres.Options{DSN: dsn})
}

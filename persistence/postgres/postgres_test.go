package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/conformance"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant/keys"
)

func sealer(t testing.TB) keys.Sealer {
	s, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// server returns the DSN of the test server, or skips the test.
func server(t testing.TB) string {
	dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL")
	if dsn == "" {
		t.Skip("CHANCERY_TEST_DATABASE_URL is not set")
	}
	return dsn
}

// exec runs SQL outside of any scope, as whoever dsn says.
func exec(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// with returns dsn with another database, and another user where it is named.
func with(t testing.TB, dsn, database, user string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	if user != "" {
		u.User = url.UserPassword(user, user)
	}
	return u.String()
}

// database makes a database of its own for the test, and returns its DSN. It is dropped when the test ends.
func database(t testing.TB, options string) string {
	t.Helper()
	dsn, name := server(t), "chancery_"+random()
	exec(t, dsn, `CREATE DATABASE `+name+` `+options)
	t.Cleanup(func() { exec(t, dsn, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return with(t, dsn, name, "")
}

func random() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// migrated is a database that others are copied from, as migrating each takes longer.
var migrated struct {
	sync.Mutex
	name string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL"); migrated.name != "" {
		if conn, err := pgx.Connect(context.Background(), dsn); err == nil {
			_, _ = conn.Exec(context.Background(), `DROP DATABASE `+migrated.name)
			_ = conn.Close(context.Background())
		}
	}
	os.Exit(code)
}

// fresh returns the DSN of a migrated, empty database.
func fresh(t testing.TB) string {
	t.Helper()
	dsn := server(t)
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.name == "" {
		name := "chancery_template_" + random()
		exec(t, dsn, `CREATE DATABASE `+name)
		db, err := postgres.Open(t.Context(), postgres.Options{DSN: with(t, dsn, name, ""), Sealer: sealer(t)})
		if err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
		migrated.name = name
	}
	return database(t, `TEMPLATE `+migrated.name)
}

func open(t testing.TB, o postgres.Options) *persistence.DB {
	t.Helper()
	o.Sealer = sealer(t)
	db, err := postgres.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) *persistence.DB { return open(t, postgres.Options{DSN: fresh(t)}) })
}

func TestBrokenRows(t *testing.T) {
	dsn := fresh(t)
	conformance.Broken(t, open(t, postgres.Options{DSN: dsn}), func(sql string) { exec(t, dsn, sql) })
}

// Of several hosts the one is used that takes writes (docs/scale.md), and the DSN may bound the connections.
func TestSeveralHosts(t *testing.T) {
	dsn := fresh(t)
	at := strings.Index(dsn, "@") + 1
	several := dsn[:at] + "127.0.0.1:1," + dsn[at:] + "&target_session_attrs=read-write&pool_max_conns=2"
	db := open(t, postgres.Options{DSN: several, Sealer: sealer(t)})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	a := account.Account{Subject: "alice", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := db.CreateAccount(t.Context(), "t", a, audit.Event{}); err != nil {
		t.Error(err)
	}
}

func TestTamperedEvents(t *testing.T) {
	dsn := fresh(t)
	conformance.Tampered(t, open(t, postgres.Options{DSN: dsn}), func(sql string) { exec(t, dsn, sql) })
}

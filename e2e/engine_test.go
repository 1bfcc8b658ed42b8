package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// engine is a database that the server runs on.
type engine string

const (
	sqlite   engine = "sqlite"
	postgres engine = "postgres"
)

// maintenance is the DSN of a PostgreSQL server in which tests may create databases; without it only SQLite is tested.
var maintenance = os.Getenv("CHANCERY_TEST_DATABASE_URL")

// engines are those that this run tests.
func engines() []engine {
	if maintenance == "" {
		return []engine{sqlite}
	}
	return []engine{sqlite, postgres}
}

// onEach runs test on a server of each engine, shared with other tests. Each brings its own tenants.
func onEach(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, shared(t, e))
		})
	}
}

var (
	sharing sync.Mutex
	servers = map[engine]*server{}
	cleanup []func() error
)

// shared returns the running server of that engine.
func shared(t *testing.T, e engine) *server {
	t.Helper()
	sharing.Lock()
	defer sharing.Unlock()
	if s := servers[e]; s != nil {
		return s
	}
	conf, drop := database(t, e)
	observed(&conf)
	cleanup = append(cleanup, drop)
	s, err := start(conf)
	if err != nil {
		t.Fatal(err)
	}
	servers[e] = s
	return s
}

// closeShared stops the shared servers and returns what is wrong with the way they ran or ended.
func closeShared() error {
	var errs []error
	errs = append(errs, leaked((*server).stop))
	for _, s := range servers {
		errs = append(errs, s.flaws())
	}
	for _, f := range cleanup {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// fresh starts a server of its own for one test on a new database.
func fresh(t *testing.T, e engine, change func(*conf)) *server {
	t.Helper()
	c, drop := database(t, e)
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	if change != nil {
		change(&c)
	}
	return launch(t, c)
}

// launch starts a server, and ends it with the test.
func launch(t *testing.T, c conf) *server {
	t.Helper()
	s, err := start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.stop(), s.flaws()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the end of what the server said:\n%s", s.tail(12))
		}
	})
	return s
}

// database returns the configuration of a server with an empty database, and what removes it.
func database(t *testing.T, e engine) (conf, func() error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "chancery-e2e-data-")
	if err != nil {
		t.Fatal(err)
	}
	c := conf{data: dir, adminToken: "admin-" + rand.Text() + rand.Text()}
	secret(c.adminToken)
	if e == sqlite {
		return c, func() error { return os.RemoveAll(dir) }
	}
	name := "e2e_" + strings.ToLower(rand.Text()[:12])
	if err := inMaintenance("create database " + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(maintenance)
	if err != nil {
		t.Fatal("CHANCERY_TEST_DATABASE_URL is not a URL")
	}
	u.Path = "/" + name
	c.databaseURL = u.String()
	return c, func() error {
		return errors.Join(inMaintenance("drop database "+name+" with (force)"), os.RemoveAll(dir))
	}
}

func inMaintenance(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, maintenance)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// Package persistence implements each Store with gorm, on PostgreSQL and on SQLite. One handle, DB.in, reaches the
// rows of one tenant; a plugin refuses every statement that did not come from it, and PostgreSQL's row level security
// holds the same line behind it. Only the directory, the list of tenants and the sweeper see more than one tenant.
//
// A store method that changes something is one effect: on PostgreSQL one statement and one round trip, on SQLite one
// transaction.
package persistence

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// DB is an open database. It implements tenant.Directory and every Store.
type DB struct {
	engine      Engine
	sealer      keys.Sealer
	oneTenant   handles
	everyTenant handles // not scoped: for the directory, the list of tenants and the sweeper alone
	walk        walk
	together    together
	owed        func(tenant.ID) // see Owes
	happened    func(tenant.ID) // see Happens
}

// Engine is what a database engine brings. The packages postgres and sqlite make it.
type Engine struct {
	Dialect Dialect
	// Write and Read reach one tenant's rows, Every all; they may share connections, but each is a gorm.DB of its own.
	Write, Read, EveryWrite, EveryRead *gorm.DB
	// Failure says what an error of the engine means.
	Failure func(error) Failure
	// Listen is tenant.Directory's, or nil where the engine cannot tell.
	Listen func(ctx context.Context, wake func()) error
	Close  func() error
	// Pool tells of the connections: how many are open, in use and idle, and how many there may be.
	Pool func() (open, used, idle, most int)
}

type handles struct{ write, read *gorm.DB }

// New returns the database that e opened. Private keys and secrets are sealed by s.
func New(e Engine, s keys.Sealer) (*DB, error) {
	for _, g := range []*gorm.DB{e.Write, e.Read} {
		if _, done := g.Plugins[tenancy{}.Name()]; done {
			continue // reading and writing through the same handle
		}
		if err := g.Use(tenancy{}); err != nil {
			return nil, fmt.Errorf("persistence: %w", err)
		}
	}
	return &DB{engine: e, sealer: s, oneTenant: handles{e.Write, e.Read}, everyTenant: handles{e.EveryWrite, e.EveryRead}}, nil
}

// Pool tells of the connections to the database: how many are open, in use and idle, and how many there may be.
func (db *DB) Pool() (open, used, idle, most int) { return db.engine.Pool() }

// Close closes every connection.
func (db *DB) Close() error { return db.engine.Close() }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.do(ctx, reads, "ping", func(ctx context.Context) error {
		return db.everyTenant.read.WithContext(ctx).Exec("SELECT 1").Error
	})
}

// How long one attempt and one operation may take, and how often it is tried.
const (
	patience = 8 * time.Second
	attempts = 6
	pause    = 4 * time.Millisecond // before the second attempt; it doubles
)

// manner says what may be repeated when it is not known whether it happened.
type manner bool

const (
	reads  manner = true
	writes manner = false
)

// do runs f, which is one statement or one transaction, again where the engine says that another attempt may do
// better. Its errors are sentinels of the stores, oauth.Unavailable, or what with the cause.
func (db *DB) do(ctx context.Context, how manner, what string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for n := 1; ; n++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		failure := db.failure(ctx, err)
		if n == attempts || !failure.again(how) || !wait(ctx, n) {
			return failure.word(what, err)
		}
	}
}

// wait pauses before attempt n+1, and reports whether there is still time for it.
func wait(ctx context.Context, n int) bool {
	d := pause << (n - 1)
	timer := time.NewTimer(d/2 + rand.N(d)) // apart, so that two who met do not meet again
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// in returns the handle for the rows of t. It is the only way to them.
func (db *DB) in(ctx context.Context, t tenant.ID) *gorm.DB {
	return on(db.oneTenant.write, scoped(ctx, t))
}

// look is in, for statements that only read.
func (db *DB) look(ctx context.Context, t tenant.ID) *gorm.DB {
	return on(db.oneTenant.read, scoped(ctx, t))
}

// on returns a handle under ctx on which one statement after the other can be made.
func on(g *gorm.DB, ctx context.Context) *gorm.DB {
	return g.Session(&gorm.Session{NewDB: true, Context: ctx})
}

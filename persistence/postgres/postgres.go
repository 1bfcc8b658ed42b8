// Package postgres opens PostgreSQL. Each connection takes one of two roles: that of one tenant, whose id the
// connection is told before a statement of that tenant runs on it, or that of all.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"go.opentelemetry.io/otel/trace"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/chancery-id/chancery/migrations"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Options are how a database is opened.
type Options struct {
	DSN       string // of a user that owns the tables, or will
	ListenDSN string // of a direct connection, for migrations and notifications, where DSN leads through a pooler
	Sealer    keys.Sealer
	Conns     int                  // connections for tenants' statements; where it is zero, pool_max_conns of the DSN, or 16. Two more serve all tenants
	Tracer    trace.TracerProvider // nil: no spans
	Statement func(sql string)     // called for each statement that is sent, BEGIN and COMMIT among them; may be nil
	Durable   bool                 // refuse a server that may lose what it acknowledged
}

// The roles that migrations make.
const (
	oneTenant   = "chancery_app"
	everyTenant = "chancery_system"
)

// session is what each connection is set to: a role that owns nothing, an end to every wait, and plans that stay right
// when a small table has grown and nobody has told the planner yet. Every hot statement has its index.
const session = `SET ROLE %s; SET statement_timeout = '5s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s';
	SET enable_seqscan = off; SET jit = off`

const (
	dialing   = 2 * time.Second
	acquiring = 2 * time.Second
	keepAlive = 15 * time.Second
)

// Open connects to the database, migrates it and returns it.
func Open(ctx context.Context, o Options) (*persistence.DB, error) {
	config, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	careful(config.ConnConfig)
	pooled, err := throughPooler(ctx, config.ConnConfig)
	if err != nil {
		return nil, err
	}
	direct := config.ConnConfig.Copy()
	if o.ListenDSN != "" {
		if direct, err = pgx.ParseConfig(o.ListenDSN); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
		careful(direct)
	} else if pooled {
		return nil, errPooler
	}
	if err := migrate(ctx, direct, o.Durable); err != nil {
		return nil, err
	}
	if pooled { // the next transaction may be on another connection, which knows nothing of what this one prepared
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	config.ConnConfig.Tracer = o.tracer()
	if o.Conns == 0 {
		o.Conns = 16
		if strings.Contains(o.DSN, "pool_max_conns=") {
			o.Conns = int(config.MaxConns)
		}
	}
	one, err := open(ctx, config.Copy(), oneTenant, o.Conns, pooled)
	if err != nil {
		return nil, err
	}
	every, err := open(ctx, config.Copy(), everyTenant, 2, pooled)
	if err != nil {
		one.close()
		return nil, err
	}
	return persistence.New(persistence.Engine{
		Dialect: persistence.PostgreSQL, Write: one.gorm, Read: one.gorm, EveryWrite: every.gorm, EveryRead: every.gorm,
		Failure: failure,
		Listen:  func(ctx context.Context, wake func()) error { return listenFor(ctx, direct, wake) },
		Close:   func() error { one.close(); every.close(); return nil },
		Pool: func() (open, used, idle, most int) {
			for _, p := range []*pool{one, every} {
				s := p.pgx.Stat()
				open, used, idle, most = open+int(s.TotalConns()), used+int(s.AcquiredConns()), idle+int(s.IdleConns()), most+int(s.MaxConns())
			}
			return open, used, idle, most
		},
	}, o.Sealer)
}

// careful sees to it that no connection waits for a peer that is gone.
func careful(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = dialing
	}
	c.DialFunc = (&net.Dialer{Timeout: dialing, KeepAlive: keepAlive}).DialContext
}

// errPooler: notifications and the lock of migrations need a connection that stays the same.
var errPooler = errors.New("postgres: the database is reached through a pooler: a direct address is needed beside it")

// throughPooler reports whether c leads to a pooler: what answers is not the process that was announced. A pooler may
// change connections with each transaction, so that nothing can be said to one once and for all.
func throughPooler(ctx context.Context, c *pgx.ConnConfig) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return false, unavailable(err)
	}
	defer conn.Close(ctx)
	var pid uint32
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return false, unavailable(err)
	}
	return pid != conn.PgConn().PID(), nil
}

// Plan returns the migrations that the database lacks. It changes nothing.
func Plan(ctx context.Context, o Options) ([]migrations.Step, error) {
	c, err := pgx.ParseConfig(cmp.Or(o.ListenDSN, o.DSN))
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	careful(c)
	db := stdlib.OpenDB(*c)
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return nil, unavailable(err)
	}
	return migrations.Plan(ctx, db, "postgres")
}

// migrate brings the schema up to date, over a connection without a role.
func migrate(ctx context.Context, c *pgx.ConnConfig, durable bool) error {
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `SET lock_timeout = '2s'`) // so that nobody waits long behind a migration that waits
		return err
	}))
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return unavailable(err)
	}
	if durable {
		if err := keeps(ctx, db); err != nil {
			return err
		}
	}
	for n := 1; ; n++ {
		err := migrations.Postgres(ctx, db)
		if err == nil || n == 10 || failure(err) != persistence.Down {
			return err
		}
	}
}

// keeps returns an error where what is acknowledged may be lost.
func keeps(ctx context.Context, db *sql.DB) error {
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := db.QueryRowContext(ctx, `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
			return unavailable(err)
		}
		if value == "off" {
			return fmt.Errorf("postgres: %s is off: the server may lose what it acknowledged", setting)
		}
	}
	return nil
}

func (o *Options) tracer() pgx.QueryTracer {
	var all []pgx.QueryTracer
	if o.Tracer != nil {
		all = append(all, otelpgx.NewTracer(otelpgx.WithTracerProvider(o.Tracer), otelpgx.WithDisableConnectionDetailsInAttributes()))
	}
	if o.Statement != nil {
		all = append(all, counting(o.Statement))
	}
	if all == nil {
		return nil
	}
	return multitracer.New(all...)
}

// counting tells of each statement but those that tell a connection its tenant.
type counting func(sql string)

// TraceQueryStart implements pgx.QueryTracer.
func (f counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	f.tell(d.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (f counting) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	for _, q := range d.Batch.QueuedQueries {
		f.tell(q.SQL)
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (counting) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (counting) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (f counting) tell(sql string) {
	if sql != setTenant && sql != setBoth {
		f(sql)
	}
}

// pool is the connections of one role.
type pool struct {
	pgx  *pgxpool.Pool
	sql  *sql.DB
	gorm *gorm.DB
}

func (p *pool) close() {
	_ = p.sql.Close()
	p.pgx.Close()
}

func open(ctx context.Context, c *pgxpool.Config, role string, conns int, pooled bool) (*pool, error) {
	c.MaxConns, c.MaxConnLifetimeJitter = int32(conns), time.Minute
	if !pooled {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.PgConn().Exec(ctx, fmt.Sprintf(session, role)).ReadAll()
			return err
		}
	}
	p, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, unavailable(err)
	}
	db := sql.OpenDB(&connector{pool: p, role: role, pooled: pooled})
	db.SetMaxIdleConns(0) // the pool keeps them
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: db}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return &pool{p, db, g}, nil
}

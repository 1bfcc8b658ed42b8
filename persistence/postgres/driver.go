package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/chancery-id/chancery/persistence"
)

// The driver stands between database/sql, which gorm speaks, and the pool. It sees to it that a statement runs for the
// tenant of its scope, and for no other: where the connection was told another one, or may have been, the tenant is
// sent with the statement, in the same round trip. Without a scope it is told that there is none, and sees nothing.

// setTenant tells a connection whose rows it is about.
const setTenant = `SELECT set_config('app.tenant_id', $1, false)`

// setBoth tells role, tenant and what else session says until the end of the transaction. A connection pooled by
// transaction is told with each one, as it may be another every time.
const setBoth = `SELECT set_config('role', $1, true), set_config('app.tenant_id', $2, true), set_config('statement_timeout', '5s', true),
	set_config('lock_timeout', '2s', true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`

// told is where a connection remembers the tenant that it was told.
const told = "chancery:tenant"

// connector takes connections from the pool, and does not wait for one for long.
type connector struct {
	pool   *pgxpool.Pool
	role   string
	pooled bool // by transaction, somewhere on the way
}

// errNoConnection: every connection was in use, or none could be made, for as long as we wait for one.
var errNoConnection = errors.New("postgres: no connection")

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, acquiring)
	defer cancel()
	p, err := c.pool.Acquire(waiting)
	if err != nil {
		if ctx.Err() == nil && waiting.Err() != nil {
			return nil, fmt.Errorf("%w: %w", errNoConnection, err)
		}
		return nil, err
	}
	return &conn{c, p, false}, nil
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return nil }

// conn is a connection while database/sql has it.
type conn struct {
	*connector
	*pgxpool.Conn
	inTx bool
}

// Close gives the connection back.
func (c *conn) Close() error {
	c.Release()
	return nil
}

// CheckNamedValue lets every value through: pgx encodes them.
func (c *conn) CheckNamedValue(*driver.NamedValue) error { return nil }

// scope returns what a statement under ctx must be preceded by; nothing where the connection knows already.
func (c *conn) scope(ctx context.Context) (sql string, args []any) {
	t, _ := persistence.Scope(ctx)
	switch {
	case c.inTx:
		return "", nil
	case c.pooled:
		return setBoth, []any{c.role, string(t)}
	case c.role == everyTenant:
		return "", nil
	}
	memory := c.memory()
	if was, ok := memory[told]; ok && was == string(t) {
		return "", nil
	}
	delete(memory, told) // until it is known again what the connection was told
	return setTenant, []any{string(t)}
}

func (c *conn) memory() map[string]any { return c.Conn.Conn().PgConn().CustomData() }

// remember notes that the connection was told what scope returned, and that the statement after it succeeded: had it
// failed, neither would have happened.
func (c *conn) remember(sql string, args []any) {
	if sql == setTenant {
		c.memory()[told] = args[0]
	}
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, named []driver.NamedValue) (driver.Result, error) {
	before, scope := c.scope(ctx)
	if before == "" {
		tag, err := c.Exec(ctx, query, values(named)...)
		return driver.RowsAffected(tag.RowsAffected()), unsent(err)
	}
	results := c.SendBatch(ctx, batch(before, scope, query, named))
	var tag pgconn.CommandTag
	_, err := results.Exec()
	if err == nil {
		tag, err = results.Exec()
	}
	if err = errors.Join(err, results.Close()); err != nil {
		return nil, unsent(err)
	}
	c.remember(before, scope)
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, named []driver.NamedValue) (driver.Rows, error) {
	before, scope := c.scope(ctx)
	if before == "" {
		r, err := c.Query(ctx, query, values(named)...)
		return first(r, err, func() error { return nil })
	}
	results := c.SendBatch(ctx, batch(before, scope, query, named))
	_, err := results.Exec()
	if err != nil {
		return nil, unsent(errors.Join(err, results.Close()))
	}
	r, err := results.Query()
	return first(r, err, func() error {
		err := results.Close()
		if err == nil {
			c.remember(before, scope)
		}
		return err
	})
}

func batch(before string, scope []any, query string, named []driver.NamedValue) *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(before, scope...)
	b.Queue(query, values(named)...)
	return b
}

func values(named []driver.NamedValue) []any {
	args := make([]any, len(named))
	for i := range named {
		args[i] = named[i].Value
	}
	return args
}

// unsent words an error after which database/sql may try another connection: nothing was sent on this one.
func unsent(err error) error {
	if err != nil && pgconn.SafeToRetry(err) {
		return driver.ErrBadConn
	}
	return err
}

// BeginTx implements driver.ConnBeginTx, for reading several things as of one moment.
func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if !o.ReadOnly {
		return nil, errors.New("postgres: an effect is one statement")
	}
	before, scope := c.scope(ctx)
	x, err := c.Conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, unsent(err)
	}
	if before != "" {
		if _, err := x.Exec(ctx, before, scope...); err != nil {
			return nil, errors.Join(err, x.Rollback(ctx))
		}
		c.remember(before, scope)
	}
	c.inTx = true
	return &tx{ctx, x, c}, nil
}

// tx is a transaction of a connection.
type tx struct {
	ctx context.Context
	pgx.Tx
	conn *conn
}

// Commit implements driver.Tx.
func (x *tx) Commit() error {
	x.conn.inTx = false
	return x.Tx.Commit(x.ctx)
}

// Rollback implements driver.Tx. The caller's time may be over.
func (x *tx) Rollback() error {
	x.conn.inTx = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), time.Second)
	defer cancel()
	return x.Tx.Rollback(ctx)
}

// Begin is not used: database/sql calls BeginTx.
func (c *conn) Begin() (driver.Tx, error) { return nil, driver.ErrSkip }

// Prepare is not used: pgx prepares what it is sent.
func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }

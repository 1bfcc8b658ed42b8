// Package sqlite opens the embedded database: one file, written by one connection at a time of any process, read by
// several.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/trace"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/chancery-id/chancery/migrations"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Options are how a database is opened.
type Options struct {
	Sealer  keys.Sealer
	Readers int                  // connections that read; 4 where it is zero
	Tracer  trace.TracerProvider // nil: no spans
}

const (
	// common: times are stored as UTC in a form that sorts, and come back as times. A writer of another process is
	// waited for.
	common = "?_busy_timeout=5000&_foreign_keys=1&_time_format=sqlite&_timezone=UTC&_texttotime=1"
	write  = common + "&_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate"
	read   = common + "&_txlock=deferred&_pragma=query_only(1)"
)

// Plan returns the migrations that the database in the file at path lacks; all of them where there is no file. It changes
// nothing.
func Plan(ctx context.Context, path string) ([]migrations.Step, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer db.Close()
	return migrations.Plan(ctx, db, "sqlite")
}

// Open opens the database in the file at path, creating it and its directory if need be, and migrates it.
func Open(ctx context.Context, path string, o Options) (*persistence.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := touch(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	writer, err := sql.Open("sqlite", file+write)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := migrations.SQLite(ctx, writer, path); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	readers, err := sql.Open("sqlite", file+read)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), writer.Close())
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	readers.SetMaxOpenConns(o.Readers)
	readers.SetMaxIdleConns(o.Readers)
	e := persistence.Engine{Dialect: persistence.SQLite, Failure: failure,
		Close: func() error { return errors.Join(readers.Close(), writer.Close()) },
		Pool: func() (open, used, idle, most int) {
			for _, p := range []*sql.DB{readers, writer} {
				s := p.Stats()
				open, used, idle, most = open+s.OpenConnections, used+s.InUse, idle+s.Idle, most+s.MaxOpenConnections
			}
			return open, used, idle, most
		}}
	for _, h := range []struct {
		to   **gorm.DB
		pool *sql.DB
	}{{&e.Write, writer}, {&e.EveryWrite, writer}, {&e.Read, readers}, {&e.EveryRead, readers}} {
		if *h.to, err = handle(h.pool, o.Tracer); err != nil {
			return nil, errors.Join(fmt.Errorf("sqlite: %w", err), e.Close())
		}
	}
	return persistence.New(e, o.Sealer)
}

// touch makes the file at path, if need be, for its owner alone. What SQLite puts beside it takes its mode.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func handle(pool *sql.DB, tracer trace.TracerProvider) (*gorm.DB, error) {
	g, err := gorm.Open(sqlite.New(sqlite.Config{Conn: pool}), &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil || tracer == nil {
		return g, err
	}
	return g, g.Use(spans{tracer.Tracer("github.com/chancery-id/chancery/persistence/sqlite")})
}

// failure says what an error of SQLite means (https://www.sqlite.org/rescode.html).
func failure(err error) persistence.Failure {
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		return persistence.Broken
	}
	switch code := e.Code(); {
	case code == lib.SQLITE_CONSTRAINT_PRIMARYKEY, code == lib.SQLITE_CONSTRAINT_UNIQUE, code == lib.SQLITE_CONSTRAINT_ROWID:
		return persistence.Duplicate
	case code&0xff == lib.SQLITE_BUSY, code&0xff == lib.SQLITE_LOCKED:
		return persistence.Again
	case code&0xff == lib.SQLITE_FULL, code&0xff == lib.SQLITE_IOERR, code&0xff == lib.SQLITE_CANTOPEN,
		code&0xff == lib.SQLITE_INTERRUPT, code&0xff == lib.SQLITE_NOMEM:
		return persistence.Down
	}
	return persistence.Broken
}

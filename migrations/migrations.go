// Package migrations brings a database to the schema that this program needs: numbered SQL for each engine.
//
// A migration that a program of an earlier release could not live with raises schema_floor to its own version; any
// other leaves it, so that releases run before and after each other's migrations.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// ErrNewer: the database was migrated by a later release that this program does not understand.
var ErrNewer = errors.New("migrations: the schema of the database is newer than this program can use")

// Postgres migrates db, which is a direct connection, not one pooled by transaction. Of programs that start at once
// one migrates, and the others wait.
func Postgres(ctx context.Context, db *sql.DB) error {
	return up(ctx, db, "postgres", goose.DialectPostgres, func() (goose.ProviderOption, error) {
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // tried each second, for five minutes
		return goose.WithSessionLocker(l), err
	})
}

// SQLite migrates the database file at path, which db has open for writing.
func SQLite(ctx context.Context, db *sql.DB, path string) error {
	return up(ctx, db, "sqlite", goose.DialectSQLite3, func() (goose.ProviderOption, error) {
		return goose.WithLocker(&fileLock{path: path + "-migrating"}), nil
	})
}

func up(ctx context.Context, db *sql.DB, engine string, d goose.Dialect, locked func() (goose.ProviderOption, error)) error {
	dir, err := fs.Sub(files, engine)
	if err != nil {
		return err
	}
	newest, err := newest(dir)
	if err != nil {
		return err
	}
	// The machinery is only started when there is something to do.
	if have, floor := versions(ctx, db); have >= newest {
		if floor > newest {
			return fmt.Errorf("%w: version %d, of which %d is the least; the program has %d", ErrNewer, have, floor, newest)
		}
		return nil
	}
	lock, err := locked()
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(d, db, dir, lock, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// versions returns the version that the database has and the oldest that may use it; zero where it has none yet.
func versions(ctx context.Context, db *sql.DB) (have, floor int64) {
	err := db.QueryRowContext(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied), version FROM schema_floor`).Scan(&have, &floor)
	if err != nil {
		return 0, 0 // no such tables; any other trouble shows again at once
	}
	return have, floor
}

// newest returns the highest number that a file of dir begins with.
func newest(dir fs.FS) (n int64, err error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migrations: %s: %w", e.Name(), err)
		}
		n = max(n, v)
	}
	return n, nil
}

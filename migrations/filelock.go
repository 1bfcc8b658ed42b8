package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// fileLock is held by one process at a time: an exclusive transaction in an empty database beside the one to be
// migrated, which the operating system ends with the process that began it.
type fileLock struct {
	path string
	db   *sql.DB
	conn *sql.Conn
}

// Lock waits up to half a minute for the lock.
func (l *fileLock) Lock(ctx context.Context, _ *sql.DB) (err error) {
	l.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: l.path}).EscapedPath()+"?_busy_timeout=30000")
	if err != nil {
		return err
	}
	if l.conn, err = l.db.Conn(ctx); err == nil {
		_, err = l.conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err != nil {
		_ = l.db.Close()
		return fmt.Errorf("another process is migrating: %w", err)
	}
	return nil
}

// Unlock releases the lock. The empty file stays: whoever removed it could take the lock from under another.
func (l *fileLock) Unlock(ctx context.Context, _ *sql.DB) error {
	_, err := l.conn.ExecContext(ctx, "ROLLBACK")
	_ = l.conn.Close()
	_ = l.db.Close()
	return err
}

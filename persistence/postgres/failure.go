package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/persistence"
)

// unavailable words a failure to connect.
func unavailable(err error) error {
	return oauth.Unavailable().Because(fmt.Errorf("postgres: %w", err))
}

// failures are what the errors of PostgreSQL mean, by code or class (PostgreSQL Appendix A); the longest counts.
var failures = map[string]persistence.Failure{
	"23505": persistence.Duplicate,
	"40001": persistence.Again,     // serialization_failure
	"40P01": persistence.Again,     // deadlock_detected
	"0A000": persistence.Again,     // a cached plan that a migration outdated; the driver has dropped it
	"26000": persistence.Again,     // the same
	"22021": persistence.Illegible, // character_not_in_repertoire
	"22P05": persistence.Illegible, // untranslatable_character
	"55P03": persistence.Down,      // lock_not_available
	"57014": persistence.Down,      // query_canceled: out of time
	"25006": persistence.Down,      // read_only_sql_transaction: a standby
	"08":    persistence.Lost,      // connection exception
	"57P01": persistence.Lost,      // admin_shutdown
	"57P02": persistence.Lost,      // crash_shutdown
	"57P03": persistence.Lost,      // cannot_connect_now
	"53":    persistence.Down,      // insufficient resources
	"57":    persistence.Down,      // operator intervention
	"58":    persistence.Down,      // system error
}

// failure says what an error means.
func failure(err error) persistence.Failure {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if f, ok := failures[e.Code]; ok {
			return f
		}
		return failures[e.Code[:min(2, len(e.Code))]]
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || pgconn.SafeToRetry(err) {
		return persistence.Unsent
	}
	e, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, errNoConnection), network && e.Timeout(), strings.Contains(err.Error(), "closed pool"):
		return persistence.Down
	case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return persistence.Lost
	}
	return persistence.Broken
}

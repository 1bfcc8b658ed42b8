package persistence

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Failure is what an engine's error means to us.
type Failure int

// The kinds of failure.
const (
	Broken    Failure = iota // anything else: a bug, or a broken row
	Duplicate                // a unique key is taken
	Again                    // a deadlock, a serialization failure, a lock held by another: nothing happened
	Unsent                   // the database was not reached: nothing happened
	Lost                     // the connection broke: something may have happened
	Down                     // overloaded, out of time or in no state to serve: something may have happened
	Illegible                // a value that the engine cannot hold, such as a NUL in a text
)

// errDuplicate: a unique key is taken. The store method says in its own words of what.
var errDuplicate = errors.New("persistence: a unique key is taken")

// errIllegible: nothing stored can be equal to such a value.
var errIllegible = errors.New("persistence: a value that cannot be stored")

// final is an error that f of do answers with although the database did nothing wrong.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

type failed struct {
	kind  Failure
	final bool
}

func (db *DB) failure(ctx context.Context, err error) failed {
	if _, ok := errors.AsType[final](err); ok {
		return failed{final: true}
	}
	switch {
	case errors.Is(err, driver.ErrBadConn):
		return failed{kind: Unsent}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return failed{kind: Down}
	}
	return failed{kind: db.engine.Failure(err)}
}

// again reports whether another attempt may do better.
func (f failed) again(how manner) bool {
	return !f.final && (f.kind == Again || f.kind == Unsent || f.kind == Lost && how == reads)
}

// word says the failure as the stores promise it.
func (f failed) word(what string, err error) error {
	if f.final {
		e, _ := errors.AsType[final](err)
		return e.error
	}
	err = fmt.Errorf("persistence: %s: %w", what, err)
	switch f.kind {
	case Again, Unsent, Lost, Down:
		return oauth.Unavailable().Because(err)
	case Duplicate:
		return errors.Join(errDuplicate, err)
	case Illegible:
		return errors.Join(errIllegible, oauth.InvalidRequest("a value holds characters that cannot be stored").Because(err))
	}
	return err
}

package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
)

// SQL of our own is written with :t for the tenant and ? for each argument. Every mention of a table needs the tenant
// beside it, which is checked for each text once.

// Dialect is how an engine's SQL differs from the other's.
type Dialect int

// The dialects.
const (
	PostgreSQL Dialect = iota
	SQLite
)

// markKey is where a statement carries the mark that it was made here.
const markKey = "chancery:statement"

// mark vouches for a statement's text.
type mark struct {
	tenant tenant.ID
	sql    string
}

// writing is a statement being put together.
type writing struct {
	dialect Dialect
	tenant  tenant.ID
	sql     strings.Builder
	args    []any
}

func (d Dialect) write(t tenant.ID) *writing {
	w := &writing{dialect: d, tenant: t}
	if d == PostgreSQL {
		w.args = append(make([]any, 0, 48), string(t)) // $1 throughout
	}
	return w
}

// add appends text with its arguments.
func (w *writing) add(text string, args ...any) error {
	if err := checked(text); err != nil {
		return err
	}
	w.sql.Grow(len(text) + 64)
	used := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '?':
			if used == len(args) {
				return errArguments(text)
			}
			w.args = append(w.args, args[used])
			used++
			if w.dialect == PostgreSQL {
				w.sql.WriteByte('$')
				w.sql.WriteString(strconv.Itoa(len(w.args)))
			} else {
				w.sql.WriteByte('?')
			}
		case c == ':' && i+1 < len(text) && text[i+1] == 't' && (i == 0 || text[i-1] != ':'):
			i++
			if w.dialect == PostgreSQL {
				w.sql.WriteString("$1")
			} else {
				w.args = append(w.args, string(w.tenant))
				w.sql.WriteByte('?')
			}
		default:
			w.sql.WriteByte(c)
		}
	}
	if used != len(args) {
		return errArguments(text)
	}
	return nil
}

func errArguments(text string) error {
	return fmt.Errorf("persistence: as many arguments as question marks are needed: %s", text)
}

// on returns the statement on the handle g, marked as made here.
func (w *writing) on(g *gorm.DB) *gorm.DB {
	s := w.sql.String()
	return g.Set(markKey, mark{w.tenant, s}).Raw(s, w.args...)
}

// exec runs the statement on the handle g and returns how many rows it changed.
func (w *writing) exec(g *gorm.DB) (int64, error) {
	s := w.sql.String()
	r := g.Set(markKey, mark{w.tenant, s}).Exec(s, w.args...)
	return r.RowsAffected, r.Error
}

// A statement is checked when it is first used: each table that it mentions needs a :t of its own.
var (
	statements sync.Map // text → error
	mentions   = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:tenants|tenant_keys|api_tokens|clients|accounts|sessions|interactions|grants|access_tokens|authorizations|authentications|revocations|changes|audit_events)\b`)
	scopes     = regexp.MustCompile(`(^|[^:]):t\b`)
)

func checked(text string) error {
	if err, ok := statements.Load(text); ok {
		return err.(result).error
	}
	var err error
	switch {
	case strings.Contains(text, "@"):
		err = fmt.Errorf("persistence: gorm takes what follows an at sign for a name: %s", text)
	case len(scopes.FindAllString(text, -1)) < len(mentions.FindAllString(text, -1)):
		err = fmt.Errorf("persistence: a table without its tenant: %s", text)
	}
	statements.Store(text, result{err})
	return err
}

type result struct{ error }

// scan reads the columns of the row at hand.
type scan func(dest ...any) error

// query reads rows of t in one statement.
func (db *DB) query(ctx context.Context, t tenant.ID, what, text string, args []any, each func(scan) error) error {
	return db.do(ctx, reads, what, func(ctx context.Context) error {
		w := db.engine.Dialect.write(t)
		if err := w.add(text, args...); err != nil {
			return err
		}
		rows, err := w.on(db.look(ctx, t)).Rows()
		return eachRow(rows, err, each)
	})
}

func eachRow(rows *sql.Rows, err error, each func(scan) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

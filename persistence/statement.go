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

// sentence is a text as it is sent.
type sentence struct {
	sql   string
	slots []int // for each argument that is sent, which of the caller's it is, or the tenant
}

const theTenant = -1

// write appends text to a statement. PostgreSQL's arguments have numbers, of which the tenant's is the first; SQLite's
// follow their order.
func (d Dialect) write(b *strings.Builder, slots []int, text string) []int {
	given := 0
	for _, s := range slots {
		if s != theTenant {
			given++
		}
	}
	for {
		i := strings.IndexAny(text, "?:")
		if i < 0 {
			b.WriteString(text)
			return slots
		}
		b.WriteString(text[:i])
		text = text[i:]
		length := 1
		switch {
		case strings.HasPrefix(text, "::"): // a cast of PostgreSQL's
			length = 2
			b.WriteString("::")
		case strings.HasPrefix(text, ":t") && d == PostgreSQL:
			length = 2
			b.WriteString("$1")
		case strings.HasPrefix(text, ":t"):
			length = 2
			b.WriteByte('?')
			slots = append(slots, theTenant)
		case text[0] == ':':
			b.WriteByte(':')
		default:
			slots = append(slots, given)
			if given++; d == PostgreSQL {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(len(slots)))
			} else {
				b.WriteByte('?')
			}
		}
		text = text[length:]
	}
}

// begin returns the slots of a statement of which nothing is written yet.
func (d Dialect) begin() []int {
	if d == PostgreSQL {
		return []int{theTenant} // $1 throughout
	}
	return nil
}

// learned are the texts that were used before, by dialect. There are as many as are written in this package.
var learned [2]sync.Map

// sentence returns how a text is sent.
func (d Dialect) sentence(text string) (sentence, error) {
	if s, ok := learned[d].Load(text); ok {
		return s.(sentence), nil
	}
	if err := check(text); err != nil {
		return sentence{}, err
	}
	var b strings.Builder
	slots := d.write(&b, d.begin(), text)
	s := sentence{b.String(), slots}
	learned[d].Store(text, s)
	return s, nil
}

// args returns what is sent with s.
func (s *sentence) args(t tenant.ID, given []any) ([]any, error) {
	args, used := make([]any, len(s.slots)), 0
	for i, slot := range s.slots {
		if slot == theTenant {
			args[i] = string(t)
			continue
		}
		if slot >= len(given) {
			return nil, errArguments(s.sql)
		}
		args[i] = given[slot]
		used++
	}
	if used != len(given) {
		return nil, errArguments(s.sql)
	}
	return args, nil
}

func errArguments(sql string) error {
	return fmt.Errorf("persistence: as many arguments as question marks are needed: %s", sql)
}

// markKey is where a statement carries the mark that it was made here.
const markKey = "chancery:statement"

// mark vouches for a statement's text.
type mark struct {
	tenant tenant.ID
	sql    string
}

// on puts the statement on the handle g, marked as made here.
func (s *sentence) on(g *gorm.DB, t tenant.ID, args []any) *gorm.DB {
	g = g.Set(markKey, mark{t, s.sql})
	g.Statement.SQL.WriteString(s.sql)
	g.Statement.Vars = args
	return g
}

// exec runs the statement on the handle g and returns how many rows it changed.
func (s *sentence) exec(g *gorm.DB, t tenant.ID, args []any) (int64, error) {
	g = s.on(g, t, args)
	g = g.Callback().Raw().Execute(g)
	return g.RowsAffected, g.Error
}

// Each table that a text mentions needs a :t of its own.
var (
	mentions = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:tenants|tenant_issuers|usage_days|usage_subjects|tenant_keys|api_tokens|clients|accounts|sessions|interactions|grants|access_tokens|authorizations|authentications|pushed_requests|initial_tokens|replays|revocations|changes|audit_events|outbox|admin_roles|service_accounts|admin_grants|idempotency|audit_seals|audit_sealer|settings_history|totps|recovery_codes|one_time_codes|script_versions|script_secrets|script_lines|webhooks|token_batches|leases|granted_scopes)\b`)
	scopes   = regexp.MustCompile(`(^|[^:]):t\b`)
)

func check(text string) error {
	if len(scopes.FindAllString(text, -1)) < len(mentions.FindAllString(text, -1)) {
		return fmt.Errorf("persistence: a table without its tenant: %s", text)
	}
	return nil
}

// scan reads the columns of the row at hand.
type scan func(dest ...any) error

// query reads rows of t in one statement.
func (db *DB) query(ctx context.Context, t tenant.ID, what, text string, given []any, each func(scan) error) error {
	return db.returning(ctx, reads, t, what, text, given, each)
}

// returning is query, or for writes a single statement that changes rows and returns them.
func (db *DB) returning(ctx context.Context, how manner, t tenant.ID, what, text string, given []any, each func(scan) error) error {
	s, err := db.engine.Dialect.sentence(text)
	if err != nil {
		return err
	}
	args, err := s.args(t, given)
	if err != nil {
		return err
	}
	return db.do(ctx, how, what, func(ctx context.Context) error {
		g := db.look
		if how == writes {
			g = db.in
		}
		rows, err := s.on(g(ctx, t), t, args).Rows()
		return eachRow(rows, err, each)
	})
}

// one reads the one row of t that a text finds into dest, or returns missing.
func (db *DB) one(ctx context.Context, t tenant.ID, what string, missing error, text string, given []any, dest ...any) error {
	found := false
	err := db.query(ctx, t, what, text, given, func(scan scan) error {
		found = true
		return scan(dest...)
	})
	if err == nil && !found {
		return missing
	}
	return known(err, missing)
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

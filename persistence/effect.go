package persistence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
)

// effect is all that one store method changes: a guard, which decides who wins, and what follows if it did. Each
// part is a statement, and may read what earlier named parts returned as if they were tables.
//
// On PostgreSQL all parts are one statement, WITH guard AS (…), so they see the tables as they were before, and no two
// may touch the same row. On SQLite they run one after another in one transaction.
type effect struct {
	db     *DB
	tenant tenant.ID
	every  bool // goes beyond its tenant, through the handle that is not scoped
	parts  []part
	answer ask  // what the caller wants to know of it
	again  bool // the first attempt found what was thought to be new
	owes   bool // it records messages for the outbox
	tells  bool // it records events
	err    error
}

// fresh reports whether a row is likely to be new, by when it began and was last changed. What is new is inserted
// without asking whether it is there, which costs less; should it be there after all, the effect is made once more.
func (e *effect) fresh(began, changed time.Time) bool {
	return !e.again && changed.Sub(began) < time.Second
}

// twice makes an effect, and once more where something was there that was thought to be new.
func twice(run func(again bool) (won bool, answer []string, err error)) (won bool, answer []string, err error) {
	if won, answer, err = run(false); errors.Is(err, errDuplicate) {
		return run(true)
	}
	return won, answer, err
}

type part struct {
	name string // which later parts know it by; empty: it returns nothing
	text string
	args []any
}

const guard = "guard"

func (db *DB) effect(t tenant.ID) *effect { return &effect{db: db, tenant: t} }

// guard sets the statement that decides. It returns one row if it hits; nothing happens if it does not.
func (e *effect) guard(text string, args ...any) { e.let(guard, text, args...) }

// guarded reports whether e has a guard yet.
func (e *effect) guarded() bool {
	return slices.ContainsFunc(e.parts, func(p part) bool { return p.name == guard })
}

// let adds a statement that returns rows under a name.
func (e *effect) let(name, text string, args ...any) {
	e.parts = append(e.parts, part{name, text, args})
}

// then adds a statement. Where there is a guard, its text must ask for guard, or for what depends on it.
func (e *effect) then(text string, args ...any) { e.let("", text, args...) }

// insert adds a row, for each of the guard's rows if there is a guard. into names the table and its columns, of which
// the first is tenant_id; suffix is what follows, such as an ON CONFLICT clause.
func (e *effect) insert(into, suffix string, args ...any) { e.insertOr(into, suffix, nil, args...) }

// insertOr is insert with a suffix that has arguments of its own.
func (e *effect) insertOr(into, suffix string, suffixArgs []any, args ...any) {
	var b strings.Builder
	b.Grow(len(into) + len(suffix) + 3*len(args) + 64)
	b.WriteString("INSERT INTO ")
	b.WriteString(into)
	b.WriteString(" SELECT :t")
	for range args {
		b.WriteString(", ?")
	}
	if e.guarded() {
		b.WriteString(" FROM guard")
	}
	b.WriteString(" WHERE true") // without it SQLite takes ON for a join's
	b.WriteString(suffix)
	e.then(b.String(), append(args, suffixArgs...)...)
}

// returning says which column of which named part is the answer.
func (e *effect) returning(name, column string) { e.answer = ask{name, column} }

// json returns v as a JSON argument.
func (e *effect) json(v any) any {
	b, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	return string(b)
}

// check returns an error where a part after the guard would run although the guard missed.
func (e *effect) check() error {
	var names []string
	for _, p := range e.parts {
		if slices.Contains(names, guard) && !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(p.text, "FROM "+name) }) {
			return fmt.Errorf("persistence: a statement that does not depend on its guard: %s", p.text)
		}
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return nil
}

// run carries the effect out. won is false when the guard did not hit, and nothing happened.
func (e *effect) run(ctx context.Context, what string) (won bool, answer []string, err error) {
	if e.err != nil {
		return false, nil, e.err
	}
	err = e.db.do(ctx, writes, what, func(ctx context.Context) (err error) {
		g := e.db.in(ctx, e.tenant)
		if e.every {
			g = on(e.db.everyTenant.write, ctx)
		}
		if e.db.engine.Dialect == PostgreSQL {
			won, answer, err = e.atOnce(g)
		} else {
			won, answer, err = e.inTurn(g)
		}
		return err
	})
	if won && e.owes && e.db.owed != nil {
		e.db.owed(e.tenant)
	}
	if won && e.tells && e.db.happened != nil {
		e.db.happened(e.tenant)
	}
	return won, answer, err
}

// shape is what the statement of an effect depends on.
type shape struct {
	parts  [16]struct{ name, text string }
	answer ask
}

// ask says which column of which part is the answer.
type ask struct{ name, column string }

// shapes are the statements of effects that were used before.
var shapes sync.Map

// sentence returns the one statement that the effect is on PostgreSQL.
func (e *effect) sentence() (sentence, error) {
	k := shape{answer: e.answer}
	fits := len(e.parts) <= len(k.parts)
	if fits {
		for i, p := range e.parts {
			k.parts[i].name, k.parts[i].text = p.name, p.text
		}
		if s, ok := shapes.Load(k); ok {
			return s.(sentence), nil
		}
	}
	if err := e.check(); err != nil {
		return sentence{}, err
	}
	s, err := e.write()
	if err == nil && fits {
		shapes.Store(k, s)
	}
	return s, err
}

// write puts the statement together.
func (e *effect) write() (s sentence, err error) {
	if len(e.parts) == 1 && e.parts[0].name == "" {
		return e.db.engine.Dialect.sentence(e.parts[0].text)
	}
	var b strings.Builder
	s.slots = PostgreSQL.begin()
	for i, p := range e.parts {
		if err := check(p.text); err != nil {
			return s, err
		}
		name := p.name
		if name == "" {
			name = "p" + strconv.Itoa(i)
		}
		b.WriteString([...]string{"WITH ", ", "}[min(i, 1)] + name + " AS (")
		s.slots = PostgreSQL.write(&b, s.slots, p.text)
		b.WriteString(")")
	}
	b.WriteString(" SELECT ")
	if e.guarded() {
		b.WriteString("(SELECT count(*) FROM guard)")
	} else {
		b.WriteString("1")
	}
	if e.answer.name != "" {
		b.WriteString(", CAST(a." + e.answer.column + " AS text) FROM (SELECT 1) AS one LEFT JOIN " + e.answer.name + " AS a ON true")
	} else {
		b.WriteString(", NULL")
	}
	s.sql = b.String()
	return s, nil
}

// atOnce runs the effect as one statement.
func (e *effect) atOnce(g *gorm.DB) (won bool, answer []string, err error) {
	s, err := e.sentence()
	if err != nil {
		return false, nil, err
	}
	given := make([]any, 0, len(s.slots))
	for _, p := range e.parts {
		given = append(given, p.args...)
	}
	args, err := s.args(e.tenant, given)
	if err != nil {
		return false, nil, err
	}
	if len(e.parts) == 1 && e.parts[0].name == "" {
		_, err := s.exec(g, e.tenant, args)
		return err == nil, nil, err
	}
	rows, err := s.on(g, e.tenant, args).Rows()
	err = eachRow(rows, err, func(scan scan) error {
		var n int
		var a *string
		if err := scan(&n, &a); err != nil {
			return err
		}
		if won = n > 0; a != nil {
			answer = append(answer, *a)
		}
		return nil
	})
	return won, answer, err
}

// inTurn runs the effect part by part in one transaction.
func (e *effect) inTurn(g *gorm.DB) (won bool, answer []string, err error) {
	if len(e.parts) == 1 && e.parts[0].name == "" {
		_, err := e.one(g, e.parts[0], nil)
		return err == nil, nil, err
	}
	if err := e.check(); err != nil {
		return false, nil, err
	}
	err = g.Transaction(func(tx *gorm.DB) error {
		won, answer = true, nil
		returned := map[string]returned{}
		for _, p := range e.parts {
			r, err := e.one(tx, p, returned)
			if err != nil {
				return err
			}
			if p.name == guard && len(r.rows) == 0 {
				won = false
				return nil
			}
			if returned[p.name] = r; p.name != "" && p.name == e.answer.name {
				answer = r.column(e.answer.column)
			}
		}
		return nil
	})
	return won && err == nil, answer, err
}

// returned is what a named part returned.
type returned struct {
	columns []string
	rows    [][]any
}

func (r returned) column(name string) (out []string) {
	for i, c := range r.columns {
		if c == name {
			for _, row := range r.rows {
				out = append(out, fmt.Sprint(row[i]))
			}
		}
	}
	return out
}

// one runs one part, with what earlier parts returned before it as WITH clauses.
func (e *effect) one(g *gorm.DB, p part, earlier map[string]returned) (r returned, err error) {
	body, err := SQLite.sentence(p.text)
	if err != nil {
		return r, err
	}
	args, err := body.args(e.tenant, p.args)
	if err != nil {
		return r, err
	}
	s, before := body, "WITH "
	var with strings.Builder
	var first []any
	for _, name := range e.asked(p.text) {
		from, ok := earlier[name]
		if !ok {
			continue
		}
		b, err := json.Marshal(from.rows)
		if err != nil {
			return r, err
		}
		with.WriteString(before + name + "(" + strings.Join(from.columns, ", ") + ") AS (SELECT ")
		for i := range from.columns {
			if i > 0 {
				with.WriteString(", ")
			}
			with.WriteString("json_extract(value, '$[" + strconv.Itoa(i) + "]')")
		}
		with.WriteString(" FROM json_each(?)) ")
		before, first = ", ", append(first, string(b))
	}
	if first != nil {
		s.sql, args = with.String()+body.sql, append(first, args...)
	}
	if p.name == "" {
		_, err := s.exec(g, e.tenant, args)
		return r, err
	}
	r.rows = [][]any{} // so that none is no row to json_each
	rows, err := s.on(g, e.tenant, args).Rows()
	if err != nil {
		return r, err
	}
	if r.columns, err = rows.Columns(); err != nil {
		return r, err
	}
	err = eachRow(rows, nil, func(scan scan) error {
		row, to := make([]any, len(r.columns)), make([]any, len(r.columns))
		for i := range row {
			to[i] = &row[i]
		}
		r.rows = append(r.rows, row)
		return scan(to...)
	})
	return r, err
}

var (
	asks    sync.Map // text → the names that it reads from
	sources = regexp.MustCompile(`\bFROM ([a-z]+)\b`)
)

// asked returns the names that text reads from, tables among them.
func (e *effect) asked(text string) []string {
	if names, ok := asks.Load(text); ok {
		return names.([]string)
	}
	var names []string
	seen := map[string]bool{}
	for _, m := range sources.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			names = append(names, m[1])
		}
	}
	asks.Store(text, names)
	return names
}

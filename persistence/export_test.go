package persistence

import (
	"context"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
)

// What the tests of the scope reach for.
type AccountRow = accountRow

var (
	ErrUnscoped = errUnscoped
	ErrNoModel  = errNoModel
	ErrForeign  = errForeign
)

func (db *DB) In(ctx context.Context, t tenant.ID) *gorm.DB { return db.in(ctx, t) }

// Unscoped is the tenants' handle without a tenant.
func (db *DB) Unscoped(ctx context.Context) *gorm.DB { return db.oneTenant.write.WithContext(ctx) }

// Write says how a text is written for an engine.
func Write(d Dialect, t tenant.ID, text string, given ...any) (string, []any, error) {
	s, err := d.sentence(text)
	if err != nil {
		return "", nil, err
	}
	args, err := s.args(t, given)
	return s.sql, args, err
}

// Effect runs a guard and what follows it.
func Effect(ctx context.Context, db *DB, t tenant.ID, guard, then string) (won bool, err error) {
	e := db.effect(t)
	e.guard(guard)
	e.then(then)
	won, _, err = e.run(ctx, "test")
	return won, err
}

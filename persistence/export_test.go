package persistence

import (
	"context"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
)

// What the tests of the scope reach for.
type (
	SessionRow = sessionRow
	AccountRow = accountRow
)

var (
	ErrUnscoped = errUnscoped
	ErrNoModel  = errNoModel
	ErrForeign  = errForeign
)

func (db *DB) In(ctx context.Context, t tenant.ID) *gorm.DB { return db.in(ctx, t) }

// Unscoped is the tenants' handle without a tenant.
func (db *DB) Unscoped(ctx context.Context) *gorm.DB { return db.oneTenant.write.WithContext(ctx) }

// Write says how a text is written for an engine.
func Write(d Dialect, t tenant.ID, text string, args ...any) (string, []any, error) {
	w := d.write(t)
	err := w.add(text, args...)
	return w.sql.String(), w.args, err
}

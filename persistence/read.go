package persistence

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
)

// take reads the one row of t that the condition finds into row, or returns missing.
func (db *DB) take(ctx context.Context, t tenant.ID, what string, row any, missing error, where string, args ...any) error {
	err := db.do(ctx, reads, what, func(ctx context.Context) error {
		err := db.look(ctx, t).Where(where, args...).Take(row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return final{missing}
		}
		return err
	})
	return known(err, missing)
}

// known returns missing for a value that nothing stored can be equal to.
func known(err, missing error) error {
	if errors.Is(err, errIllegible) {
		return missing
	}
	return err
}

// find reads the rows of t that the condition finds into rows, at most n of them (zero: all).
func (db *DB) find(ctx context.Context, t tenant.ID, what string, rows any, order string, n int, where string, args ...any) error {
	if n == 0 {
		n = -1
	}
	err := db.do(ctx, reads, what, func(ctx context.Context) error {
		return db.look(ctx, t).Where(where, args...).Order(order).Limit(n).Find(rows).Error
	})
	return known(err, nil)
}

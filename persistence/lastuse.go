package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/admin"
)

// PutUses implements admin.Uses. Making it twice does no harm.
func (db *DB) PutUses(ctx context.Context, uses []admin.Use) error {
	if len(uses) == 0 {
		return nil
	}
	return db.do(ctx, reads, "put uses", func(ctx context.Context) error {
		return putUses[db.engine.Dialect](db.everyTenant.write.WithContext(ctx), uses)
	})
}

// putUses are the ways to record uses, by dialect: one statement, where each costs a round trip.
var putUses = [...]func(g *gorm.DB, uses []admin.Use) error{
	PostgreSQL: func(g *gorm.DB, uses []admin.Use) error {
		type row struct {
			Tenant string    `json:"tenant"`
			Token  string    `json:"token"`
			At     time.Time `json:"at"`
		}
		rows := make([]row, len(uses))
		for i, u := range uses {
			rows[i] = row{string(u.Tenant), u.Token, cut(u.At)}
		}
		return g.Exec(`UPDATE api_tokens k SET used_at = u.at FROM json_to_recordset(CAST(CAST(? AS text) AS json)) AS u (tenant text, token text, at timestamptz)
			WHERE k.tenant_id = u.tenant AND k.id = u.token AND (k.used_at IS NULL OR k.used_at <= u.at - CAST(? AS double precision) * interval '1 second')`,
			document[[]row]{rows}, admin.UseEvery.Seconds()).Error
	},
	SQLite: func(g *gorm.DB, uses []admin.Use) error {
		return g.Transaction(func(tx *gorm.DB) error {
			for _, u := range uses {
				err := tx.Exec(`UPDATE api_tokens SET used_at = ? WHERE tenant_id = ? AND id = ? AND (used_at IS NULL OR used_at <= ?)`,
					cut(u.At), string(u.Tenant), u.Token, cut(u.At.Add(-admin.UseEvery))).Error
				if err != nil {
					return err
				}
			}
			return nil
		})
	},
}

package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/admin"
)

// CountObjects implements admin.Census.
func (db *DB) CountObjects(ctx context.Context, now time.Time) (o admin.Objects, err error) {
	err = db.do(ctx, reads, "count objects", func(ctx context.Context) error {
		return db.everyTenant.read.WithContext(ctx).Raw(`SELECT (SELECT count(*) FROM interactions WHERE expires_at > ?), (SELECT count(*) FROM sessions),
			(SELECT count(*) FROM clients), (SELECT count(*) FROM authorizations)`, cut(now)).Row().Scan(&o.Interactions, &o.Sessions, &o.Clients, &o.Authorizations)
	})
	return o, known(err, nil)
}

package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/persistence"
)

// How often a silent connection is asked whether it is still there, and how long it may take to answer.
const (
	asking    = 15 * time.Second
	answering = 5 * time.Second
)

// listenFor calls wake once it listens, as anything may have happened before, and then for each notification.
func listenFor(ctx context.Context, c *pgx.ConnConfig, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return ended(ctx, err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), answering)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+persistence.Channel); err != nil {
		return ended(ctx, err)
	}
	for wake(); ; {
		waiting, cancel := context.WithTimeout(ctx, asking)
		_, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			wake()
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			answer, cancel := context.WithTimeout(ctx, answering)
			err := conn.Ping(answer)
			cancel()
			if err != nil {
				return ended(ctx, err)
			}
		default:
			return ended(ctx, err)
		}
	}
}

// ended is nil where the listener was told to end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return unavailable(err)
}

package ciba

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Queue is what waits for the subject of a session.
type Queue struct {
	Session  session.Session // whatever its times say
	Disabled bool            // the subject has an account, and it is disabled
	Waiting  []decoupled.Authentication
}

// Register keeps backchannel authentications for apps that answer them, and for those who look after them.
type Register interface {
	// Queue returns, in one statement, the session of that id, and what waits for its subject at now, at most n, in the order
	// of decoupled.Store.Authentications; where id is not empty, that one alone. No session is session.ErrNotFound.
	Queue(ctx context.Context, t tenant.ID, now time.Time, sessionID, id string, n int) (*Queue, error)
	// Redeemable lists the ids of up to n authentications after that id whose grants can be redeemed at now, in their order.
	Redeemable(ctx context.Context, t tenant.ID, now time.Time, after string, n int) ([]string, error)
}

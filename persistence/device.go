package persistence

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/tenant"
)

// beginDevice counts no further than to the most that may wait.
const beginDevice = `INSERT INTO authentications (tenant_id, id, state, client_id, subject, request, refusal, polled, pace, too_soon, created_at,
	ends_at, expires_at, user_code) SELECT :t, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM (SELECT 1 FROM authentications
	WHERE tenant_id = :t AND user_code IS NOT NULL AND state = ? AND ends_at > ? LIMIT ?) AS w) < ? RETURNING id`

// BeginDevice implements device.Store.
func (db *DB) BeginDevice(ctx context.Context, t tenant.ID, a decoupled.Authentication, userCode []byte, most int) error {
	e := db.effect(t)
	e.guard(beginDevice, a.ID, string(a.State), a.ClientID, a.Subject, e.json(a.Request), e.refusal(a.Refusal), 0, a.Interval.Milliseconds(), false,
		cut(a.CreatedAt), cut(a.EndsAt), cut(a.EndsAt.Add(lateness)), userCode, string(decoupled.Waiting), cut(a.CreatedAt), most, most)
	err := e.needs(ctx, "begin device authorization", device.ErrFull)
	if errors.Is(err, errDuplicate) {
		return device.ErrTaken
	}
	return err
}

// Device implements device.Store.
func (db *DB) Device(ctx context.Context, t tenant.ID, userCode []byte) (*decoupled.Authentication, error) {
	var r authenticationRow
	if err := db.take(ctx, t, "find device authorization", &r, decoupled.ErrNotFound, "user_code = ?", userCode); err != nil {
		return nil, err
	}
	return r.authentication()
}

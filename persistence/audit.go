package persistence

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// eventRow is an audit event as it is stored.
type eventRow struct {
	Seq       int64
	TenantID  string
	At        moment
	Kind      audit.Kind
	Actor     string
	Subject   string
	ClientID  string
	SessionID string
	GrantID   string
	Address   string
	Detail    document[map[string]string]
}

// TableName is gorm's.
func (eventRow) TableName() string { return "audit_events" }

// event records ev, if it says anything.
func (e *effect) event(ev audit.Event) {
	if ev.Once != nil {
		e.once(ev.Once)
	}
	if ev.Kind == "" {
		return
	}
	e.tells = true
	var detail any
	if len(ev.Detail) > 0 {
		detail = e.json(ev.Detail)
	}
	e.insert("audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)", "",
		cut(ev.At), string(ev.Kind), ev.Actor, ev.Subject, ev.ClientID, ev.Session, ev.Grant, ev.Address, detail)
}

// Record writes an event that came with no change.
func (db *DB) Record(ctx context.Context, t tenant.ID, ev audit.Event) error {
	e := db.effect(t)
	e.event(ev)
	_, _, err := e.run(ctx, "record event")
	return err
}

// Events implements admin.Store.
func (db *DB) Events(ctx context.Context, id tenant.ID, before time.Time, n int) ([]audit.Event, error) {
	var rows []eventRow
	err := db.do(ctx, reads, "list events", func(ctx context.Context) error {
		rows = nil
		q := db.look(ctx, id).Order("at DESC, seq DESC").Limit(n)
		if !before.IsZero() {
			q = q.Where("at < ?", cut(before))
		}
		return q.Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	out := make([]audit.Event, len(rows))
	for i := range rows {
		out[i] = rows[i].recorded().Event
	}
	return out, nil
}

func (r *eventRow) recorded() audit.Recorded {
	return audit.Recorded{Seq: r.Seq, Event: audit.Event{At: r.At.Time, Kind: r.Kind, Actor: r.Actor, Subject: r.Subject, ClientID: r.ClientID,
		Session: r.SessionID, Grant: r.GrantID, Address: r.Address, Detail: r.Detail.V}}
}

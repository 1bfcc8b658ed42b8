package console

import (
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// owedMessage is what a tenant owes another, as an administrator sees it: neither what it says nor the whole address.
type owedMessage struct {
	ID        string      `json:"id"`
	Kind      outbox.Kind `json:"kind"`
	Target    string      `json:"target" doc:"Scheme and host"`
	Dead      bool        `json:"dead" doc:"It was given up"`
	Attempts  int         `json:"attempts"`
	Cause     string      `json:"cause,omitempty" doc:"Why the last attempt failed"`
	CreatedAt time.Time   `json:"created_at"`
	EndsAt    time.Time   `json:"ends_at" doc:"When it is given up, or was to be"`
}

// owedList is a page of messages. Next is absent on the last one.
type owedList struct {
	Messages []owedMessage `json:"messages"`
	Next     string        `json:"next_cursor,omitempty"`
}

func (d *Door) listMessages(q *call) (*owedList, error) {
	dead := q.query.Get("state") == "dead"
	list := "messages\x00" + string(q.id) + "\x00" + q.query.Get("state")
	n, after, err := pageOf(q, list)
	if err != nil {
		return nil, err
	}
	ms, err := d.Console.Letters(q.Request.Context(), q.id, dead, after, n+1)
	if err != nil {
		return nil, err
	}
	page := &owedList{Messages: []owedMessage{}}
	for _, m := range ms[:min(n, len(ms))] {
		if q.home.ID != tenant.Platform {
			m.Cause = causeOf(m.Cause)
		}
		page.Messages = append(page.Messages, owedMessage{ID: m.ID, Kind: m.Kind, Target: admin.OriginOf(m.Target), Dead: dead, Attempts: m.Attempts, Cause: m.Cause,
			CreatedAt: m.CreatedAt, EndsAt: m.End()})
	}
	if len(ms) > n {
		page.Next = cursor(q.home, list, ms[n-1].ID)
	}
	return page, nil
}

// replayCount is how many messages are due again.
type replayCount struct {
	Replayed int `json:"replayed"`
}

// dropCount is how many messages there are no more.
type dropCount struct {
	Dropped int `json:"dropped"`
}

func (d *Door) replayMessage(q *call) (replayCount, error) {
	n, err := d.Console.ReplayLetters(q.Request.Context(), q.id, outbox.Letters{ID: q.Param("message")}, q.by)
	return replayCount{n}, err
}

func (d *Door) replayMessages(q *call) (replayCount, error) {
	target, err := targetOf(q, false)
	if err != nil {
		return replayCount{}, err
	}
	n, err := d.Console.ReplayLetters(q.Request.Context(), q.id, outbox.Letters{Target: target}, q.by)
	return replayCount{n}, err
}

func (d *Door) dropMessage(q *call) (none, error) {
	_, err := d.Console.DropLetters(q.Request.Context(), q.id, outbox.Letters{ID: q.Param("message")}, q.by)
	return none{}, err
}

func (d *Door) dropMessages(q *call) (dropCount, error) {
	target, err := targetOf(q, true)
	if err != nil {
		return dropCount{}, err
	}
	n, err := d.Console.DropLetters(q.Request.Context(), q.id, outbox.Letters{Target: target}, q.by)
	return dropCount{n}, err
}

// targetOf is whose messages the query names, as they are listed. Where it need not, they may be everybody's.
func targetOf(q *call, need bool) (string, error) {
	target := q.query.Get("target")
	if target == "" && !need && !q.query.Has("target") {
		return "", nil
	}
	if target == "" || admin.OriginOf(target) != target {
		return "", &badParameter{"target", "must be scheme and host, as messages are listed"}
	}
	return target, nil
}

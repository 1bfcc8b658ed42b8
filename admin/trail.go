package admin

import (
	"bytes"
	"context"
	"encoding/hex"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// EventFilter says which events are listed; what is zero does not matter.
type EventFilter struct {
	Kind     audit.Kind
	Actor    string
	Subject  string
	ClientID string
	Since    time.Time // at or after
	Before   time.Time
	Oldest   bool // first; else the newest
	// After is the event to go on from: its time and seq. Seq is zero at the beginning.
	After audit.Recorded
}

// Trail keeps what happened.
type Trail interface {
	// FindEvents lists those events of a tenant that the filter lets through, in the order it asks for, at most n.
	FindEvents(ctx context.Context, id tenant.ID, f EventFilter, n int) ([]audit.Recorded, error)
	// Seals lists the seals of a tenant after that number, at most n, in their order.
	Seals(ctx context.Context, id tenant.ID, after int64, n int) ([]audit.Seal, error)
	// SealedEvents returns those of these events of a tenant that are there, by seq.
	SealedEvents(ctx context.Context, id tenant.ID, seqs []int64) ([]audit.Recorded, error)
	// Unsealed tells how many events of a tenant from before that time are in no seal.
	Unsealed(ctx context.Context, id tenant.ID, before time.Time) (int, error)
}

// SealLag is how old an event is before it is sealed: longer than any transaction takes, so that none that is written
// earlier comes later.
const SealLag = time.Minute

// sealedFor is how old an event may be and not sealed.
const sealedFor = 10 * time.Minute

// sealPurpose separates the MACs of seals from others under a tenant's secret.
const sealPurpose = "audit seal"

// SealMAC is the MAC of a tenant's seals.
func SealMAC(secret interface {
	MAC(purpose string, parts ...[]byte) []byte
}) audit.MAC {
	return func(parts ...[]byte) []byte { return secret.MAC(sealPurpose, parts...) }
}

// FindEvents lists what happened at a tenant.
func (c *Console) FindEvents(ctx context.Context, id tenant.ID, f EventFilter, n int) ([]audit.Recorded, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	es, err := c.Trail.FindEvents(ctx, id, f, n)
	return es, worded(err)
}

// Verdict is what a check of a tenant's events has found.
type Verdict struct {
	Intact   bool      `json:"intact"`
	Seals    int64     `json:"seals"`
	Events   int64     `json:"events" doc:"That are sealed"`
	Head     string    `json:"head" doc:"Hash of the newest seal: keep it elsewhere, to ask for later"`
	Problems []Finding `json:"problems"`
}

// Finding is what is wrong with a tenant's events.
type Finding struct {
	Seal int64  `json:"seal" doc:"Number of the seal, or 0"`
	What string `json:"what"`
}

// maxProblems is how many problems a verdict names.
const maxProblems = 20

// VerifyAudit checks that what is sealed of a tenant's events is as it was: nothing changed, removed or put in, and no
// seal missing. head, where it is not empty, is the head of an earlier check, which must still be in the chain: only so
// it shows that the newest seals were removed together with their events.
func (c *Console) VerifyAudit(ctx context.Context, id tenant.ID, head string) (*Verdict, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	v, mac := &Verdict{Problems: []Finding{}}, SealMAC(r.Secret)
	wrong := func(seal int64, what string) {
		if len(v.Problems) < maxProblems {
			v.Problems = append(v.Problems, Finding{seal, what})
		}
	}
	var before []byte
	var last int64 // seq
	known := head == ""
	for {
		seals, err := c.Trail.Seals(ctx, id, v.Seals, 100)
		if err != nil {
			return nil, worded(err)
		}
		for _, s := range seals {
			if s.Number != v.Seals+1 {
				wrong(v.Seals+1, "the seal is missing")
			}
			v.Seals = s.Number
			es, err := c.Trail.SealedEvents(ctx, id, s.Events)
			if err != nil {
				return nil, worded(err)
			}
			switch {
			case len(s.Events) == 0 || s.Events[0] <= last:
				wrong(s.Number, "its events are not in order")
			case len(es) != len(s.Events):
				wrong(s.Number, "an event was removed")
			case !bytes.Equal(audit.Hash(mac, before, s.Number, es), s.Hash):
				wrong(s.Number, "an event, or the seal, was changed")
			}
			if len(s.Events) > 0 {
				last = s.Events[len(s.Events)-1]
			}
			before, v.Head = s.Hash, hex.EncodeToString(s.Hash)
			v.Events += int64(len(es))
			known = known || v.Head == head
		}
		if len(seals) == 0 {
			break
		}
	}
	n, err := c.Trail.Unsealed(ctx, id, c.now().Add(-sealedFor))
	if err != nil {
		return nil, worded(err)
	}
	if n > 0 {
		wrong(0, "there are events that should be sealed and are not")
	}
	if !known {
		wrong(0, "the head is not in the chain: newer seals were removed, or it is another tenant's")
	}
	v.Intact = len(v.Problems) == 0
	return v, nil
}

package audit

import (
	"encoding/binary"
	"encoding/json"
	"time"
)

// Recorded is an event as it is stored.
type Recorded struct {
	Seq int64 // unique in the database, and in the order of writing but for what was written at the same time
	Event
}

// Seal covers events of one tenant. The seals of a tenant are a chain: each hash is over the events of its seal and the
// hash before, under a key of the tenant's, so that who changes, removes or reorders what is sealed is found out.
type Seal struct {
	Number   int64 // from 1
	SealedAt time.Time
	Events   []int64 // their seq, rising
	Hash     []byte
}

// MAC is a keyed hash over parts whose bounds count.
type MAC func(parts ...[]byte) []byte

// Hash returns the hash of the seal of that number over events, after the seal with the hash before, which is empty for
// the first.
func Hash(mac MAC, before []byte, number int64, events []Recorded) []byte {
	parts := make([][]byte, 0, len(events)+2)
	parts = append(parts, before, binary.BigEndian.AppendUint64(nil, uint64(number)))
	for i := range events {
		parts = append(parts, events[i].text())
	}
	return mac(parts...)
}

// text is what of an event is sealed: all of it.
func (r *Recorded) text() []byte {
	detail := r.Detail
	if len(detail) == 0 {
		detail = nil
	}
	b, _ := json.Marshal([]any{r.Seq, r.At.UTC().Format(time.RFC3339Nano), r.Kind, r.Actor, r.Subject, r.ClientID, r.Session, r.Grant,
		r.Address, detail}) // texts and numbers always can be
	return b
}

package limit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Issued is how many tokens of one kind a client of a tenant got on one day.
type Issued struct {
	Tenant   tenant.ID
	Day      int32 // since 1970-01-01, UTC
	ClientID string
	Kind     string
	Tokens   int64
	First    time.Time // of them was issued then: an earlier tenant of the same id may have been
	EndsAt   time.Time // until when it is kept
}

// Active is on which days of a month a subject of a tenant got tokens: bit 0 is the first.
type Active struct {
	Tenant  tenant.ID
	Month   int32    // 12 times the year, and the month from 0
	Subject [16]byte // hash
	Days    uint32
	First   time.Time
	EndsAt  time.Time
}

// UsageStore keeps what is counted.
type UsageStore interface {
	// PutUsage adds to what is recorded, of any tenants, each row of a kind once. What is of a tenant that is not there, or
	// was made after First, changes nothing.
	PutUsage(ctx context.Context, issued []Issued, active []Active) error
}

// Bounds of what is held in memory, and of one statement.
const (
	maxIssued = 50_000
	maxActive = 100_000
	atOnce    = 2_000
)

// Usage counts the tokens that are issued and the subjects that they are issued to, to be recorded in batches. It takes no
// request's time but that of a look into memory, and fails none. What an instance counted since its last batch is lost with it.
type Usage struct {
	Now   func() time.Time
	Store UsageStore

	writing sync.Mutex
	mu      sync.Mutex
	issued  map[issuedTo]amount
	spare   map[issuedTo]amount // empty; it takes turns with issued
	active  map[activeIn]days
	fresh   []activeIn // of active: with days that are not recorded
	lost    int64
}

type issuedTo struct {
	tenant       tenant.ID
	client, kind string
	day          int32
}

type amount struct {
	n             int64
	first, endsAt int64 // Unix seconds
}

type activeIn struct {
	tenant  tenant.ID
	subject string
	month   int32
}

type days struct {
	all, written  uint32
	first, endsAt int64
}

// Count counts a token of a kind that was issued to a client of t for a subject; empty: for nobody but the client itself.
func (u *Usage) Count(t *tenant.Tenant, client, kind, subject string) {
	now := u.Now().UTC()
	seconds := now.Unix()
	endsAt := seconds + int64(t.Settings.UsageKept()/time.Second)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.active == nil { // nothing was counted yet; batches may have been written
		u.issued, u.spare, u.active = map[issuedTo]amount{}, map[issuedTo]amount{}, map[activeIn]days{}
	}
	k := issuedTo{t.ID, client, kind, int32(seconds / day)}
	c, known := u.issued[k]
	switch {
	case known:
	case len(u.issued) >= maxIssued:
		u.lost++
		return
	default:
		c.first = seconds
	}
	c.n, c.endsAt = c.n+1, endsAt
	u.issued[k] = c
	if subject == "" {
		return
	}
	year, month, date := now.Date()
	a := activeIn{t.ID, subject, int32(year*12 + int(month) - 1)}
	d, known := u.active[a]
	bit := uint32(1) << (date - 1)
	switch {
	case d.all&bit != 0:
		return
	case !known && len(u.active) >= maxActive:
		u.lost++
		return
	case d.all == d.written:
		u.fresh = append(u.fresh, a)
		d.first = seconds
	}
	d.all, d.endsAt = d.all|bit, endsAt
	u.active[a] = d
}

const day = 24 * 60 * 60

// ErrLost means that more happened between two batches than is held in memory: the figures are too low.
var ErrLost = errors.New("limit: not all usage was counted")

// Write records what has been counted. What cannot be recorded waits for the next time.
func (u *Usage) Write(ctx context.Context) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	issued, active, lost := u.taken()
	var errs []error
	if lost > 0 {
		errs = append(errs, ErrLost)
	}
	for len(issued) > 0 || len(active) > 0 {
		i, a := issued[:min(atOnce, len(issued))], active[:min(atOnce, len(active))]
		rows := make([]Active, len(a))
		for n := range a {
			rows[n] = a[n].row
		}
		if err := u.Store.PutUsage(ctx, i, rows); err != nil {
			u.putBack(issued, active)
			return errors.Join(append(errs, err)...)
		}
		u.wrote(a)
		issued, active = issued[len(i):], active[len(a):]
	}
	return errors.Join(errs...)
}

// waiting is a row that is to be recorded, and where it comes from.
type waiting struct {
	in  activeIn
	row Active
}

// taken returns what waits, in an order that all instances share, so that none waits for another in a circle.
func (u *Usage) taken() (issued []Issued, active []waiting, lost int64) {
	u.mu.Lock()
	counted, fresh := u.issued, u.fresh
	u.issued, u.spare, u.fresh = u.spare, nil, nil
	for _, in := range fresh {
		d := u.active[in]
		active = append(active, waiting{in, Active{Tenant: in.tenant, Month: in.month, Days: d.all &^ d.written, First: time.Unix(d.first, 0).UTC(), EndsAt: time.Unix(d.endsAt, 0).UTC()}})
	}
	lost, u.lost = u.lost, 0
	u.mu.Unlock()
	for k, c := range counted {
		issued = append(issued, Issued{k.tenant, k.day, k.client, k.kind, c.n, time.Unix(c.first, 0).UTC(), time.Unix(c.endsAt, 0).UTC()})
	}
	if len(counted) > maxIssued/10 {
		counted = nil // after a rush: the room is given back
	}
	clear(counted)
	if counted == nil {
		counted = map[issuedTo]amount{}
	}
	u.mu.Lock()
	u.spare = counted
	u.mu.Unlock()
	for i := range active {
		h := sha256.Sum256([]byte(string(active[i].in.tenant) + "\x00" + active[i].in.subject))
		copy(active[i].row.Subject[:], h[:])
	}
	slices.SortFunc(issued, func(a, b Issued) int {
		return cmp.Or(strings.Compare(string(a.Tenant), string(b.Tenant)), cmp.Compare(a.Day, b.Day), strings.Compare(a.ClientID, b.ClientID), strings.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(active, func(a, b waiting) int {
		return cmp.Or(strings.Compare(string(a.in.tenant), string(b.in.tenant)), cmp.Compare(a.in.month, b.in.month), slices.Compare(a.row.Subject[:], b.row.Subject[:]))
	})
	return issued, active, lost
}

// wrote notes which days are recorded. Once much is remembered that waits for nothing, it is forgotten: then it is recorded once
// more, which changes nothing.
func (u *Usage) wrote(active []waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, w := range active {
		if d, ok := u.active[w.in]; ok {
			if d.written |= w.row.Days; d.written != d.all { // a day began meanwhile
				u.fresh = append(u.fresh, w.in)
			}
			u.active[w.in] = d
		}
	}
	if len(u.active) > maxActive/2 {
		for in, d := range u.active {
			if d.all == d.written {
				delete(u.active, in)
			}
		}
	}
}

// putBack has what was not recorded wait again.
func (u *Usage) putBack(issued []Issued, active []waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, i := range issued {
		k := issuedTo{i.Tenant, i.ClientID, i.Kind, i.Day}
		c, known := u.issued[k]
		if !known && len(u.issued) >= maxIssued {
			u.lost += i.Tokens
			continue
		}
		u.issued[k] = amount{c.n + i.Tokens, i.First.Unix(), i.EndsAt.Unix()}
	}
	for _, w := range active {
		u.fresh = append(u.fresh, w.in)
	}
}

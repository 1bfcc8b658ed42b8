package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// ErrMoot is what a Prepare returns for a message that nobody waits for any more, as its client is gone. It is done.
var ErrMoot = errors.New("outbox: nobody waits for it")

// Prepare returns what is sent for m in this attempt; it may change m's target. Its error is ours, not the target's.
type Prepare func(ctx context.Context, t *tenant.Tenant, m *Message) (outbound.Content, error)

// Courier delivers messages. Any number may work on one store.
type Courier struct {
	Now    func() time.Time
	Jitter func(time.Duration) time.Duration // a random time below that
	Store  Store
	Tenant func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error)
	// Post sends content for a key that shares limits; it bounds time and size.
	Post    func(ctx context.Context, key, url string, content outbound.Content, max int64) (body []byte, contentType string, err error)
	Kinds   map[Kind]Prepare
	Observe func(Delivery) // told of each attempt; may be nil
	Failed  func(error)    // told when the store cannot be read or written; may be nil

	mu      sync.Mutex
	tenants map[tenant.ID]*desk // those that something is on its way for
	running int
	wake    chan tenant.ID
	after   tenant.ID // where the next round begins
}

// Delivery is what became of one attempt.
type Delivery struct {
	Tenant  tenant.ID
	Message Message
	Outcome Outcome
	Cause   error
	Age     time.Duration // since it was due first
}

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	Sent   Outcome = "delivered"
	Failed Outcome = "failed" // and is tried again
	Buried Outcome = "dead"
	Moot   Outcome = "moot"
)

// What a courier does at once, and how often it looks for what others have recorded, or died over.
const (
	atOnce    = 128 // for all tenants
	perTenant = 4
	perTarget = 2 // of one tenant; one where the last attempt failed
	round     = time.Second
	longest   = lease // that a failing target rests
	remember  = 256   // targets of one tenant
	tenants   = 64    // in one look
	lease     = 20 * time.Second
	trying    = 8 * time.Second // an attempt, from preparation to answer
	settling  = 8 * time.Second // writing down what became of it
	maxAnswer = 64 << 10
)

// desk is what a courier has on its way for one tenant, and which of its targets rest.
type desk struct {
	flying  int
	targets map[string]*target
	more    bool      // something may be waiting for room
	rest    time.Time // until then all that is due is for targets that rest
	stirred bool      // something may have become due since it was looked last
}

type target struct {
	flying   int
	failures int       // since the last success
	until    time.Time // it rests
}

// Recorded tells the courier that there is something new for a tenant. It may be called before Run, and never waits.
func (c *Courier) Recorded(id tenant.ID) {
	select {
	case c.queue() <- id:
	default: // the next round finds it
	}
}

// Happened tells the courier that an event was recorded for a tenant, with which something may be owed: the next round looks
// for it, whichever targets rest. It never waits.
func (c *Courier) Happened(id tenant.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.tenants[id]; d != nil {
		d.stirred, d.rest = true, time.Time{}
	}
}

func (c *Courier) queue() chan tenant.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wake == nil {
		c.wake, c.tenants = make(chan tenant.ID, 256), map[tenant.ID]*desk{}
	}
	return c.wake
}

// Run delivers until ctx ends, and then waits for what is on its way.
func (c *Courier) Run(ctx context.Context) {
	wake := c.queue()
	var flights sync.WaitGroup
	defer flights.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-wake:
			c.serve(ctx, id, &flights)
		case <-timer.C:
			if c.look(ctx, &flights) {
				timer.Reset(0) // there are more tenants to look at
			} else {
				timer.Reset(round)
			}
		}
	}
}

// look goes on to the next tenants that something is due for, and reports whether there are more.
func (c *Courier) look(ctx context.Context, flights *sync.WaitGroup) (more bool) {
	now := c.Now()
	ids, err := c.Store.Owing(ctx, now, c.after, tenants)
	if err != nil {
		c.failed(ctx, err)
		return false
	}
	for _, id := range ids {
		if !c.resting(id, now) {
			c.serve(ctx, id, flights)
		}
	}
	if c.after = ""; len(ids) == tenants {
		c.after = ids[len(ids)-1]
	} else {
		c.tidy(now)
	}
	return c.after != ""
}

// resting reports whether all that was due for a tenant is for targets that rest.
func (c *Courier) resting(id tenant.ID, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.tenants[id]
	return d != nil && d.rest.After(now)
}

// tidy forgets tenants of whom nothing is on its way and nothing rests.
func (c *Courier) tidy(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, d := range c.tenants {
		for at, x := range d.targets {
			if x.flying == 0 && now.Sub(x.until) > longest {
				delete(d.targets, at)
			}
		}
		if d.flying == 0 && len(d.targets) == 0 {
			delete(c.tenants, id)
		}
	}
}

// serve takes up what is due for one tenant, as far as there is room: first what is for targets that are well, then one
// message for one that failed and has rested.
func (c *Courier) serve(ctx context.Context, id tenant.ID, flights *sync.WaitGroup) {
	for c.load(ctx, id, flights) {
	}
}

// load takes up as much as can be taken at once without too much for one target, and reports whether there may be more.
func (c *Courier) load(ctx context.Context, id tenant.ID, flights *sync.WaitGroup) (more bool) {
	now := c.Now()
	r := c.room(id, now)
	if r.places == 0 {
		return false
	}
	ms, err := c.Store.Lease(ctx, id, now, now.Add(lease), r.places, append(r.ill, r.except...))
	more = err == nil && len(ms) == r.places
	if err == nil && !more && len(r.ill) > 0 {
		var one []Message
		one, err = c.Store.Lease(ctx, id, now, now.Add(lease), 1, r.except)
		ms = append(ms, one...)
	}
	c.took(id, r, ms)
	c.failed(ctx, err)
	for i := range ms {
		m := &ms[i]
		at := m.Target // which preparation may change
		flights.Go(func() {
			well := c.attempt(context.WithoutCancel(ctx), id, m)
			if c.landed(id, at, well) {
				c.Recorded(id)
			}
		})
	}
	return more
}

// room is what there is for one tenant.
type room struct {
	places int       // reserved
	except []string  // targets that rest, or have enough on its way
	ill    []string  // targets that failed and have rested
	rest   time.Time // when the first of those that rest has rested
}

// room reserves places for a tenant.
func (c *Courier) room(id tenant.ID, now time.Time) (r room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.tenants[id]
	if d == nil {
		d = &desk{targets: map[string]*target{}}
		c.tenants[id] = d
	}
	if r.places = max(0, min(perTenant-d.flying, atOnce-c.running, perTarget)); r.places == 0 {
		d.more = true
		return r
	}
	d.stirred = false
	for at, x := range d.targets {
		switch {
		case x.until.After(now):
			r.except = append(r.except, at)
			if r.rest.IsZero() || x.until.Before(r.rest) {
				r.rest = x.until
			}
		case x.flying >= perTarget || x.failures > 0 && x.flying > 0:
			r.except = append(r.except, at)
			d.more = true
		case x.failures > 0:
			r.ill = append(r.ill, at)
		default:
			r.places = min(r.places, perTarget-x.flying) // all may be for this one
		}
	}
	d.flying += r.places
	c.running += r.places
	return r
}

// took gives back the places that were not needed.
func (c *Courier) took(id tenant.ID, r room, ms []Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.tenants[id]
	d.flying -= r.places - len(ms)
	c.running -= r.places - len(ms)
	d.more = d.more || len(ms) == r.places
	if d.rest = r.rest; len(ms) > 0 || d.stirred {
		d.rest = time.Time{}
	}
	for _, m := range ms {
		x := d.targets[m.Target]
		if x == nil {
			x = &target{}
			d.targets[m.Target] = x
		}
		x.flying++
	}
}

// landed gives back the place of one message, and reports whether another may be waiting for it.
func (c *Courier) landed(id tenant.ID, at string, well bool) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.tenants[id]
	d.flying--
	c.running--
	x := d.targets[at]
	x.flying--
	if well {
		x.failures, x.until = 0, time.Time{}
	} else {
		x.failures++
		x.until = c.Now().Add(min(c.pause(x.failures), longest))
	}
	if x.flying == 0 && (well || len(d.targets) > remember) {
		delete(d.targets, at)
	}
	more, d.more = d.more || well, false // what waits for its turn behind this one cannot be told from nothing
	return more
}

func (c *Courier) failed(ctx context.Context, err error) {
	if err != nil && c.Failed != nil && ctx.Err() == nil {
		c.Failed(err)
	}
}

package tenant_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

var epoch = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(epoch.UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) Advance(d time.Duration) { c.at.Add(int64(d)) }

var errAway = errors.New("the database is away")

// directory is a Directory in memory.
type directory struct {
	mu       sync.Mutex
	clock    *clock
	records  map[tenant.ID]tenant.Record
	revoked  map[tenant.ID][]tenant.Revocation
	clients  map[tenant.ID]map[string]*tenant.Client
	changes  []tenant.Change
	seq      int64
	down     error
	finds    int
	loads    int
	lookups  int
	polls    int
	since    []time.Time
	snapshot func(tenant.ID)     // called in Snapshot once it has read, before it returns
	client   func(string)        // the same in Client
	find     func(n tenant.Name) // the same in Find
	feed     func()              // the same in Changes
	listen   func(context.Context, func()) error
}

func newDirectory(c *clock, ids ...tenant.ID) *directory {
	d := &directory{
		clock:   c,
		records: map[tenant.ID]tenant.Record{},
		revoked: map[tenant.ID][]tenant.Revocation{},
		clients: map[tenant.ID]map[string]*tenant.Client{},
	}
	for i, id := range ids {
		d.put(id, func(r *tenant.Record) { r.ServiceID = int64(1_000_001 + i) })
	}
	return d
}

// put creates or changes a tenant.
func (d *directory) put(id tenant.ID, change func(*tenant.Record)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.records[id]
	if !ok {
		r = tenant.Record{ID: id, Issuer: "https://id.example/t/" + string(id), Enabled: true}
	}
	r.Version++
	if change != nil {
		change(&r)
	}
	d.records[id] = r
	d.note(tenant.Change{Tenant: id})
}

func (d *directory) remove(id tenant.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.records, id)
	delete(d.clients, id)
	d.note(tenant.Change{Tenant: id})
}

func (d *directory) putClient(id tenant.ID, c *tenant.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clients[id] == nil {
		d.clients[id] = map[string]*tenant.Client{}
	}
	d.clients[id][c.ID] = c
	d.note(tenant.Change{Tenant: id, ClientID: c.ID})
}

func (d *directory) revoke(id tenant.ID, r tenant.Revocation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.revoked[id] = append(d.revoked[id], r)
	d.note(tenant.Change{Tenant: id, Revocation: &r})
}

// note records a change. The caller holds mu.
func (d *directory) note(c tenant.Change) {
	d.seq++
	c.Seq, c.At = d.seq, d.clock.Now()
	d.changes = append(d.changes, c)
}

func (d *directory) set(f func(*directory)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

func (d *directory) count() (finds, loads, lookups, polls int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.finds, d.loads, d.lookups, d.polls
}

func (d *directory) Find(_ context.Context, n tenant.Name) (tenant.ID, error) {
	id, after, err := func() (tenant.ID, func(tenant.Name), error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.finds++
		if d.down != nil {
			return "", d.find, d.down
		}
		for _, r := range d.records {
			if r.Enabled && (n.Issuer == r.Issuer || slices.Contains(r.Aliases, n.Issuer) || n.ServiceID == strconv.FormatInt(r.ServiceID, 10)) {
				return r.ID, d.find, nil
			}
		}
		return "", d.find, tenant.ErrUnknown
	}()
	if after != nil {
		after(n)
	}
	return id, err
}

func (d *directory) Snapshot(_ context.Context, id tenant.ID, now time.Time) (*tenant.Record, []tenant.Revocation, error) {
	r, rs, after, err := func() (tenant.Record, []tenant.Revocation, func(tenant.ID), error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.loads++
		r, ok := d.records[id]
		if d.down != nil {
			return r, nil, d.snapshot, d.down
		}
		if !ok || !r.Enabled {
			return r, nil, d.snapshot, tenant.ErrUnknown
		}
		var live []tenant.Revocation
		for _, v := range d.revoked[id] {
			if now.Before(v.ExpiresAt) {
				live = append(live, v)
			}
		}
		return r, live, d.snapshot, nil
	}()
	if after != nil {
		after(id)
	}
	if err != nil {
		return nil, nil, err
	}
	return &r, rs, nil
}

func (d *directory) Client(_ context.Context, t tenant.ID, id string) (*tenant.Client, error) {
	c, after, err := func() (*tenant.Client, func(string), error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lookups++
		if d.down != nil {
			return nil, d.client, d.down
		}
		c, ok := d.clients[t][id]
		if !ok {
			return nil, d.client, tenant.ErrNoClient
		}
		return c, d.client, nil
	}()
	if after != nil {
		after(id)
	}
	return c, err
}

func (d *directory) Changes(ctx context.Context, since time.Time) ([]tenant.Change, time.Time, error) {
	d.mu.Lock()
	after := d.feed
	d.mu.Unlock()
	if after != nil {
		after()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.polls++
	d.since = append(d.since, since)
	if d.down != nil {
		return nil, time.Time{}, d.down
	}
	var cs []tenant.Change
	for _, c := range d.changes {
		if !c.At.Before(since) {
			cs = append([]tenant.Change{c}, cs...) // in any order: newest first here
		}
	}
	return cs, d.clock.Now(), ctx.Err()
}

func (d *directory) Listen(ctx context.Context, wake func()) error {
	d.mu.Lock()
	listen := d.listen
	d.mu.Unlock()
	if listen == nil {
		return nil
	}
	return listen(ctx, wake)
}

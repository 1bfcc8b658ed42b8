package tenant

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"
	"weak"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"

	"github.com/chancery-id/chancery/tenant/keys"
)

// Options bound what a Resolver keeps and how it follows changes. The zero value of each field is its
// default.
type Options struct {
	Now       func() time.Time // required
	Tenants   int              // snapshots at most: 10,000
	Clients   int              // clients at most, of all tenants: 100,000
	Life      time.Duration    // of a snapshot, and of an issuer's name, since last access: 10 min
	Client    time.Duration    // life of a client: 5 min
	Absent    time.Duration    // how long it is remembered that something does not exist: 10 s
	Interval  time.Duration    // between polls: 1 s
	Overlap   time.Duration    // of polls, for late commits: 15 s
	Timeout   time.Duration    // of a poll: 3 s
	Loads     int64            // reads of the directory at once, polls aside: 32
	Documents *Documents       // finds clients by their metadata documents; nil: there are none
	Lost      func(error)      // told of every failed poll and lost listener; may be nil
}

func (o Options) withDefaults() Options {
	o.Tenants = cmp.Or(o.Tenants, 10_000)
	o.Clients = cmp.Or(o.Clients, 100_000)
	o.Life = cmp.Or(o.Life, 10*time.Minute)
	o.Client = cmp.Or(o.Client, 5*time.Minute)
	o.Absent = cmp.Or(o.Absent, 10*time.Second)
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.Overlap = cmp.Or(o.Overlap, 15*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 3*time.Second)
	o.Loads = cmp.Or(o.Loads, 32)
	if o.Lost == nil {
		o.Lost = func(error) {}
	}
	return o
}

// Resolver finds tenants by name and keeps their snapshots, bounded in number and current: every change is
// seen by a poll of the directory, see Run. It is safe for concurrent use.
type Resolver struct {
	dir   Directory
	o     Options
	clock clock
	loads *semaphore.Weighted

	tenants *otter.Cache[ID, *Tenant]
	names   *otter.Cache[Name, ID] // of issuers and service numbers
	clients *otter.Cache[clientKey, *Client]

	unknown  absent[Name]
	noClient absent[clientKey]

	snapshots atomic.Uint64 // how many were made
	epoch     atomic.Uint64 // raised when everything is dropped
	journals  journals
	feed      feed
}

// clientKey names a client as one snapshot sees it. A new snapshot looks its clients up anew, so that those
// of a deleted tenant are not found in another that took its id.
type clientKey struct {
	tenant   ID
	snapshot uint64
	client   string
}

// NewResolver returns a Resolver that has loaded nothing.
func NewResolver(d Directory, o Options) *Resolver {
	o = o.withDefaults()
	clock := newClock(o.Now())
	r := &Resolver{
		dir:   d,
		o:     o,
		clock: clock,
		loads: semaphore.NewWeighted(o.Loads),
		tenants: otter.Must(&otter.Options[ID, *Tenant]{
			MaximumSize: o.Tenants, ExpiryCalculator: otter.ExpiryAccessing[ID, *Tenant](o.Life), Clock: clock,
		}),
		names: otter.Must(&otter.Options[Name, ID]{
			MaximumSize: 2 * o.Tenants, ExpiryCalculator: otter.ExpiryAccessing[Name, ID](o.Life), Clock: clock,
		}),
		clients: otter.Must(&otter.Options[clientKey, *Client]{
			MaximumSize: o.Clients, ExpiryCalculator: otter.ExpiryWriting[clientKey, *Client](o.Client), Clock: clock,
		}),
		unknown:  newAbsent[Name](o.Tenants, o.Absent, clock),
		noClient: newAbsent[clientKey](o.Tenants, o.Absent, clock),
	}
	r.journals.of, r.journals.loading = map[ID]weak.Pointer[Journal]{}, map[*load]struct{}{}
	r.feed.start(o.Now(), o.Overlap)
	return r
}

// Resolve returns the tenant that names stand for. No name is ErrUnnamed. One name that is malformed, or not
// that of an enabled tenant, is ErrUnknown. Several names must all stand for the same enabled tenant, and those
// of issuers be the same, else ErrContradiction, so that nobody learns which of them exist. Other errors are the directory's.
func (r *Resolver) Resolve(ctx context.Context, names ...Name) (*Tenant, error) {
	now := r.o.Now()
	r.clock.set(now)
	r.catchUp(ctx, now)
	switch len(names) {
	case 0:
		return nil, ErrUnnamed
	case 1:
		return r.one(ctx, names[0])
	}
	var found *Tenant
	issuer := ""
	for _, n := range names {
		t, err := r.one(ctx, n)
		switch {
		case errors.Is(err, ErrUnknown), err == nil && found != nil && found.ID != t.ID, n.Issuer != "" && issuer != "" && n.Issuer != issuer:
			return nil, ErrContradiction
		case err != nil:
			return nil, err
		}
		if found == nil || n.Issuer != "" { // which tells the face too
			found, issuer = t, n.Issuer
		}
	}
	return found, nil
}

// one returns the tenant of a name, or ErrUnknown.
func (r *Resolver) one(ctx context.Context, n Name) (*Tenant, error) {
	if n.ID != "" {
		id, err := ParseID(n.ID)
		if err != nil || n.Issuer != "" || n.ServiceID != "" {
			return nil, ErrUnknown
		}
		return r.snapshot(ctx, id)
	}
	if !n.legal() {
		return nil, ErrUnknown
	}
	id, err := r.find(ctx, n)
	if err != nil {
		return nil, err
	}
	t, err := r.snapshot(ctx, id)
	if err == nil && t.is(n) {
		return t.as(n), nil
	}
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	// The name was another tenant's. It may have a new one.
	r.names.Invalidate(n)
	if id, err = r.find(ctx, n); err != nil {
		return nil, err
	}
	if t, err = r.snapshot(ctx, id); err != nil {
		return nil, err
	}
	if !t.is(n) {
		return nil, ErrUnknown
	}
	return t.as(n), nil
}

// legal reports whether n is an issuer or a service number that a tenant can have.
func (n Name) legal() bool {
	if n.ServiceID == "" {
		return n.Issuer != "" && len(n.Issuer) <= MaxIssuer
	}
	if n.Issuer != "" || len(n.ServiceID) > 16 {
		return false
	}
	number, err := strconv.ParseInt(n.ServiceID, 10, 64)
	return err == nil && number > 0 && strconv.FormatInt(number, 10) == n.ServiceID
}

// is reports whether t has the issuer or service number n.
func (t *Tenant) is(n Name) bool {
	return n.Issuer != "" && t.Owns(n.Issuer) || n.ServiceID != "" && n.ServiceID == strconv.FormatInt(t.ServiceID, 10)
}

// as is t under the face that n names, if it names an issuer.
func (t *Tenant) as(n Name) *Tenant {
	if n.Issuer == "" || n.Issuer == t.Issuer {
		return t
	}
	return t.At(n.Issuer)
}

// find returns the id of the tenant of an issuer or service number.
func (r *Resolver) find(ctx context.Context, n Name) (ID, error) {
	if id, ok := r.names.GetIfPresent(n); ok {
		return id, nil
	}
	if r.unknown.has(n) {
		return "", ErrUnknown
	}
	return r.names.Get(ctx, n, otter.LoaderFunc[Name, ID](func(ctx context.Context, n Name) (ID, error) {
		if err := r.loads.Acquire(ctx, 1); err != nil {
			return "", err
		}
		defer r.loads.Release(1)
		epoch := r.unknown.epoch.Load()
		id, err := r.dir.Find(ctx, n)
		if errors.Is(err, ErrUnknown) {
			r.unknown.note(n, epoch)
		}
		return id, err
	}))
}

// snapshot returns the enabled tenant of that id, or ErrUnknown. A load whose tenant changes meanwhile is
// done again: the cache drops what was loaded under a key that was invalidated.
func (r *Resolver) snapshot(ctx context.Context, id ID) (*Tenant, error) {
	for {
		t, ok := r.tenants.GetIfPresent(id)
		if !ok {
			if r.unknown.has(Name{ID: string(id)}) {
				return nil, ErrUnknown
			}
			var err error
			if t, err = r.tenants.Get(ctx, id, otter.LoaderFunc[ID, *Tenant](r.load)); err != nil {
				return nil, err
			}
		}
		if t.Clients.(*registry).epoch == r.epoch.Load() {
			return t, nil
		}
		r.tenants.ComputeIfPresent(id, func(cached *Tenant) (*Tenant, otter.ComputeOp) {
			if cached == t {
				return nil, otter.InvalidateOp
			}
			return nil, otter.CancelOp // another caller has loaded it anew
		})
	}
}

func (r *Resolver) load(ctx context.Context, id ID) (*Tenant, error) {
	if err := r.loads.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer r.loads.Release(1)
	dropped, epoch := r.epoch.Load(), r.unknown.epoch.Load()
	l := r.journals.expect(id) // before the read, so that no revocation falls between the read and the journal
	defer r.journals.done(l)
	rec, revoked, err := r.dir.Snapshot(ctx, id, r.o.Now())
	if err != nil {
		if errors.Is(err, ErrUnknown) {
			r.unknown.note(Name{ID: string(id)}, epoch)
		}
		return nil, err
	}
	settings := rec.Settings
	settings.uphold()
	clients := &registry{r, rec.ID, r.snapshots.Add(1), dropped, nil}
	clients.of = &Tenant{
		ID:        rec.ID,
		ServiceID: rec.ServiceID,
		Version:   rec.Version,
		Issuer:    rec.Issuer,
		Settings:  &settings,
		Keys:      keys.NewSet(rec.Keys),
		Secret:    rec.Secret,
		Tokens:    rec.Tokens,
		Clients:   clients,
		Revoked:   r.journals.open(l, revoked),
	}
	clients.of.faced(rec.Aliases)
	return clients.of, nil
}

// registry looks clients up for one snapshot.
type registry struct {
	r        *Resolver
	tenant   ID
	snapshot uint64
	epoch    uint64 // of the resolver when the snapshot was loaded
	of       *Tenant
}

// Client returns the client of that id, or ErrNoClient.
func (c *registry) Client(ctx context.Context, id string) (*Client, error) {
	if id == "" || len(id) > MaxClientID {
		return nil, ErrNoClient
	}
	if c.tenant == Platform && id == CommandLine {
		return c.of.Settings.held(commandLine(c.of)), nil
	}
	if c.r.o.Documents != nil && IsDocument(id) {
		client, err := c.r.o.Documents.Client(ctx, c.of, id)
		if err == nil {
			client = c.of.Settings.held(client)
		}
		return client, err
	}
	key := clientKey{c.tenant, c.snapshot, id}
	if client, ok := c.r.clients.GetIfPresent(key); ok {
		return client, nil
	}
	if c.r.noClient.has(key) {
		return nil, ErrNoClient
	}
	return c.r.clients.Get(ctx, key, otter.LoaderFunc[clientKey, *Client](func(ctx context.Context, key clientKey) (*Client, error) {
		client, err := c.r.loadClient(ctx, key)
		if err == nil {
			client = c.of.Settings.held(client)
		}
		return client, err
	}))
}

func (r *Resolver) loadClient(ctx context.Context, key clientKey) (*Client, error) {
	if err := r.loads.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer r.loads.Release(1)
	epoch := r.noClient.epoch.Load()
	client, err := r.dir.Client(ctx, key.tenant, key.client)
	if errors.Is(err, ErrNoClient) {
		r.noClient.note(key, epoch)
	}
	return client, err
}

// apply drops what the changes made old. A revocation goes into the journal of a tenant that is loaded or
// being loaded.
func (r *Resolver) apply(cs []Change) {
	snapshots, clients := false, false
	for _, c := range cs {
		switch {
		case c.Revocation != nil:
			r.journals.add(c.Tenant, *c.Revocation)
		case c.ClientID != "":
			clients = true
			if e, ok := r.tenants.GetEntryQuietly(c.Tenant); ok {
				r.clients.Invalidate(clientKey{c.Tenant, e.Value.Clients.(*registry).snapshot, c.ClientID})
			}
		default:
			snapshots = true
			r.tenants.Invalidate(c.Tenant)
		}
	}
	if snapshots {
		r.unknown.forget()
	}
	if clients {
		r.noClient.forget()
	}
}

// drop makes old whatever is loaded or being loaded, but for journals, which only grow. A name is checked
// against its tenant each time.
func (r *Resolver) drop() {
	r.epoch.Add(1)
	r.unknown.forget()
	r.noClient.forget()
}

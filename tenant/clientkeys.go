package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/chancery-id/chancery/tenant/keys"
)

// How long a key set behind a jwks_uri counts.
const (
	keysFresh  = 10 * time.Minute // then it is read again
	keysStale  = 24 * time.Hour   // so long it still counts where it cannot be
	keysReread = time.Minute      // at most so often it is read again because of a kid that it lacks
	keysRetry  = 10 * time.Second // at most so often it is tried again after a failure
)

// keysCached bounds the sets in memory, in bytes of their documents.
const keysCached = 32 << 20

// ErrNoKeys says that a client's keys cannot be had. It wraps the cause.
var ErrNoKeys = errors.New("tenant: the client's keys cannot be had")

// Fetch reads what is at a URL, of at most max bytes: outbound.Client.Get. Its key is the tenant's id.
type Fetch func(ctx context.Context, key, url string, max int64) (body []byte, contentType string, err error)

// ClientKeys finds the public keys of clients: those that they registered, and those behind a jwks_uri, which are fetched
// and kept for a while. It is safe for concurrent use.
type ClientKeys struct {
	now   func() time.Time
	fetch Fetch
	sets  *otter.Cache[setKey, *clientSet]
}

// setKey names the keys of a client; a client that moves its keys is asked for them at once.
type setKey struct {
	tenant      ID
	client, uri string
}

// NewClientKeys returns a ClientKeys that has fetched nothing.
func NewClientKeys(now func() time.Time, fetch Fetch) *ClientKeys {
	return &ClientKeys{now: now, fetch: fetch, sets: otter.Must(&otter.Options[setKey, *clientSet]{
		MaximumWeight: keysCached, Weigher: func(_ setKey, s *clientSet) uint32 { return s.weight() }})}
}

// clientSet is what is known of one client's keys.
type clientSet struct {
	mu      sync.Mutex
	doc     json.RawMessage // registered by value
	set     *keys.ClientSet // the last good one
	fetched time.Time       // when that was read
	tried   time.Time       // the last attempt
	reread  time.Time       // the last attempt because of a kid
	err     error           // of the last attempt
	loading chan struct{}   // closed when the attempt under way ends
}

func (s *clientSet) weight() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	const own = 512
	if s.set == nil {
		return own
	}
	return own + 2*uint32(s.set.Size())
}

// Of returns the keys of c, which is a client of t, or ErrNoKeys.
func (k *ClientKeys) Of(ctx context.Context, t ID, c *Client) (*keys.ClientSet, error) {
	switch {
	case c.JWKSURI != "":
		return k.fetched(ctx, t, c)
	case len(c.JWKS) == 0:
		return nil, ErrNoKeys
	}
	id := setKey{t, c.ID, ""}
	s := k.entry(id)
	s.mu.Lock()
	if bytes.Equal(s.doc, c.JWKS) && s.set != nil {
		defer s.mu.Unlock()
		return s.set, nil
	}
	set, err := keys.ParseJWKS(c.JWKS)
	if err == nil {
		s.doc, s.set = c.JWKS, set
	}
	s.mu.Unlock()
	if err != nil {
		return nil, errors.Join(ErrNoKeys, err)
	}
	k.sets.Set(id, s) // weighed again
	return set, nil
}

// Again returns the keys of c as they are now, after those of Of lacked one, or false where that is not worth asking:
// for keys by value, and for those that were read again less than a minute ago.
func (k *ClientKeys) Again(ctx context.Context, t ID, c *Client) (*keys.ClientSet, bool) {
	if c.JWKSURI == "" {
		return nil, false
	}
	id := setKey{t, c.ID, c.JWKSURI}
	s, now := k.entry(id), k.now()
	s.mu.Lock()
	if s.loading == nil && now.Before(s.reread.Add(keysReread)) {
		s.mu.Unlock()
		return nil, false
	}
	if s.loading == nil {
		s.reread = now
	}
	set, err := k.load(ctx, id, s, now)
	return set, err == nil
}

func (k *ClientKeys) entry(id setKey) *clientSet {
	if s, ok := k.sets.GetIfPresent(id); ok {
		return s
	}
	s, _ := k.sets.SetIfAbsent(id, &clientSet{})
	return s
}

func (k *ClientKeys) fetched(ctx context.Context, t ID, c *Client) (*keys.ClientSet, error) {
	id := setKey{t, c.ID, c.JWKSURI}
	s, now := k.entry(id), k.now()
	s.mu.Lock()
	usable := s.set != nil && now.Before(s.fetched.Add(keysStale))
	fresh := usable && now.Before(s.fetched.Add(keysFresh))
	waits := s.err != nil && now.Before(s.tried.Add(keysRetry))
	switch {
	case fresh, usable && (waits || s.loading != nil): // the last good ones, while others look for newer
		defer s.mu.Unlock()
		return s.set, nil
	case waits && s.loading == nil:
		defer s.mu.Unlock()
		return nil, errors.Join(ErrNoKeys, s.err)
	}
	set, err := k.load(ctx, id, s, now)
	switch {
	case err == nil:
		return set, nil
	case usable:
		return s.last(), nil
	}
	return nil, errors.Join(ErrNoKeys, err)
}

func (s *clientSet) last() *keys.ClientSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set
}

// load fetches the keys, or waits for whoever does. s is locked before and not after. An attempt goes on when the caller
// that began it leaves: others wait for it.
func (k *ClientKeys) load(ctx context.Context, id setKey, s *clientSet, now time.Time) (*keys.ClientSet, error) {
	done := s.loading
	if done == nil {
		done = make(chan struct{})
		s.loading, s.tried = done, now
		go k.attempt(context.WithoutCancel(ctx), id, s, now)
	}
	s.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set, s.err
}

// limits names the limits that a fetch is under: what strangers have fetched for them never holds up a registered client.
func (k setKey) limits() string {
	if IsDocument(k.client) {
		return documentLimits(k.tenant)
	}
	return string(k.tenant)
}

func (k *ClientKeys) attempt(ctx context.Context, id setKey, s *clientSet, now time.Time) {
	body, _, err := k.fetch(ctx, id.limits(), id.uri, keys.MaxJWKS)
	var set *keys.ClientSet
	if err == nil {
		set, err = keys.ParseJWKS(body)
	}
	s.mu.Lock()
	if s.err = err; err == nil {
		s.set, s.fetched = set, now
	}
	close(s.loading)
	s.loading = nil
	s.mu.Unlock()
	k.sets.Set(id, s) // weighed again
}

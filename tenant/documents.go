package tenant

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/chancery-id/chancery/flows/oauth"
)

// DocumentSettings rule clients whose id is the URL of their metadata (OAuth Client ID Metadata Document, draft 02).
type DocumentSettings struct {
	Enabled         bool     `json:"enabled,omitempty"`          // otherwise such an id is unknown
	Hosts           []string `json:"hosts,omitempty"`            // that ids may name; *.example.com is any below that; empty: all
	Blocked         []string `json:"blocked,omitempty"`          // hosts that ids may not name, in the same form
	SameOrigin      bool     `json:"same_origin,omitempty"`      // redirect URIs are of the id's origin, or of the user's own device
	RememberConsent bool     `json:"remember_consent,omitempty"` // consent counts for a later request too
}

// permits reports whether the host of an id is one of those that the tenant takes.
func (s *DocumentSettings) permits(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	named := func(pattern string) bool {
		suffix, any := strings.CutPrefix(pattern, "*")
		return pattern == host || any && strings.HasSuffix(host, suffix) && len(host) > len(suffix)
	}
	return s.Enabled && !slices.ContainsFunc(s.Blocked, named) && (len(s.Hosts) == 0 || slices.ContainsFunc(s.Hosts, named))
}

// Takes reports whether a client of that id is one of a document, and the tenant takes it. It fetches nothing.
func (s *DocumentSettings) Takes(id string) bool {
	if !s.Enabled || !IsDocument(id) {
		return false
	}
	u, err := documentURL(id)
	return err == nil && s.permits(u.Hostname())
}

// documents checks the settings of clients by document.
func (c *checker) documents(s *DocumentSettings) {
	for pointer, hosts := range map[string][]string{"/client_documents/hosts": s.Hosts, "/client_documents/blocked": s.Blocked} {
		c.list(pointer, hosts, hostPattern, "must be a host in lower case, or one that begins with an asterisk and a dot")
	}
}

func hostPattern(v string) bool {
	v = strings.TrimPrefix(v, "*.")
	return v != "" && strings.Trim(v, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" && v[0] != '.' && v[len(v)-1] != '.' && !strings.Contains(v, "..")
}

// IsDocument reports whether a client id is the URL of a document, by its form: no other id looks like one.
func IsDocument(id string) bool { return strings.HasPrefix(id, "https://") }

// maxDocumentID is the longest URL that may be a client id, in bytes.
const maxDocumentID = 255

var errDocumentURL = errors.New("not a URL that may be a client id")

// documentURL parses an id: https, with a path, without user, fragment and dot segments (§3).
func documentURL(id string) (*url.URL, error) {
	u, err := url.Parse(id)
	if err != nil || len(id) > maxDocumentID || !IsDocument(id) || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") || u.User != nil || u.Path == "" ||
		u.Opaque != "" || strings.ContainsAny(id, "#\\") || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errDocumentURL
	}
	for segment := range strings.SplitSeq(u.Path, "/") { // decoded, so that %2e is a dot
		if segment == "." || segment == ".." {
			return nil, errDocumentURL
		}
	}
	return u, nil
}

// How long a document counts, whatever its server says (§5.2).
const (
	documentLife  = 10 * time.Minute // where it does not say
	documentLeast = time.Minute      // so long one authorization takes
	documentMost  = 24 * time.Hour
	documentStale = time.Hour        // so long after that it still counts where it cannot be fetched
	documentRetry = 10 * time.Second // at most so often it is then tried
)

// Bounds of documents.
const (
	MaxDocument      = 5 << 10 // bytes (§8.7)
	documentShelves  = 64      // of one tenant
	documentsOfShelf = 8
	documentsInBytes = 32 << 20 // of all tenants
)

// Documents finds clients whose id is the URL of their metadata. It keeps a bounded number of documents of each tenant, and
// nothing of what cannot be fetched or is no valid one. It is safe for concurrent use.
type Documents struct {
	Now   func() time.Time
	Fetch func(ctx context.Context, key, url string, max int64) (body []byte, mediaType string, fresh time.Duration, err error)
	Read  func(t *Tenant, id string, doc []byte) (*Client, error) // the client that doc describes, or why it is none
	Allow func(ctx context.Context, t ID) bool                    // reports whether one more may be fetched now; nil: always

	once    sync.Once
	seed    maphash.Seed
	shelves *otter.Cache[shelfKey, *shelf]
}

// shelfKey names a shelf. A tenant has so many, with room for so many documents each. Which ids share one cannot be told from
// outside.
type shelfKey struct {
	tenant ID
	n      uint64
}

// shelf holds documents, the one that was asked for last in front. Where there is no room, the last one goes.
type shelf struct {
	mu   sync.Mutex
	docs []*document
}

// take returns the document of that id, which is new where there was none.
func (s *shelf) take(id string) *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc := &document{id: id}
	if i := slices.IndexFunc(s.docs, func(d *document) bool { return d.id == id }); i >= 0 {
		doc = s.docs[i]
		s.docs = slices.Delete(s.docs, i, i+1)
	}
	s.docs = slices.Insert(s.docs, 0, doc)
	s.docs = s.docs[:min(len(s.docs), documentsOfShelf)]
	return doc
}

func (s *shelf) weight() (n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, doc := range s.docs {
		n += 2048 + 2*uint32(doc.size.Load())
	}
	return n
}

// document is what is known behind one id.
type document struct {
	id      string
	size    atomic.Int64 // of body
	mu      sync.Mutex
	body    []byte    // the last good one
	until   time.Time // then it is fetched again
	tried   time.Time // the last attempt
	client  *Client
	version int64         // of the tenant that client was read for
	loading chan struct{} // closed when the attempt under way ends
	err     error         // of that attempt
}

func (d *Documents) begin() {
	d.once.Do(func() {
		d.seed = maphash.MakeSeed()
		d.shelves = otter.Must(&otter.Options[shelfKey, *shelf]{MaximumWeight: documentsInBytes,
			Weigher: func(_ shelfKey, s *shelf) uint32 { return s.weight() }})
	})
}

// Client returns the client that the document at id describes. It is ErrNoClient where t does not take that id, or the
// document cannot be fetched or is not valid; the cause says which. Too many fetches are temporarily_unavailable.
func (d *Documents) Client(ctx context.Context, t *Tenant, id string) (*Client, error) {
	if !t.Settings.Documents.Takes(id) {
		return nil, ErrNoClient
	}
	d.begin()
	at := shelfKey{t.ID, maphash.String(d.seed, id) % documentShelves}
	s, ok := d.shelves.GetIfPresent(at)
	if !ok {
		s, _ = d.shelves.SetIfAbsent(at, &shelf{})
	}
	doc := s.take(id)
	doc.mu.Lock()
	if now := d.Now(); now.Before(doc.until) || doc.usable(now) && now.Before(doc.tried.Add(documentRetry)) {
		defer doc.mu.Unlock()
		return doc.of(d, t)
	}
	c, err := d.fetched(ctx, t, doc)
	d.shelves.Set(at, s) // weighed again
	return c, err
}

// usable reports whether the last good document still counts where no newer one can be had.
func (doc *document) usable(now time.Time) bool { return now.Before(doc.until.Add(documentStale)) }

// of returns the client that doc describes to t. doc is locked.
func (doc *document) of(d *Documents, t *Tenant) (*Client, error) {
	if doc.client != nil && doc.version == t.Version {
		return doc.client, nil
	}
	c, err := d.Read(t, doc.id, doc.body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoClient, err)
	}
	doc.client, doc.version = c, t.Version
	return c, nil
}

// fetched fetches the document, or waits for whoever does. doc is locked before and not after. An attempt goes on when the
// caller that began it leaves: others wait for it.
func (d *Documents) fetched(ctx context.Context, t *Tenant, doc *document) (*Client, error) {
	done := doc.loading
	if done == nil {
		if d.Allow != nil && !d.Allow(ctx, t.ID) {
			doc.mu.Unlock()
			return nil, oauth.Unavailable().Because(errors.New("too many metadata documents are being fetched"))
		}
		done = make(chan struct{})
		doc.loading, doc.tried = done, d.Now()
		go d.attempt(context.WithoutCancel(ctx), t, doc)
	}
	doc.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	doc.mu.Lock()
	defer doc.mu.Unlock()
	if doc.err != nil && !doc.usable(d.Now()) {
		return nil, fmt.Errorf("%w: %w", ErrNoClient, doc.err)
	}
	return doc.of(d, t)
}

// documentLimits names the limits that fetches for clients by document are under.
func documentLimits(t ID) string { return "documents of " + string(t) }

func (d *Documents) attempt(ctx context.Context, t *Tenant, doc *document) {
	body, mediaType, fresh, err := d.Fetch(ctx, documentLimits(t.ID), doc.id, MaxDocument)
	if err == nil && mediaType != "application/json" && !(strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")) {
		err = errors.New("the document is not of type application/json")
	}
	if err == nil {
		_, err = d.Read(t, doc.id, body)
	}
	if fresh < 0 {
		fresh = documentLife
	}
	doc.mu.Lock()
	defer doc.mu.Unlock()
	if doc.err = err; err == nil {
		doc.client = nil
		doc.size.Store(int64(len(body)))
		doc.body, doc.until = body, d.Now().Add(min(max(fresh, documentLeast), documentMost))
	}
	close(doc.loading)
	doc.loading = nil
}

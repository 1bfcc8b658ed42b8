package tenant

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// library serves documents to a Documents, and counts.
type library struct {
	now     atomic.Int64 // seconds
	fetched atomic.Int64
	body    atomic.Value // string
	fresh   time.Duration
	kind    string
	err     error
	hang    chan struct{}
	allow   bool
}

func newLibrary() (*library, *Documents, *Tenant) {
	l := &library{kind: "application/json", fresh: -1, allow: true}
	l.body.Store("good")
	d := &Documents{Now: func() time.Time { return time.Unix(l.now.Load(), 0) }, Allow: func(context.Context, ID) bool { return l.allow },
		Fetch: func(ctx context.Context, key, _ string, max int64) ([]byte, string, time.Duration, error) {
			l.fetched.Add(1)
			if l.hang != nil {
				<-l.hang
			}
			if key != "documents of acme" || max != MaxDocument {
				return nil, "", 0, errors.New("under other limits")
			}
			return []byte(l.body.Load().(string)), l.kind, l.fresh, l.err
		},
		Read: func(t *Tenant, id string, doc []byte) (*Client, error) {
			if string(doc) == "bad" {
				return nil, errors.New("bad")
			}
			return &Client{ID: id, Metadata: Metadata{Name: string(doc)}, Number: t.Version}, nil
		}}
	return l, d, &Tenant{ID: "acme", Version: 1, Settings: &Settings{Documents: DocumentSettings{Enabled: true}}}
}

const appURL = "https://app.example/client"

// S142: which URLs are ids, and of which hosts.
func TestWhichDocumentsATenantTakes(t *testing.T) {
	on := DocumentSettings{Enabled: true}
	for _, c := range []struct {
		rule, id string
		settings DocumentSettings
		want     bool
	}{
		{"off", appURL, DocumentSettings{}, false},
		{"on", appURL, on, true},
		{"a port and a query", "https://app.example:8443/client?v=1", on, true},
		{"a path of one slash", "https://app.example/", on, true},
		{"no path", "https://app.example", on, false},
		{"plain http", "http://app.example/client", on, false},
		{"plain http to this machine", "http://127.0.0.1/client", on, false},
		{"a scheme in capitals", "HTTPS://app.example/client", on, false},
		{"a fragment", appURL + "#x", on, false},
		{"an empty fragment", appURL + "#", on, false},
		{"a user", "https://user@app.example/client", on, false},
		{"an empty user", "https://@app.example/client", on, false},
		{"a dot segment", "https://app.example/./client", on, false},
		{"two dots", "https://app.example/a/../client", on, false},
		{"dots at the end", "https://app.example/..", on, false},
		{"encoded dots", "https://app.example/a/%2e%2E/client", on, false},
		{"dots in a name", "https://app.example/client..json", on, true},
		{"no host", "https:///client", on, false},
		{"an empty port", "https://app.example:/client", on, false},
		{"a space", appURL + " ", on, false},
		{"a line break", appURL + "\n", on, false},
		{"a backslash", "https://app.example\\client/", on, false},
		{"other letters", "https://äpp.example/client", on, false},
		{"too long", "https://app.example/" + strings.Repeat("a", 236), on, false},
		{"just not too long", "https://app.example/" + strings.Repeat("a", 235), on, true},
		{"a host that is allowed", appURL, DocumentSettings{Enabled: true, Hosts: []string{"app.example"}}, true},
		{"in another spelling", "https://APP.example./client", DocumentSettings{Enabled: true, Hosts: []string{"app.example"}}, true},
		{"a host that is not", appURL, DocumentSettings{Enabled: true, Hosts: []string{"other.example"}}, false},
		{"a host below", "https://a.b.app.example/client", DocumentSettings{Enabled: true, Hosts: []string{"*.app.example"}}, true},
		{"below is not the host itself", appURL, DocumentSettings{Enabled: true, Hosts: []string{"*.app.example"}}, false},
		{"a host that only ends alike", "https://notapp.example/client", DocumentSettings{Enabled: true, Hosts: []string{"*.app.example", "app.example"}}, false},
		{"a host that is blocked", appURL, DocumentSettings{Enabled: true, Hosts: []string{"app.example"}, Blocked: []string{"app.example"}}, false},
		{"a blocked host in another spelling", "https://App.Example/client", DocumentSettings{Enabled: true, Blocked: []string{"*.example"}}, false},
	} {
		l, d, acme := newLibrary()
		acme.Settings.Documents = c.settings
		_, err := d.Client(t.Context(), acme, c.id)
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrNoClient) || (l.fetched.Load() > 0) != c.want || c.settings.Takes(c.id) != c.want {
			t.Errorf("%s: %v, %d fetches", c.rule, err, l.fetched.Load())
		}
	}
}

// S143: how long a document is kept.
func TestHowLongADocumentIsKept(t *testing.T) {
	for _, c := range []struct {
		rule  string
		fresh time.Duration
		want  time.Duration
	}{
		{"ten minutes where it does not say", -1, 10 * time.Minute},
		{"as it says", 15 * time.Minute, 15 * time.Minute},
		{"a minute although it should not be kept", 0, time.Minute},
		{"a day at most", 1000 * time.Hour, 24 * time.Hour},
	} {
		l, d, acme := newLibrary()
		l.fresh = c.fresh
		for _, step := range []struct {
			at   time.Duration
			want int64
		}{{0, 1}, {c.want - time.Second, 1}, {c.want, 2}} {
			l.now.Store(int64(step.at.Seconds()))
			if _, err := d.Client(t.Context(), acme, appURL); err != nil || l.fetched.Load() != step.want {
				t.Errorf("%s: after %v %d fetches, %v", c.rule, step.at, l.fetched.Load(), err)
			}
		}
	}
}

func TestDocumentsThatCannotBeHad(t *testing.T) {
	l, d, acme := newLibrary()
	for rule, spoil := range map[string]func(){
		"not fetched":       func() { l.err = errors.New("away") },
		"not valid":         func() { l.body.Store("bad") },
		"of another type":   func() { l.kind = "text/html" },
		"of almost a type":  func() { l.kind = "text/x+json" },
		"of no type at all": func() { l.kind = "" },
	} {
		l.err, l.kind = nil, "application/json"
		l.body.Store("good")
		spoil()
		before := l.fetched.Load()
		for range 2 { // errors are not kept
			if _, err := d.Client(t.Context(), acme, appURL); !errors.Is(err, ErrNoClient) {
				t.Errorf("%s: %v", rule, err)
			}
		}
		if n := l.fetched.Load() - before; n != 2 {
			t.Errorf("%s: %d fetches", rule, n)
		}
	}
	l.err, l.kind = nil, "application/oauth-client+json"
	l.body.Store("good")
	if c, err := d.Client(t.Context(), acme, appURL); err != nil || c.Name != "good" {
		t.Error("after errors:", err)
	}
	// The last good one counts for an hour more, while it is looked for again every ten seconds.
	l.err = errors.New("away")
	before := l.fetched.Load()
	for _, at := range []time.Duration{10 * time.Minute, 10*time.Minute + 9*time.Second, 10*time.Minute + 10*time.Second} {
		l.now.Store(int64(at.Seconds()))
		if c, err := d.Client(t.Context(), acme, appURL); err != nil || c.Name != "good" {
			t.Error("the last good one:", err)
		}
	}
	if n := l.fetched.Load() - before; n != 2 {
		t.Error("fetches:", n)
	}
	l.now.Store(int64((70 * time.Minute).Seconds()))
	if _, err := d.Client(t.Context(), acme, appURL); !errors.Is(err, ErrNoClient) {
		t.Error("when that is over:", err)
	}
	l.allow = false
	if _, err := d.Client(t.Context(), acme, appURL); errors.Is(err, ErrNoClient) || oauth.ErrorOf(err).Code != "temporarily_unavailable" {
		t.Error("too many fetches:", err)
	}
}

// A client is as its tenant's settings are, without its document being fetched again.
func TestDocumentsAreReadAgainForOtherSettings(t *testing.T) {
	l, d, acme := newLibrary()
	first, err := d.Client(t.Context(), acme, appURL)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := d.Client(t.Context(), acme, appURL); again != first {
		t.Error("read again for nothing")
	}
	later := *acme
	later.Version = 2
	if c, err := d.Client(t.Context(), &later, appURL); err != nil || c.Number != 2 || l.fetched.Load() != 1 {
		t.Errorf("%+v, %v, %d fetches", c, err, l.fetched.Load())
	}
}

// Many who need a document at once cause one fetch; one that is hanging holds up nobody else (S154).
func TestManyWhoNeedADocumentFetchItOnce(t *testing.T) {
	l, d, acme := newLibrary()
	l.hang = make(chan struct{})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := d.Client(t.Context(), acme, appURL); err != nil {
				t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := d.Client(ctx, acme, appURL); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("a caller that leaves:", err)
	}
	close(l.hang)
	wg.Wait()
	if n := l.fetched.Load(); n != 1 {
		t.Error("fetches:", n)
	}
}

// S205: strangers cannot fill memory.
func TestDocumentsOfATenantAreBounded(t *testing.T) {
	_, d, acme := newLibrary()
	for i := range 5000 {
		if _, err := d.Client(t.Context(), acme, appURL+strings.Repeat("x", i%200)+"/"+string(rune('a'+i%26))+strings.Repeat("y", i/200)); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for n := range uint64(documentShelves) {
		if s, ok := d.shelves.GetIfPresent(shelfKey{acme.ID, n}); ok {
			kept += len(s.docs)
		}
	}
	if kept > documentShelves*documentsOfShelf || kept < documentShelves {
		t.Error("documents kept:", kept)
	}
}

func FuzzDocumentURL(f *testing.F) {
	for _, s := range []string{appURL, "https://app.example/%2e%2e/x", "https://@h/", "https://h:1/a?b", "https:///x", "https://h/#"} {
		f.Add(s)
	}
	on := DocumentSettings{Enabled: true}
	f.Fuzz(func(t *testing.T, s string) {
		if on.Takes(s) && (strings.ContainsAny(s, "#\\ \n") || !strings.HasPrefix(s, "https://") || strings.Contains(s, "/../") || len(s) > 255) {
			t.Errorf("%q", s)
		}
	})
}

package oidc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// many is a Store with so many clients, which are made when they are read. It breaks before the client of that number.
type many struct {
	registration.Store
	n, breaks int
	most      int // read at once
}

var errBroken = errors.New("the disk is full")

func (m *many) Clients(_ context.Context, _ tenant.ID, after string, n int) ([]tenant.Client, error) {
	first := 0
	if after != "" {
		_, _ = fmt.Sscanf(after, "c%d", &first)
		first++
	}
	m.most = max(m.most, n)
	var cs []tenant.Client
	for i := first; i < m.n && len(cs) < n; i++ {
		if m.breaks > 0 && i >= m.breaks {
			return nil, errBroken
		}
		cs = append(cs, tenant.Client{ID: fmt.Sprintf("c%06d", i), CreatedAt: noon, Metadata: tenant.Metadata{Name: "Client", Data: json.RawMessage(`{"x":"` + string(bytes.Repeat([]byte("x"), 3000)) + `"}`)}})
	}
	return cs, nil
}

// listing is a server that lists the clients of m to the master token.
func listing(m *many) http.Handler {
	h := sha256.Sum256([]byte("chy_master"))
	w := &world{tenant: &tenant.Tenant{ID: "acme", Issuer: "https://id.example/t/acme", Settings: &tenant.Settings{}, Tokens: []tenant.APIToken{{ID: "main", Hash: h[:], APIs: []tenant.API{tenant.ClientAPI}}}}}
	gate := &wire.Gate{Resolver: w, Now: clock, PublicURL: &url.URL{Scheme: "https", Host: "id.example"}}
	return gate.Handler(&Door{Now: clock, Clients: &registration.Service{Store: m, Now: clock}})
}

func list(t *testing.T, h http.Handler, w http.ResponseWriter, query string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, root+"/clients"+query, nil)
	r.Header.Set("Authorization", "Bearer chy_master")
	h.ServeHTTP(w, r)
}

// sieve counts the bytes of an answer, and looks now and then how much memory is in use.
type sieve struct {
	header http.Header
	bytes  int
	next   int
	most   uint64
}

func (s *sieve) Header() http.Header { return s.header }
func (s *sieve) WriteHeader(int)     {}
func (s *sieve) Write(b []byte) (int, error) {
	if s.bytes += len(b); s.bytes > s.next {
		s.next += 2 << 20
		s.most = max(s.most, inUse())
	}
	return len(b), nil
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// However many clients there are, what is in memory of their list is a page.
func TestTheListOfClientsIsAStream(t *testing.T) {
	m := &many{n: 4000}
	h, out := listing(m), &sieve{header: http.Header{}}
	before := inUse()
	list(t, h, out, "")
	if out.bytes < 12<<20 || m.most > 1000 {
		t.Fatalf("%d bytes, %d clients at once", out.bytes, m.most)
	}
	if grown := int64(out.most) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes of clients take %d bytes of memory", out.bytes, grown)
	}
}

func TestTheListOfClients(t *testing.T) {
	for _, n := range []int{0, 1, 200, 201, 1500} {
		m := &many{n: n}
		rec := httptest.NewRecorder()
		list(t, listing(m), rec, "")
		var cs []struct {
			ID string `json:"client_id"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &cs); err != nil || rec.Code != http.StatusOK || len(cs) != n || rec.Header().Get("Content-Type") != "application/json" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d clients: %d, %d %v, %v", n, len(cs), rec.Code, err, rec.Header())
		}
		if n > 0 && cs[n-1].ID != fmt.Sprintf("c%06d", n-1) {
			t.Errorf("the last of %d is %s", n, cs[n-1].ID)
		}
	}
	for query, want := range map[string]int{"?limit=3": 3, "?after=c000007": 1000, "?after=c001499": 0} {
		rec := httptest.NewRecorder()
		list(t, listing(&many{n: 1500}), rec, query)
		var cs []any
		if err := json.Unmarshal(rec.Body.Bytes(), &cs); err != nil || cs == nil || len(cs) != want {
			t.Errorf("%s: %d clients, %v", query, len(cs), err)
		}
	}
	rec := httptest.NewRecorder()
	list(t, listing(&many{n: 9, breaks: 1}), rec, "")
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("broken from the beginning: %d %s", rec.Code, rec.Body)
	}
}

// Half a list must not look like a whole one.
func TestAListThatBreaksOffIsNone(t *testing.T) {
	server := httptest.NewServer(listing(&many{n: 900, breaks: 400}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+root+"/clients", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer chy_master")
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return // it broke off before its beginning was there
	}
	defer answer.Body.Close()
	var cs []any
	if err := json.NewDecoder(answer.Body).Decode(&cs); err == nil {
		t.Errorf("%d clients look like all", len(cs))
	}
}

// Whoever says that nothing is to happen is understood, or nothing happens: nothing here reaches the store, which is not there.
func TestDryRunsThatAreNotUnderstood(t *testing.T) {
	for _, c := range []struct{ method, path, query string }{
		{http.MethodDelete, "/clients/c1", "?dry_run=true"},
		{http.MethodDelete, "/clients/c1", "?dry_run=yes"},
		{http.MethodDelete, "/clients/c1", "?dry_run=false&dry_run=true"},
		{http.MethodPost, "/clients", "?dry_run=1"},
		{http.MethodPost, "/clients", "?dry_run=false&dry_run=true"},
		{http.MethodPost, "/clients", "?dry_run=%zz"},
		{http.MethodPut, "/clients/c1", "?dry_run=false&dry_run=true"},
	} {
		r := httptest.NewRequest(c.method, root+c.path+c.query, strings.NewReader(`{"redirect_uris": ["https://client.example/cb"]}`))
		r.Header.Set("Authorization", "Bearer chy_master")
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		listing(&many{}).ServeHTTP(rec, r)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "invalid_request") {
			t.Errorf("%s %s%s: %d %s", c.method, c.path, c.query, rec.Code, rec.Body)
		}
	}
}

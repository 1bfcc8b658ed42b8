package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// server returns a TLS server at an address of the loopback, and who signed its certificate.
func server(t *testing.T, address string, h http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestAnswersAreReadWithinBounds(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.Copy(z, io.LimitReader(zeros{}, 10<<20))
	_ = z.Close()
	answers := map[string]http.HandlerFunc{
		"/ok": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
			_, _ = io.WriteString(w, `{"keys":[]}`)
		},
		"/exact":    func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 64)) },
		"/large":    func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 65)) },
		"/endless":  func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, zeros{}) },
		"/missing":  http.NotFound,
		"/created":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusCreated) },
		"/redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) },
		"/gzip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped.Bytes())
		},
		"/header": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*maxHeader)) },
		"/hangs":  func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	s, roots := server(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Cookie", "Accept-Encoding", "Traceparent"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("sends %s: %s", name, v)
			}
		}
		answers[r.URL.Path](w, r)
	})
	c := New(Options{Allow: loopback, Roots: roots, Timeout: 500 * time.Millisecond})
	for path := range answers {
		t.Run(path, func(t *testing.T) {
			body, contentType, err := c.Get(t.Context(), "acme", s.URL+path, 64)
			switch path {
			case "/ok":
				if err != nil || string(body) != `{"keys":[]}` || contentType != "application/json" {
					t.Errorf("got %q, %q, %v", body, contentType, err)
				}
			case "/exact":
				if err != nil || len(body) != 64 {
					t.Errorf("got %d bytes, %v", len(body), err)
				}
			default:
				if !errors.Is(err, ErrFailed) || body != nil || contentType != "" {
					t.Errorf("got %q, %q, %v", body, contentType, err)
				}
				if err != nil && strings.Contains(err.Error(), path) {
					t.Errorf("the error quotes the URL: %v", err)
				}
			}
		})
	}
	if _, _, err := New(Options{Allow: loopback}).Get(t.Context(), "acme", s.URL+"/ok", 64); !errors.Is(err, ErrFailed) {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestContentIsPosted(t *testing.T) {
	s, roots := server(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("Content-Type") != "application/json" || string(b) != "{}" {
			t.Errorf("%s %v %q", r.Method, r.Header, b)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	c := New(Options{Allow: loopback, Roots: roots})
	if _, _, err := c.Post(t.Context(), "acme", s.URL, Content{Type: "application/json", Authorization: "Bearer x", Header: map[string]string{"webhook-id": "m1"}, Body: []byte("{}")}, 64); err != nil {
		t.Error(err)
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	var called atomic.Int64
	s, roots := server(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) { called.Add(1) })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := New(Options{Roots: roots, Plain: true, Timeout: time.Second, Resolver: resolver(t, func() string { return "127.0.0.1" })})
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.1", "0", "0.0.0.0",
		"localhost", "localhost.", "LOCALHOST", "example.com", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fc00::1]", "[fd12::1]", "[fe80::1]", "[fe80::1%25lo]", "[ff02::1]", "[2001:db8::1]",
		"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "[fd00:ec2::254]", "192.0.0.1", "192.0.2.1", "198.18.0.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255",
	} {
		for _, scheme := range []string{"https", "http"} {
			_, _, err := c.Get(t.Context(), "acme", scheme+"://"+host+":"+port+"/", 64)
			if !errors.Is(err, ErrFailed) || called.Load() != 0 {
				t.Errorf("%s://%s: %v", scheme, host, err)
			}
		}
	}
}

func TestAnAddressIsCheckedForEachConnection(t *testing.T) {
	var inside, outside atomic.Int64
	s, roots := server(t, "127.0.0.2:0", func(http.ResponseWriter, *http.Request) { outside.Add(1) })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	server(t, "127.0.0.1:"+port, func(http.ResponseWriter, *http.Request) { inside.Add(1) })
	address := atomic.Pointer[string]{}
	set := func(a string) { address.Store(&a) }
	c := New(Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, Roots: roots, Resolver: resolver(t, func() string { return *address.Load() })})
	url := "https://example.com:" + port + "/"
	set("127.0.0.2")
	if _, _, err := c.Get(t.Context(), "acme", url, 64); err != nil || outside.Load() != 1 {
		t.Fatalf("%d calls, %v", outside.Load(), err)
	}
	set("127.0.0.1")
	if _, _, err := c.Get(t.Context(), "acme", url, 64); !errors.Is(err, ErrFailed) || inside.Load()+outside.Load() != 1 {
		t.Errorf("a name that moved inside is called: %v", err)
	}
}

// resolver resolves every name to what address says.
func resolver(t *testing.T, address func() string) *net.Resolver {
	t.Helper()
	dns, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := dns.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body: &dnsmessage.AResource{A: netip.MustParseAddr(address()).As4()}}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = dns.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}
}

func TestWhatMayBeRegistered(t *testing.T) {
	production, development := New(Options{}), New(Options{Allow: loopback, Plain: true})
	for _, tt := range []struct {
		url                     string
		production, development bool
	}{
		{"https://app.example/jwks", true, true},
		{"https://app.example:8443/jwks?x=1", true, true},
		{"https://93.184.216.34/", true, true},
		{"https://127.0.0.1/", false, true},
		{"http://127.0.0.1:9/", false, true},
		{"http://localhost:9/", false, true},
		{"http://app.example/", false, false},
		{"http://[::1]/", false, false},
		{"https://localhost/", true, true}, // a name: asked when it is called
		{"https://10.0.0.1/", false, false},
		{"https://2130706433/", false, false},
		{"https://user@app.example/", false, false},
		{"https://app.example/#f", false, false},
		{"https://app.example\\@10.0.0.1/", false, false},
		{"https:app.example", false, false},
		{"https://", false, false},
		{"https://app.example:/", false, false},
		{"ftp://app.example/", false, false},
		{"file:///etc/passwd", false, false},
		{"//app.example/", false, false},
		{"https://app.example/ x", false, false},
		{"https://app.example/" + strings.Repeat("x", maxURL), false, false},
		{"", false, false},
	} {
		if err := production.Permits(tt.url); (err == nil) != tt.production {
			t.Errorf("production %q: %v", tt.url, err)
		}
		if err := development.Permits(tt.url); (err == nil) != tt.development {
			t.Errorf("development %q: %v", tt.url, err)
		}
	}
}

func TestAHangingTargetHoldsUpNoOtherKey(t *testing.T) {
	release := make(chan struct{})
	var waiting atomic.Int64
	s, roots := server(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			waiting.Add(1)
			<-release
		}
	})
	c := New(Options{Allow: loopback, Roots: roots, PerKey: 2, Targets: 5, Timeout: 20 * time.Second})
	errs := make(chan error, 16)
	for range cap(errs) {
		go func() {
			_, _, err := c.Get(t.Context(), "loud", s.URL+"/hangs", 64)
			errs <- err
		}()
	}
	for range 16 - 2*(1+queued) { // those beyond the queue fail while the others wait
		if err := <-errs; !errors.Is(err, errBusy) {
			t.Fatalf("one too many: %v", err)
		}
	}
	if _, _, err := c.Get(t.Context(), "quiet", s.URL+"/", 64); err != nil {
		t.Errorf("another key: %v", err)
	}
	if n := waiting.Load(); n > 2 {
		t.Errorf("%d calls at once for one key", n)
	}
	close(release)
	for range 2 * (1 + queued) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if len(c.keys.names)+len(c.targets.names) != 0 {
		t.Errorf("names stay: %v %v", c.keys.names, c.targets.names)
	}
}

func TestAllTargetsThatAreNotReachedLookAlike(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open, roots := server(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	closed.Close()
	c := New(Options{Roots: roots})
	var texts []string
	for _, url := range []string{open.URL, "https://" + closed.Addr().String(), "https://10.1.2.3"} {
		_, _, err := c.Get(t.Context(), "acme", url, 64)
		texts = append(texts, err.Error())
	}
	if len(slices.Compact(texts)) != 1 {
		t.Errorf("different errors: %q", texts)
	}
}

package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
)

// ErrFailed is the one error of this package: for a URL that is not permitted, a host that is unknown or not public, a
// call that is refused or lasts too long, and an answer that is too large or no success. It wraps the cause, for the
// operator; whoever supplied the URL is told the same in every case.
var ErrFailed = errors.New("outbound: the call failed")

// The causes that have no error of their own.
var (
	errTooLarge = errors.New("the answer is too large")
	errEncoded  = errors.New("the answer is compressed")
)

// Options are what a Client is made with.
type Options struct {
	Allow    []netip.Prefix // networks that may be called although they are not public
	Plain    bool           // development: http to the loopback, where Allow has it
	Roots    *x509.CertPool // certificate authorities; nil: the system's
	Resolver *net.Resolver  // nil: the system's
	Timeout  time.Duration  // of a whole call, from the wait for its turn to the last byte: 5 s
	PerKey   int            // calls at once for one key: 4
	Targets  int            // calls at once to one host and port, whoever makes them: 16
}

// Client calls URLs that tenants or clients supply. It goes to public addresses only, which is checked for each
// connection once the name is resolved; by https; through no proxy; after no redirection; with nothing of ours in the
// request but what the caller gives. It is safe for concurrent use.
type Client struct {
	guard   *ssrf.Guardian
	plain   bool
	timeout time.Duration
	keys    *gate
	targets *gate
	http    *http.Client
}

// Limits of one connection.
const (
	dialTimeout = 3 * time.Second
	maxHeader   = 16 << 10 // bytes of an answer's header
)

// New returns a Client.
func New(o Options) *Client {
	var v4, v6 []netip.Prefix
	for _, p := range o.Allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	c := &Client{plain: o.Plain, timeout: positive(o.Timeout, 5*time.Second),
		keys: newGate(positive(o.PerKey, 4)), targets: newGate(positive(o.Targets, 16)),
		guard: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver, Control: c.guard.Safe}
	c.http = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout,
			// A connection is for one call: the next one's address is checked again, and no tenant meets another's.
			DisableKeepAlives:      true,
			DisableCompression:     true, // so that what is counted is what is received
			MaxResponseHeaderBytes: maxHeader,
		},
	}
	return c
}

// Apart returns a client of the same rules whose calls are counted apart from c's: at most perKey at once for one key, and
// targets to one host.
func (c *Client) Apart(perKey, targets int) *Client {
	apart := *c
	apart.keys, apart.targets = newGate(perKey), newGate(targets)
	return &apart
}

func positive[N int | time.Duration](v, def N) N {
	if v <= 0 {
		return def
	}
	return v
}

// reachable tells whether a may be called.
func (c *Client) reachable(a netip.Addr) bool {
	return c.guard.SafeAddr(a.WithZone("")) == nil && a.Zone() == ""
}

// Get returns what is at that URL, if it has at most max bytes, with its media type in lower case and without parameters.
// Calls for one key share its limits: it is opaque, and usually a tenant's id. An answer other than 200 is a failure.
func (c *Client) Get(ctx context.Context, key, url string, max int64) (body []byte, contentType string, err error) {
	a, err := c.call(ctx, http.MethodGet, key, url, Content{}, max, http.StatusOK)
	return a.Body, a.Type, err
}

// Fetch is Get for what is to be kept: the answer says for how long.
func (c *Client) Fetch(ctx context.Context, key, url string, max int64) (Answer, error) {
	return c.call(ctx, http.MethodGet, key, url, Content{}, max, http.StatusOK)
}

// Answer is what a call got.
type Answer struct {
	Body  []byte
	Type  string        // media type, in lower case and without parameters
	Fresh time.Duration // how long it may be kept; negative: it does not say

	Status int
}

// Content is what a call sends.
type Content struct {
	Type          string // media type
	Authorization string // the header of that name; empty: none
	Header        map[string]string
	Body          []byte
}

// Empty reports whether there is nothing to send.
func (c *Content) Empty() bool {
	return c.Type == "" && c.Authorization == "" && len(c.Header) == 0 && len(c.Body) == 0
}

// Status is the cause of a failure where there was an answer, but no success.
type Status int

func (s Status) Error() string { return "answered with status " + strconv.Itoa(int(s)) }

// Post sends content to that URL and returns the answer as Get does. An answer other than 200 to 204 is a failure.
func (c *Client) Post(ctx context.Context, key, url string, content Content, max int64) (body []byte, contentType string, err error) {
	a, err := c.call(ctx, http.MethodPost, key, url, content, max, http.StatusNoContent)
	return a.Body, a.Type, err
}

// Ask sends content by that method, and returns the answer whatever its status is.
func (c *Client) Ask(ctx context.Context, method, key, url string, content Content, max int64) (Answer, error) {
	return c.call(ctx, method, key, url, content, max, 599)
}

func (c *Client) call(ctx context.Context, method, key, target string, content Content, max int64, last int) (a Answer, err error) {
	u, err := c.parse(target)
	if err != nil {
		return a, failed(err)
	}
	ctx, span := begin(ctx, method, u)
	defer func() { span.end(err) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	for _, turn := range []struct {
		at   *gate
		name string
	}{{c.keys, key}, {c.targets, u.Scheme + "://" + strings.ToLower(u.Host)}} {
		leave, err := turn.at.enter(ctx, turn.name)
		if err != nil {
			return a, failed(err)
		}
		defer leave()
	}
	a, status, err := c.exchange(ctx, method, u, content, max)
	span.status(status)
	if err == nil && (status < http.StatusOK || status > last) {
		err = Status(status)
	}
	if err != nil {
		return Answer{}, failed(err)
	}
	return a, nil
}

func (c *Client) exchange(ctx context.Context, method string, u *url.URL, content Content, max int64) (a Answer, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(content.Body))
	if err != nil {
		return a, 0, errSyntax
	}
	r.Header.Set("User-Agent", "chancery")
	if content.Type != "" {
		r.Header.Set("Content-Type", content.Type)
	}
	if content.Authorization != "" {
		r.Header.Set("Authorization", content.Authorization)
	}
	for name, value := range content.Header {
		r.Header.Set(name, value)
	}
	w, err := c.http.Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the wrapping quotes the URL, which may hold a secret
		}
		return a, 0, err
	}
	defer w.Body.Close()
	if e := w.Header.Values("Content-Encoding"); len(e) > 1 || len(e) == 1 && !strings.EqualFold(e[0], "identity") {
		return a, w.StatusCode, errEncoded
	}
	body, err := io.ReadAll(io.LimitReader(w.Body, max+1))
	if err != nil {
		return a, w.StatusCode, err
	}
	if int64(len(body)) > max {
		return a, w.StatusCode, errTooLarge
	}
	mediaType, _, _ := strings.Cut(w.Header.Get("Content-Type"), ";")
	return Answer{body, strings.ToLower(strings.TrimSpace(mediaType)), freshness(w.Header), w.StatusCode}, w.StatusCode, nil
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrFailed, err)
}

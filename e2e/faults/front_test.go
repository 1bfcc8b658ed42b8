package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// front is a small reverse proxy: it asks each replica whether it is ready, takes turns between those that are, or between
// all where none is, and repeats a request elsewhere only where a connection was refused.
type front struct {
	replicas []*replica
	healthy  []*atomic.Bool
	turn     atomic.Uint64
	to       http.Transport
	url      string
}

// often is how often a replica is asked.
const often = 100 * time.Millisecond

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	f.to.MaxIdleConnsPerHost = 64
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(*httputil.ProxyRequest) {},
		Transport:    f,
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	f.url = s.URL
	t.Cleanup(s.Close)
	return f
}

// watch asks replicas until ctx ends.
func (f *front) watch(ctx context.Context, replicas []*replica) {
	f.replicas = replicas
	for _, r := range replicas {
		h := new(atomic.Bool)
		h.Store(r.ready(ctx))
		f.healthy = append(f.healthy, h)
		go func() {
			for ctx.Err() == nil {
				h.Store(r.ready(ctx))
				time.Sleep(often)
			}
		}()
	}
}

var errNobody = errors.New("no replica takes connections")

// RoundTrip sends a request to the next replica that takes it.
func (f *front) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := replayable(req)
	if err != nil {
		return nil, err
	}
	err = errNobody
	any := !slices.ContainsFunc(f.healthy, func(h *atomic.Bool) bool { return h.Load() })
	for range f.replicas {
		i := int(f.turn.Add(1)) % len(f.replicas)
		if !any && !f.healthy[i].Load() {
			continue
		}
		to, perr := url.Parse(f.replicas[i].url)
		if perr != nil {
			return nil, perr
		}
		again := req.Clone(req.Context())
		again.URL.Scheme, again.URL.Host = to.Scheme, to.Host
		if body != nil {
			again.Body, _ = body()
			again.GetBody = body
		}
		var resp *http.Response
		if resp, err = f.to.RoundTrip(again); err == nil {
			return resp, nil
		}
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			return nil, err
		}
	}
	return nil, err
}

// replayable reads the body of req, so that it can be sent again; nil where there is none.
func replayable(req *http.Request) (func() (io.ReadCloser, error), error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, nil
}

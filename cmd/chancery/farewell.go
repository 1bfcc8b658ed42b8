package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// farewell lets the clients of a server that is about to stop leave by themselves. A connection that is closed under a
// client which is just sending a request fails that request, and so does a listener that is closed under one that was
// just let in; so each answer first asks for a new connection, and nothing is closed while requests keep coming: a proxy
// may take a while to learn that this server is not ready any more.
type farewell struct {
	http.Handler
	begun atomic.Bool
	open  atomic.Int64 // connections
	last  atomic.Int64 // when a connection or a request came last, in nanoseconds since 1970
}

// How long a server waits for its clients before it closes anything.
const (
	patience = 4 * time.Second        // while requests come
	idle     = 500 * time.Millisecond // for connections that are not in use
	calm     = 250 * time.Millisecond // since the last request
)

// of makes f the handler of s.
func (f *farewell) of(s *http.Server) *http.Server {
	f.Handler, s.Handler = s.Handler, f
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			f.open.Add(1)
			f.last.Store(time.Now().UnixNano())
		case http.StateClosed, http.StateHijacked:
			f.open.Add(-1)
		}
	}
	return s
}

func (f *farewell) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.last.Store(time.Now().UnixNano())
	if f.begun.Load() {
		w.Header().Set("Connection", "close")
	}
	f.Handler.ServeHTTP(w, r)
}

// say waits until all connections are closed, or only unused ones are left, and no request has come for a moment; for no
// longer than patience.
func (f *farewell) say(ctx context.Context) {
	f.begun.Store(true)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		gone := f.open.Load() == 0 || time.Since(began) > idle
		if gone && time.Since(time.Unix(0, f.last.Load())) > calm {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

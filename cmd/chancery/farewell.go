package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// farewell lets the clients of a server that is about to stop leave by themselves. A connection that is closed under a
// client which is just sending a request fails that request, so each answer first asks for a new connection.
type farewell struct {
	http.Handler
	begun atomic.Bool
	open  atomic.Int64 // connections
}

// patience is how long connections may stay that are not in use.
const patience = 500 * time.Millisecond

// of makes f the handler of s.
func (f *farewell) of(s *http.Server) *http.Server {
	f.Handler, s.Handler = s.Handler, f
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			f.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			f.open.Add(-1)
		}
	}
	return s
}

func (f *farewell) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.begun.Load() {
		w.Header().Set("Connection", "close")
	}
	f.Handler.ServeHTTP(w, r)
}

// say waits until all connections are closed, for no longer than patience.
func (f *farewell) say(ctx context.Context) {
	f.begun.Store(true)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for f.open.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

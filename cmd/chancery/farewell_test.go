package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestFarewell(t *testing.T) {
	f := &farewell{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f.of(s.Config)
	s.Start()
	defer s.Close()
	get := func() *http.Response {
		res, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if get().Close {
		t.Error("a connection is closed before its time")
	}
	said := make(chan struct{})
	go func() { f.say(t.Context()); close(said) }()
	for !f.begun.Load() {
		time.Sleep(time.Millisecond)
	}
	if !get().Close {
		t.Error("the client is not asked to close its connection")
	}
	<-said
	if n := f.open.Load(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

// A proxy that goes on sending, as it has not learnt yet, finds the server there until it stops.
func TestFarewellWaitsWhileRequestsCome(t *testing.T) {
	f := &farewell{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f.of(s.Config)
	s.Start()
	defer s.Close()
	res, err := s.Client().Get(s.URL) // else nobody is there when it begins to wait
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	said := make(chan struct{})
	go func() { f.say(t.Context()); close(said) }()
	last, busy := time.Now(), false
	for began := time.Now(); time.Since(began) < 2*idle; time.Sleep(calm / 10) {
		busy = busy || time.Since(last) > calm/2 // a machine that does not let us ask in time proves nothing
		last = time.Now()
		res, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		select {
		case <-said:
			if !busy && time.Since(last) < calm/2 {
				t.Error("the server stops although requests come")
			}
			return
		default:
		}
	}
	select {
	case <-said:
	case <-time.After(10 * calm):
		t.Error("the server goes on waiting although no request comes")
	}
}

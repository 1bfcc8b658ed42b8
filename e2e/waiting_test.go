package e2e

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// A server that is started before its database lives, is not ready, and gets ready by itself once the database can be
// reached (F34).
func TestStartBeforeDatabase(t *testing.T) {
	t.Parallel()
	if !slices.Contains(engines(), postgres) {
		t.Skip("CHANCERY_TEST_DATABASE_URL is not set: only a database of its own can be late")
	}
	c, drop := database(t, postgres)
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	c.faults = true
	real, err := url.Parse(c.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	late, behind := freePort(), real.Host
	real.Host = late
	c.databaseURL = real.String()
	opened := make(chan time.Time, 1)
	timer := time.AfterFunc(1500*time.Millisecond, func() {
		l, err := net.Listen("tcp", late)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = l.Close() })
		opened <- time.Now()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go pass(conn, behind)
		}
	})
	t.Cleanup(func() { timer.Stop() })
	s := launch(t, c) // waits until /readyz says 200
	select {
	case at := <-opened:
		if since := time.Since(at); since > busy.Patience(10*time.Second, at) {
			t.Errorf("ready %v after the database", since)
		}
	default:
		t.Error("ready before there was a database")
	}
	if r, err := try(direct, http.MethodGet, s.ops+"/healthz"); err != nil || r.StatusCode != http.StatusOK {
		t.Error("it does not live", err)
	}
}

// pass carries bytes both ways between a connection and an address.
func pass(conn net.Conn, to string) {
	defer conn.Close()
	other, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer other.Close()
	go func() { _, _ = io.Copy(other, conn) }()
	_, _ = io.Copy(conn, other)
}

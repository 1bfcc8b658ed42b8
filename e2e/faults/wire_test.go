package faults

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire carries connections to a port, and can be made a bad one.
type wire struct {
	listener net.Listener
	to       string
	delay    atomic.Int64 // nanoseconds before what the server answers goes on
	cut      atomic.Bool  // new connections are refused and open ones broken
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// newWire listens until the test ends.
func newWire(t *testing.T, port int) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: "127.0.0.1:" + strconv.Itoa(port), open: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); w.reset() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(in)
		}
	}()
	return w
}

func (w *wire) port() int { return w.listener.Addr().(*net.TCPAddr).Port }

// slow delays every answer by d from now on.
func (w *wire) slow(d time.Duration) { w.delay.Store(int64(d)) }

// reset breaks every open connection, with a reset.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}

func (w *wire) keep(c net.Conn, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if open {
		w.open[c] = true
	} else {
		delete(w.open, c)
	}
}

func (w *wire) carry(in net.Conn) {
	defer in.Close()
	if w.cut.Load() {
		return
	}
	out, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer out.Close()
	w.keep(in, true)
	w.keep(out, true)
	defer w.keep(in, false)
	defer w.keep(out, false)
	go func() {
		defer in.Close()
		defer out.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := out.Read(buf)
			if d := w.delay.Load(); d > 0 {
				time.Sleep(time.Duration(d))
			}
			if _, werr := in.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		if _, werr := out.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

package faults

import (
	"math/rand/v2"
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
	cut      atomic.Bool  // new connections are broken at once
	still    atomic.Bool  // nothing passes, and nobody is told
	lossy    atomic.Int64 // of a thousand answers of the server so many are lost, with their connections
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// wires are those of all replicas.
type wires []*wire

func (ws wires) slow(d time.Duration) {
	for _, w := range ws {
		w.delay.Store(int64(d))
	}
}

func (ws wires) reset() {
	for _, w := range ws {
		w.reset()
	}
}

func (ws wires) still(on bool) {
	for _, w := range ws {
		w.still.Store(on)
	}
}

func (ws wires) lossy(perMille int64) {
	for _, w := range ws {
		w.lossy.Store(perMille)
	}
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
			w.wait()
			if rand.Int64N(1000) < w.lossy.Load() {
				return
			}
			if _, werr := in.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		w.wait()
		if _, werr := out.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// wait waits while the wire is still.
func (w *wire) wait() {
	for w.still.Load() {
		time.Sleep(10 * time.Millisecond)
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

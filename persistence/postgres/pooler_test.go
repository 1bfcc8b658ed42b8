package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/conformance"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant"
)

// pooler is a pooler by transaction: each transaction of a client goes to any of a few connections.
type pooler struct {
	mu    sync.Mutex
	idle  []*pgconn.HijackedConn
	given chan struct{}
}

// through returns the DSN of a pooler of n connections before dsn.
func through(t *testing.T, dsn string, n int) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{given: make(chan struct{}, n)}
	for range n {
		c, err := pgconn.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		h, err := c.Hijack()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Conn.Close() })
		p.idle = append(p.idle, h)
		p.given <- struct{}{}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if err := p.serve(c); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
					t.Error(err)
				}
			}()
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func (p *pooler) take() *pgconn.HijackedConn {
	<-p.given
	p.mu.Lock()
	defer p.mu.Unlock()
	i := rand.IntN(len(p.idle))
	c := p.idle[i]
	p.idle = append(p.idle[:i], p.idle[i+1:]...)
	return c
}

func (p *pooler) give(c *pgconn.HijackedConn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	p.given <- struct{}{}
}

func (p *pooler) serve(c net.Conn) error {
	client := pgproto3.NewBackend(c, c)
	for {
		m, err := client.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		if _, ok := m.(*pgproto3.StartupMessage); ok {
			break
		}
		if _, err := c.Write([]byte{'N'}); err != nil { // no TLS
			return err
		}
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	client.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := client.Flush(); err != nil {
		return err
	}
	var server *pgconn.HijackedConn
	for {
		m, err := client.Receive()
		if err != nil {
			return err
		}
		if _, ok := m.(*pgproto3.Terminate); ok {
			return nil
		}
		if server == nil {
			server = p.take()
		}
		server.Frontend.Send(m)
		switch m.(type) {
		case *pgproto3.Sync, *pgproto3.Query:
		default:
			continue
		}
		if err := server.Frontend.Flush(); err != nil {
			return err
		}
		for ready := false; !ready; {
			answer, err := server.Frontend.Receive()
			if err != nil {
				return err
			}
			client.Send(answer)
			if r, ok := answer.(*pgproto3.ReadyForQuery); ok {
				if ready = true; r.TxStatus == 'I' {
					p.give(server)
					server = nil
				}
			}
		}
		if err := client.Flush(); err != nil {
			return err
		}
	}
}

func TestThroughAPooler(t *testing.T) {
	direct := fresh(t)
	pooled := through(t, direct, 3)
	if _, err := postgres.Open(t.Context(), postgres.Options{DSN: pooled, Sealer: sealer(t)}); err == nil || !strings.Contains(err.Error(), "direct") {
		t.Errorf("without a direct address: %v", err)
	}
	db := open(t, postgres.Options{DSN: pooled, ListenDSN: direct, Conns: 8})
	now := time.Now()
	id := func(i int) tenant.ID { return tenant.ID(fmt.Sprintf("t%d", i)) }
	const n = 10
	for i := range n {
		a := account.Account{Subject: "alice", Username: string(id(i)), CreatedAt: now, UpdatedAt: now}
		if err := db.CreateAccount(t.Context(), id(i), a, audit.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 60 {
				who := id((i*7 + w) % n)
				if as, err := db.Accounts(t.Context(), who, "", 10); err != nil || len(as) != 1 || as[0].Username != string(who) {
					t.Errorf("%s sees %v, %v", who, as, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if _, err := db.Account(ctx, who, "nobody"); !errors.Is(err, account.ErrNotFound) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

func TestConformanceThroughAPooler(t *testing.T) {
	if testing.Short() {
		t.Skip("it is the whole of TestConformance again")
	}
	conformance.Run(t, func(t *testing.T) *persistence.DB {
		direct := fresh(t)
		return open(t, postgres.Options{DSN: through(t, direct, 6), ListenDSN: direct})
	})
}

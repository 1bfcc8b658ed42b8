package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/tenant"
)

// wire is a connection to the server that can be cut.
type wire struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	stall bool
}

// cuttable returns a wire and the DSN that leads through it.
func cuttable(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w, to := &wire{Listener: l}, u.Host
	t.Cleanup(func() { _ = l.Close(); w.cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, in, out)
			w.mu.Unlock()
			go w.pipe(in, out)
			go w.pipe(out, in)
		}
	}()
	u.Host = l.Addr().String()
	return w, u.String()
}

func (w *wire) pipe(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			_ = to.Close()
			return
		}
		w.mu.Lock()
		stall := w.stall
		w.mu.Unlock()
		if stall {
			_, _ = io.Copy(io.Discard, from) // swallowed, without a word
			return
		}
		_, _ = to.Write(b[:n])
	}
}

// cut breaks all connections that there are.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func unavailable(err error) bool { return errors.Is(err, oauth.Unavailable()) }

func alice(sub string) account.Account {
	return account.Account{Subject: sub, CreatedAt: time.Now(), UpdatedAt: time.Now()}
}

func TestLostConnections(t *testing.T) {
	w, dsn := cuttable(t, fresh(t))
	db := open(t, postgres.Options{DSN: dsn, Conns: 4})
	if err := db.CreateAccount(t.Context(), "t", alice("alice"), audit.Event{}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.cut()
		if _, err := db.Account(t.Context(), "t", "alice"); err != nil {
			t.Errorf("a read is repeated: %v", err)
		}
	}
	w.cut()
	if err := db.CreateAccount(t.Context(), "t", alice("bob"), audit.Event{}); err != nil && !unavailable(err) {
		t.Errorf("a write is not known to have happened: %v", err)
	}
	_ = w.Close()
	w.cut()
	start := time.Now()
	if _, err := db.Account(t.Context(), "t", "alice"); !unavailable(err) {
		t.Errorf("no server: %v", err)
	}
	if err := db.CreateAccount(t.Context(), "t", alice("carol"), audit.Event{}); !unavailable(err) {
		t.Errorf("no server: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to say so", d)
	}
	_, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, Sealer: sealer(t)})
	if !unavailable(err) {
		t.Errorf("no server to open: %v", err)
	}
}

func TestASilentServer(t *testing.T) {
	w, dsn := cuttable(t, fresh(t))
	db := open(t, postgres.Options{DSN: dsn, Conns: 2})
	if err := db.CreateAccount(t.Context(), "t", alice("alice"), audit.Event{}); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.stall = true
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := db.Account(ctx, "t", "alice")
	if !unavailable(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("out of the caller's time: %v", err)
	}
	start := time.Now()
	err = db.CreateAccount(t.Context(), "t", alice("bob"), audit.Event{})
	if d := time.Since(start); !unavailable(err) || d > 9*time.Second {
		t.Errorf("out of our own time after %v: %v", d, err)
	}
	w.mu.Lock()
	w.stall = false
	w.mu.Unlock()
	w.cut()
	if _, err := db.Account(t.Context(), "t", "alice"); err != nil {
		t.Errorf("it is back: %v", err)
	}
}

func TestTooFewConnections(t *testing.T) {
	dsn := fresh(t)
	db := open(t, postgres.Options{DSN: dsn, Conns: 1})
	if err := db.CreateAccount(t.Context(), "t", alice("alice"), audit.Event{}); err != nil {
		t.Fatal(err)
	}
	lock := connect(t, dsn, `BEGIN`, `LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE`)
	var wg sync.WaitGroup
	start := time.Now()
	for range 4 { // one waits for the lock, the others for its connection
		wg.Go(func() {
			if _, err := db.Account(t.Context(), "t", "alice"); !unavailable(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	if _, err := lock.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Account(t.Context(), "t", "alice"); err != nil {
		t.Error(err)
	}
}

// raising makes the writes to a table fail with a code, the first n of them.
func raising(t *testing.T, dsn, table, code string, n int) {
	t.Helper()
	exec(t, dsn, `CREATE SEQUENCE failures`, `GRANT USAGE ON SEQUENCE failures TO chancery_app`,
		fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('failures') <= %d THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '%s'; END IF; RETURN NEW; END $$`, n, code),
		`CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON `+table+` FOR EACH ROW EXECUTE FUNCTION fail()`)
}

func TestFailuresOfTheServer(t *testing.T) {
	now := time.Now()
	g := grant.Grant{ID: "g", CreatedAt: now, ExpiresAt: now.Add(time.Hour), Code: &grant.CodeState{Hash: []byte("c"), ExpiresAt: now.Add(time.Hour)}}
	for _, c := range []struct {
		says, code string
		times      int
		right      func(error) bool
		redeemed   bool
	}{
		{"a deadlock is tried again", "40P01", 3, func(err error) bool { return err == nil }, true},
		{"a serialization failure is tried again", "40001", 3, func(err error) bool { return err == nil }, true},
		{"but not for ever", "40001", 1000, unavailable, false},
		{"a full disk is not", "53100", 1, unavailable, false},
		{"a server that shuts down is not", "57P01", 1, unavailable, false},
		{"nor is one that only reads", "25006", 1, unavailable, false},
		{"anything else is our fault", "P0001", 1, func(err error) bool { return err != nil && oauth.ErrorOf(err).Code == "server_error" }, false},
	} {
		t.Run(c.says, func(t *testing.T) {
			dsn := fresh(t)
			db := open(t, postgres.Options{DSN: dsn})
			if err := db.PutGrant(t.Context(), "t", g, nil, audit.Event{}); err != nil {
				t.Fatal(err)
			}
			raising(t, dsn, "access_tokens", c.code, c.times)
			a := grant.AccessToken{Hash: []byte("a"), Grant: "g", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
			err := db.RedeemCode(t.Context(), "t", now, grant.Redemption{Grant: "g", CodeHash: []byte("c"), AccessToken: &a, ExpiresAt: now.Add(time.Hour)},
				tenant.Revocation{Grant: "g"}, audit.Event{})
			if !c.right(err) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(oauth.ErrorOf(err).Description, "made to fail") {
				t.Errorf("the client is told: %v", err)
			}
			got, err := db.Grant(t.Context(), "t", "g")
			if err != nil || got.Code.RedeemedAt.IsZero() == c.redeemed {
				t.Errorf("redeemed at %v, %v", got.Code.RedeemedAt, err)
			}
		})
	}
}

func TestAMigrationUnderOldPlans(t *testing.T) {
	dsn := fresh(t)
	db := open(t, postgres.Options{DSN: dsn})
	if err := db.CreateAccount(t.Context(), "t", alice("alice"), audit.Event{}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if _, err := db.Account(t.Context(), "t", "alice"); err != nil {
			t.Error(err)
		}
		exec(t, dsn, fmt.Sprintf(`ALTER TABLE accounts ADD COLUMN later%d text`, i))
	}
}

func TestAListenerThatIsCut(t *testing.T) {
	w, dsn := cuttable(t, fresh(t))
	db := open(t, postgres.Options{DSN: dsn})
	woken, ended := make(chan struct{}, 10), make(chan error, 1)
	go func() { ended <- db.Listen(t.Context(), func() { woken <- struct{}{} }) }()
	<-woken
	w.cut()
	if err := <-ended; !unavailable(err) {
		t.Errorf("got %v", err)
	}
}

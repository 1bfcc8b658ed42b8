package faults

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sink is where the deployment delivers what it owes relying parties. Below /hang it accepts and does not answer, as long
// as it is told to.
type sink struct {
	server  *httptest.Server
	ca      string // PEM file
	hanging atomic.Bool
	free    chan struct{} // closed where nothing hangs
	heard   *heard

	mu    sync.Mutex
	got   map[string]int // answered deliveries by path
	open  map[string]int // deliveries under way by path
	most  map[string]int
	tried map[string]int
}

func newSink(t *testing.T) *sink {
	t.Helper()
	k := &sink{free: make(chan struct{}), got: map[string]int{}, open: map[string]int{}, most: map[string]int{}, tried: map[string]int{}}
	k.server = httptest.NewTLSServer(k)
	t.Cleanup(func() {
		k.recover()
		k.server.CloseClientConnections()
		k.server.Close()
	})
	k.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.server.Certificate().Raw})
	if err := os.WriteFile(k.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *sink) count(m map[string]int, path string, by int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m[path] += by
	k.most[path] = max(k.most[path], k.open[path])
}

// answered is how many deliveries to path were answered, tried how many were begun, and most how many were open at once.
func (k *sink) deliveries(path string) (answered, tried, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.got[path], k.tried[path], k.most[path]
}

func (k *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	body, err := io.ReadAll(r.Body) // only then it shows when the caller gives up
	k.count(k.tried, path, 1)
	k.count(k.open, path, 1)
	defer k.count(k.open, path, -1)
	if strings.HasPrefix(path, "/hang") && k.hanging.Load() {
		select {
		case <-k.free:
		case <-r.Context().Done():
			return
		}
	}
	if k.count(k.got, path, 1); err == nil && k.heard != nil {
		k.heard.hear(path, r.Header.Get("Webhook-Id"), body)
	}
	w.WriteHeader(http.StatusOK)
}

// recover lets what hangs go on, and hangs no more.
func (k *sink) recover() {
	if k.hanging.Swap(false) {
		close(k.free)
	}
}

// notified returns x with a client of its own whose relying party is told of logouts at path of the sink.
func (d *deployment) notified(ctx context.Context, x *tenant, path string) (*tenant, error) {
	a := d.call(ctx, request{method: http.MethodPost, url: x.Issuer + "/clients", token: x.APIToken,
		json: map[string]any{"redirect_uris": []string{"https://app.example/cb"}, "backchannel_logout_uri": d.sink.server.URL + path}})
	y := *x
	y.Client = client{}
	if !a.ok() || a.read(&y.Client) != nil {
		return nil, fmt.Errorf("registration: %d %s", a.status, a.body)
	}
	return &y, nil
}

// quota is how many sessions a subject may have at once; the next ends the oldest.
const quota = 5

// owe signs a subject in until so many sessions of it have ended, of which the relying party is told.
func (x *tenant) owe(ctx context.Context, subject string, n int) error {
	for range quota + n {
		code := x.code(ctx, subject)
		if a := x.post(ctx, "/token", form("grant_type", "authorization_code", "code", code, "redirect_uri", x.Client.RedirectURIs[0], "code_verifier", verifier)); !a.ok() {
			return fmt.Errorf("no token: %d %s", a.status, a.body)
		}
	}
	return nil
}

// atOnce is how many deliveries of one tenant each replica has under way at most.
const atOnce = 4

// hangTarget lets the relying party and the webhook of one tenant hang, with many notices waiting, and looks whether another
// tenant's come on time, and the many once they answer again.
func hangTarget(ctx context.Context, d *deployment, s *strike) error {
	d.sink.recover()
	d.sink.free = make(chan struct{})
	d.sink.hanging.Store(true)
	round := d.here().requests
	hang, fine := fmt.Sprintf("/hang/%d", round), fmt.Sprintf("/fine/%d", round)
	slow, err := d.notified(ctx, d.tenants[1], hang)
	if err != nil {
		return err
	}
	quick, err := d.notified(ctx, d.tenants[2], fine)
	if err != nil {
		return err
	}
	hangHook, fineHook := fmt.Sprintf("/hang/hook/%d", round), fmt.Sprintf("/fine/hook/%d", round)
	if err := errors.Join(d.subscribe(ctx, d.tenants[1], hangHook, "login"), d.subscribe(ctx, d.tenants[2], fineHook, "login")); err != nil {
		return err
	}
	many := int(s.last(20, 200))
	if err := slow.owe(ctx, fmt.Sprint("hanging-", round), many); err != nil {
		return err
	}
	if err := quick.owe(ctx, fmt.Sprint("quick-", round), 3); err != nil {
		return err
	}
	owed := time.Now()
	for _, path := range []string{fine, fineHook} {
		for answered := 0; answered < 3; answered, _, _ = d.sink.deliveries(path) {
			if time.Since(owed) > d.machine.Patience(5*time.Second, owed) {
				d.violated("I16", "a tenant's messages wait behind those of another whose target hangs: %d of 3 have come to %s", answered, path)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	time.Sleep(s.last(2*time.Second, 20*time.Second))
	for _, path := range []string{hang, hangHook} {
		if _, tried, most := d.sink.deliveries(path); tried == 0 || most > replicaCount*atOnce {
			d.violated("I16", "a hanging target was called %d times, %d at once", tried, most)
		}
	}
	d.sink.recover()
	back := time.Now()
	for _, path := range []string{hang, hangHook} {
		for answered := 0; answered < many; answered, _, _ = d.sink.deliveries(path) {
			if time.Since(back) > d.machine.Patience(90*time.Second, back) {
				d.violated("I13", "%d of %d messages have come to %s %v after it answers again", answered, many, path, time.Since(back).Round(time.Second))
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

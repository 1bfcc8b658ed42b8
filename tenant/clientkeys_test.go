package tenant_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// publisher is where clients publish their keys.
type publisher struct {
	doc   atomic.Pointer[string]
	calls atomic.Int64
	hold  chan struct{} // what each call waits for, if set
}

func (p *publisher) publish(doc string) { p.doc.Store(&doc) }

func (p *publisher) fetch(_ context.Context, key, url string, max int64) ([]byte, string, error) {
	p.calls.Add(1)
	if p.hold != nil {
		<-p.hold
	}
	if key != "acme" && key != "globex" || url != "https://app.example/jwks" {
		return nil, "", fmt.Errorf("asked for %s by %s", url, key)
	}
	if d := p.doc.Load(); d != nil && int64(len(*d)) <= max {
		return []byte(*d), "application/json", nil
	}
	return nil, "", errors.New("unreachable")
}

// jwks is a set of one new key.
func jwks(t *testing.T) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
	return `{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"` + b64(k.X) + `","y":"` + b64(k.Y) + `"}]}`
}

func publishing(id string) *tenant.Client {
	return &tenant.Client{ID: id, Metadata: tenant.Metadata{JWKSURI: "https://app.example/jwks"}}
}

func TestKeysBehindAURIAreKept(t *testing.T) {
	now, p := time.Unix(1e9, 0), &publisher{}
	k := tenant.NewClientKeys(func() time.Time { return now }, p.fetch)
	app := publishing("app")
	of := func(want int64, fine bool, rule string) {
		t.Helper()
		set, err := k.Of(t.Context(), "acme", app)
		if (err == nil) != fine || fine != (set != nil) || err != nil && !errors.Is(err, tenant.ErrNoKeys) {
			t.Errorf("%s: %v, %v", rule, set, err)
		}
		if n := p.calls.Load(); n != want {
			t.Errorf("%s: %d calls, want %d", rule, n, want)
		}
	}
	of(1, false, "what cannot be reached is no set")
	of(1, false, "nor is it tried again at once")
	now = now.Add(11 * time.Second)
	p.publish(`{"keys":[{"kty":"oct","k":"AA"}]}`)
	of(2, false, "a set of symmetric keys is none")
	now = now.Add(11 * time.Second)
	p.publish(jwks(t))
	of(3, true, "a set is read once it is there")
	now = now.Add(9 * time.Minute)
	of(3, true, "and kept")
	now = now.Add(2 * time.Minute)
	of(4, true, "but not for ever")
	now = now.Add(11 * time.Minute)
	p.publish("broken")
	of(5, true, "the last good one counts where a newer is broken")
	of(5, true, "which is not tried again at once")
	now = now.Add(24 * time.Hour)
	of(6, false, "until it is too old")
	if _, err := k.Of(t.Context(), "globex", app); !errors.Is(err, tenant.ErrNoKeys) || p.calls.Load() != 7 {
		t.Errorf("another tenant's client of that id: %v, %d calls", err, p.calls.Load())
	}
}

func TestKeysAreReadAgainWhenOneIsLacking(t *testing.T) {
	now, p := time.Unix(1e9, 0), &publisher{}
	k := tenant.NewClientKeys(func() time.Time { return now }, p.fetch)
	app := publishing("app")
	p.publish(jwks(t))
	first, err := k.Of(t.Context(), "acme", app)
	if err != nil {
		t.Fatal(err)
	}
	p.publish(jwks(t))
	second, ok := k.Again(t.Context(), "acme", app)
	if !ok || second == first || p.calls.Load() != 2 {
		t.Fatalf("a rotation is not seen: %v, %d calls", ok, p.calls.Load())
	}
	if got, err := k.Of(t.Context(), "acme", app); got != second || err != nil {
		t.Errorf("the newer set is not kept: %v", err)
	}
	for range 1000 {
		if _, ok := k.Again(t.Context(), "acme", app); ok {
			t.Fatal("read again at once")
		}
	}
	if _, ok := k.Again(t.Context(), "acme", publishing("other")); !ok || p.calls.Load() != 3 {
		t.Errorf("another client waits as well: %d calls", p.calls.Load())
	}
	now = now.Add(time.Minute)
	if _, ok := k.Again(t.Context(), "acme", app); !ok || p.calls.Load() != 4 {
		t.Errorf("not read again after a minute: %d calls", p.calls.Load())
	}
}

func TestManyWhoNeedASetFetchItOnce(t *testing.T) {
	p := &publisher{hold: make(chan struct{})}
	k := tenant.NewClientKeys(func() time.Time { return time.Unix(1e9, 0) }, p.fetch)
	p.publish(jwks(t))
	gone, leave := context.WithCancel(t.Context())
	began := make(chan error)
	go func() {
		_, err := k.Of(gone, "acme", publishing("app"))
		began <- err
	}()
	for p.calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-began; !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves gets %v", err)
	}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := k.Of(t.Context(), "acme", publishing("app")); err != nil {
				t.Error(err)
			}
		})
	}
	close(p.hold)
	all.Wait()
	if n := p.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestKeysByValueAreThoseOfTheClient(t *testing.T) {
	k := tenant.NewClientKeys(time.Now, (&publisher{}).fetch)
	c := &tenant.Client{ID: "app", Metadata: tenant.Metadata{JWKS: json.RawMessage(jwks(t))}}
	first, err := k.Of(t.Context(), "acme", c)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := k.Of(t.Context(), "acme", c); again != first {
		t.Error("the set is parsed twice")
	}
	if _, ok := k.Again(t.Context(), "acme", c); ok {
		t.Error("there is nowhere to read it again")
	}
	c = &tenant.Client{ID: "app", Metadata: tenant.Metadata{JWKS: json.RawMessage(jwks(t))}}
	if changed, err := k.Of(t.Context(), "acme", c); err != nil || changed == first {
		t.Errorf("the client's new keys do not count: %v", err)
	}
	if _, err := k.Of(t.Context(), "acme", &tenant.Client{ID: "app"}); !errors.Is(err, tenant.ErrNoKeys) {
		t.Errorf("a client without keys: %v", err)
	}
}

// A key set that never comes holds up its own client alone, and what strangers have fetched is under limits of their own
// (S154).
func TestAHangingSetHoldsUpItsOwnClientAlone(t *testing.T) {
	var mu sync.Mutex
	limits := map[string]string{}
	hang := make(chan struct{})
	good := jwks(t)
	k := tenant.NewClientKeys(time.Now, func(ctx context.Context, key, url string, _ int64) ([]byte, string, error) {
		mu.Lock()
		limits[url] = key
		mu.Unlock()
		if url == "https://slow.example/jwks" {
			<-hang
		}
		return []byte(good), "application/json", nil
	})
	slow := &tenant.Client{ID: "slow", Metadata: tenant.Metadata{JWKSURI: "https://slow.example/jwks"}}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = k.Of(t.Context(), "acme", slow) })
	for _, id := range []string{"app", "https://stranger.example/client"} {
		c := &tenant.Client{ID: id, Metadata: tenant.Metadata{JWKSURI: "https://app.example/" + id}}
		if _, err := k.Of(t.Context(), "acme", c); err != nil {
			t.Errorf("%s waits for another: %v", id, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := k.Of(ctx, "acme", slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the hanging set: %v", err)
	}
	close(hang)
	wg.Wait()
	if limits["https://app.example/app"] != "acme" || limits["https://app.example/https://stranger.example/client"] == "acme" {
		t.Errorf("the limits: %v", limits)
	}
}

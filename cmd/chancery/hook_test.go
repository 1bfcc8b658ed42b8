package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// A tenant whose hook hangs takes no calls of another, whose hook is served by the same host; nor is that one's breaker its own.
func TestHooksOfATenantThatHang(t *testing.T) {
	hanging, release := make(chan bool, 1024), make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			hanging <- true
			<-release
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"action":"allow"}`))
	}))
	defer s.Close()
	defer close(release)
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret, err := keys.NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{outbound: outbound.New(outbound.Options{Plain: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})}
	hooks := a.hooks()
	of := func(id tenant.ID, path string) *tenant.Tenant {
		return &tenant.Tenant{ID: id, Secret: secret, Settings: &tenant.Settings{Hooks: map[string]tenant.Hook{"claims": {URL: s.URL + path, Timeout: 5000}}}}
	}
	slow, quick := of("slow", "/hangs"), of("quick", "/")
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range 2 * hookCalls {
		all.Go(func() { _, _ = hooks.Run(ctx, slow, script.Event{Hook: "claims"}) })
	}
	for range hookCalls {
		<-hanging
	}
	began := time.Now()
	var others sync.WaitGroup
	for range hookCalls {
		others.Go(func() {
			if _, err := hooks.Run(ctx, quick, script.Event{Hook: "claims"}); err != nil {
				t.Error("another tenant's hook:", err)
			}
		})
	}
	others.Wait()
	if took := time.Since(began); took > 2*time.Second {
		t.Error("another tenant's hook took", took)
	}
	if more := len(hanging); more > 0 {
		t.Error(more, "calls more of one tenant than it may have")
	}
}

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// A tenant whose scripts fetch what hangs takes no call from another's, to the same host.
func TestFetchesOfATenantThatHang(t *testing.T) {
	hanging, release := make(chan bool, 1024), make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			hanging <- true
			<-release
		}
	}))
	defer s.Close()
	defer close(release)
	a := &app{fetches: fetching(outbound.New(outbound.Options{Plain: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}))}
	fetch := func(ctx context.Context, id tenant.ID, path string) error {
		url, _ := json.Marshal(s.URL + path)
		_, err := a.scriptFetch(ctx, &script.Call{Tenant: &tenant.Tenant{ID: id}}, script.Args{url})
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range 2 * hookCalls {
		all.Go(func() { _ = fetch(ctx, "slow", "/hangs") })
	}
	for range hookCalls {
		<-hanging
	}
	quick, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	if err := fetch(quick, "quick", "/"); err != nil {
		t.Error("another tenant's fetch:", err)
	}
	if more := len(hanging); more > 0 {
		t.Error(more, "fetches more of one tenant than it may have")
	}
}

package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/e2e/build"
	"github.com/chancery-id/chancery/e2e/machine"
)

// deployment is what is broken: three replicas behind a front, on a cluster behind a wire.
type deployment struct {
	*history
	cluster    *cluster
	wire       wires // one for each replica
	machine    *machine.Machine
	front      *front
	replicas   []*replica
	sink       *sink
	heard      *heard
	adminToken string
	tenants    []*tenant
	frozen     atomic.Bool // a replica hangs on purpose, and what it was asked with it
}

const (
	replicaCount = 3
	tenantCount  = 50
	poolSize     = 10 // connections of each replica
)

// deploy builds the server and starts all there is.
func deploy(ctx context.Context, t *testing.T) *deployment {
	t.Helper()
	program, err := build.Server(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{history: &history{}, machine: &machine.Machine{}, heard: &heard{}, cluster: newCluster(t), sink: newSink(t), adminToken: "admin-" + rand.Text() + rand.Text()}
	go d.machine.Watch(ctx)
	d.front = newFront(t)
	kek := make([]byte, 32)
	_, _ = rand.Read(kek)
	env := []string{
		"CHANCERY_ADMIN_TOKEN=" + d.adminToken, "CHANCERY_KEK=" + hex.EncodeToString(kek),
		"CHANCERY_TRUSTED_PROXIES=127.0.0.1/32", "CHANCERY_OUTBOUND_ALLOW=127.0.0.0/8", "CHANCERY_EXTRA_CA=" + d.sink.ca, "OTEL_SDK_DISABLED=true",
	}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CHANCERY_") && !strings.HasPrefix(e, "OTEL_") && !strings.HasPrefix(e, "PG") {
			env = append(env, e)
		}
	}
	for i := range replicaCount {
		d.wire = append(d.wire, newWire(t, d.cluster.port))
		own := "CHANCERY_DATABASE_URL=" + d.cluster.dsn(d.wire[i].port(), fmt.Sprintf("&pool_max_conns=%d", poolSize))
		d.replicas = append(d.replicas, newReplica(t, program, fmt.Sprintf("replica %d", i+1), d.front.url, append([]string{own}, env...)))
	}
	for _, r := range d.replicas { // all at once: they agree on who migrates
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range d.replicas {
		if err := r.waitReady(ctx, d.machine, 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	d.front.watch(ctx, d.replicas)
	d.tenants = make([]*tenant, tenantCount)
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := part; i < tenantCount; i += 4 {
				x := &tenant{d: d}
				a := d.call(ctx, request{method: http.MethodPost, url: d.front.url + "/admin/v1/tenants", token: d.adminToken,
					json: map[string]any{"tenant_id": fmt.Sprintf("tenant-%d", i), "template": "starter"}})
				if a.status != http.StatusCreated || a.read(x) != nil {
					t.Errorf("tenant %d: %d %s", i, a.status, a.body)
				}
				d.tenants[i] = x
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	d.sink.heard = d.heard
	if err := d.heard.listen(ctx, d); err != nil {
		t.Fatal(err)
	}
	return d
}

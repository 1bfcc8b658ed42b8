package faults

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// judge asks, when all is quiet, whether everything that was acknowledged is there, on every replica.
func (d *deployment) judge(ctx context.Context, workers []*worker) {
	for _, w := range workers {
		for _, c := range w.chains {
			w.rotate(ctx, c)
		}
		for _, c := range w.revoked {
			if time.Since(c.revoked) < d.machine.Patience(bound, c.revoked) {
				continue
			}
			for _, r := range d.replicas {
				if active, _ := c.x.active(ctx, c.x.on(r, "/token/introspect"), c.tokens.Access, true); active {
					d.violated("I4", "%s: a token of %s that was revoked is active at the end", r.name, c.x.ID)
				}
			}
		}
		for _, c := range w.clients {
			a := d.call(ctx, request{method: http.MethodGet, url: c.x.Issuer + "/clients/" + c.id, token: c.x.APIToken})
			if !a.ok() {
				d.violated("I2", "a client of %s that was registered is gone: %d %s", c.x.ID, a.status, a.body)
			}
		}
		for x, n := range w.notes {
			var said struct {
				Settings struct {
					Attributes map[string]string `json:"attributes"`
				} `json:"settings"`
			}
			a := d.call(ctx, request{method: http.MethodGet, url: d.front.url + "/admin/v1/tenants/" + x.ID, token: d.adminToken})
			if !a.ok() || a.read(&said) != nil {
				d.violated("I2", "%s cannot be read: %d %s", x.ID, a.status, a.body)
				continue
			}
			if v, _ := strconv.Atoi(said.Settings.Attributes[w.subject]); v < n.acknowledged || v > n.tried {
				d.violated("I2", "a setting of %s is %d; %d was acknowledged last, and %d tried", x.ID, v, n.acknowledged, n.tried)
			}
		}
	}
}

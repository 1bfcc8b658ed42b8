package e2e

import (
	"net/http"
	"testing"
	"time"
)

// What was issued is counted, also by a server that is stopped before it would have recorded it, and told to those who may
// read it.
func TestUsageIsToldAfterAStop(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, nil)
			x, other := s.newTenant(t), s.newTenant(t)
			c := x.confidential(t, callback)
			k := x.tokens(t, c, "scope", "openid offline_access")
			issued(t, x.token(t, c, "grant_type", "refresh_token", "refresh_token", k.Refresh))
			issued(t, other.token(t, other.Client, "grant_type", "client_credentials"))
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			again := s.conf
			again.publicURL = s.publicURL
			p := launch(t, again)
			var page struct {
				Usage []struct {
					Day, Kind string
					Tokens    int64
				}
			}
			at := p.url + "/admin/v1/tenants/" + x.TenantID + "/usage"
			call(t, http.MethodGet, at+"?group_by=kind", bearer(p.adminToken)).want(t, "200").read(t, &page)
			got := map[string]int64{}
			for _, r := range page.Usage {
				got[r.Kind] += r.Tokens
			}
			if got["access_token"] != 2 || got["refresh_token"] != 2 || got["id_token"] < 1 {
				t.Errorf("issued: %v", got)
			}
			var active struct {
				Months []struct {
					Users int64
					Days  []struct{ Users int64 }
				}
			}
			call(t, http.MethodGet, at+"/users", bearer(p.adminToken)).want(t, "200").read(t, &active)
			if n := len(active.Months); n == 0 || active.Months[n-1].Users != 1 || len(active.Months[n-1].Days) == 0 {
				t.Errorf("active: %+v at %v", active, time.Now())
			}
		})
	}
}

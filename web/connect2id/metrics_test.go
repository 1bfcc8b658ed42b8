package connect2id

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/web/wire"
)

func TestMetersCountByFlowAndEnding(t *testing.T) {
	now := noon
	m := NewMetrics(func() time.Time { return now })
	for _, r := range []struct {
		rule, name string
		record     wire.Record
	}{
		{"what went well", "tokenEndpoint.code.successfulRequests", wire.Record{Flow: "token authorization_code", Outcome: wire.OK}},
		{"a client that is not known", "tokenEndpoint.invalidClientErrors", wire.Record{Flow: "token", Outcome: wire.Refused, Code: "invalid_client"}},
		{"a poll before the subject answered", "tokenEndpoint.ciba.invalidGrantErrors", wire.Record{Flow: "token urn:openid:params:grant-type:ciba", Outcome: wire.Refused, Code: "authorization_pending"}},
		{"a code that has no meter of its own", "cibaEndpoint.invalidRequests", wire.Record{Flow: "ciba", Outcome: wire.Refused, Code: "unknown_user_id"}},
		{"our fault, whatever it is called", "authzEndpoint.serverErrors", wire.Record{Flow: "authorize", Outcome: wire.Failed, Code: "broken"}},
		{"a flow that is not metered", "", wire.Record{Flow: "console", Outcome: wire.OK}},
	} {
		total := func() (n int64) {
			for _, x := range m.meters {
				n += x.count
			}
			return n
		}
		was, before := total(), int64(0)
		if r.name != "" {
			before = m.meters[r.name].count
		}
		m.Request(context.Background(), &r.record)
		if r.name == "" {
			if total() != was {
				t.Errorf("%s: is counted", r.rule)
			}
		} else if m.meters[r.name].count != before+1 || total() != was+1 {
			t.Errorf("%s: is not counted as %s", r.rule, r.name)
		}
	}
}

func TestRatesFade(t *testing.T) {
	now := noon
	m := NewMetrics(func() time.Time { return now })
	for range 50 {
		m.Request(context.Background(), &wire.Record{Flow: "userinfo", Outcome: wire.OK})
	}
	at := func(after time.Duration) meterShown {
		now = noon.Add(after)
		return m.shown().Meters["userInfoEndpoint.successfulRequests"]
	}
	if got := at(4 * time.Second); got.M1 != 0 || got.MeanRate != 12.5 || got.Count != 50 {
		t.Errorf("within the first tick: %+v", got)
	}
	if got := at(5 * time.Second); got.M1 != 10 || got.M5 != 10 || got.M15 != 10 {
		t.Errorf("after it: %+v", got)
	}
	got := at(65 * time.Second)
	for name, x := range map[string]struct{ got, want float64 }{"m1": {got.M1, 10 / math.E}, "m5": {got.M5, 10 * math.Exp(-0.2)}, "m15": {got.M15, 10 * math.Exp(-1.0/15)}} {
		if math.Abs(x.got-x.want) > 1e-9 {
			t.Errorf("%s a minute later: %v, want %v", name, x.got, x.want)
		}
	}
}

func TestMetricsAreTheOperators(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		as := func(tenantName, what string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+apiToken(tenantName, what))
				r.Header.Del("Tenant-ID")
			}
		}
		if rec := w.call("GET", "/monitor/v1/metrics", "", as("acme", "all")); rec.Code != http.StatusUnauthorized {
			t.Errorf("a tenant's token: %d", rec.Code)
		}
		if rec := w.call("GET", "/monitor/v1/metrics", "", as("platform", "console")); rec.Code != http.StatusForbidden {
			t.Errorf("a token that does not reach it: %d", rec.Code)
		}
		if rec := w.call("GET", "/monitor/v1/metrics?pretty=yes", "", as("platform", "monitor")); rec.Code != http.StatusBadRequest {
			t.Errorf("pretty=yes: %d", rec.Code)
		}
		w.call("POST", v3, start(""), nil)
		for _, query := range []string{"", "?pretty=true", "?pretty=false"} {
			rec := w.call("GET", "/monitor/v1/metrics"+query, "", as("platform", "monitor"))
			var out metricsShown
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
				t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
			}
			if n := out.Meters["authzEndpoint.successfulRequests"].Count; n != 1 || out.Version != "4.0.0" || out.Gauges == nil || out.Timers == nil {
				t.Errorf("%d requests counted: %s", n, rec.Body)
			}
			if pretty := strings.Contains(rec.Body.String(), "\n"); pretty != (query == "?pretty=true") {
				t.Errorf("%s: %s", query, rec.Body)
			}
		}
	})
}

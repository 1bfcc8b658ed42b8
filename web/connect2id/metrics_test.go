package connect2id

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
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
	for i := range 50 {
		m.Request(context.Background(), &wire.Record{Flow: "userinfo", Outcome: wire.OK, Duration: time.Duration(50-i) * time.Millisecond})
	}
	at := func(after time.Duration) meterShown {
		now = noon.Add(after)
		return m.shown().Meters["userInfoEndpoint.successfulRequests"]
	}
	took := m.shown().Timers["userInfoEndpoint.timer"]
	if took.Count != 50 || took.Min != .001 || took.Max != .05 || took.P50 != .025 || took.P99 != .05 || math.Abs(took.Mean-.0255) > 1e-9 {
		t.Errorf("how long they took: %+v", took)
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

// Of many requests the last are told of; and counting objects neither delays who asks nor happens more often than it may.
func TestTimersAndGauges(t *testing.T) {
	now := noon
	m := NewMetrics(func() time.Time { return now })
	for i := range 3 * remembered {
		m.Request(context.Background(), &wire.Record{Flow: "token", Outcome: wire.OK, Duration: time.Duration(i) * time.Second})
	}
	if got := m.shown().Timers["tokenEndpoint.timer"]; got.Count != 3*remembered || got.Min != 2*remembered || got.Max != 3*remembered-1 {
		t.Errorf("%+v", got)
	}
	if g := m.shown().Gauges; len(g) != 0 {
		t.Errorf("nobody can tell, and yet: %v", g)
	}
	calls, answers := make(chan struct{}), make(chan error)
	m.Pool = func() (int, int, int, int) { return 5, 2, 3, 16 }
	m.Count = func(context.Context) (admin.Objects, error) {
		calls <- struct{}{}
		return admin.Objects{Interactions: 1, Sessions: 2, Clients: 3, Authorizations: 4}, <-answers
	}
	told := func(name string) any { return m.shown().Gauges[name] }
	if told("sqlStore.pool.ActiveConnections") != (gauge{2}) || told("sqlStore.pool.MaxConnections") != (gauge{16}) || told("sessionStore.numSessions") != nil {
		t.Errorf("%v", m.shown().Gauges)
	}
	settled := func() {
		t.Helper()
		for range 1000 {
			m.mu.Lock()
			still := m.counting
			m.mu.Unlock()
			if !still {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatal("counting has no end")
	}
	<-calls // one count has begun, and no other does meanwhile
	told("sessionStore.numSessions")
	answers <- nil
	settled()
	if told("sessionStore.numSessions") != (gauge{2}) || told("authzSessionStore.numSessions") != (gauge{1}) || told("clientStore.numClients") != (gauge{3}) || told("authzStore.numAuthorizations") != (gauge{4}) {
		t.Errorf("%v", m.shown().Gauges)
	}
	now = now.Add(counted - time.Second)
	if told("sessionStore.numSessions"); m.counting {
		t.Error("it is counted again too early")
	}
	now = now.Add(time.Second)
	told("sessionStore.numSessions")
	<-calls
	answers <- errors.New("too slow")
	settled()
	if told("sessionStore.numSessions") != (gauge{2}) {
		t.Error("what was counted is forgotten")
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
		w.call("GET", "/ciba-sessions/rest/v1?subject=alice", "", nil) // no request of a client's
		w.call("POST", "/ciba-sessions/rest/v1/queue/poll", "", nil)
		for _, query := range []string{"", "?pretty=true", "?pretty=false"} {
			rec := w.call("GET", "/monitor/v1/metrics"+query, "", as("platform", "monitor"))
			var out metricsShown
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
				t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
			}
			if n := out.Meters["authzEndpoint.successfulRequests"].Count; n != 1 || out.Version != "4.0.0" || out.Gauges == nil || out.Timers == nil {
				t.Errorf("%d requests counted: %s", n, rec.Body)
			}
			if out.Timers["cibaEndpoint.timer"].Count != 0 {
				t.Errorf("what looks after backchannel requests counts as one: %s", rec.Body)
			}
			if pretty := strings.Contains(rec.Body.String(), "\n"); pretty != (query == "?pretty=true") {
				t.Errorf("%s: %s", query, rec.Body)
			}
		}
	})
}

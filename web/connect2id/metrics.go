package connect2id

import (
	"context"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// families are the metrics of each flow: a prefix of their names.
var families = map[string]string{
	"authorize":                        "authzEndpoint",
	"push":                             "parEndpoint",
	"ciba":                             "cibaEndpoint",
	"userinfo":                         "userInfoEndpoint",
	"introspect":                       "introspectionEndpoint",
	"revoke":                           "revocationEndpoint",
	"registration":                     "clientRegistrationEndpoint",
	"token":                            "tokenEndpoint",
	"token " + oauth.AuthorizationCode: "tokenEndpoint.code",
	"token " + oauth.RefreshToken:      "tokenEndpoint.refreshToken",
	"token " + oauth.ClientCredentials: "tokenEndpoint.clientCredentials",
	"token " + oauth.Password:          "tokenEndpoint.password",
	"token " + oauth.JWTBearer:         "tokenEndpoint.jwtBearer",
	"token " + oauth.TokenExchange:     "tokenEndpoint.tokenExchange",
	"token " + oauth.CIBA:              "tokenEndpoint.ciba",
	"token " + oauth.DeviceCode:        "tokenEndpoint.deviceCode",
}

// endings are the rest of a meter's name, by error code. What is not here is an invalid request.
var endings = map[string]string{
	"":                        successful,
	"invalid_client":          "invalidClientErrors",
	"unauthorized_client":     "unauthorizedClientErrors",
	"invalid_grant":           "invalidGrantErrors",
	"authorization_pending":   "invalidGrantErrors",
	"slow_down":               "invalidGrantErrors",
	"expired_token":           "invalidGrantErrors",
	"access_denied":           "invalidGrantErrors",
	"invalid_scope":           "invalidScopeErrors",
	"server_error":            serverErrors,
	"temporarily_unavailable": serverErrors,
}

const (
	successful      = "successfulRequests"
	serverErrors    = "serverErrors"
	invalidRequests = "invalidRequests"
)

// Metrics counts the requests of all tenants in the names of the monitoring API, since the process began. It is a
// wire.Sink, and safe for concurrent use.
type Metrics struct {
	now    func() time.Time
	began  time.Time
	mu     sync.Mutex
	ticked time.Time
	meters map[string]*meter
	timers map[string]*timer

	// Pool tells of the connections to the database: how many are open, in use and idle, and how many there may be. Nil: nothing is told.
	Pool func() (open, used, idle, most int)
	// Count counts what is kept, of all tenants. It is called in the background, at most once in half an hour. Nil: nothing is counted.
	Count func(context.Context) (admin.Objects, error)

	objects  *admin.Objects // as they were counted last; nil: never
	asked    time.Time      // when they were to be counted last
	counting bool
}

// meter counts events, and how often they come.
type meter struct {
	count, ticks, since int64      // since: since the last tick
	rates               [3]float64 // a second, of the last one, five and fifteen minutes, each weighing less the longer ago
}

// tick is how often rates are made anew.
const tick = 5 * time.Second

// weights are what the newest tick weighs in the rates.
var weights = [3]float64{weight(1), weight(5), weight(15)}

func weight(minutes float64) float64 { return 1 - math.Exp(-tick.Minutes()/minutes) }

// NewMetrics returns metrics of which none has been counted.
func NewMetrics(now func() time.Time) *Metrics {
	m := &Metrics{now: now, began: now(), meters: map[string]*meter{}, timers: map[string]*timer{}}
	m.ticked = m.began
	for _, family := range families {
		m.meters[family+"."+invalidRequests] = &meter{}
		m.timers[family+"."+timed] = &timer{}
		for _, ending := range endings {
			m.meters[family+"."+ending] = &meter{}
		}
	}
	return m
}

// Request counts one request.
func (m *Metrics) Request(_ context.Context, r *wire.Record) {
	family, ok := families[r.Flow]
	if !ok {
		return
	}
	ending, ok := endings[r.Code]
	switch {
	case r.Outcome == wire.Failed:
		ending = serverErrors
	case !ok:
		ending = invalidRequests
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tick()
	x := m.meters[family+"."+ending]
	x.count++
	x.since++
	m.timers[family+"."+timed].add(r.Duration)
}

// tick brings the rates up to now.
func (m *Metrics) tick() {
	n := int64(m.now().Sub(m.ticked) / tick)
	if n <= 0 {
		return
	}
	m.ticked = m.ticked.Add(time.Duration(n) * tick)
	for _, x := range m.meters {
		x.turn(n)
	}
	for _, x := range m.timers {
		x.turn(n)
	}
}

// turn ends n ticks, of which the first has had all events since the last.
func (x *meter) turn(n int64) {
	for i, w := range weights {
		rate := float64(x.since) / tick.Seconds()
		if x.ticks > 0 {
			rate = x.rates[i] + w*(rate-x.rates[i])
		}
		x.rates[i] = rate * math.Pow(1-w, float64(n-1))
	}
	x.ticks, x.since = x.ticks+n, 0
}

// meterShown is a meter as it is shown. Rates are in events a second.
type meterShown struct {
	Count    int64   `json:"count"`
	M15      float64 `json:"m15_rate"`
	M1       float64 `json:"m1_rate"`
	M5       float64 `json:"m5_rate"`
	MeanRate float64 `json:"mean_rate"`
	Units    string  `json:"units"`
}

// metricsShown are metrics by kind and name.
type metricsShown struct {
	Version    string                `json:"version"`
	Gauges     map[string]any        `json:"gauges"`
	Counters   map[string]any        `json:"counters"`
	Histograms map[string]any        `json:"histograms"`
	Meters     map[string]meterShown `json:"meters"`
	Timers     map[string]timerShown `json:"timers"`
}

func (m *Metrics) shown() metricsShown {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tick()
	none := map[string]any{}
	out := metricsShown{Version: "4.0.0", Gauges: m.gauges(), Counters: none, Histograms: none, Timers: make(map[string]timerShown, len(m.timers)), Meters: make(map[string]meterShown, len(m.meters))}
	life := m.now().Sub(m.began).Seconds()
	for name, x := range m.meters {
		out.Meters[name] = x.shown(life)
	}
	for name, x := range m.timers {
		out.Timers[name] = x.shown(life)
	}
	return out
}

// shown is a meter after it has counted for that many seconds.
func (x *meter) shown(life float64) meterShown {
	s := meterShown{Count: x.count, M1: x.rates[0], M5: x.rates[1], M15: x.rates[2], Units: "events/second"}
	if life > 0 {
		s.MeanRate = float64(x.count) / life
	}
	return s
}

// showMetrics answers with the metrics of this process.
func (d *Door) showMetrics(c *gin.Context, _ *tenant.Tenant) {
	q, err := wire.Query(c)
	if err == nil && q.Get("pretty") != "" && q.Get("pretty") != "true" && q.Get("pretty") != "false" {
		err = oauth.InvalidRequest("pretty must be true or false")
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	if q.Get("pretty") == "true" {
		wire.NoStore(c)
		c.IndentedJSON(http.StatusOK, d.Metrics.shown())
		return
	}
	wire.JSON(c, http.StatusOK, d.Metrics.shown())
}

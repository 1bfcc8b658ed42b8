package connect2id

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// health is how a store is.
type health struct {
	Healthy   bool   `json:"healthy"`
	Duration  int64  `json:"duration"` // milliseconds that asking took
	Timestamp string `json:"timestamp"`
}

// mountMonitor registers what tells the operator of the deployment, whose tenants share it.
func (d *Door) mountMonitor(r *wire.Router) {
	r.PlatformAPI(http.MethodGet, "/monitor/v1/healthcheck", tenant.MonitorAPI, d.healthcheck)
	r.PlatformAPI(http.MethodGet, "/monitor/v1/metrics", tenant.MonitorAPI, d.showMetrics)
}

// healthcheck says whether the server can do its work: 200, or 503. Why it cannot is for the log.
func (d *Door) healthcheck(c *gin.Context, _ *tenant.Tenant) {
	begun := d.Now()
	err := d.Healthy(c.Request.Context())
	status := http.StatusOK
	if err != nil {
		wire.EventOf(c).Fail(err)
		status = http.StatusServiceUnavailable
	}
	wire.JSON(c, status, map[string]health{"sqlStore": {Healthy: err == nil, Duration: d.Now().Sub(begun).Milliseconds(), Timestamp: begun.UTC().Format(time.RFC3339)}})
}

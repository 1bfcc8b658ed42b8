package oidc

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// pushed is the answer to a pushed authorization request (RFC 9126 §2.2). Times are in seconds.
type pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

// push serves the pushed authorization request endpoint (RFC 9126 §2).
func (d *Door) push(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("push")
	client, params, err := d.caller(c, t)
	var proved oauth.Confirmation
	if err == nil {
		proved, err = d.proved(c, t, discovery.PAR)
	}
	var r request.Receipt
	if err == nil {
		r, err = d.Authorize.Requests.Push(c.Request.Context(), t, client, params, proved, wire.AddressOf(c).String())
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.JSON(c, http.StatusCreated, pushed{r.RequestURI, int64(r.ExpiresIn / time.Second)})
}

package oidc

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// deviceAuthorization is a device authorization response (RFC 8628 §3.2). Times are in seconds.
type deviceAuthorization struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

// device serves the device authorization endpoint (RFC 8628 §3.1).
func (d *Door) device(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("device")
	client, params, err := d.caller(c, t)
	var a device.Authorization
	if err == nil {
		a, err = d.Device.Begin(c.Request.Context(), t, client, params)
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, deviceAuthorization{a.DeviceCode, a.UserCode, a.VerificationURI, a.VerificationURIComplete,
		int64(a.ExpiresIn / time.Second), int64(a.Interval / time.Second)})
}

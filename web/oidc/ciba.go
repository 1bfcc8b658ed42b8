package oidc

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// acknowledgement is a successful authentication request acknowledgement (CIBA Core §7.3). Times are in seconds.
type acknowledgement struct {
	AuthReqID string `json:"auth_req_id"`
	ExpiresIn int64  `json:"expires_in"`
	Interval  int64  `json:"interval,omitempty"`
}

// ciba serves the backchannel authentication endpoint (CIBA Core §7).
func (d *Door) ciba(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("ciba")
	client, params, err := d.caller(c, t)
	var ack ciba.Acknowledgement
	if err == nil {
		ack, err = d.CIBA.Authenticate(c.Request.Context(), t, client, params)
	}
	if err != nil {
		wire.Error(c, refused(err))
		return
	}
	wire.JSON(c, http.StatusOK, acknowledgement{ack.AuthReqID, int64(ack.ExpiresIn / time.Second), int64(ack.Interval / time.Second)})
}

// refused gives err the status of CIBA Core §13.
func refused(err error) error {
	if e := oauth.ErrorOf(err); e.Code == "access_denied" {
		return &wire.Status{Err: e, HTTP: http.StatusForbidden}
	}
	return err
}

// polled gives err the status of CIBA Core §11: a poll that came too soon has not reached a limit of ours.
func polled(err error) error {
	if errors.Is(err, decoupled.ErrSlowDown) {
		return &wire.Status{Err: oauth.ErrorOf(err), HTTP: http.StatusBadRequest}
	}
	return err
}

package oidc

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// maxClients is how many clients one page of the list holds at most.
const maxClients = 1000

// Bounds of the list of all clients.
const (
	listLife = 5 * time.Minute  // in all
	pageLife = 30 * time.Second // for whoever reads it to take one page
)

// listClients lists all clients by id, or with the parameters after and limit a page of them: those after that id, as many
// as limit says.
func (d *Door) listClients(c *gin.Context, t *tenant.Tenant) {
	by, err := d.authority(c, t)
	if err == nil && c.Query("limit") == "" && c.Query("after") == "" {
		err = d.allClients(c, t, by)
	} else if err == nil {
		err = d.pageOfClients(c, t, by)
	}
	if err != nil {
		wire.Error(c, err)
	}
}

// pageOfClients writes a page of the list.
func (d *Door) pageOfClients(c *gin.Context, t *tenant.Tenant, by registration.Authority) error {
	n := maxClients
	if l := c.Query("limit"); l != "" {
		var err error
		if n, err = strconv.Atoi(l); err != nil || n < 1 || n > maxClients {
			return oauth.InvalidRequest("limit must be a number from 1 to 1000").Because(err)
		}
	}
	after := c.Query("after")
	if len(after) > 255 {
		return oauth.InvalidRequest("after is not a client id")
	}
	answer, err := d.Clients.List(c.Request.Context(), t, after, n, by)
	if err != nil {
		return err
	}
	if answer == nil {
		answer = []registration.Response{}
	}
	wire.JSON(c, http.StatusOK, answer)
	return nil
}

// allClients writes the whole list as it comes from the store, of which one page at a time is in memory. Where it fails
// after its beginning the connection breaks off: half a list must not look like a whole one.
func (d *Door) allClients(c *gin.Context, t *tenant.Tenant, by registration.Authority) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), listLife)
	defer cancel()
	control := http.NewResponseController(c.Writer)
	next := byte('[')
	err := d.Clients.All(ctx, t, by, func(page []registration.Response) error {
		if next == '[' {
			wire.NoStore(c)
			c.Header("Content-Type", "application/json")
			c.Status(http.StatusOK)
		}
		_ = control.SetWriteDeadline(time.Now().Add(pageLife)) // where it cannot be set there is none
		for i := range page {
			raw, err := json.Marshal(page[i])
			if err != nil {
				return err
			}
			_, _ = c.Writer.Write([]byte{next})
			if _, err := c.Writer.Write(raw); err != nil {
				return err
			}
			next = ','
		}
		return nil
	})
	switch {
	case err != nil && next == '[':
		return err
	case err != nil:
		wire.EventOf(c).Fail(err)
		panic(http.ErrAbortHandler)
	case next == '[':
		wire.JSON(c, http.StatusOK, []registration.Response{})
	default:
		_, _ = c.Writer.Write([]byte{']'})
	}
	return nil
}

package oidc

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// mountClients registers the client registration endpoint (RFC 7591 §3) and each client's configuration endpoint
// (RFC 7592 §2).
func (d *Door) mountClients(r *wire.Router) {
	r.Public(http.MethodPost, discovery.Clients, d.registry(d.createClient))
	r.Public(http.MethodGet, discovery.Clients, d.registry(d.listClients))
	r.Public(http.MethodGet, discovery.Clients+"/:client", d.registry(d.readClient))
	r.Public(http.MethodPut, discovery.Clients+"/:client", d.registry(d.updateClient))
	r.Public(http.MethodDelete, discovery.Clients+"/:client", d.registry(d.deleteClient))
}

// registryCall is one call of the registry by a caller with that authority. It returns status and answer.
type registryCall func(c *gin.Context, t *tenant.Tenant, by registration.Authority) (status int, answer any, err error)

// registry finds out what the caller may do, makes the call, and lets this instance see at once what it changed.
func (d *Door) registry(call registryCall) wire.Handler {
	return func(c *gin.Context, t *tenant.Tenant) {
		wire.EventOf(c).Flow("registration")
		wire.EventOf(c).Client(c.Param("client"))
		bearer, err := wire.Bearer(c)
		if err != nil {
			wire.Error(c, err)
			return
		}
		by, err := registration.AuthorityOf(t, bearer, wire.AddressOf(c).String(), d.Now())
		if k := by.Token(); err == nil && k != "" && d.Uses != nil {
			d.Uses.Used(t.ID, k, d.Now())
		}
		var status int
		var answer any
		if err == nil {
			status, answer, err = call(c, t, by)
		}
		if err == nil && c.Request.Method != http.MethodGet {
			err = d.Changed(c.Request.Context())
		}
		switch {
		case err != nil:
			wire.Error(c, err)
		case answer == nil:
			wire.NoContent(c)
		default:
			wire.JSON(c, status, answer)
		}
	}
}

// clientRequest reads a registration request.
func clientRequest(c *gin.Context, by registration.Authority) (registration.Request, error) {
	var body json.RawMessage
	if err := wire.ReadJSON(c, registration.MaxBody, &body); err != nil {
		return registration.Request{}, err
	}
	r, err := registration.Parse(body)
	r.By, r.DryRun = by, c.Query("dry_run") == "true"
	return r, err
}

func (d *Door) createClient(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	r, err := clientRequest(c, by)
	if err != nil {
		return 0, nil, err
	}
	answer, err := d.Clients.Register(c.Request.Context(), t, r)
	return http.StatusCreated, answer, err
}

func (d *Door) readClient(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	answer, err := d.Clients.Read(c.Request.Context(), t, c.Param("client"), by)
	return http.StatusOK, answer, err
}

func (d *Door) updateClient(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	r, err := clientRequest(c, by)
	if err != nil {
		return 0, nil, err
	}
	answer, err := d.Clients.Update(c.Request.Context(), t, c.Param("client"), r)
	return http.StatusOK, answer, err
}

func (d *Door) deleteClient(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	return 0, nil, d.Clients.Delete(c.Request.Context(), t, c.Param("client"), t.Settings.LongestAccessToken(), by)
}

// maxClients is how many clients one page of the list holds at most, and without a limit.
const maxClients = 1000

// listClients lists clients by id, those after the parameter after, as many as limit says.
func (d *Door) listClients(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	n := maxClients
	if l := c.Query("limit"); l != "" {
		var err error
		if n, err = strconv.Atoi(l); err != nil || n < 1 || n > maxClients {
			return 0, nil, oauth.InvalidRequest("limit must be a number from 1 to 1000").Because(err)
		}
	}
	after := c.Query("after")
	if len(after) > 255 {
		return 0, nil, oauth.InvalidRequest("after is not a client id")
	}
	answer, err := d.Clients.List(c.Request.Context(), t, after, n, by)
	if answer == nil {
		answer = []registration.Response{}
	}
	return http.StatusOK, answer, err
}

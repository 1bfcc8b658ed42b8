package oidc

import (
	"cmp"
	"encoding/json"
	"net/http"

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
	r.Proven(http.MethodPost, discovery.Clients, d.registry(d.createClient))
	r.Proven(http.MethodGet, discovery.Clients, d.listClients)
	r.Proven(http.MethodGet, discovery.Clients+"/:client", d.registry(d.readClient))
	r.Proven(http.MethodPut, discovery.Clients+"/:client", d.registry(d.updateClient))
	r.Proven(http.MethodDelete, discovery.Clients+"/:client", d.registry(d.deleteClient))
}

// registryCall is one call of the registry by a caller with that authority. It returns status and answer.
type registryCall func(c *gin.Context, t *tenant.Tenant, by registration.Authority) (status int, answer any, err error)

// authority finds out what the caller may do.
func (d *Door) authority(c *gin.Context, t *tenant.Tenant) (registration.Authority, error) {
	wire.EventOf(c).Flow("registration")
	wire.EventOf(c).Client(c.Param("client"))
	bearer, err := wire.Bearer(c)
	if err != nil {
		return registration.Authority{}, err
	}
	by, err := registration.AuthorityOf(t, bearer, wire.AddressOf(c).String(), d.Now())
	if k := by.Token(); err == nil && k != "" && d.Uses != nil {
		d.Uses.Used(t.ID, k, d.Now())
	}
	return by, err
}

// registry makes a call, and lets this instance see at once what it changed.
func (d *Door) registry(call registryCall) wire.Handler {
	return func(c *gin.Context, t *tenant.Tenant) {
		by, err := d.authority(c, t)
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

// errDryDelete: whoever says that nothing is to happen must not lose a client.
var errDryDelete error = oauth.InvalidRequest("dry_run is not for removing a client")

// dryRun reports whether the call is only to be gone through. That decides whether anything is changed, so it must be understood.
func dryRun(c *gin.Context) (bool, error) {
	query, err := wire.Query(c)
	if err != nil {
		return false, err
	}
	switch dry := query.Get("dry_run"); dry {
	case "", "false", "true":
		return dry == "true", nil
	}
	return false, oauth.InvalidRequest("dry_run must be true or false")
}

// clientRequest reads a registration request.
func clientRequest(c *gin.Context, by registration.Authority) (registration.Request, error) {
	dry, err := dryRun(c)
	if err != nil {
		return registration.Request{}, err
	}
	var body json.RawMessage
	if err := wire.ReadJSON(c, registration.MaxBody, &body); err != nil {
		if wire.StatusOf(err) == http.StatusRequestEntityTooLarge {
			err = oauth.InvalidRequest("The body is longer than 250000 bytes") // 400, which other registries answer
		}
		return registration.Request{}, err
	}
	r, err := registration.Parse(body)
	r.By, r.DryRun = by, dry
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
	answer, err := d.Clients.Replace(c.Request.Context(), t, c.Param("client"), r)
	return http.StatusOK, answer, err
}

func (d *Door) deleteClient(c *gin.Context, t *tenant.Tenant, by registration.Authority) (int, any, error) {
	if dry, err := dryRun(c); err != nil || dry {
		return 0, nil, cmp.Or(err, errDryDelete)
	}
	return 0, nil, d.Clients.Delete(c.Request.Context(), t, c.Param("client"), t.Settings.LongestAccessToken(), by)
}

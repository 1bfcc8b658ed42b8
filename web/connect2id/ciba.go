package connect2id

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// cibaSession is a backchannel authentication as the tenant's backend is shown it, which asks the subject. Times are
// Unix seconds.
type cibaSession struct {
	ID             string          `json:"id"`
	State          decoupled.State `json:"state"`
	Sub            string          `json:"sub,omitempty"`
	LoginHint      string          `json:"login_hint,omitempty"`
	Client         client          `json:"client"`
	Scope          []string        `json:"scope"`
	ACRValues      []string        `json:"acr_values,omitempty"`
	BindingMessage string          `json:"binding_message,omitempty"`
	Resource       []string        `json:"resource,omitempty"`
	Details        oauth.Details   `json:"authorization_details,omitempty"`
	RequestContext json.RawMessage `json:"request_context,omitempty"`
	CreatedAt      int64           `json:"created_at"`
	ExpiresAt      int64           `json:"expires_at"`
}

// cibaApproval is the subject's consent. Without auth_time the ID token tells none; without scope it is what was asked.
type cibaApproval struct {
	Sub      string   `json:"sub"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime *int64   `json:"auth_time"`
	Scope    []string `json:"scope"`
}

// mountCIBA registers the calls by which the tenant's backend learns of backchannel authentications, and answers them.
func (d *Door) mountCIBA(r *wire.Router) {
	at := func(method, path string, h func(*Door, *call) error) {
		r.API(method, "/ciba-sessions/rest/v1"+path, tenant.AuthzAPI, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("ciba session")
			if err := h(d, &call{Context: c, tenant: t, version: versions[0]}); err != nil {
				failCIBA(c, err)
			}
		})
	}
	at(http.MethodGet, "", (*Door).cibaSessions)
	at(http.MethodGet, "/:id", (*Door).cibaSession)
	at(http.MethodPost, "/:id", (*Door).approveCIBA)
	at(http.MethodDelete, "/:id", (*Door).denyCIBA)
	d.mountApps(r)
}

var (
	errNoCIBA       = &oauth.Error{Code: "ciba_session_not_found", Description: "The CIBA session is unknown, expired or redeemed"}
	errCIBAAnswered = oauth.InvalidRequest("The CIBA session does not wait for an answer")
	errCIBADisabled = oauth.AccessDenied("The account of sub is disabled")
)

func failCIBA(c *gin.Context, err error) {
	switch {
	case errors.Is(err, decoupled.ErrNotFound):
		err = &wire.Status{Err: errNoCIBA.Because(err), HTTP: http.StatusNotFound}
	case errors.Is(err, decoupled.ErrConflict):
		err = errCIBAAnswered.Because(err)
	case errors.Is(err, decoupled.ErrDisabled):
		err = &wire.Status{Err: errCIBADisabled.Because(err), HTTP: http.StatusForbidden}
	}
	wire.Error(c, err)
}

// cibaSessions lists what waits for the subject in the query, the newest of each client first.
func (d *Door) cibaSessions(c *call) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	subject := q.Get("subject")
	if subject == "" {
		return oauth.InvalidRequest("subject is missing")
	}
	waiting, err := d.CIBA.Waiting(c.Request.Context(), c.tenant, subject)
	if err != nil {
		return err
	}
	out := make([]cibaSession, len(waiting))
	for i := range waiting {
		out[i] = c.cibaSession(&waiting[i])
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

func (d *Door) loadCIBA(c *call) (*decoupled.Pending, error) {
	p, err := d.CIBA.Flow().Find(c.Request.Context(), c.tenant, c.Param("id"))
	if err == nil {
		wire.EventOf(c.Context).Client(p.ClientID)
	}
	return p, err
}

// cibaSession shows one.
func (d *Door) cibaSession(c *call) error {
	p, err := d.loadCIBA(c)
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, c.cibaSession(p))
	return nil
}

func (c *call) cibaSession(p *decoupled.Pending) cibaSession {
	r := p.Request
	return cibaSession{ID: p.ID, State: p.State, Sub: r.RequiredSub, LoginHint: r.LoginHint, Client: c.client(p.Client), Scope: list(r.Scope),
		ACRValues: r.ACRValues, BindingMessage: r.Backchannel.BindingMessage, Resource: r.Resource, Details: r.Details, RequestContext: r.Backchannel.Context,
		CreatedAt: p.CreatedAt.Unix(), ExpiresAt: p.EndsAt.Unix()}
}

// approveCIBA answers for a subject that agrees.
func (d *Door) approveCIBA(c *call) error {
	p, err := d.loadCIBA(c)
	if err != nil {
		return err
	}
	var in cibaApproval
	if err := wire.ReadStrictJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	a := decoupled.Completion{Result: decoupled.Authorized, Subject: in.Sub, ACR: in.ACR, AMR: in.AMR, Scope: in.Scope}
	if a.AuthTime, err = instant("auth_time", in.AuthTime); err != nil {
		return err
	}
	return d.answerCIBA(c, p, a)
}

// denyCIBA answers for a subject that does not.
func (d *Door) denyCIBA(c *call) error {
	p, err := d.loadCIBA(c)
	if err != nil {
		return err
	}
	return d.answerCIBA(c, p, decoupled.Completion{Result: decoupled.AccessDenied})
}

func (d *Door) answerCIBA(c *call, p *decoupled.Pending, a decoupled.Completion) error {
	a.Actor, a.Address = wire.TokenOf(c.Context).ID, c.address()
	if err := d.CIBA.Flow().Complete(c.Request.Context(), c.tenant, p, a); err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// Package authlete is the door for authorization servers that leave the protocol to us: they hand over their clients'
// requests as they came, are told in an action what to do next, and answer with what we made.
package authlete

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves every tenant as a service of that number, and the operator.
type Door struct {
	Now        func() time.Time
	Rand       io.Reader
	Authorize  *authorize.Service
	Tokens     *token.Service
	Access     *access.Service
	CIBA       *ciba.Service
	Device     *device.Service
	Proofs     *proof.Service
	ClientAuth *clientauth.Service // that limits no guesses: where they come from the authorization server alone knows
	Clients    *registration.Service
	Console    *admin.Console
	Changed    func(context.Context) error // makes this instance see what was just changed
}

// maxBody is the longest body read, in bytes.
const maxBody = 256 << 10

// prefix and its numbered form begin the paths of the two generations of the API. What follows is the same in both.
const (
	prefix   = "/api"
	numbered = "/api/:serviceId"
)

// runtime are the calls that answer 200 with an action whatever happens. Where the caller was wrong, or we failed, the
// action is failed. codes begins their result codes.
var runtime = []endpoint{
	{path: "/auth/authorization", flow: "authorize", codes: "A004", serve: (*Door).authorization},
	{path: "/auth/authorization/issue", flow: "authorize", codes: "A040", serve: (*Door).authorizationIssue},
	{path: "/auth/authorization/fail", flow: "authorize", codes: "A060", serve: (*Door).authorizationFail},
	{path: "/auth/authorization/ticket/info", flow: "authorize", codes: "A341", failed: authleteError, misused: callerError, serve: (*Door).ticketInfo},
	{path: "/auth/authorization/ticket/update", flow: "authorize", codes: "A342", failed: authleteError, misused: callerError, serve: (*Door).ticketUpdate},
	{path: "/auth/token", flow: "token", codes: "A050", serve: (*Door).token},
	{path: "/auth/token/issue", flow: "token", codes: "A054", serve: (*Door).tokenIssue},
	{path: "/auth/token/fail", flow: "token", codes: "A067", serve: (*Door).tokenFail},
	{path: "/auth/token/create", flow: "token create", codes: "A109", misused: badRequest, serve: (*Door).tokenCreate},
	{path: "/auth/token/update", flow: "token update", codes: "A135", misused: badRequest, serve: (*Door).tokenUpdate},
	{path: "/idtoken/reissue", flow: "token reissue", codes: "A317", misused: callerError, serve: (*Door).idTokenReissue},
	{path: "/gm", flow: "grant management", codes: "A318", failed: authleteError, misused: callerError, worded: challenge, serve: (*Door).grantManagement},
	{path: "/jose/verify", flow: "jose", codes: "A160", plain: true, serve: (*Door).joseVerify},
	{path: "/auth/introspection", flow: "introspect", codes: "A056", worded: challenge, serve: (*Door).introspection},
	{path: "/auth/introspection/standard", flow: "introspect", codes: "A145", serve: (*Door).introspectionStandard},
	{path: "/auth/userinfo", flow: "userinfo", codes: "A091", worded: challenge, serve: (*Door).userInfo},
	{path: "/auth/userinfo/issue", flow: "userinfo", codes: "A096", worded: challenge, serve: (*Door).userInfoIssue},
	{path: "/auth/revocation", flow: "revoke", codes: "A113", serve: (*Door).revocation},
	{path: registrationPath, flow: "registration", codes: "A202", serve: (*Door).registrationCreate},
	{path: registrationPath + "/get", flow: "registration", codes: "A217", serve: (*Door).registrationGet},
	{path: registrationPath + "/update", flow: "registration", codes: "A213", serve: (*Door).registrationUpdate},
	{path: registrationPath + "/delete", flow: "registration", codes: "A216", serve: (*Door).registrationDelete},
	{path: "/pushed_auth_req", flow: "push", codes: "A245", serve: (*Door).push},
	{path: "/backchannel/authentication", flow: "backchannel", codes: "A179", serve: (*Door).backchannel},
	{path: "/backchannel/authentication/issue", flow: "backchannel", codes: "A183", serve: (*Door).backchannelIssue},
	{path: "/backchannel/authentication/fail", flow: "backchannel", codes: "A185", worded: bare, serve: (*Door).backchannelFail},
	{path: "/backchannel/authentication/complete", flow: "backchannel", codes: "A198", failed: serverError, serve: (*Door).backchannelComplete},
	{path: "/device/authorization", flow: "device", codes: "A220", serve: (*Door).device},
	{path: "/device/verification", flow: "device", codes: "A224", failed: serverError, serve: (*Door).deviceVerification},
	{path: "/device/complete", flow: "device", codes: "A241", failed: serverError, misused: invalidRequest, serve: (*Door).deviceComplete},
}

// management are the calls that answer with an HTTP status.
var management = []endpoint{
	{method: http.MethodPost, path: "/client/create", flow: "registration", codes: "A020", manage: (*Door).clientCreate},
	{method: http.MethodGet, path: "/client/get/list", flow: "registration", codes: "A021", manage: (*Door).clientList},
	{method: http.MethodGet, path: "/client/get/:clientId", flow: "registration", codes: "A022", manage: (*Door).clientGet},
	{method: http.MethodPost, path: "/client/update/:clientId", flow: "registration", codes: "A023", manage: (*Door).clientUpdate},
	{method: http.MethodDelete, path: "/client/delete/:clientId", flow: "registration", codes: "A024", manage: (*Door).clientDelete},
	{method: http.MethodPost, path: "/client/lock_flag/update/:clientId", flow: "registration", codes: "A154", manage: (*Door).clientLock},
	{method: http.MethodGet, path: "/client/secret/refresh/:clientId", flow: "registration", codes: "A148", manage: (*Door).secretRefresh},
	{method: http.MethodPost, path: "/client/secret/update/:clientId", flow: "registration", codes: "A149", manage: (*Door).secretUpdate},
	{method: http.MethodGet, path: "/client/extension/requestable_scopes/get/:clientId", flow: "registration", codes: "A150", manage: (*Door).requestableGet},
	{method: http.MethodPost, path: "/client/extension/requestable_scopes/update/:clientId", flow: "registration", codes: "A151", manage: (*Door).requestableUpdate},
	{method: http.MethodPut, path: "/client/extension/requestable_scopes/update/:clientId", flow: "registration", codes: "A151", manage: (*Door).requestableUpdate},
	{method: http.MethodDelete, path: "/client/extension/requestable_scopes/delete/:clientId", flow: "registration", codes: "A152", manage: (*Door).requestableDelete},
	{method: http.MethodGet, path: "/client/authorization/get/list", flow: "granted", codes: "A136", manage: (*Door).authorizationList},
	{method: http.MethodPost, path: "/client/authorization/get/list", flow: "granted", codes: "A136", manage: (*Door).authorizationList},
	{method: http.MethodGet, path: "/client/authorization/get/list/:subject", flow: "granted", codes: "A136", manage: (*Door).authorizationList},
	{method: http.MethodPost, path: "/client/authorization/update/:clientId", flow: "granted", codes: "A138", manage: (*Door).authorizationUpdate},
	{method: http.MethodDelete, path: "/client/authorization/delete/:clientId", flow: "granted", codes: "A137", manage: (*Door).authorizationDelete},
	{method: http.MethodDelete, path: "/client/authorization/delete/:clientId/:subject", flow: "granted", codes: "A137", manage: (*Door).authorizationDelete},
	{method: http.MethodPost, path: "/client/authorization/delete/:clientId", flow: "granted", codes: "A137", manage: (*Door).authorizationDelete},
	{method: http.MethodGet, path: "/client/granted_scopes/get/:clientId", flow: "granted", codes: "A141", manage: (*Door).grantedGet},
	{method: http.MethodGet, path: "/client/granted_scopes/get/:clientId/:subject", flow: "granted", codes: "A141", manage: (*Door).grantedGet},
	{method: http.MethodPost, path: "/client/granted_scopes/get/:clientId", flow: "granted", codes: "A141", manage: (*Door).grantedGet},
	{method: http.MethodDelete, path: "/client/granted_scopes/delete/:clientId", flow: "granted", codes: "A142", manage: (*Door).grantedDelete},
	{method: http.MethodDelete, path: "/client/granted_scopes/delete/:clientId/:subject", flow: "granted", codes: "A142", manage: (*Door).grantedDelete},
	{method: http.MethodPost, path: "/client/granted_scopes/delete/:clientId", flow: "granted", codes: "A142", manage: (*Door).grantedDelete},
	{method: http.MethodPost, path: "/auth/token/revoke", flow: "revoke", codes: "A312", missing: "There is no such token.", manage: (*Door).tokenRevoke},
	{method: http.MethodDelete, path: "/auth/token/delete/:token", flow: "revoke", codes: "A313", missing: "There is no such token.", manage: (*Door).tokenDelete},
	{method: http.MethodGet, path: "/auth/token/get/list", flow: "token list", codes: "A314", manage: (*Door).tokenList},
	{method: http.MethodPost, path: "/auth/token/create/batch", flow: "token create", codes: "A315", manage: (*Door).tokenBatch},
	{method: http.MethodGet, path: "/auth/token/create/batch/status/:requestId", flow: "token create", codes: "A316", missing: "There is no such batch.", manage: (*Door).tokenBatchStatus},
	{method: http.MethodGet, path: "/service/configuration", flow: "discovery", codes: "A011", manage: (*Door).configuration},
	{method: http.MethodPost, path: "/service/configuration", flow: "discovery", codes: "A011", manage: (*Door).configuration},
	{method: http.MethodGet, path: "/service/jwks/get", flow: "jwks", codes: "A012", manage: (*Door).jwks},
}

// services differ by generation: the first names the service at the end.
var services = []endpoint{
	{method: http.MethodGet, path: "/service/get", flow: "service", codes: "A010", manage: (*Door).serviceGet},
	{method: http.MethodPost, path: "/service/update", flow: "service", codes: "A013", manage: (*Door).serviceUpdate},
	{method: http.MethodDelete, path: "/service/delete", flow: "service", codes: "A016", manage: (*Door).serviceDelete},
}

// Mount registers the calls.
func (d *Door) Mount(r *wire.Router) {
	r = r.Pages(refuse)
	r.Unserved("api")
	for _, generation := range []string{numbered, prefix} {
		for i := range runtime {
			e := &runtime[i]
			r.Service(http.MethodPost, generation+e.path, func(c *gin.Context, t *tenant.Tenant) { (&call{Context: c, tenant: t, endpoint: e}).run(d) })
		}
		for i := range management {
			e := &management[i]
			r.Service(e.method, generation+e.path, func(c *gin.Context, t *tenant.Tenant) { (&call{Context: c, tenant: t, endpoint: e}).administer(d) })
		}
	}
	for i := range services {
		e := &services[i]
		for _, path := range []string{numbered + e.path, prefix + e.path + "/:serviceId"} {
			r.Service(e.method, path, func(c *gin.Context, t *tenant.Tenant) { (&call{Context: c, tenant: t, endpoint: e}).administer(d) })
		}
	}
	d.mountUnsupported(r)
	d.mountPlatform(r)
}

// endpoint is one call.
type endpoint struct {
	method, path string
	flow         string // for the record
	codes        string // A and three digits
	failed       action // INTERNAL_SERVER_ERROR where empty
	misused      action // where the caller was wrong; failed where empty
	plain        bool   // it has no action, also where it failed
	missing      string // what is said of what is not found; of a client where empty
	worded       func(outcome, refusal) string
	serve        func(*Door, *call) (answer, error)
	manage       func(*Door, *call) (status int, body any, err error)
}

// call is one request to the API of one tenant.
type call struct {
	*gin.Context
	tenant   *tenant.Tenant
	endpoint *endpoint
	locked   bool // it was about a client that is locked
}

// address is where the call came from, for the record.
func (c *call) address() string {
	if a := wire.AddressOf(c.Context); a.IsValid() {
		return a.String()
	}
	return ""
}

// run serves a call that answers with an action.
func (c *call) run(d *Door) {
	wire.EventOf(c.Context).Flow(c.endpoint.flow)
	a, err := c.endpoint.serve(d, c)
	if err != nil {
		wire.EventOf(c.Context).Fail(err)
		a = c.failure(err)
	}
	if c.locked {
		write(c.Context, http.StatusForbidden, clientLocked)
		return
	}
	wire.JSON(c.Context, http.StatusOK, a)
}

// administer serves a call that answers with a status.
func (c *call) administer(d *Door) {
	wire.EventOf(c.Context).Flow(c.endpoint.flow)
	status, body, err := c.endpoint.manage(d, c)
	switch {
	case err != nil:
		c.decline(err)
	case body == nil:
		wire.NoContent(c.Context)
	default:
		if doc, ok := body.(finished); ok {
			wire.Raw(c.Context, status, "application/json", doc)
			return
		}
		wire.JSON(c.Context, status, body)
	}
}

package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// problem is an error of the administration (RFC 9457). Its type is about:blank: the status and the code say it.
type problem struct {
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty"`
	Code   string  `json:"code"`
	Errors []fault `json:"errors,omitempty"`
}

// fault is what is wrong with one member of the body, or with one parameter of the query.
type fault struct {
	Pointer   string `json:"pointer,omitempty"` // JSON pointer as a URI fragment (RFC 6901 §6)
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// badParameter is a query parameter that is not valid.
type badParameter struct{ name, detail string }

// Error is for logs.
func (e *badParameter) Error() string { return e.name + " " + e.detail }

// Unwrap returns the invalid_request.
func (e *badParameter) Unwrap() error { return errParameter }

var errParameter = oauth.InvalidRequest("A query parameter is not valid")

// fail answers with the problem that err is.
func fail(c *gin.Context, err error) {
	wire.EventOf(c).Fail(err)
	c.Abort()
	p := problem{Status: statusOf(c, err)}
	o := oauth.ErrorOf(err)
	if p.Status == http.StatusForbidden {
		c.Header("WWW-Authenticate", `Bearer error="`+o.Code+`"`)
	}
	p.Code, p.Detail = o.Code, o.Description
	if e, ok := errors.AsType[*admin.Invalid](err); ok {
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, fault{Pointer: "#" + f.Pointer, Detail: f.Message})
		}
	}
	if e, ok := errors.AsType[*account.Faults](err); ok {
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, fault{Pointer: "#" + f.Pointer, Detail: f.Message})
		}
	}
	if at := registration.PointerOf(err); at != "" {
		p.Errors = []fault{{Pointer: "#" + at, Detail: o.Description}}
	}
	if e, ok := errors.AsType[*admin.InUse](err); ok {
		for _, id := range e.Clients {
			p.Errors = append(p.Errors, fault{Parameter: "force", Detail: "The client " + id + " has registered it"})
		}
	}
	if e, ok := errors.AsType[*badParameter](err); ok {
		p.Errors = []fault{{Parameter: e.name, Detail: e.detail}}
	}
	write(c, p)
}

func write(c *gin.Context, p problem) {
	p.Title = http.StatusText(p.Status)
	wire.Wait(c, p.Status, nil)
	b, err := json.Marshal(p)
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.Raw(c, p.Status, "application/problem+json", b)
}

// statusOf is the status of err: that of its code, except where the state of a tenant is in the way.
func statusOf(c *gin.Context, err error) int {
	switch {
	case inUse(err):
		return http.StatusConflict
	case errors.Is(err, admin.ErrReused):
		return http.StatusUnprocessableEntity
	case errors.Is(err, tenant.ErrExists), errors.Is(err, registration.ErrExists), errors.Is(err, account.ErrExists), errors.Is(err, account.ErrConflict):
		return http.StatusConflict
	case (errors.Is(err, tenant.ErrConflict) || errors.Is(err, registration.ErrConflict)) && c.GetHeader("If-Match") != "":
		return http.StatusPreconditionFailed
	case errors.Is(err, tenant.ErrConflict), errors.Is(err, registration.ErrConflict), errors.Is(err, registration.ErrFull):
		return http.StatusConflict
	}
	return wire.StatusOf(err)
}

func inUse(err error) bool {
	_, ok := errors.AsType[*admin.InUse](err)
	return ok
}

package authlete

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// action is what the authorization server has to do next.
type action string

// The actions.
const (
	internalServerError action = "INTERNAL_SERVER_ERROR"
	badRequest          action = "BAD_REQUEST"
	unauthorized        action = "UNAUTHORIZED"
	forbidden           action = "FORBIDDEN"
	invalidClient       action = "INVALID_CLIENT"
	location            action = "LOCATION"
	form                action = "FORM"
	interaction         action = "INTERACTION"
	noInteraction       action = "NO_INTERACTION"
	okay                action = "OK"
	asJSON              action = "JSON"
	asJWT               action = "JWT"
	notFound            action = "NOT_FOUND"
	callerError         action = "CALLER_ERROR"
	authleteError       action = "AUTHLETE_ERROR"
	idTokenReissuable   action = "ID_TOKEN_REISSUABLE"
	noContent           action = "NO_CONTENT"
)

// result are the members of every answer.
type result struct {
	Code    string `json:"resultCode"`
	Message string `json:"resultMessage"`
	Action  action `json:"action,omitempty"`
	Content string `json:"responseContent,omitempty"`
}

func (r *result) common() *result { return r }

// answer is a pointer to a struct that begins with a result.
type answer interface{ common() *result }

// outcome is how a call ended, in a code and in words. The words keep to the characters of an error description.
type outcome struct{ code, text string }

func (o outcome) message() string { return "[" + o.code + "] " + o.text }

// result says o with an action.
func (o outcome) result(a action, content string) result {
	return result{Code: o.code, Message: o.message(), Action: a, Content: content}
}

// The classes of result codes: the digit after those of the call.
const (
	success = "001"
	fault   = "101" // ours
	misuse  = "201" // the authorization server's
	clients = "301" // its client's

	noChallenge = "317" // the client's: a code_verifier without a challenge

	contrary = "203" // a misuse: what is asked for contradicts what the server holds to
)

// outcome words one of this call's.
func (c *call) outcome(class, text string) outcome {
	return outcome{c.endpoint.codes + class, wire.Spoken(text)}
}

// Result codes of their own, where there is one that callers know.
var (
	noParameters = outcome{"A004301", "The request of the client application has no parameters."}
	clientLocked = outcome{"A001215", "The client is locked."}
	noTicket     = outcome{"A041201", "No entity owns the ticket: it is unknown, used or expired."}
)

// refusal is an error for the client, and what else a challenge says.
type refusal struct {
	err    *oauth.Error
	dpop   bool   // the token came by the scheme DPoP, or had to
	scope  string // that is needed
	acrs   string
	maxAge int64
}

// clientError is the error object (RFC 6749 §5.2).
type clientError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	URI         string `json:"error_uri,omitempty"`
}

// object words a refusal as the body of the client's answer.
func object(o outcome, r refusal) string {
	b, _ := json.Marshal(clientError{wire.Spoken(r.err.Code), o.message(), wire.Spoken(r.err.URI)}) // strings always can be
	return string(b)
}

// schemeOf is the scheme that a token comes by.
func schemeOf(dpop bool) string {
	if dpop {
		return "DPoP"
	}
	return "Bearer"
}

// proofAlgs are the algorithms of proofs.
var proofAlgs = func() string {
	var names []string
	for _, a := range keys.ProofAlgs() {
		names = append(names, string(a))
	}
	return strings.Join(names, " ")
}()

// challenge words it as the value of WWW-Authenticate (RFC 6750 §3, RFC 9470 §3, RFC 9449 §7.1).
func challenge(o outcome, r refusal) string {
	var b strings.Builder
	b.WriteString(schemeOf(r.dpop) + ` error="` + wire.Spoken(r.err.Code) + `",error_description="` + o.message() + `"`)
	for _, p := range []struct{ name, value string }{{"error_uri", r.err.URI}, {"scope", r.scope}, {"acr_values", r.acrs}} {
		if p.value != "" {
			b.WriteString(`,` + p.name + `="` + wire.Spoken(p.value) + `"`)
		}
	}
	if r.dpop {
		b.WriteString(`,algs="` + proofAlgs + `"`)
	}
	if r.maxAge > 0 {
		b.WriteString(`,max_age="` + strconv.FormatInt(r.maxAge, 10) + `"`)
	}
	return b.String()
}

// refuse says o and an error for the client.
func (c *call) refuse(o outcome, a action, r refusal) result {
	wire.EventOf(c.Context).Fail(r.err)
	c.locked = errors.Is(r.err, tenant.ErrClientLocked)
	worded := c.endpoint.worded
	if worded == nil {
		worded = object
	}
	return o.result(a, worded(o, r))
}

// failure answers a call that was wrong, or in which we failed.
func (c *call) failure(err error) answer {
	e := c.endpoint
	class, a := fault, e.failed
	text := "The server failed."
	if wire.StatusOf(err) < http.StatusInternalServerError {
		class, text = misuse, oauth.ErrorOf(err).Description
		if e.misused != "" {
			a = e.misused
		}
	}
	if a == "" && !e.plain {
		a = internalServerError
	}
	worded := e.worded
	if worded == nil {
		worded = object
	}
	o := c.outcome(class, text)
	r := o.result(a, "")
	if a == internalServerError { // what there is for the client to be told
		r.Content = worded(o, refusal{err: &oauth.Error{Code: "server_error"}})
	}
	return &r
}

// decline answers a management call that did not succeed.
func (c *call) decline(err error) {
	wire.EventOf(c.Context).Fail(err)
	status := wire.StatusOf(err)
	if registration.IsConflict(err) || errors.Is(err, tenant.ErrConflict) { // the call was right, and others were faster
		status = http.StatusServiceUnavailable
	}
	o := c.outcome(misuse, oauth.ErrorOf(clientNames.in(err)).Description)
	if errors.Is(err, errRefused) {
		o.code = c.endpoint.codes + contrary
	}
	switch {
	case status == http.StatusNotFound:
		o = c.outcome("202", cmp.Or(c.endpoint.missing, "There is no such client."))
	case status >= http.StatusInternalServerError:
		o = c.outcome(fault, "The server failed.")
	case status == http.StatusForbidden, status == http.StatusTooManyRequests:
	default:
		status = http.StatusBadRequest
	}
	wire.Wait(c.Context, status, err)
	write(c.Context, status, o)
}

// refusals are the result codes of calls that reach no service, by error code.
var refusals = map[string]outcome{
	"missing_token":           {"A001202", "The Authorization header is missing."},
	"invalid_token":           {"A001203", "The credentials are not those of this service."},
	"insufficient_scope":      {"A001206", "The token has not the right to make this call."},
	"invalid_request":         {"A001207", "The request names its service wrongly: not at all, twice, or several."},
	"not_found":               {"A001208", "There is no such call."},
	"method_not_allowed":      {"A001209", "The call is not made with this method."},
	"slow_down":               {"A001210", "There are too many calls."},
	"temporarily_unavailable": {"A001102", "The service is temporarily unavailable."},
}

// refuse answers for the gate.
func refuse(c *gin.Context, status int, err *oauth.Error) {
	o, ok := refusals[err.Code]
	if !ok {
		o = outcome{"A001101", "The server failed."}
	}
	if status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="api"`)
	}
	wire.Wait(c, status, nil)
	write(c, status, o)
}

// write answers with an outcome alone.
func write(c *gin.Context, status int, o outcome) {
	c.Abort()
	wire.JSON(c, status, o.result("", ""))
}

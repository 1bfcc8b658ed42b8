package authlete

import (
	"net/http"
	"strings"

	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Actions of backchannel authentication alone.
const (
	userIdentification action = "USER_IDENTIFICATION"
	invalidTicket      action = "INVALID_TICKET"
	noAction           action = "NO_ACTION"
	notification       action = "NOTIFICATION"
	serverError        action = "SERVER_ERROR"
)

// backchannelAnswer says for whom a backchannel authentication asks.
type backchannelAnswer struct {
	result
	Ticket            string        `json:"ticket,omitempty"`
	ClientName        string        `json:"clientName,omitempty"`
	AuthMethod        string        `json:"clientAuthMethod,omitempty"`
	DeliveryMode      string        `json:"deliveryMode,omitempty"`
	Scopes            []scopeObject `json:"scopes,omitempty"`
	ClaimNames        []string      `json:"claimNames,omitempty"`
	ACRs              []string      `json:"acrs,omitempty"`
	HintType          string        `json:"hintType,omitempty"`
	Hint              string        `json:"hint,omitempty"`
	Sub               string        `json:"sub,omitempty"`
	NotificationToken string        `json:"clientNotificationToken,omitempty"`
	BindingMessage    string        `json:"bindingMessage,omitempty"`
	UserCode          string        `json:"userCode,omitempty"`
	UserCodeRequired  bool          `json:"userCodeRequired"`
	RequestedExpiry   int64         `json:"requestedExpiry"`
	RequestContext    string        `json:"requestContext,omitempty"`
	Resources         []string      `json:"resources,omitempty"`
	Details           *authzDetails `json:"authorizationDetails,omitempty"`
	ServiceAttributes []pair        `json:"serviceAttributes,omitempty"`
	managing
	*clientRef
}

// backchannel serves a request to the backchannel authentication endpoint (CIBA Core §7).
func (d *Door) backchannel(c *call) (answer, error) {
	var in clientRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &backchannelAnswer{}
	client, params, err := d.caller(c, &in)
	var t *ciba.Ticket
	if client != nil {
		out.identify(client)
	}
	if err == nil {
		t, err = d.CIBA.Begin(c.Request.Context(), c.tenant, client, params)
	}
	if err != nil {
		return c.unauthorized(out, err)
	}
	if out.managing, err = d.managing(c, t.Request); err != nil {
		return nil, err
	}
	out.open(c, t)
	return out, nil
}

// unauthorized is refused, in the words of this endpoint.
func (c *call) unauthorized(out answer, err error) (answer, error) {
	if wire.StatusOf(err) >= http.StatusInternalServerError {
		return nil, err
	}
	e, a := oauth.ErrorOf(err), badRequest
	if e.Code == "invalid_client" {
		a = unauthorized
	}
	*out.common() = c.refuse(c.outcome(clients, e.Description), a, refusal{err: e})
	return out, nil
}

// identify says which client asks.
func (a *backchannelAnswer) identify(client *tenant.Client) {
	a.clientRef, a.ClientName, a.DeliveryMode = refOf(client), client.Name, strings.ToUpper(client.BackchannelMode)
	a.AuthMethod = authMethodOf(client)
}

// open says all of the request that waits behind a ticket.
func (a *backchannelAnswer) open(c *call, t *ciba.Ticket) {
	r, b := t.Request, &t.Request.Backchannel
	a.result = c.outcome(success, "The request is good: the authorization server finds the user.").result(userIdentification, "")
	a.Ticket, a.Scopes, a.ACRs, a.Resources = t.Handle, scopesOf(c.tenant, r.Scope), c.supportedACRs(r.ACRValues), r.Resource
	for _, v := range r.Scope {
		a.ClaimNames = append(a.ClaimNames, oauth.ScopeClaims(v)...)
	}
	switch {
	case r.IDTokenHint != "":
		a.HintType, a.Hint, a.Sub = "ID_TOKEN_HINT", r.IDTokenHint, r.RequiredSub
	case b.LoginHintToken != "":
		a.HintType, a.Hint = "LOGIN_HINT_TOKEN", b.LoginHintToken
	default:
		a.HintType, a.Hint = "LOGIN_HINT", r.LoginHint
	}
	a.NotificationToken = b.NotificationToken
	a.BindingMessage, a.UserCode, a.UserCodeRequired = b.BindingMessage, b.UserCode, b.UserCodeRequired
	a.RequestedExpiry, a.RequestContext = b.RequestedExpiry, string(b.Context)
	a.Details, a.ServiceAttributes = detailsOf(r.Details), attributes(c.tenant.Settings.Attributes)
}

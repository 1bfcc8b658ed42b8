package authlete

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Actions of devices alone.
const (
	valid            action = "VALID"
	expired          action = "EXPIRED"
	notExist         action = "NOT_EXIST"
	succeeded        action = "SUCCESS"
	invalidRequest   action = "INVALID_REQUEST"
	userCodeExpired  action = "USER_CODE_EXPIRED"
	userCodeNotExist action = "USER_CODE_NOT_EXIST"
)

// deviceRequest says what a device asks for.
type deviceRequest struct {
	ClientName        string        `json:"clientName,omitempty"`
	Scopes            []scopeObject `json:"scopes,omitempty"`
	ClaimNames        []string      `json:"claimNames,omitempty"`
	ACRs              []string      `json:"acrs,omitempty"`
	Resources         []string      `json:"resources,omitempty"`
	Details           *authzDetails `json:"authorizationDetails,omitempty"`
	ServiceAttributes []pair        `json:"serviceAttributes,omitempty"`
	managing
	*clientRef
}

// asks says what client asks for.
func (a *deviceRequest) asks(d *Door, c *call, client *tenant.Client, r *request.Request) (err error) {
	a.clientRef, a.ClientName = refOf(client), client.Name
	a.Scopes, a.ACRs, a.Resources, a.Details = scopesOf(c.tenant, r.Scope), c.supportedACRs(r.ACRValues), r.Resource, detailsOf(r.Details)
	for _, v := range r.Scope {
		a.ClaimNames = append(a.ClaimNames, oauth.ScopeClaims(v)...)
	}
	a.ServiceAttributes = attributes(c.tenant.Settings.Attributes)
	a.managing, err = d.managing(c, r)
	return err
}

// deviceAnswer is the answer that a device gets, and what is in it. Times are in seconds.
type deviceAnswer struct {
	result
	AuthMethod string `json:"clientAuthMethod,omitempty"`
	DeviceCode string `json:"deviceCode,omitempty"`
	UserCode   string `json:"userCode,omitempty"`
	URI        string `json:"verificationUri,omitempty"`
	Complete   string `json:"verificationUriComplete,omitempty"`
	ExpiresIn  int64  `json:"expiresIn,omitempty"`
	Interval   int64  `json:"interval,omitempty"`
	deviceRequest
}

// deviceResponse is the body of the device's answer (RFC 8628 §3.2).
type deviceResponse struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete,omitempty"`
	ExpiresIn  int64  `json:"expires_in"`
	Interval   int64  `json:"interval,omitempty"`
}

// device serves a request to the device authorization endpoint (RFC 8628 §3.1).
func (d *Door) device(c *call) (answer, error) {
	var in clientRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &deviceAnswer{}
	client, params, err := d.caller(c, &in)
	if client != nil {
		out.clientRef, out.ClientName, out.AuthMethod = refOf(client), client.Name, authMethodOf(client)
	}
	var a device.Authorization
	if err == nil {
		a, err = d.Device.Begin(c.Request.Context(), c.tenant, client, params)
	}
	if err != nil {
		return c.unauthorized(out, err)
	}
	if err := out.asks(d, c, client, a.Request); err != nil {
		return nil, err
	}
	out.DeviceCode, out.UserCode, out.URI, out.Complete = a.DeviceCode, a.UserCode, a.VerificationURI, a.VerificationURIComplete
	out.ExpiresIn, out.Interval = int64(a.ExpiresIn/time.Second), int64(a.Interval/time.Second)
	body, _ := json.Marshal(deviceResponse{out.DeviceCode, out.UserCode, out.URI, out.Complete, out.ExpiresIn, out.Interval}) // strings and numbers always can be
	out.result = c.outcome(success, "The device waits for its user.").result(okay, string(body))
	return out, nil
}

// deviceVerificationRequest holds a code that a user entered.
type deviceVerificationRequest struct {
	UserCode string `json:"userCode"`
}

// deviceVerificationAnswer says what the user of a device is asked. The time is in milliseconds.
type deviceVerificationAnswer struct {
	result
	ExpiresAt int64 `json:"expiresAt,omitempty"`
	deviceRequest
}

// errNoUserCode says that a call has none.
var errNoUserCode = oauth.InvalidRequest("The API call has no userCode.")

// deviceVerification tells what waits for the user who entered a code. Guesses are for the authorization server to limit,
// which alone knows where they come from.
func (d *Door) deviceVerification(c *call) (answer, error) {
	var in deviceVerificationRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.UserCode == "" {
		return nil, errNoUserCode
	}
	p, err := d.Device.Verify(c.Request.Context(), c.tenant, in.UserCode, device.Guess{})
	if err != nil {
		return c.noDevice(err, expired, notExist)
	}
	wire.EventOf(c.Context).Client(p.ClientID)
	out := &deviceVerificationAnswer{ExpiresAt: p.EndsAt.UnixMilli()}
	if err := out.asks(d, c, p.Client, p.Request); err != nil {
		return nil, err
	}
	out.result = c.outcome(success, "The user code is valid.").result(valid, "")
	return out, nil
}

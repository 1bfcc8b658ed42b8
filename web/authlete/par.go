package authlete

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Actions of pushed requests alone.
const (
	created         action = "CREATED"
	payloadTooLarge action = "PAYLOAD_TOO_LARGE"
)

// maxPushed is the longest pushed request accepted, in bytes.
const maxPushed = 64 << 10

// pushedRequest hands over a pushed request.
type pushedRequest struct {
	clientRequest
	dpopProof
}

// pushedAnswer says what a request was pushed as.
type pushedAnswer struct {
	result
	dpopNonce
	RequestURI string `json:"requestUri,omitempty"`
	AuthMethod string `json:"clientAuthMethod,omitempty"`
}

// pushedContent is the client's answer (RFC 9126 §2.2). Times are in seconds.
type pushedContent struct {
	ExpiresIn  int64  `json:"expires_in"`
	RequestURI string `json:"request_uri"`
}

// push serves a request to the pushed authorization request endpoint (RFC 9126 §2).
func (d *Door) push(c *call) (answer, error) {
	var in pushedRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &pushedAnswer{dpopNonce: d.nonce(c, &in.dpopProof)}
	if len(in.Parameters) > maxPushed {
		out.result = c.refuse(c.outcome(clients, "The request is too long."), payloadTooLarge, refusal{err: oauth.InvalidRequest("")})
		return out, nil
	}
	client, params, err := d.caller(c, &in.clientRequest)
	var proved oauth.Confirmation
	if err == nil {
		out.identify(client)
		proved, err = d.proved(c.Request.Context(), c, &in.dpopProof, &in.clientCertificate, discovery.PAR)
	}
	var r request.Receipt
	if err == nil {
		r, err = d.Authorize.Requests.Push(c.Request.Context(), c.tenant, client, params, proved, c.address())
	}
	if e := oauth.ErrorOf(err); err != nil && e.Code == "unauthorized_client" {
		out.result = c.refuse(c.outcome(clients, e.Description), forbidden, refusal{err: e})
		return out, nil
	}
	if err != nil {
		return c.unauthorized(out, err)
	}
	content, err := json.Marshal(pushedContent{int64(r.ExpiresIn / time.Second), r.RequestURI})
	if err != nil {
		return nil, err
	}
	out.RequestURI = r.RequestURI
	out.result = c.outcome(success, "The request was kept.").result(created, string(content))
	return out, nil
}

// identify says how the client authenticated.
func (a *pushedAnswer) identify(client *tenant.Client) {
	a.AuthMethod = authMethodOf(client)
}

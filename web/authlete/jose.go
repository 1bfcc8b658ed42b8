package authlete

import (
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/oauth"
)

// joseRequest asks whether a signed JWT is good.
type joseRequest struct {
	JOSE           string   `json:"jose"`
	Mandatory      []string `json:"mandatoryClaims"`
	ClockSkew      int64    `json:"clockSkew"`
	Client         string   `json:"clientIdentifier"`
	SignedByClient bool     `json:"signedByClient"`
}

// joseAnswer says so. It has no action: callers read valid.
type joseAnswer struct {
	result
	Valid     bool     `json:"valid"`
	Signature bool     `json:"signatureValid"`
	Missing   []string `json:"missingClaims,omitempty"`
	Invalid   []string `json:"invalidClaims,omitempty"`
	Errors    []string `json:"errorDescriptions,omitempty"`
}

// joseVerify checks a JWT that the service signed, or a client of it.
func (d *Door) joseVerify(c *call) (answer, error) {
	var in joseRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	j := access.JOSE{Text: in.JOSE, Mandatory: in.Mandatory, ClockSkew: in.ClockSkew}
	switch {
	case in.JOSE == "":
		return nil, oauth.InvalidRequest("The API call has no jose.")
	case in.SignedByClient && in.Client == "":
		return nil, oauth.InvalidRequest("signedByClient needs a clientIdentifier")
	case in.SignedByClient:
		var err error
		if j.ClientID, err = d.Clients.Numbered(c.Request.Context(), c.tenant, in.Client); err != nil {
			return nil, err
		}
	}
	f, err := d.Access.VerifyJOSE(c.Request.Context(), c.tenant, j)
	if err != nil {
		return nil, err
	}
	out := &joseAnswer{Valid: f.Valid(), Signature: f.Signed, Missing: f.Missing, Invalid: f.Invalid, Errors: f.Why}
	out.result = c.outcome(success, "The JWT is valid.").result("", "")
	if !out.Valid {
		out.result = c.outcome(clients, "The JWT is not valid.").result("", "")
	}
	return out, nil
}

package request

import (
	"errors"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// fitsProfile refuses a client that does not fit its profile, or its tenant's: it was registered before.
func (d *draft) fitsProfile() error {
	if rule, why := d.client.Demands.Misfit(d.tenant.Settings, &d.client.Metadata); rule != nil {
		return oauth.UnauthorizedClient("the client does not fit its profile").Because(errors.New(rule.ID + ": " + why))
	}
	return nil
}

// signedResponse demands a response mode by JWT where the client's profile does (JARM §2.3).
func (d *draft) signedResponse() error {
	if d.client.Demands.WantsSigned(d.ResponseType) && !strings.HasSuffix(d.ResponseMode, ".jwt") {
		return oauth.InvalidRequest("response_mode must be one by JWT for this client")
	}
	return nil
}

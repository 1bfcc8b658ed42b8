package request

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// backchannelLife is the longest time from nbf to exp of a signed authentication request (FAPI CIBA §5.2.2).
const backchannelLife = time.Hour

// signedBackchannel puts what a signed authentication request says in the place of the parameters (CIBA Core §7.1.1). A
// client that registered to sign always does.
func (d *draft) signedBackchannel() error {
	registered := d.client.BackchannelRequestAlg
	switch {
	case d.get("request_uri") != "":
		return oauth.InvalidRequest("request_uri is not supported")
	case d.get("request") == "" && registered == "":
		return nil
	case d.get("request") == "":
		return oauth.InvalidRequest("the client must sign its authentication requests")
	case registered == "" || d.service.Keys == nil:
		return oauth.InvalidRequest("the client has not registered that it signs authentication requests")
	}
	for name := range d.params {
		if !beside[name] {
			return oauth.InvalidRequest("a parameter stands beside the signed authentication request")
		}
	}
	o, err := d.open(d.get("request"), registered)
	if err != nil {
		return asInvalid(err)
	}
	c, err := o.claimed()
	now := d.service.Now()
	if err == nil {
		err = c.check(d.tenant, d.client, now, true)
	}
	if err == nil {
		err = c.within(now, backchannelLife)
	}
	if err == nil && c.iat.IsZero() {
		err = oauth.InvalidRequest("iat of the signed authentication request is missing")
	}
	if err == nil {
		err = d.once(&c, oauth.InvalidRequest("the signed authentication request was used before"))
	}
	if err != nil {
		return asInvalid(err)
	}
	said, err := o.params()
	if err != nil {
		return asInvalid(err)
	}
	d.params = said
	return nil
}

// beside may stand beside a signed authentication request: what authenticates the client.
var beside = map[string]bool{"request": true, "client_id": true, "client_secret": true, "client_assertion": true, "client_assertion_type": true}

// asInvalid words err for this endpoint, which has no error of its own for request objects (CIBA Core §13).
func asInvalid(err error) error {
	if e := oauth.ErrorOf(err); e.Code == "invalid_request_object" {
		return oauth.InvalidRequest(e.Description).Because(err)
	}
	return err
}

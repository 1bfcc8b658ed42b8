package authlete

import "github.com/chancery-id/chancery/flows/oauth"

// revocation withdraws a token of a client, and with it the pair that it is of.
func (d *Door) revocation(c *call) (answer, error) {
	var in clientRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &result{}
	client, params, err := d.caller(c, &in)
	if err == nil && params.Get("token") == "" {
		err = oauth.InvalidRequest("token is missing")
	}
	if err == nil {
		err = d.Access.RevokePair(c.Request.Context(), c.tenant, client, params.Get("token"), c.address())
	}
	if err != nil {
		return c.refused(out, err)
	}
	*out = c.outcome(success, "The token is revoked, if there was one.").result(okay, "")
	return out, nil
}

package token

import (
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// detailed narrows what is made of g to the authorization details that r asks for, if it asks for any (RFC 9396 §6.1). g is
// not written back.
func (r *Request) detailed(g *grant.Grant) error {
	asked, err := oauth.ParseDetails(orNone(r.get("authorization_details")))
	switch {
	case err != nil:
		return err
	case len(asked) == 0:
		return nil
	case !asked.Within(g.Terms.Details):
		return oauth.InvalidAuthorizationDetails("authorization_details exceeds what was granted")
	}
	g.Terms.Details = asked
	return nil
}

// ownDetails are the authorization details that a client asks for in its own name (RFC 9396 §6).
func (r *Request) ownDetails(t *tenant.Tenant) (oauth.Details, error) {
	asked, err := oauth.ParseDetails(orNone(r.get("authorization_details")))
	if err != nil {
		return nil, err
	}
	return asked, t.Settings.CheckDetails(r.Client, asked)
}

// orNone is s, or an empty array in its place.
func orNone(s string) string {
	if s == "" {
		return "[]"
	}
	return s
}

// lessDetails are the authorization details that r asks for of those that what it presents has; all of them where it asks
// for none.
func (r *Request) lessDetails(had oauth.Details) (oauth.Details, error) {
	asked, err := oauth.ParseDetails(orNone(r.get("authorization_details")))
	switch {
	case err != nil:
		return nil, err
	case len(asked) == 0:
		return had, nil
	case !asked.Within(had):
		return nil, oauth.InvalidAuthorizationDetails("authorization_details exceeds what was granted")
	}
	return asked, nil
}

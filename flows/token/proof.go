package token

import (
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// unproved says why r may not use what is bound to the key jkt, or nil. To no key binds the empty one.
func unproved(r *Request, jkt string) *oauth.Error {
	switch {
	case jkt == "" || r.Proved.JKT == jkt:
		return nil
	case r.Proved.JKT == "":
		return oauth.InvalidDPoPProof("a DPoP proof is required")
	}
	return oauth.InvalidGrant("the DPoP proof is made with another key")
}

// on has the tokens that are made of g follow what this request wishes and proved. g is not written back.
func (r *Request) on(g *grant.Grant) {
	r.Wish.on(g)
	g.Terms.AccessToken.Confirmation = r.Proved
}

package token

import (
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// bound checks that the client proved the keys that it registered all its access tokens to be bound to (RFC 9449 §5.2,
// RFC 8705 §3). To a certificate no others are bound.
func (r *Request) bound() error {
	some := r.Client.Demands.WantsBound() // to whichever it proves
	if !r.Client.CertificateBound && (!some || r.Proved.JKT != "") {
		r.Proved.X5T = ""
	}
	switch {
	case r.Client.DPoPBound && r.Proved.JKT == "":
		return oauth.InvalidDPoPProof("the client must send a DPoP proof")
	case r.Client.CertificateBound && r.Proved.X5T == "":
		return oauth.InvalidRequest("the client must present its certificate")
	case some && r.Proved == oauth.Confirmation{}:
		return oauth.InvalidRequest("the client must send a DPoP proof or present its certificate")
	}
	return nil
}

// unproved says why r may not use what is bound to those keys, or nil. To no key binds the empty one.
func unproved(r *Request, to oauth.Confirmation) *oauth.Error {
	switch {
	case to.JKT != "" && r.Proved.JKT == "":
		return oauth.InvalidDPoPProof("a DPoP proof is required")
	case to.JKT != "" && r.Proved.JKT != to.JKT:
		return oauth.InvalidGrant("the DPoP proof is made with another key")
	case to.X5T != "" && r.Proved.X5T != to.X5T:
		return oauth.InvalidGrant("the client did not present the certificate of before")
	}
	return nil
}

// constrained says why r may not use a refresh token that is bound to those keys, or nil. A public client proves these very
// keys; that of another is bound to its authentication (RFC 9449 §5, RFC 8705 §7.1), so that any key of its own of the same
// kind will do. What began bound to a key never goes on unbound.
func constrained(r *Request, to oauth.Confirmation) *oauth.Error {
	if !r.Client.Public() {
		if r.Proved.JKT != "" && to.JKT != "" {
			to.JKT = r.Proved.JKT
		}
		if r.Proved.X5T != "" && to.X5T != "" {
			to.X5T = r.Proved.X5T
		}
	}
	return unproved(r, to)
}

// on has the tokens that are made of g follow what this request wishes and proved. g is not written back.
func (r *Request) on(g *grant.Grant) {
	r.Wish.on(g)
	g.Terms.AccessToken.Confirmation = r.Proved
}

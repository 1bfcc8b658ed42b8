package authlete

import (
	"cmp"
	"context"
	"net/http"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
)

// dpopProof is the DPoP proof that a client presented to the authorization server, or to a resource, and the request that it
// came with (RFC 9449).
type dpopProof struct {
	Proof         string `json:"dpop"`
	Method        string `json:"htm"`
	URL           string `json:"htu"`
	NonceRequired bool   `json:"dpopNonceRequired"`
}

// dpopNonce is the nonce for the client's next proof.
type dpopNonce struct {
	Nonce string `json:"dpopNonce,omitempty"`
}

// at is the proof of a request to that endpoint of the authorization server, unless the call names another.
func (in *dpopProof) at(endpoint string) proof.Request {
	r := proof.Request{Method: cmp.Or(in.Method, http.MethodPost), URL: cmp.Or(in.URL, endpoint), NonceRequired: in.NonceRequired}
	if in.Proof != "" {
		r.Proofs = []string{in.Proof}
	}
	return r
}

// nonce is the newest nonce of the tenant, where the proof must hold one.
func (d *Door) nonce(c *call, in *dpopProof) dpopNonce {
	if in.Proof == "" || !c.tenant.Settings.DPoP.RequireNonce && !in.NonceRequired {
		return dpopNonce{}
	}
	return dpopNonce{proof.Nonce(c.tenant, d.Now())}
}

// proved returns the key that the client proves to hold to the endpoint: that of its proof, and that of its certificate.
func (d *Door) proved(ctx context.Context, c *call, in *dpopProof, cert *clientCertificate, endpoint string) (oauth.Confirmation, error) {
	proved, err := d.Proofs.Check(ctx, c.tenant, in.at(c.tenant.Issuer+endpoint))
	if err != nil {
		return proved, err
	}
	proved.X5T, err = cert.thumbprint()
	return proved, err
}

// presentedToken is an access token as a resource got it.
type presentedToken struct {
	Token string `json:"token"`
	dpopProof
	clientCertificate
}

// presented says it in the flow's words. endpoint is where it came to, where the call need not say.
func (in *presentedToken) presented(endpoint string) (p access.Presented, err error) {
	if in.Proof != "" && endpoint == "" && (in.Method == "" || in.URL == "") {
		return p, oauth.InvalidRequest("htm and htu are needed with dpop")
	}
	p = access.Presented{Token: in.Token, DPoP: in.Proof != "", Proof: in.at(endpoint)}
	p.Certificate, err = in.clientCertificate.presented()
	return p, err
}

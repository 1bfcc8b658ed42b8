package challenge

import (
	"context"
	"maps"
	"net/url"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
)

// Proofs checks DPoP proofs: *proof.Service.
type Proofs interface {
	Check(ctx context.Context, t *tenant.Tenant, r proof.Request) (oauth.Confirmation, error)
}

// What is wrong with the key of a call.
var (
	errNoKey       = oauth.InvalidDPoPProof("a DPoP proof by the key of the first is required")
	errOtherKey    = oauth.InvalidDPoPProof("the DPoP proof is not made with the key of the first")
	errUnlikeJKT   = oauth.InvalidDPoPProof("dpop_jkt is not the key of the DPoP proof")
	errCertificate = oauth.InvalidRequest("the client did not present the certificate of before")
)

// hold finds out which keys the caller holds. The first that it proves bind the auth_session and the code: later calls must
// prove the same.
func (s *Service) hold(ctx context.Context, t *tenant.Tenant, c *call) error {
	var err error
	if s.Proofs != nil {
		if c.key, err = s.Proofs.Check(ctx, t, c.Proof); err != nil {
			return err
		}
	}
	// As at the token endpoint, a certificate binds what the client registered to be bound to one.
	if cert := c.Credentials.Certificate; cert != nil && (c.client.CertificateBound || c.client.Demands.WantsBound() && c.key.JKT == "") {
		c.key.X5T = cert.Thumbprint()
	}
	if c.session == nil {
		return nil
	}
	announced := c.session.Request.DPoPJKT // with dpop_jkt, perhaps without a proof
	switch to := c.session.state.Key; {
	case to.JKT != "" && c.key.JKT == "":
		return errNoKey
	case to.JKT != "" && to.JKT != c.key.JKT, announced != "" && c.key.JKT != "" && announced != c.key.JKT:
		return errOtherKey
	case to.X5T != "" && to.X5T != c.key.X5T:
		return errCertificate
	}
	return nil
}

// bound returns the parameters of c with the key that the code is to be bound to.
func (c *call) bound() (url.Values, error) {
	switch sent := c.Params.Get("dpop_jkt"); {
	case c.key.JKT == "":
		return c.Params, nil
	case sent != "" && sent != c.key.JKT:
		return nil, errUnlikeJKT
	}
	params := maps.Clone(c.Params)
	params.Set("dpop_jkt", c.key.JKT)
	return params, nil
}

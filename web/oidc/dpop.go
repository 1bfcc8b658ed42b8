package oidc

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// proofOf returns the DPoP proof of a request to the endpoint. Its URL is made of the issuer, whatever host was called.
func (d *Door) proofOf(c *gin.Context, t *tenant.Tenant, endpoint string) proof.Request {
	return proof.Request{Proofs: wire.Proofs(c), Method: c.Request.Method, URL: t.Issuer + endpoint, Alias: d.Aliases.Of(t, endpoint)}
}

// proved returns the keys that the caller of the endpoint proves to hold: that of its proof (RFC 9449 §5), and that of its
// certificate (RFC 8705 §3), as far as there are such.
func (d *Door) proved(c *gin.Context, t *tenant.Tenant, endpoint string) (oauth.Confirmation, error) {
	r := d.proofOf(c, t, endpoint)
	if len(r.Proofs) > 0 {
		d.nonce(c, t)
	}
	proved, err := d.Proofs.Check(c.Request.Context(), t, r)
	if err != nil {
		return proved, err
	}
	cert, err := wire.Certificate(c)
	if cert != nil {
		proved.X5T = cert.Thumbprint()
	}
	return proved, err
}

// nonce tells the newest nonce of a tenant that demands them.
func (d *Door) nonce(c *gin.Context, t *tenant.Tenant) {
	if t.Settings.DPoP.RequireNonce {
		wire.Nonce(c, proof.Nonce(t, d.Now()))
	}
}

// proofAlgs are the algorithms of proofs, for challenges.
var proofAlgs = func() string {
	var names []string
	for _, a := range keys.ProofAlgs() {
		names = append(names, string(a))
	}
	return strings.Join(names, " ")
}()

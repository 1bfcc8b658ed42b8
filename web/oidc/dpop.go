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
func proofOf(c *gin.Context, t *tenant.Tenant, endpoint string) proof.Request {
	return proof.Request{Proofs: wire.Proofs(c), Method: c.Request.Method, URL: t.Issuer + endpoint}
}

// proved returns the key that the caller of the endpoint proves to hold, if it sent a proof (RFC 9449 §5).
func (d *Door) proved(c *gin.Context, t *tenant.Tenant, endpoint string) (oauth.Confirmation, error) {
	r := proofOf(c, t, endpoint)
	if len(r.Proofs) > 0 {
		d.nonce(c, t)
	}
	return d.Proofs.Check(c.Request.Context(), t, r)
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

package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// What is wrong with an access token that is no administrator's. The caller is not told which it is.
var (
	errNoAccess   = oauth.InvalidToken("access tokens are not taken here")
	errElsewhere  = oauth.InvalidToken("the access token is not for the administration")
	errNotSelf    = oauth.InvalidToken("the access token is not held by who it is of")
	errNotBuiltIn = oauth.InvalidToken("the access token was issued to another client than the command line")
)

// person tells who holds an access token of the platform: it must be for the administration (RFC 8707 §2.2), issued to our own
// client, and of a person who acts for nobody else. A token that is bound to a key comes with its proof (RFC 9449 §7.1).
func (d *Door) person(c *gin.Context, platform *tenant.Tenant, token string, dpop bool) (string, error) {
	if d.Tokens == nil {
		return "", errNoAccess
	}
	cert, err := wire.Certificate(c)
	if err != nil {
		return "", err
	}
	if dpop && platform.Settings.DPoP.RequireNonce {
		wire.Nonce(c, proof.Nonce(platform, d.Tokens.Now()))
	}
	p := access.Presented{Token: token, DPoP: dpop, Certificate: cert, Proof: proof.Request{Proofs: wire.Proofs(c), Method: c.Request.Method,
		URL: platform.AdminAPI() + strings.TrimPrefix(c.Request.URL.EscapedPath(), adminPath)}}
	a, err := d.Tokens.Present(c.Request.Context(), platform, p)
	switch {
	case errors.Is(err, oauth.InvalidDPoPProof("")), errors.Is(err, oauth.UseDPoPNonce("")):
		return "", &wire.Status{Err: oauth.ErrorOf(err), HTTP: http.StatusUnauthorized}
	case err != nil:
		return "", err
	case !slices.Contains(a.Audience, platform.AdminAPI()), !a.Scope.Has(tenant.AdminScope):
		return "", errElsewhere
	case a.ClientID != tenant.CommandLine:
		return "", errNotBuiltIn
	case a.Grant == "" || a.Subject == "" || a.Actor != "":
		return "", errNotSelf
	}
	return a.Subject, nil
}

// signIn tells where administrators get their tokens (RFC 9728 §3.2).
func (d *Door) signIn(c *gin.Context, platform *tenant.Tenant) {
	wire.EventOf(c).Flow("resource metadata")
	c.Header("Cache-Control", "public, max-age=300")
	wire.JSON(c, http.StatusOK, discovery.AdminResource(platform))
}

// refuse answers for the gate.
func (d *Door) refuse(c *gin.Context, status int, err *oauth.Error) {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		c.Header("WWW-Authenticate", d.challenge(c, err))
	}
	write(c, problem{Status: status, Code: err.Code, Detail: err.Description})
}

// challenge is of the scheme that the caller tried, and tells where to learn how to get a token (RFC 6750 §3, RFC 9449 §7.1,
// RFC 9728 §5.1).
func (d *Door) challenge(c *gin.Context, err *oauth.Error) string {
	scheme, params := "Bearer", []string{}
	if tried, _, _ := strings.Cut(c.GetHeader("Authorization"), " "); strings.EqualFold(tried, "DPoP") {
		scheme, params = "DPoP", []string{`algs="` + proofAlgs + `"`}
	}
	if err.Code != "missing_token" {
		params = append(params, `error="`+err.Code+`"`)
	}
	if d.metadata != "" {
		params = append(params, `resource_metadata="`+d.metadata+`"`)
	}
	return strings.TrimSpace(scheme + " " + strings.Join(params, ", "))
}

// proofAlgs are the algorithms of proofs, for challenges.
var proofAlgs = func() string {
	var names []string
	for _, a := range keys.ProofAlgs() {
		names = append(names, string(a))
	}
	return strings.Join(names, " ")
}()

package authlete

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// unsupported are calls of the API that there is nothing behind, with the action that says so to their callers.
var unsupported = []struct {
	family, method, path string
	action               action
}{
	{"OpenID Federation", http.MethodPost, "/federation/configuration", notFound},
	{"OpenID Federation", http.MethodPost, "/federation/registration", notFound},
	{"Verifiable credentials", http.MethodPost, "/vci/metadata", notFound},
	{"Verifiable credentials", http.MethodPost, "/vci/jwtissuer", notFound},
	{"Verifiable credentials", http.MethodPost, "/vci/jwks", notFound},
	{"Verifiable credentials", http.MethodPost, "/vci/nonce", notFound},
	{"Verifiable credentials", http.MethodPost, "/vci/offer/create", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/offer/info", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/single/parse", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/deferred/parse", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/batch/parse", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/single/issue", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/deferred/issue", forbidden},
	{"Verifiable credentials", http.MethodPost, "/vci/batch/issue", forbidden},
	{"Native SSO", http.MethodPost, "/nativesso", callerError},
	{"Native SSO", http.MethodPost, "/nativesso/logout", callerError},
	{"Logout tokens", http.MethodPost, "/backchannel/logout/token", callerError},
	{"Client attestation", http.MethodPost, "/attestation/challenge", internalServerError},
	{"Keys in hardware", http.MethodPost, "/hsk/create", invalidRequest},
	{"Keys in hardware", http.MethodGet, "/hsk/get/list", invalidRequest},
	{"Keys in hardware", http.MethodGet, "/hsk/get/:handle", notFound},
	{"Keys in hardware", http.MethodDelete, "/hsk/delete/:handle", notFound},
	{"Keys in hardware", http.MethodGet, "/hsk/delete/:handle", notFound},
}

// unsupportedCode is the result code of those calls.
const unsupportedCode = "A001216"

// mountUnsupported registers them. What they are sent is not read.
func (d *Door) mountUnsupported(r *wire.Router) {
	for _, u := range unsupported {
		o := outcome{unsupportedCode, u.family + ": this is not supported."}
		content := ""
		if u.action != callerError && u.action != invalidRequest { // there is a client that waits for an answer
			content = object(o, refusal{err: oauth.InvalidRequest("")})
		}
		for _, generation := range []string{numbered, prefix} {
			r.Service(u.method, generation+u.path, func(c *gin.Context, _ *tenant.Tenant) {
				wire.EventOf(c).Flow("unsupported")
				wire.JSON(c, http.StatusOK, o.result(u.action, content))
			})
		}
	}
}

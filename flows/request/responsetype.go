package request

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

func (d *draft) responseType() error {
	asked := d.get("response_type")
	rt := oauth.ResponseType(asked)
	switch {
	case asked == "":
		return oauth.InvalidRequest("response_type is missing")
	case strings.ContainsFunc(asked, notResponseType):
		return oauth.InvalidRequest("response_type holds characters that are not allowed")
	case !slices.Contains(d.service.ResponseTypes, rt) || !d.tenant.Settings.AllowsResponseType(rt) || !d.client.Demands.AllowsResponseType(rt):
		return oauth.UnsupportedResponseType("response_type is not supported")
	case !d.client.MayRespond(rt):
		return oauth.UnauthorizedClient("the client may not use this response_type")
	}
	d.ResponseType = rt
	return nil
}

// frontChannel holds a request for tokens through the browser to what makes them safe: an ID token answers one request, and
// an access token that no key can be proven for is none for a client whose tokens are bound (OIDC Core §3.2.2.1, §3.3.2.11;
// RFC 9449 §5.2, RFC 8705 §3.4).
func (d *draft) frontChannel() error {
	switch {
	case d.Gives(oauth.ResponseIDToken) && !d.OpenID():
		return oauth.InvalidScope("scope must hold openid, as response_type asks for an ID token")
	case d.Gives(oauth.ResponseIDToken) && d.get("nonce") == "":
		return oauth.InvalidRequest("nonce is required, as response_type asks for an ID token")
	case d.Gives(oauth.ResponseToken) && d.client.OnlyBound():
		return oauth.UnauthorizedClient("the client takes only access tokens that are bound to a key, and so none by this response_type")
	case d.Gives(oauth.ResponseToken) && d.get("dpop_jkt") != "":
		return oauth.InvalidRequest("dpop_jkt is sent, but response_type asks for an access token that no key can be bound to")
	}
	return nil
}

// notResponseType reports whether r cannot be part of a response type (RFC 6749 appendix A.3).
func notResponseType(r rune) bool {
	return r != ' ' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

func (d *draft) responseMode() error {
	asked, usual := d.get("response_mode"), usualMode(d.ResponseType)
	effective := effectiveMode(asked, d.ResponseType)
	switch {
	case asked == "" && d.allowsMode(usual):
		d.ResponseMode = usual
		return nil
	case asked == "":
		return oauth.InvalidRequest("response_mode is missing")
	case !slices.Contains(d.service.ResponseModes, asked):
		return oauth.InvalidRequest("response_mode is not supported")
	case !d.allowsMode(asked):
		return oauth.InvalidRequest("response_mode is not allowed")
	case d.switches(effective, d.ResponseType):
		return oauth.InvalidRequest("response_mode must be the one that response_type has by itself")
	case !d.carries(effective, d.ResponseType):
		return oauth.InvalidRequest("response_mode must not be query where response_type asks for tokens")
	}
	d.ResponseMode, d.ModeAsked = effective, asked
	return nil
}

// effectiveMode is the response mode that mode stands for (JARM §2.3.4).
func effectiveMode(mode, responseType string) string {
	if mode == oauth.ModeJWT {
		return usualMode(responseType) + ".jwt"
	}
	return mode
}

// usualMode is the response mode of a response type where none is asked for (OAuth 2.0 Multiple Response Type Encoding
// Practices §2.1, §5).
func usualMode(responseType string) string {
	if oauth.FrontChannel(responseType) {
		return oauth.ModeFragment
	}
	return oauth.ModeQuery
}

// carries reports whether a response of that type may be carried in that mode: tokens must not come into a query, which
// servers log (OAuth 2.0 Multiple Response Type Encoding Practices §3), unless they are encrypted (JARM §2.3.1).
func (d *draft) carries(mode, responseType string) bool {
	switch {
	case d.switches(mode, responseType):
		return false
	case !oauth.FrontChannel(responseType):
		return true
	case mode == oauth.ModeQueryJWT:
		return d.client.ResponseEncAlg != ""
	}
	return mode != oauth.ModeQuery
}

// switches reports whether mode is query or fragment where a response of that type comes in the other by itself, and the
// tenant does not have that.
func (d *draft) switches(mode, responseType string) bool {
	return d.tenant.Settings.Authorization.UsualResponseMode && (mode == oauth.ModeQuery || mode == oauth.ModeFragment) && mode != usualMode(responseType)
}

// allowsMode reports whether the engine has that response mode and the tenant allows it.
func (d *draft) allowsMode(mode string) bool {
	allowed := d.tenant.Settings.Authorization.ResponseModes
	return slices.Contains(d.service.ResponseModes, mode) && (len(allowed) == 0 || slices.Contains(allowed, mode))
}

package connect2id

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// deny ends an authorisation session with an error for the client.
func (d *Door) deny(c *call) error {
	if err := c.readAJAX(); err != nil {
		return err
	}
	e, err := c.version.deny(c)
	if err != nil {
		return err
	}
	p, err := d.load(c)
	if err != nil {
		return err
	}
	if c.tenant.Settings.Authorization.SessionInResponse {
		if err := d.Authorize.Resume(c.Request.Context(), c.tenant, p); err != nil {
			return err
		}
	}
	res, err := d.Authorize.Refuse(c.Request.Context(), c.tenant, p, e, c.address())
	if err != nil {
		return err
	}
	d.answer(c, res)
	return nil
}

// accessDenied is the one error of versions 1 and 2.
func accessDenied(*call) (*oauth.Error, error) { return oauth.AccessDenied(""), nil }

// standardErrors are the codes that an authorization request may end with (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6, RFC 8707
// §2, RFC 9396 §5, OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
var standardErrors = []string{
	"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error",
	"temporarily_unavailable", "interaction_required", "login_required", "account_selection_required", "consent_required",
	"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
	"registration_not_supported", "invalid_target", "invalid_authorization_details", "unmet_authentication_requirements",
}

// deniedAs reads the error that the UI wants its client to get.
func deniedAs(c *call) (*oauth.Error, error) {
	q, err := wire.Query(c.Context)
	if err != nil {
		return nil, err
	}
	code, description, uri := q.Get("error"), q.Get("error_description"), q.Get("error_uri")
	if code == "" {
		code = "access_denied"
	}
	switch {
	case !slices.Contains(standardErrors, code) && !slices.Contains(c.tenant.Settings.Authorization.CustomErrorCodes, code),
		strings.ContainsFunc(code, notErrorText):
		return nil, oauth.InvalidRequest("error is not a code that may be returned")
	case strings.ContainsFunc(description, notErrorText):
		return nil, oauth.InvalidRequest("error_description holds characters that are not allowed")
	case strings.ContainsFunc(uri, func(r rune) bool { return r == ' ' || notErrorText(r) }):
		return nil, oauth.InvalidRequest("error_uri holds characters that are not allowed")
	}
	if _, err := url.Parse(uri); err != nil {
		return nil, oauth.InvalidRequest("error_uri is not a URI").Because(err)
	}
	return oauth.Custom(code, description, uri), nil
}

// notErrorText reports whether r may not stand in an error or its description (RFC 6749 appendix A.7, A.8).
func notErrorText(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

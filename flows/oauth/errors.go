// Package oauth holds the words of OAuth 2.0 and OpenID Connect that every flow and door shares: error
// codes, grant and response type names, scopes, prompts and the claims request.
package oauth

import "errors"

// Error is a failure as the protocol words it. Code and Description are for the client and hold nothing
// but constants; the cause is for the operator and never leaves the server.
type Error struct {
	Code        string // RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, and the extensions named below
	Description string // human-readable, in the characters of RFC 6749 §5.2
	URI         string // error_uri, set only by a caller that is trusted to choose it
	cause       error
}

// Error says the code, the description and the cause. It is for logs.
func (e *Error) Error() string {
	s := e.Code
	if e.Description != "" {
		s += ": " + e.Description
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Because returns a copy of e that carries cause for the operator.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Is reports whether target is an *Error of the same code, so that errors.Is compares by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Description == "" || t.Description == e.Description)
}

// ErrorOf returns err as the client may see it: the *Error it is or wraps, else a server_error without text.
func ErrorOf(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return (&Error{Code: "server_error"}).Because(err)
}

// The constructors: one per error code, each with a constant sentence.

// InvalidRequest: a parameter is missing, repeated, malformed or not allowed (RFC 6749 §4.1.2.1, §5.2).
func InvalidRequest(d string) *Error { return &Error{Code: "invalid_request", Description: d} }

// InvalidClient: client authentication failed (RFC 6749 §5.2).
func InvalidClient(d string) *Error { return &Error{Code: "invalid_client", Description: d} }

// InvalidGrant: a code, refresh token or other grant is not valid for this caller (RFC 6749 §5.2).
func InvalidGrant(d string) *Error { return &Error{Code: "invalid_grant", Description: d} }

// UnauthorizedClient: the client may not use this grant or response type (RFC 6749 §4.1.2.1, §5.2).
func UnauthorizedClient(d string) *Error { return &Error{Code: "unauthorized_client", Description: d} }

// UnsupportedGrantType: no such grant type here (RFC 6749 §5.2).
func UnsupportedGrantType(d string) *Error {
	return &Error{Code: "unsupported_grant_type", Description: d}
}

// UnsupportedResponseType: no such response type here (RFC 6749 §4.1.2.1).
func UnsupportedResponseType(d string) *Error {
	return &Error{Code: "unsupported_response_type", Description: d}
}

// UnsupportedTokenType: this kind of token cannot be revoked (RFC 7009 §2.2.1).
func UnsupportedTokenType(d string) *Error {
	return &Error{Code: "unsupported_token_type", Description: d}
}

// InvalidScope: the scope is unknown, malformed or exceeds what may be granted (RFC 6749 §4.1.2.1, §5.2).
func InvalidScope(d string) *Error { return &Error{Code: "invalid_scope", Description: d} }

// InvalidTarget: a resource or audience is not acceptable (RFC 8707 §2).
func InvalidTarget(d string) *Error { return &Error{Code: "invalid_target", Description: d} }

// AccessDenied: the subject or the server refused (RFC 6749 §4.1.2.1).
func AccessDenied(d string) *Error { return &Error{Code: "access_denied", Description: d} }

// LoginRequired: prompt=none, but the subject must authenticate (OIDC Core §3.1.2.6).
func LoginRequired(d string) *Error { return &Error{Code: "login_required", Description: d} }

// ConsentRequired: prompt=none, but the subject must consent (OIDC Core §3.1.2.6).
func ConsentRequired(d string) *Error { return &Error{Code: "consent_required", Description: d} }

// RequestNotSupported: the request parameter is not supported (OIDC Core §3.1.2.6).
func RequestNotSupported(d string) *Error {
	return &Error{Code: "request_not_supported", Description: d}
}

// RequestURINotSupported: the request_uri parameter is not supported (OIDC Core §3.1.2.6).
func RequestURINotSupported(d string) *Error {
	return &Error{Code: "request_uri_not_supported", Description: d}
}

// InvalidRequestURI: the request_uri leads to no request, or to one that may not be used (OIDC Core §3.1.2.6, RFC 9126 §4).
func InvalidRequestURI(d string) *Error {
	return &Error{Code: "invalid_request_uri", Description: d}
}

// InvalidRequestObject: the request object is malformed, unsigned, another's, or out of its time (OIDC Core §3.1.2.6, RFC
// 9101 §7).
func InvalidRequestObject(d string) *Error {
	return &Error{Code: "invalid_request_object", Description: d}
}

// RegistrationNotSupported: the registration parameter is not supported (OIDC Core §3.1.2.6).
func RegistrationNotSupported(d string) *Error {
	return &Error{Code: "registration_not_supported", Description: d}
}

// InvalidToken: an access token or API token is unknown, expired, revoked or another tenant's (RFC 6750 §3.1).
func InvalidToken(d string) *Error { return &Error{Code: "invalid_token", Description: d} }

// MissingToken: a protected call came without any token.
func MissingToken(d string) *Error { return &Error{Code: "missing_token", Description: d} }

// InsufficientScope: the token does not reach that far (RFC 6750 §3.1).
func InsufficientScope(d string) *Error { return &Error{Code: "insufficient_scope", Description: d} }

// InvalidRedirectURI: a redirect URI offered for registration is not acceptable (RFC 7591 §3.2.2).
func InvalidRedirectURI(d string) *Error {
	return &Error{Code: "invalid_redirect_uri", Description: d}
}

// InvalidClientMetadata: a member offered for registration is not acceptable (RFC 7591 §3.2.2).
func InvalidClientMetadata(d string) *Error {
	return &Error{Code: "invalid_client_metadata", Description: d}
}

// InvalidSoftwareStatement: the software statement is no good (RFC 7591 §3.2.2).
func InvalidSoftwareStatement(d string) *Error {
	return &Error{Code: "invalid_software_statement", Description: d}
}

// UnapprovedSoftwareStatement: nobody trusts who made the software statement (RFC 7591 §3.2.2).
func UnapprovedSoftwareStatement(d string) *Error {
	return &Error{Code: "unapproved_software_statement", Description: d}
}

// NotFound: the addressed thing does not exist, or is another tenant's. Doors word it in their own way.
func NotFound(d string) *Error { return &Error{Code: "not_found", Description: d} }

// SlowDown: a limit was reached; the door answers 429 where the protocol has no word of its own.
func SlowDown(d string) *Error { return &Error{Code: "slow_down", Description: d} }

// Unavailable: we cannot know just now, so we neither grant nor deny. Doors answer 503 with Retry-After.
func Unavailable() *Error {
	return &Error{Code: "temporarily_unavailable", Description: "The service is temporarily unavailable"}
}

// Custom is an error whose code a trusted caller chose from the tenant's list of codes.
func Custom(code, description, uri string) *Error {
	return &Error{Code: code, Description: description, URI: uri}
}

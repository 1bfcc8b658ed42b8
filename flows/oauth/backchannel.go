package oauth

// CIBA is the grant type of backchannel authentication (CIBA Core §10.1).
const CIBA = "urn:openid:params:grant-type:ciba"

// Poll is the delivery mode in which the client asks the token endpoint until there is an answer (CIBA Core §5).
const Poll = "poll"

// The other delivery modes: the client is told that there is an answer, or gets the tokens at once (CIBA Core §5).
const (
	Ping = "ping"
	Push = "push"
)

// UnknownUserID: the hint names nobody whom the server could ask (CIBA Core §13).
func UnknownUserID(d string) *Error { return &Error{Code: "unknown_user_id", Description: d} }

// ExpiredLoginHintToken: the login_hint_token has expired (CIBA Core §13).
func ExpiredLoginHintToken(d string) *Error {
	return &Error{Code: "expired_login_hint_token", Description: d}
}

// MissingUserCode: user_code is required and was not sent (CIBA Core §13).
func MissingUserCode(d string) *Error { return &Error{Code: "missing_user_code", Description: d} }

// InvalidUserCode: user_code is not the user's (CIBA Core §13).
func InvalidUserCode(d string) *Error { return &Error{Code: "invalid_user_code", Description: d} }

// InvalidBindingMessage: binding_message cannot be shown (CIBA Core §13).
func InvalidBindingMessage(d string) *Error {
	return &Error{Code: "invalid_binding_message", Description: d}
}

// AuthorizationPending: the subject has not answered yet (CIBA Core §11, RFC 8628 §3.5).
func AuthorizationPending(d string) *Error {
	return &Error{Code: "authorization_pending", Description: d}
}

// ExpiredToken: the time in which the subject could answer is over (CIBA Core §11, RFC 8628 §3.5).
func ExpiredToken(d string) *Error { return &Error{Code: "expired_token", Description: d} }

package oauth

// AuthorizationChallenge is the scope value that marks a client as first-party: it may use the authorization challenge
// endpoint (OAuth 2.0 for First-Party Applications).
const AuthorizationChallenge = "authorization_challenge"

// InvalidSession: the auth_session is unknown, has ended, or is not this client's (OAuth 2.0 for First-Party
// Applications §5.2.2.1).
func InvalidSession(d string) *Error { return &Error{Code: "invalid_session", Description: d} }

// The styles in which a client is told what a step of the challenge wants (authorization_challenge_error_style).
const (
	StyleJanssen = "janssen" // error is the step's own code
	StyleDraft   = "draft"   // error is insufficient_authorization, and a member of that name is there
)

// InsufficientAuthorization: the subject must authenticate further at the authorization challenge endpoint (OAuth 2.0 for
// First-Party Applications §5.2.2, §6.2).
func InsufficientAuthorization(d string) *Error {
	return &Error{Code: "insufficient_authorization", Description: d}
}

package oauth

// AuthorizationChallenge is the scope value that marks a client as first-party: it may use the authorization challenge
// endpoint (OAuth 2.0 for First-Party Applications).
const AuthorizationChallenge = "authorization_challenge"

// InvalidSession: the auth_session is unknown, has ended, or is not this client's (OAuth 2.0 for First-Party
// Applications §5.2.2.1).
func InvalidSession(d string) *Error { return &Error{Code: "invalid_session", Description: d} }

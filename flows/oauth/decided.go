package oauth

// Errors that only whoever decides about a subject can find.

// InteractionRequired: prompt=none, but the subject must be asked for something (OIDC Core §3.1.2.6).
func InteractionRequired(d string) *Error {
	return &Error{Code: "interaction_required", Description: d}
}

// AccountSelectionRequired: prompt=none, but the subject must choose an account (OIDC Core §3.1.2.6).
func AccountSelectionRequired(d string) *Error {
	return &Error{Code: "account_selection_required", Description: d}
}

// UnmetAuthenticationRequirements: the subject could not be authenticated as the client demands (OpenID Connect Core
// Error Code unmet_authentication_requirements 1.0).
func UnmetAuthenticationRequirements(d string) *Error {
	return &Error{Code: "unmet_authentication_requirements", Description: d}
}

// InsufficientUserAuthentication: the subject authenticated, but not as the resource demands (RFC 9470 §3).
func InsufficientUserAuthentication(d string) *Error {
	return &Error{Code: "insufficient_user_authentication", Description: d}
}

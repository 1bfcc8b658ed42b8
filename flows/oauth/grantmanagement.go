package oauth

// What a client may ask to become of a grant (Grant Management for OAuth 2.0 §5.1), and do with it.
const (
	GrantCreate  = "create"
	GrantMerge   = "merge"
	GrantReplace = "replace"
	GrantQuery   = "query"
	GrantRevoke  = "revoke"
)

// Scope values of access tokens that a client asks about its grants with, and revokes them (§6.2).
const (
	GrantQueryScope  = "grant_management_query"
	GrantRevokeScope = "grant_management_revoke"
)

// InvalidGrantID: there is no such grant of the client (§5.3).
func InvalidGrantID(d string) *Error { return &Error{Code: "invalid_grant_id", Description: d} }

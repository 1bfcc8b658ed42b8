package tenant

// GrantManagementSettings rule Grant Management for OAuth 2.0: clients name the agreement that a request is about.
type GrantManagementSettings struct {
	Enabled        bool `json:"enabled,omitempty"`
	ActionRequired bool `json:"action_required,omitempty"` // every request must say what becomes of a grant
}

package tenant

// LogoutSettings rule what the end of a session means.
type LogoutSettings struct {
	KeepGrants   bool `json:"keep_grants,omitempty"`   // what was granted in a session outlives it, also without offline_access (Back-Channel Logout §2.7)
	CheckSession bool `json:"check_session,omitempty"` // applications may watch the session in a frame (Session Management 1.0)
}

// ChecksSession reports whether applications may watch the session in a frame. Only our own pages know the browser's.
func (s *Settings) ChecksSession() bool { return s.Logout.CheckSession && s.LoginURL == "" }

package tenant

import (
	"cmp"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// ChallengeSettings rule the authorization challenge endpoint (OAuth 2.0 for First-Party Applications).
type ChallengeSettings struct {
	Enabled             bool   `json:"enabled,omitempty"`
	Lifetime            int64  `json:"lifetime,omitempty"`              // 86400 s in which an auth_session can be gone on with
	DefaultACR          string `json:"default_acr,omitempty"`           // acr of the step that no acr_values chose: default_challenge
	DistinguishUsers    bool   `json:"distinguish_users,omitempty"`     // tell an unknown or disabled user from a wrong password
	CreateSession       bool   `json:"create_session,omitempty"`        // begin a login session with each code, and set its cookie
	RequireResponseType bool   `json:"require_response_type,omitempty"` // response_type=code must be sent
}

// ChallengeLifetime is how long an auth_session can be gone on with, however often it is.
func (s *Settings) ChallengeLifetime() time.Duration { return or(s.Challenge.Lifetime, 24*time.Hour) }

// ChallengeACR is the acr of a step that does not name its own.
func (s *Settings) ChallengeACR() string { return cmp.Or(s.Challenge.DefaultACR, "default_challenge") }

// challenge checks what the ranges of numbers leave.
func (c *checker) challenge(s *ChallengeSettings) {
	c.that(s.DefaultACR == "" || oauth.ScopeValue(s.DefaultACR) && len(s.DefaultACR) <= maxItem, "/challenge/default_acr", "is no acr value")
}

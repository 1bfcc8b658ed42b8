package tenant

import (
	"cmp"
	"maps"
	"slices"
	"strings"
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

	Steps        map[string]string `json:"steps,omitempty"`         // by the acr that asks for it: password, otp, hook, or the name of a script
	StepUpAfter  int64             `json:"step_up_after,omitempty"` // seconds since the user authenticated after which a refresh demands it anew; never where zero
	TokenSession bool              `json:"token_session,omitempty"` // token responses bring an auth_session for a step-up
}

// The steps of the challenge that are not scripts.
const (
	StepPassword = "password" // user name and password, and a code of TOTP where the user has one
	StepOTP      = "otp"      // user name, and a code of TOTP or one that is sent
	StepHook     = "hook"     // the tenant's webhook decides
)

// ChallengeStep returns the name of the step that the first known of those acr values asks for, with that acr; or else that
// of the default acr, which is password unless the tenant says otherwise.
func (s *Settings) ChallengeStep(acrs []string) (acr, step string) {
	for _, acr := range acrs {
		if step, ok := s.Challenge.Steps[acr]; ok {
			return acr, step
		}
	}
	acr = s.ChallengeACR()
	return acr, cmp.Or(s.Challenge.Steps[acr], StepPassword)
}

// ChallengeLifetime is how long an auth_session can be gone on with, however often it is.
func (s *Settings) ChallengeLifetime() time.Duration { return or(s.Challenge.Lifetime, 24*time.Hour) }

// ChallengeACR is the acr of a step that does not name its own.
func (s *Settings) ChallengeACR() string { return cmp.Or(s.Challenge.DefaultACR, "default_challenge") }

// AdvertisedACR are the acr values that can be reached, of which those of the challenge at its own endpoint alone.
func (s *Settings) AdvertisedACR() []string {
	out := s.KnownACR()
	if !s.Challenge.Enabled {
		return out
	}
	for _, acr := range append(slices.Sorted(maps.Keys(s.Challenge.Steps)), s.Challenge.DefaultACR) {
		if acr != "" && !slices.Contains(out, acr) {
			out = append(out, acr)
		}
	}
	return out
}

// challenge checks what the ranges of numbers leave.
func (c *checker) challenge(s *ChallengeSettings) {
	c.that(s.DefaultACR == "" || oauth.ScopeValue(s.DefaultACR) && len(s.DefaultACR) <= maxItem, "/challenge/default_acr", "is no acr value")
	for acr, step := range s.Steps {
		at := "/challenge/steps/" + escape.Replace(acr)
		c.that(oauth.ScopeValue(acr) && len(acr) <= maxItem, at, "is no acr value")
		c.that(step != "" && len(step) <= 64 && !strings.ContainsFunc(step, func(r rune) bool { return r <= 0x20 || r > 0x7e }), at, "is no name of a step")
	}
	c.that(len(s.Steps) <= 64, "/challenge/steps", "are too many")
}

package tenant

import (
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
)

// AuthenticationSettings say which acr values are reached by the ways in which our own pages and steps authenticate users. Of
// each list the first value is told where the client asks for none.
type AuthenticationSettings struct {
	PasswordACR []string `json:"password_acr,omitempty"` // by a password: none
	OTPACR      []string `json:"otp_acr,omitempty"`      // by a password and a code of TOTP, as those above are: none
}

// Ways in which users are authenticated (RFC 8176 §2).
const (
	AMRPassword = "pwd"
	AMROTP      = "otp"
)

// AuthenticationLevel is how strong an authentication is that acr stands for: 1 a password, 2 a password and a code, 0 what the
// settings do not say.
func (s *Settings) AuthenticationLevel(acr string) int {
	switch {
	case slices.Contains(s.Authentication.PasswordACR, acr):
		return 1
	case slices.Contains(s.Authentication.OTPACR, acr):
		return 2
	}
	return 0
}

// LevelOf is how strong an authentication by those methods is.
func LevelOf(amr []string) int {
	switch {
	case !slices.Contains(amr, AMRPassword):
		return 0
	case !slices.Contains(amr, AMROTP):
		return 1
	}
	return 2
}

// ReachedACR returns the acr to be told of an authentication by those methods: the first of those wanted that it reaches, or
// else that of its own level, or of the one below where that has none. Empty: the settings name none.
func (s *Settings) ReachedACR(amr, wanted []string) string {
	level := LevelOf(amr)
	for _, acr := range wanted {
		if n := s.AuthenticationLevel(acr); n > 0 && n <= level {
			return acr
		}
	}
	a := &s.Authentication
	switch {
	case level == 2 && len(a.OTPACR) > 0:
		return a.OTPACR[0]
	case level > 0 && len(a.PasswordACR) > 0:
		return a.PasswordACR[0]
	}
	return ""
}

// KnownACR are the acr values that can be reached: those that are advertised, and those that our own pages reach.
func (s *Settings) KnownACR() []string {
	var out []string
	for _, list := range [][]string{s.Authorization.ACRValues, s.Authentication.PasswordACR, s.Authentication.OTPACR} {
		for _, acr := range list {
			if !slices.Contains(out, acr) {
				out = append(out, acr)
			}
		}
	}
	return out
}

// authentication checks the lists of acr values: one cannot stand for two levels.
func (c *checker) authentication(s *AuthenticationSettings) {
	for _, l := range []struct {
		at     string
		values []string
	}{{"/authentication/password_acr", s.PasswordACR}, {"/authentication/otp_acr", s.OTPACR}} {
		c.that(len(l.values) <= 64, l.at, "has too many values")
		for _, v := range l.values {
			c.that(oauth.ScopeValue(v) && len(v) <= maxItem, l.at, "is no acr value")
		}
	}
	for _, v := range s.OTPACR {
		c.that(!slices.Contains(s.PasswordACR, v), "/authentication/otp_acr", "has a value that a password reaches")
	}
}

// Reaches reports whether an authentication of that acr, by those methods, is one of the wanted, or stronger.
func (s *Settings) Reaches(acr string, amr, wanted []string) bool {
	return slices.Contains(wanted, s.ToldACR(acr, amr, wanted))
}

// ToldACR is the acr that an authentication is told by where one of the wanted is asked for: its own, or the first of them
// that it reaches.
func (s *Settings) ToldACR(acr string, amr, wanted []string) string {
	if slices.Contains(wanted, acr) {
		return acr
	}
	for _, v := range wanted {
		if n := s.AuthenticationLevel(v); n > 0 && n <= LevelOf(amr) {
			return v
		}
	}
	return acr
}

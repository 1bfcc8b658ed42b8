package tenant

import "time"

// PARSettings rule pushed authorization requests (RFC 9126).
type PARSettings struct {
	Required bool  `json:"required,omitempty"` // of every client; one may also register so for itself
	Lifetime int64 `json:"lifetime,omitempty"` // 60 s from push to use, 10 to 600
}

// PushedLifetime is how long a pushed request may be used for.
func (s *Settings) PushedLifetime() time.Duration {
	return min(max(or(s.PAR.Lifetime, time.Minute), 10*time.Second), 10*time.Minute)
}

package tenant

import "time"

// UsageSettings rule what is kept of how much a tenant is used.
type UsageSettings struct {
	Retention int64 `json:"retention,omitempty"` // days that figures are kept for, from when they are counted: 400, 31 to 3650
}

// UsageKept is how long figures of usage are kept.
func (s *Settings) UsageKept() time.Duration {
	if s.Usage.Retention <= 0 {
		return 400 * 24 * time.Hour
	}
	return time.Duration(s.Usage.Retention) * 24 * time.Hour
}

package keys

import "time"

// State is where a key stands in its schedule.
type State string

// The states, in their order.
const (
	Waiting State = "waiting" // published, to sign later
	Signing State = "signing" // its turn to sign; of a key that is encrypted to, it is used
	Standby State = "standby" // may sign, while another does
	Retired State = "retired" // signs no longer, and still verifies, or opens, what was made with it
	Gone    State = "gone"    // neither published nor used
)

// AllStates returns the states, in their order.
func AllStates() []State { return []State{Waiting, Signing, Standby, Retired, Gone} }

// Standing is how a key stands at a time.
type Standing struct {
	State     State
	Published bool // in the JWK set
}

// Standings returns how each of ks stands at now, in their order.
func Standings(ks []Key, now time.Time) []Standing {
	out := make([]Standing, len(ks))
	for i := range ks {
		k := &ks[i]
		s := Standing{State: Waiting, Published: k.usable() && k.published(now)}
		switch {
		case k.gone(now):
			s.State = Gone
		case k.retired(now):
			s.State = Retired
		case current(ks, k.Alg, now) == i:
			s.State = Signing
		case k.active(now):
			s.State = Standby
		}
		out[i] = s
	}
	return out
}

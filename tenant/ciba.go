package tenant

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/chancery-id/chancery/flows/oauth"
)

// CIBASettings rule backchannel authentication (CIBA Core).
type CIBASettings struct {
	Enabled        bool   `json:"enabled,omitempty"`
	Lifetime       int64  `json:"lifetime,omitempty"`        // 600 s in which the subject may answer; a client may ask for others
	Interval       int64  `json:"interval,omitempty"`        // 5 s between two polls of a client
	BindingMessage string `json:"binding_message,omitempty"` // regular expression that a whole binding_message must match
	UserCode       bool   `json:"user_code,omitempty"`       // clients may register that they send user_code, which is checked
	Push           bool   `json:"push,omitempty"`            // clients may have their tokens pushed to them
	AppHints       bool   `json:"app_hints,omitempty"`       // a native app of the identity provider's gets login_hint_tokens about its user
	UnknownUsers   string `json:"unknown_users,omitempty"`   // what becomes of a hint that names none of our accounts: RefuseUnknown
}

// What becomes of a hint that names none of our accounts.
const (
	RefuseUnknown = ""        // unknown_user_id
	HideUnknown   = "hide"    // acknowledged as if it were somebody's, and never answered
	PassUnknown   = "pass_on" // the tenant's backend knows its users itself: it is shown the hint
)

// MaxCIBALifetime is the longest time that a client may ask for, unless the tenant's own is longer.
const MaxCIBALifetime = time.Hour

// CIBALifetime is how long a backchannel authentication waits for its subject, where the client asked for that many
// seconds; zero: it did not ask.
func (s *Settings) CIBALifetime(asked int64) time.Duration {
	life := or(s.CIBA.Lifetime, 10*time.Minute)
	if asked <= 0 {
		return life
	}
	longest := max(life, MaxCIBALifetime)
	return time.Duration(min(asked, int64(longest/time.Second))) * time.Second
}

// CIBAModes are the delivery modes that clients may register (CIBA Core §4).
func (s *Settings) CIBAModes() []string {
	if s.CIBA.Push {
		return []string{oauth.Poll, oauth.Ping, oauth.Push}
	}
	return []string{oauth.Poll, oauth.Ping}
}

// NotificationMetadata is where a client that does not poll is told of an answer (CIBA Core §4).
type NotificationMetadata struct {
	NotificationEndpoint string `json:"backchannel_client_notification_endpoint,omitempty"`
}

// ApprovalsOn reports whether subjects answer at our own pages, which a tenant with a login UI of its own does not use.
func (s *Settings) ApprovalsOn() bool { return s.CIBA.Enabled && s.LoginURL == "" }

// CIBAInterval is how long a client has to wait between two polls.
func (s *Settings) CIBAInterval() time.Duration { return or(s.CIBA.Interval, 5*time.Second) }

// ciba checks what the ranges of numbers leave.
func (c *checker) ciba(s *CIBASettings) {
	_, err := regexp.Compile(s.BindingMessage)
	c.that(err == nil && len(s.BindingMessage) <= maxItem && strings.IndexFunc(s.BindingMessage, unicode.IsControl) < 0,
		"/ciba/binding_message", "is no regular expression, or too long")
	c.that(s.UnknownUsers == RefuseUnknown || s.UnknownUsers == HideUnknown || s.UnknownUsers == PassUnknown,
		"/ciba/unknown_users", "must be hide or pass_on, or left out")
}

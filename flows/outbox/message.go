// Package outbox is what we owe others: logout tokens, notifications, webhooks. A message is recorded by the store method
// that makes the change it tells of, and delivered at least once, in order for each object, by whichever instance takes it
// up. A target that hangs slows nobody else, and what cannot be delivered becomes a dead letter.
package outbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"time"

	"github.com/chancery-id/chancery/tenant/outbound"
)

// Kind names what a message is.
type Kind string

// The kinds of message, beside Event. What has content is sent as it was recorded.
const (
	CIBA   Kind = "ciba"   // CIBA Core §10.2, §10.3
	Logout Kind = "logout" // OpenID Connect Back-Channel Logout §2.4; its Detail is a LogoutDetail
)

// LogoutDetail is what a logout message tells of: that a client's part in a session ended. The store records it with
// whatever ends a session.
type LogoutDetail struct {
	Session string `json:"session"`
	Client  string `json:"client"`
	Subject string `json:"sub,omitempty"` // of the session; empty: the client knows it by another
}

// Message is one thing that is owed to one target.
type Message struct {
	ID      string           // 128 random bits, base64url; the same in every attempt, so that the target can tell a repeat
	Kind    Kind             // who prepares it for sending
	Target  string           // URL
	Object  string           // what it is about: messages of one object arrive in the order they were recorded; empty: in any
	Webhook string           // that it is for; empty: it is for no webhook
	Detail  json.RawMessage  // what its kind needs to know, without secrets; may be nil
	Content outbound.Content // what is sent, sealed where it is stored

	CreatedAt time.Time
	NotBefore time.Time // the first attempt is not made earlier; zero: at once
	EndsAt    time.Time // there is no second attempt after that; zero: Patience after CreatedAt

	Attempts int    // made so far, the one at hand among them
	Cause    string // why the last one failed, for the operator
}

const (
	// Patience is how long a message is tried.
	Patience = 24 * time.Hour
	// Kept is how long a dead letter is kept after its end.
	Kept = 7 * 24 * time.Hour
)

// NewID returns the id of a message.
func NewID(rand io.Reader) string {
	b := make([]byte, 16)
	_, _ = io.ReadFull(rand, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Due is when the first attempt is to be made.
func (m *Message) Due() time.Time {
	if m.NotBefore.After(m.CreatedAt) {
		return m.NotBefore
	}
	return m.CreatedAt
}

// End is when it is given up.
func (m *Message) End() time.Time {
	if m.EndsAt.IsZero() {
		return m.Due().Add(Patience)
	}
	return m.EndsAt
}

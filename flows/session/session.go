// Package session is a subject's login session: who authenticated, when, how, and for how long that counts.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Session is one login of one subject. The bearer handle of a session (its SID) is derived from ID and the
// tenant's secret, so that what is stored opens nothing; see Handle.
type Session struct {
	ID        string // 128 random bits, base64url
	Subject   string
	AuthTime  time.Time
	CreatedAt time.Time
	UsedAt    time.Time // last use; kept only as exactly as MaxIdle needs
	ACR       string
	AMR       []string
	MaxLife   int64           // minutes from CreatedAt after which it closes; negative: never
	AuthLife  int64           // minutes from AuthTime after which the subject must authenticate again; negative: never
	MaxIdle   int64           // minutes unused after which it closes; negative: never
	Claims    json.RawMessage // object, copied into ID tokens; may be nil
	Data      json.RawMessage // object, for login UIs; may be nil
	Clients   []string        // relying parties that got tokens in it
	JKT       string          // thumbprint of the key that it is bound to (RFC 7638), fixed when it begins; empty: to none
	FPT       string          // fingerprint of the user agent that it is bound to, likewise
	Context   string          // what it is used in; fixed when it begins: Browser, NativeApp, or the tenant's own word
	Turn      int64           // raised when our own pages authenticate it again, so that the old handle is dead
}

// The contexts that mean something here. A session of one is of no use in another.
const (
	Browser   = ""    // of a browser, by its cookie
	NativeApp = "NIA" // of an app of the identity provider's on a subject's device, which answers for the subject
)

// Open reports whether the session exists at all at now: neither its life nor its idle time has passed.
func (s *Session) Open(now time.Time) bool {
	return within(s.CreatedAt, s.MaxLife, now) && within(s.UsedAt, s.MaxIdle, now)
}

// Fresh reports whether the authentication itself still counts at now.
func (s *Session) Fresh(now time.Time) bool { return within(s.AuthTime, s.AuthLife, now) }

// ExpiresAt is when the session closes if it is not used again; zero: never.
func (s *Session) ExpiresAt() time.Time {
	var at time.Time
	for _, end := range []struct {
		from    time.Time
		minutes int64
	}{{s.CreatedAt, s.MaxLife}, {s.UsedAt, s.MaxIdle}} {
		if end.minutes < 0 {
			continue
		}
		if t := end.from.Add(span(end.minutes)); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}

func within(from time.Time, minutes int64, now time.Time) bool {
	return minutes < 0 || now.Before(from.Add(span(minutes)))
}

// maxMinutes is the longest time a session can be told to last: 100 years.
const maxMinutes = 100 * 365 * 24 * 60

// span is a positive number of minutes as a duration, which cannot hold every one.
func span(minutes int64) time.Duration { return time.Duration(min(minutes, maxMinutes)) * time.Minute }

// ErrNotFound: no such session at this tenant, or it has closed.
var ErrNotFound = errors.New("session: no such session")

// Store keeps sessions.
type Store interface {
	// Session returns the session of that id, whatever its times say, or ErrNotFound.
	Session(ctx context.Context, t tenant.ID, id string) (*Session, error)
	// Sessions lists a subject's sessions, newest first.
	Sessions(ctx context.Context, t tenant.ID, sub string) ([]Session, error)
	// EndSession removes a session and revokes the grants that hang on it, with a revocation for each that
	// lives until tokensUntil; it returns those revocations, for this instance's journal. Ending a session
	// that is not there is ErrNotFound and changes nothing.
	EndSession(ctx context.Context, t tenant.ID, id string, now, tokensUntil time.Time, ev audit.Event) ([]tenant.Revocation, error)
}

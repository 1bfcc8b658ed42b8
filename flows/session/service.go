package session

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Service makes, finds and ends sessions.
type Service struct {
	Now      func() time.Time
	Rand     io.Reader
	Store    Store
	Register Register // of those who look after sessions; may be nil elsewhere
}

// Login is what whoever authenticated a subject says about it. Zero members take the tenant's defaults.
type Login struct {
	Subject                    string
	AuthTime, CreatedAt        time.Time // now
	ACR                        string
	AMR                        []string
	MaxLife, AuthLife, MaxIdle int64 // minutes; negative: unlimited
	Claims, Data               json.RawMessage
	Context                    string // of a session that begins, as Session has it
	JKT, FPT                   string // of a session that begins: base64url of SHA-256; a session that goes on keeps its own
}

// maxSubject is the longest subject identifier, in bytes (OIDC Core §2).
const maxSubject = 255

// Subject reports whether sub may be a subject identifier: 1 to 255 printable ASCII characters, spaces among them (OIDC
// Core §2).
func Subject(sub string) bool {
	return len(sub) <= maxSubject && strings.Trim(sub, " ") != "" && !strings.ContainsFunc(sub, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// maxAMR is how many methods of authentication a login has at most.
const maxAMR = 16

// Check returns invalid_request where l cannot be a login at now.
func (l *Login) Check(now time.Time) error {
	switch {
	case !Subject(l.Subject):
		return oauth.InvalidRequest("sub must have 1 to 255 printable ASCII characters")
	case l.AuthTime.After(now.Add(time.Minute)):
		return oauth.InvalidRequest("auth_time must not lie ahead")
	case l.CreatedAt.After(now.Add(time.Minute)):
		return oauth.InvalidRequest("creation_time must not lie ahead")
	case !short(l.ACR):
		return oauth.InvalidRequest("acr must be a short string without control characters")
	case len(l.AMR) > maxAMR || slices.ContainsFunc(l.AMR, func(v string) bool { return v == "" || !short(v) }):
		return oauth.InvalidRequest("amr must be at most 16 short strings without control characters")
	}
	if err := CheckContext(l.Context); err != nil {
		return err
	}
	for _, f := range [][2]string{{"jkt", l.JKT}, {"fpt", l.FPT}} {
		if f[1] != "" && !Thumbprint(f[1]) {
			return oauth.InvalidRequest(f[0] + " must be the base64url form of a SHA-256 hash")
		}
	}
	for _, minutes := range []int64{l.MaxLife, l.AuthLife, l.MaxIdle} {
		if minutes > maxMinutes {
			return oauth.InvalidRequest("max_life, auth_life and max_idle must not exceed 100 years of minutes")
		}
	}
	return nil
}

// Thumbprint reports whether s is the base64url form of a SHA-256 hash.
func Thumbprint(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && len(s) == 43
}

// CheckContext returns invalid_request where s cannot be the context of sessions.
func CheckContext(s string) error {
	if len(s) > 32 || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) {
		return oauth.InvalidRequest("ctx must have 1 to 32 letters, digits, hyphens and underscores")
	}
	return nil
}

func short(v string) bool {
	return len(v) <= 255 && !strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// New returns the session that login l begins. It writes nothing.
func (s *Service) New(t *tenant.Tenant, l Login) *Session {
	b := make([]byte, 16)
	_, _ = io.ReadFull(s.Rand, b)
	n := &Session{ID: base64.RawURLEncoding.EncodeToString(b), Subject: l.Subject, CreatedAt: l.CreatedAt, JKT: l.JKT, FPT: l.FPT, Context: l.Context}
	if n.CreatedAt.IsZero() {
		n.CreatedAt = s.Now()
	}
	d := &t.Settings.Sessions
	n.MaxLife, n.AuthLife, n.MaxIdle = d.MaxLifeMinutes(), d.AuthLifeMinutes(), d.MaxIdleMinutes()
	s.authenticate(n, l)
	return n
}

// Again returns what becomes of the session when its subject authenticates once more. It writes nothing. turn makes
// the old handle worthless.
func (s *Service) Again(old *Session, l Login, turn bool) *Session {
	n := *old
	if turn {
		n.Turn++
	}
	s.authenticate(&n, l)
	return &n
}

func (s *Service) authenticate(n *Session, l Login) {
	now := s.Now()
	n.UsedAt, n.AuthTime, n.ACR, n.AMR = now, l.AuthTime, l.ACR, l.AMR
	if n.AuthTime.IsZero() {
		n.AuthTime = now
	}
	// A time that l does not give follows where it gives a shorter one that is its limit; see Fits.
	upper := int64(0)
	for _, f := range []struct {
		to   *int64
		from int64
	}{{&n.MaxLife, l.MaxLife}, {&n.AuthLife, l.AuthLife}, {&n.MaxIdle, l.MaxIdle}} {
		switch {
		case f.from != 0:
			*f.to, upper = f.from, f.from
		case upper != 0 && exceeds(*f.to, upper):
			*f.to = upper
		}
	}
	if l.Claims != nil {
		n.Claims = l.Claims
	}
	if l.Data != nil {
		n.Data = l.Data
	}
}

// Stale reports whether the last use of n is known less exactly at now than its idle limit needs: to the minute, and a
// tenth of that limit.
func (n *Session) Stale(now time.Time) bool {
	return n.MaxIdle >= 0 && now.Sub(n.UsedAt) >= min(time.Minute, span(n.MaxIdle)/10)
}

// Fits reports whether the times that l gave n keep max_life ≥ auth_life ≥ max_idle among themselves, and where they
// are limited also with the times it did not give. What the tenant set for all need not.
func (n *Session) Fits(l Login) bool {
	for _, p := range []struct{ upper, lower, givenUpper, givenLower int64 }{
		{n.MaxLife, n.AuthLife, l.MaxLife, l.AuthLife},
		{n.AuthLife, n.MaxIdle, l.AuthLife, l.MaxIdle},
		{n.MaxLife, n.MaxIdle, l.MaxLife, l.MaxIdle},
	} {
		if exceeds(p.lower, p.upper) && (p.givenLower > 0 || p.givenLower < 0 && p.givenUpper != 0) {
			return false
		}
	}
	return true
}

// exceeds compares two times in minutes, of which a negative one is unlimited.
func exceeds(a, b int64) bool { return b >= 0 && (a < 0 || a > b) }

// Handle returns the bearer handle (SID) of a session: its id and a MAC over it under the tenant's secret.
func (s *Service) Handle(t *tenant.Tenant, n *Session) string {
	return n.ID + "." + base64.RawURLEncoding.EncodeToString(mac(t, n))
}

func mac(t *tenant.Tenant, n *Session) []byte {
	parts := [][]byte{[]byte(n.ID), binary.BigEndian.AppendUint64(nil, uint64(n.Turn))}
	if n.Context != Browser {
		parts = append(parts, []byte(n.Context))
	}
	return t.Secret.MAC("session handle", parts...)[:16]
}

// ID returns the session id within a handle, and whether the handle has the shape of one.
func ID(handle string) (id string, ok bool) {
	id, m, ok := strings.Cut(handle, ".")
	return id, ok && is128(id) && is128(m)
}

// is128 reports whether s is the base64url form of 128 bits.
func is128(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 16 && len(s) == 22
}

// Owns reports whether handle opens session n, and n is a browser's.
func (s *Service) Owns(t *tenant.Tenant, handle string, n *Session) bool {
	return n.Context == Browser && s.Opens(t, handle, n)
}

// Opens reports whether handle opens session n, of whatever context.
func (s *Service) Opens(t *tenant.Tenant, handle string, n *Session) bool {
	id, m, _ := strings.Cut(handle, ".")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(m)
	return err == nil && id == n.ID && hmac.Equal(sum, mac(t, n))
}

// Current returns the open session of a browser that handle opens, or ErrNotFound.
func (s *Service) Current(ctx context.Context, t *tenant.Tenant, handle string) (*Session, error) {
	n, err := s.Find(ctx, t, handle)
	if err == nil && n.Context != Browser {
		return nil, ErrNotFound
	}
	return n, err
}

// Find is Current for sessions of any context: for those who look after them.
func (s *Service) Find(ctx context.Context, t *tenant.Tenant, handle string) (*Session, error) {
	id, ok := ID(handle)
	if !ok {
		return nil, ErrNotFound
	}
	n, err := s.Store.Session(ctx, t.ID, id)
	if err != nil {
		return nil, err
	}
	if !s.Opens(t, handle, n) || !n.Open(s.Now()) {
		return nil, ErrNotFound
	}
	return n, nil
}

// End ends a session and revokes what hangs on it. Ending one that is gone is no error.
func (s *Service) End(ctx context.Context, t *tenant.Tenant, n *Session, address string) error {
	return s.end(ctx, t, n, By{Address: address})
}

func (s *Service) end(ctx context.Context, t *tenant.Tenant, n *Session, by By) error {
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.SessionEnded, Actor: by.Actor, Subject: n.Subject, Session: n.ID, Address: by.Address}
	rs, err := s.Store.EndSession(ctx, t.ID, n.ID, now, now.Add(t.Settings.LongestAccessToken()), ev)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Revoked.Add(rs...)
	return nil
}

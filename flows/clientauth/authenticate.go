package clientauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Limiter counts guesses. A key is what is guessed at, a source whence the guess came.
type Limiter interface {
	// Blocked reports whether that guess is refused just now, and for how long.
	Blocked(ctx context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool)
	// Fail notes a wrong guess.
	Fail(ctx context.Context, t tenant.ID, what, key, source string)
}

// guessed is the name of client secrets at the Limiter.
const guessed = "client_secret"

// Service authenticates clients.
type Service struct {
	Now           func() time.Time
	Limit         Limiter            // nil: guesses are not limited
	Keys          *tenant.ClientKeys // of those who sign assertions
	Replay        Replay             // of assertions
	TokenEndpoint string             // path below an issuer, which assertions may name instead of it; empty: they may not
}

// ErrFailed is the one answer to an unknown client, a disabled one, a wrong secret and a method that is not the
// client's.
var ErrFailed = oauth.InvalidClient("Client authentication failed")

// decoy stands in for a client that is unknown, disabled or uses another method. Its secret hash is of nothing known.
var decoy = &tenant.Client{Secrets: []tenant.ClientSecret{{Hash: make([]byte, sha256.Size)}}}

// Authenticate returns the client that is calling. Credentials by two methods are invalid_request; none at all, and
// all that do not prove a client, are invalid_client. Whoever presents too many wrong secrets of a client is told to
// slow_down, with a Wait, while the client itself is served elsewhere. When the client cannot be looked up, or the use of
// its assertion not recorded, the answer is temporarily_unavailable.
func (s *Service) Authenticate(ctx context.Context, t *tenant.Tenant, c Credentials) (*tenant.Client, error) {
	if c.asserts() {
		c.assertion, c.broken = parseAssertion(c.AssertionType, c.Assertion)
	}
	m, id, err := c.method()
	if err != nil {
		return nil, err
	}
	if m.guess && s.Limit != nil {
		if wait, blocked := s.Limit.Blocked(ctx, t.ID, guessed, id, c.Address); blocked {
			return nil, oauth.SlowDown("Too many failed attempts, try again later").Because(oauth.Wait(wait))
		}
	}
	client, err := lookup(ctx, t, id)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	ways := m.of(client, now)
	known, locked := len(ways) > 0, client != nil && client.Disabled
	if !known {
		client, ways = decoy, []*method{m}
	}
	for _, m = range ways {
		if err = m.refused(client, c.assertion); err != nil {
			continue
		}
		if err = m.proves(s, ctx, &attempt{Credentials: &c, tenant: t, client: client, now: now}); err == nil {
			break
		}
	}
	switch {
	case err == nil && known:
		return client, nil
	case errors.Is(err, oauth.Unavailable()):
		return nil, err
	case m.guess && s.Limit != nil:
		s.Limit.Fail(ctx, t.ID, guessed, id, c.Address)
	}
	if locked {
		return nil, ErrFailed.Because(tenant.ErrClientLocked)
	}
	if known && err != nil && (c.asserts() || !m.guess) {
		return nil, ErrFailed.Because(err)
	}
	return nil, ErrFailed
}

// method returns the one method that c uses, and the client id it names.
func (c *Credentials) method() (*method, string, error) {
	var used *method
	var id string
	for i := range methods {
		m := &methods[i]
		named, ok := m.presented(c)
		switch {
		case !ok:
		case used == nil:
			used, id = m, named
		case m.name != oauth.AuthNone:
			return nil, "", oauth.InvalidRequest("The request uses more than one method of client authentication")
		case named != id: // a client_id beside other credentials is no method, but must not contradict them
			return nil, "", oauth.InvalidRequest("client_id is not that of the client credentials")
		}
	}
	if used == nil {
		return nil, "", oauth.InvalidClient("Client authentication is required")
	}
	return used, id, nil
}

// lookup returns the client of that id, or nil.
func lookup(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	if !possible(id) {
		return nil, nil
	}
	client, err := t.Clients.Client(ctx, id)
	if errors.Is(err, tenant.ErrNoClient) {
		return nil, nil
	}
	if err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	return client, nil
}

// possible reports whether a client may have that id at all (RFC 6749 Appendix A.1), so that no other reaches a store.
func possible(id string) bool {
	return id != "" && len(id) <= 255 && !strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

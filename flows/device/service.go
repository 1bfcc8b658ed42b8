// Package device is how a device without a browser begins to ask for access (RFC 8628): it shows a code, which its user
// enters elsewhere.
package device

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Service begins device authorizations and finds them by their user codes. Flow answers them.
type Service struct {
	Now       func() time.Time
	Rand      io.Reader
	Requests  *request.Service
	Issuer    *grant.Issuer
	Store     Store
	Decoupled decoupled.Store
	Limit     Limiter // of guesses at user codes; nil: they are not limited
	Page      string  // path below the issuer of the page where users enter the code

	Managed grant.Managed // agreements that clients manage; nil where Requests knows of none
}

// kind is what the device grant has of its own.
var kind = decoupled.Kind{GrantType: oauth.DeviceCode, Handle: decoupled.Handle{Use: "device_code", Size: 32},
	Invalid: oauth.InvalidGrant("device_code is invalid or already used"), Expired: oauth.ExpiredToken("device_code has expired")}

// Flow answers device authorizations, and the polls for them.
func (s *Service) Flow() *decoupled.Flow {
	return &decoupled.Flow{Kind: kind, Now: s.Now, Store: s.Decoupled, Issuer: s.Issuer, Managed: s.Managed}
}

// Authorization is a device authorization response (RFC 8628 §3.2), with the request it answers.
type Authorization struct {
	DeviceCode              string
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	ExpiresIn               time.Duration
	Interval                time.Duration
	Request                 *request.Request
}

// attempts is how many user codes are tried. With as few as may wait, hardly ever is one taken.
const attempts = 8

// Begin records a request of a client that has authenticated, or is public. The error is one of RFC 6749 §5.2, or
// slow_down where too many devices wait.
func (s *Service) Begin(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (Authorization, error) {
	r, err := s.Requests.ValidateDevice(ctx, t, client, params)
	if err != nil {
		return Authorization{}, err
	}
	now, d := s.Now(), &t.Settings.Device
	a := decoupled.Authentication{ID: s.Issuer.NewID(), State: decoupled.Waiting, ClientID: client.ID, Request: r, Interval: t.Settings.DeviceInterval(),
		CreatedAt: now, EndsAt: now.Add(t.Settings.DeviceLifetime())}
	var code string
	for range attempts {
		code = newUserCode(s.Rand, d)
		if err = s.Store.BeginDevice(ctx, t.ID, a, mac(t, code), d.MaxWaiting()); !errors.Is(err, ErrTaken) {
			break
		}
	}
	switch {
	case errors.Is(err, ErrFull):
		return Authorization{}, oauth.SlowDown("too many devices wait for their users, try again later").Because(errors.Join(err, oauth.Wait(time.Minute)))
	case errors.Is(err, ErrTaken):
		return Authorization{}, oauth.Unavailable().Because(err)
	case err != nil:
		return Authorization{}, err
	}
	out := Authorization{DeviceCode: kind.Handle.Of(t, a.ID), UserCode: code, ExpiresIn: t.Settings.DeviceLifetime(), Interval: a.Interval, Request: r}
	out.VerificationURI, out.VerificationURIComplete = s.page(t, code)
	return out, nil
}

// page is where the user enters the code, without and with it: at the tenant's own page, where it has one.
func (s *Service) page(t *tenant.Tenant, code string) (plain, complete string) {
	d := &t.Settings.Device
	if d.VerificationURIComplete != "" {
		return d.VerificationURI, strings.ReplaceAll(d.VerificationURIComplete, tenant.UserCodeHere, url.QueryEscape(code))
	}
	plain = cmp.Or(d.VerificationURI, t.Issuer+s.Page)
	before := "?"
	if strings.Contains(plain, "?") {
		before = "&"
	}
	return plain, plain + before + url.Values{"user_code": {code}}.Encode()
}

// Guess says who enters a user code. The zero Guess is that of somebody who acts for the tenant, and limits its users.
type Guess struct {
	Address string // source
	Subject string // of the browser's session, if there is one
}

// The names of user codes at the Limiter. By source there is no key: any code that waits is guessed at.
const (
	guessed   = "user_code"
	byAccount = "user_code of account" // the key is the subject
)

// What Verify says of a code that cannot be used. Whoever only has the code must not be told one from the other.
var (
	ErrUnknown = oauth.InvalidRequest("the user code is unknown, expired or already used")
	ErrExpired = ErrUnknown.Because(errOver)
)

var errOver = errors.New("device: it has expired")

// Expired tells whether err is ErrExpired, which for users is the same as ErrUnknown.
func Expired(err error) bool { return errors.Is(err, errOver) }

// Verify returns what waits for whoever enters the code (RFC 8628 §3.3). It is written in any case, and with any or no
// punctuation. A code that has expired is ErrExpired, any other that nothing waits for ErrUnknown. After too many of them it
// is slow_down with a Wait.
func (s *Service) Verify(ctx context.Context, t *tenant.Tenant, code string, g Guess) (*decoupled.Pending, error) {
	if wait, blocked := s.blocked(ctx, t, g); blocked {
		return nil, oauth.SlowDown("Too many wrong codes, try again later").Because(oauth.Wait(wait))
	}
	a, err := s.Store.Device(ctx, t.ID, mac(t, code))
	var p *decoupled.Pending
	if err == nil {
		p, err = decoupled.WithClient(ctx, t, a)
	}
	if err != nil && !errors.Is(err, decoupled.ErrNotFound) {
		return nil, err
	}
	if err != nil || a.State != decoupled.Waiting || !s.Now().Before(a.EndsAt) {
		s.each(g, func(what, key, source string) { s.Limit.Fail(ctx, t.ID, what, key, source) })
		if err == nil && a.State == decoupled.Waiting {
			return nil, ErrExpired
		}
		return nil, ErrUnknown
	}
	s.each(g, func(what, key, source string) { s.Limit.Succeed(ctx, t.ID, what, key, source) })
	return p, nil
}

// each calls f for everything that guess g counts for.
func (s *Service) each(g Guess, f func(what, key, source string)) {
	if s.Limit == nil || g == (Guess{}) {
		return
	}
	f(guessed, "", g.Address)
	if g.Subject != "" {
		f(byAccount, g.Subject, "")
	}
}

func (s *Service) blocked(ctx context.Context, t *tenant.Tenant, g Guess) (wait time.Duration, blocked bool) {
	s.each(g, func(what, key, source string) {
		if w, b := s.Limit.Blocked(ctx, t.ID, what, key, source); b {
			wait, blocked = max(wait, w), true
		}
	})
	return wait, blocked
}

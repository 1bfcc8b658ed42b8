package account

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// OneTimeCode is a code on its way to a subject.
type OneTimeCode struct {
	Exchange  []byte // in the course of which it is asked for, such as an auth_session
	Subject   string
	Hash      []byte
	ExpiresAt time.Time
}

// How long a code may be used, and how often tried.
const (
	codeLife     = 5 * time.Minute
	codeAttempts = 5
)

// Sending is a code that is to be sent.
type Sending struct {
	Exchange []byte // what the code is for: it counts nowhere else
	Subject  string
	ClientID string
	To       string // where to, in the words of whoever sends; empty: the sender knows
}

// Delivery is a code as whoever sends it is told of it. It is written nowhere else.
type Delivery struct {
	Sending
	Code      string
	ExpiresIn time.Duration
}

// Allower counts calls under a limit.
type Allower interface {
	Allow(ctx context.Context, t tenant.ID, what string, keys ...string) (retryAfter time.Duration, ok bool)
}

// sentCode is the name of codes that are sent, at the Allower: subject, client.
const sentCode = "sent code"

// SendCode makes a code of six digits for one use, in place of the one before it in the same exchange, and has it sent. Too
// many for the subject or by the client are slow_down with a Wait. What cannot be sent is temporarily_unavailable, and the
// code worth nothing to anybody.
func (s *Service) SendCode(ctx context.Context, t *tenant.Tenant, in Sending) error {
	if !possible(in.Subject) || len(in.Exchange) == 0 {
		return errors.New("account: a code for nobody, or for nothing")
	}
	if s.Deliver == nil {
		return oauth.Unavailable().Because(errors.New("account: nobody sends codes"))
	}
	if s.Sent != nil {
		if wait, ok := s.Sent.Allow(ctx, t.ID, sentCode, in.Subject, in.ClientID); !ok {
			return oauth.SlowDown("Too many codes were sent, try again later").Because(oauth.Wait(wait))
		}
	}
	var b [8]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return oauth.Unavailable().Because(err)
	}
	code := fmt.Sprintf("%06d", binary.BigEndian.Uint64(b[:])%1_000_000) // of 64 bits: no code is likelier than another to speak of
	c := OneTimeCode{Exchange: in.Exchange, Subject: in.Subject, Hash: codeHash(t, in.Exchange, in.Subject, code), ExpiresAt: s.now().Add(codeLife)}
	if err := s.Factors.PutCode(ctx, t.ID, c); err != nil {
		return oauth.Unavailable().Because(err)
	}
	return s.Deliver(ctx, t, Delivery{Sending: in, Code: code, ExpiresIn: codeLife})
}

// codeHash is how a code is kept. It has few bits: without the tenant's secret, which is stored encrypted, nothing can be
// tried against the hash.
func codeHash(t *tenant.Tenant, exchange []byte, sub, code string) []byte {
	return t.Secret.MAC("one-time code", exchange, []byte(sub), []byte(code))
}

// CheckCode returns nil where code is the one that was sent to the subject in that exchange, once. Any other is ErrCode, and
// so is the right one after five attempts, or five minutes; too many wrong ones for the subject, from the address or by the
// client are slow_down with a Wait.
func (s *Service) CheckCode(ctx context.Context, t *tenant.Tenant, exchange []byte, sub, code string, g Guesser) error {
	if err := s.closed(ctx, t, sub, g); err != nil {
		return err
	}
	if !possible(sub) || len(exchange) == 0 {
		return ErrCode
	}
	right, err := s.Factors.TryCode(ctx, t.ID, exchange, sub, codeHash(t, exchange, sub, digits(code)), s.now(), codeAttempts)
	switch {
	case err != nil && !errors.Is(err, ErrReplayed):
		return oauth.Unavailable().Because(err)
	case err != nil, !right:
		s.wrong(ctx, t, sub, g)
		return s.refused(ctx, t, sub, "code", g)
	}
	s.right(ctx, t, sub, g)
	return nil
}

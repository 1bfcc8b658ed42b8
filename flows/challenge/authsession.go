package challenge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// authSession is an exchange that goes on over several calls: an interaction, and what is kept with it. Its handle is
// 128 random bits, of which the hash is stored, and a MAC over them and the number of the turn, so that each answer has
// another handle and nothing stored opens anything.
type authSession struct {
	authorize.Interaction
	id    []byte
	state state
	again bool // it was reached by the handle of the turn before
}

// state is the data of the interaction.
type state struct {
	Turn       int64             `json:"turn,omitempty"` // of the newest handle
	Attributes map[string]string `json:"attributes,omitempty"`
	Wrong      int               `json:"wrong,omitempty"` // guesses so far
	Last       *last             `json:"last,omitempty"`

	Key    oauth.Confirmation `json:"key,omitzero"`     // that it is bound to
	Proved *Proved            `json:"proved,omitempty"` // by the user so far
	Grant  string             `json:"grant,omitempty"`  // that its code is of; empty: it has none yet
}

// last is how the newest turn came about. Mark tells the call that did it: it is keyed by the handle that came with the
// call, which is stored nowhere, so that no guess at what else was sent can be checked against it.
type last struct {
	Mark []byte          `json:"mark"`
	Code string          `json:"code"`
	Data json.RawMessage `json:"data,omitempty"`
	At   time.Time       `json:"at"`
}

const (
	idSize  = 16
	macSize = 16

	handleSize = 43 // in base64url, without the line ends that a decoder skips

	maxWrong = 5                // guesses; with the last of them the session ends
	grace    = 10 * time.Second // in which a call may be repeated whose answer was lost
)

// newAuthSession returns a session that is not stored yet.
func (s *Service) newAuthSession(t *tenant.Tenant) *authSession {
	now := s.Now()
	a := &authSession{id: make([]byte, idSize)}
	_, _ = io.ReadFull(s.Rand, a.id)
	a.Hash, a.Step, a.Binding = hashID(a.id), authorize.StepChallenge, binding(t)
	a.CreatedAt, a.ExpiresAt = now, now.Add(t.Settings.ChallengeLifetime())
	return a
}

// find returns the session that handle reaches, or nil.
func (s *Service) find(ctx context.Context, t *tenant.Tenant, handle string) (*authSession, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(handle)
	if err != nil || len(handle) != handleSize {
		return nil, nil
	}
	a := &authSession{id: b[:idSize]}
	i, err := s.Authorize.Store.Load(ctx, t.ID, s.Now(), hashID(a.id))
	if errors.Is(err, authorize.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if i.Step != authorize.StepChallenge || subtle.ConstantTimeCompare(i.Binding, binding(t)) != 1 {
		return nil, nil
	}
	a.Interaction = *i
	if err := json.Unmarshal(i.Data, &a.state); err != nil {
		return nil, err
	}
	now, before := hmac.Equal(b[idSize:], a.mac(t, a.state.Turn)), hmac.Equal(b[idSize:], a.mac(t, a.state.Turn-1))
	if a.again = before; !now && !before {
		return nil, nil
	}
	return a, nil
}

// repeats reports whether the call that reached a by handle is the one that made its newest turn, at now.
func (a *authSession) repeats(now time.Time, handle string, params url.Values) bool {
	l := a.state.Last
	return a.again && l != nil && now.Before(l.At.Add(grace)) && hmac.Equal(l.Mark, mark(handle, params))
}

// spent reports whether the call that reached a by handle is the one that got its code.
func (a *authSession) spent(handle string, params url.Values) bool {
	return a.state.Grant != "" && (a.again || a.state.Last != nil && hmac.Equal(a.state.Last.Mark, mark(handle, params)))
}

// handle is that of the newest turn.
func (a *authSession) handle(t *tenant.Tenant) string {
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{}, a.id...), a.mac(t, a.state.Turn)...))
}

func (a *authSession) mac(t *tenant.Tenant, turn int64) []byte {
	return t.Secret.MAC("auth_session", a.id, binary.BigEndian.AppendUint64(nil, uint64(turn)))[:macSize]
}

// mark tells a call with that handle from any other.
func mark(handle string, params url.Values) []byte {
	m := hmac.New(sha256.New, []byte(handle))
	m.Write([]byte(params.Encode()))
	return m.Sum(nil)
}

func hashID(id []byte) []byte {
	h := sha256.Sum256(id)
	return h[:]
}

// binding is what the interaction is bound to in place of a browser, so that nothing else opens it.
func binding(t *tenant.Tenant) []byte { return t.Secret.MAC("auth_session binding") }

// secrets are never kept, whoever asks for it.
var secrets = map[string]bool{
	"password": true, "otp": true, "client_secret": true, "client_assertion": true, "assertion": true, "code_verifier": true,
	"DPoP": true, "dpop": true, "Authorization": true, "authorization": true, "auth_session": true, "device_session": true,
}

// What may be kept at most; sizes are in bytes.
const (
	maxAttributes = 32
	maxName       = 64
	maxValue      = 2048
	maxKept       = 16 << 10
)

const errKept = misstep("keeps too much")

// longSecret is how long a secret is, in bytes, that is not by chance a part of something else.
const longSecret = 8

// betrays reports whether value is, or holds, a secret of that call: one that did not come by another name, too.
func betrays(value string, params url.Values) bool {
	for name := range params {
		secret := params.Get(name)
		if !secrets[name] || secret == "" || value != secret && (len(secret) < longSecret || !strings.Contains(value, secret)) {
			continue
		}
		told := false
		for other := range params {
			told = told || !secrets[other] && params.Get(other) == secret
		}
		if !told {
			return true
		}
	}
	return false
}

// keep adds attributes to those of a, but none of the secrets that came with the call, whatever they are called now.
func (a *authSession) keep(attributes map[string]string, params url.Values) error {
	kept := maps.Clone(a.state.Attributes)
	if kept == nil {
		kept = map[string]string{}
	}
	for name, value := range attributes {
		if !secrets[name] && !betrays(value, params) {
			kept[name] = value
		}
	}
	total := 0
	for name, value := range kept {
		if total += len(name) + len(value); name == "" || len(name) > maxName || len(value) > maxValue {
			return errKept
		}
	}
	if len(kept) > maxAttributes || total > maxKept {
		return errKept
	}
	a.state.Attributes = kept
	return nil
}

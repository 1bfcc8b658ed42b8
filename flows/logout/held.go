package logout

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// A request to log out that waits for its user's answer elsewhere is its own handle: sealed under the tenant's secret, so
// that nothing is stored before anybody has agreed to anything.

const (
	heldPurpose = "held logout"
	heldType    = "logout-session"
	// heldLife is how long it waits.
	heldLife = 10 * time.Minute
)

// ErrNotFound: the handle is not one of t's, or its time is over.
var ErrNotFound = errors.New("logout: no such request")

type held struct {
	Client    string   `json:"client,omitempty"`
	Session   string   `json:"session,omitempty"`
	Turn      int64    `json:"turn,omitempty"`
	Confirm   bool     `json:"confirm,omitempty"`
	Hinted    bool     `json:"hinted,omitempty"`
	Hint      string   `json:"hint,omitempty"`
	UILocales []string `json:"ui_locales,omitempty"`
	To        string   `json:"to,omitempty"`
	EndsAt    int64    `json:"ends_at"` // Unix seconds
}

// Hold returns the handle of a request that waits for an answer.
func (s *Service) Hold(t *tenant.Tenant, p Prompt) (handle string, err error) {
	h := held{Confirm: p.Confirm, Hinted: p.Hinted, Hint: p.Hint, UILocales: p.UILocales, To: p.to, EndsAt: s.Sessions.Now().Add(heldLife).Unix()}
	if p.Client != nil {
		h.Client = p.Client.ID
	}
	if p.Session != nil {
		h.Session, h.Turn = p.Session.ID, p.Session.Turn
	}
	b, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	return t.Secret.Encrypt(heldPurpose, heldType, string(b))
}

// Resume returns the request of a handle that Hold returned, or ErrNotFound. Its session is nil where it has ended since.
func (s *Service) Resume(ctx context.Context, t *tenant.Tenant, handle string) (p Prompt, err error) {
	var h held
	plain, err := t.Secret.Decrypt(heldPurpose, heldType, handle)
	if err != nil || json.Unmarshal([]byte(plain), &h) != nil || !s.Sessions.Now().Before(time.Unix(h.EndsAt, 0)) {
		return p, ErrNotFound
	}
	p = Prompt{Confirm: h.Confirm, Hinted: h.Hinted, Hint: h.Hint, UILocales: h.UILocales, to: h.To}
	if h.Client != "" {
		if p.Client, err = client(ctx, t, h.Client); err != nil {
			return p, err
		}
	}
	if h.Session != "" {
		n, err := s.Sessions.Store.Session(ctx, t.ID, h.Session)
		switch {
		case errors.Is(err, session.ErrNotFound):
		case err != nil:
			return p, err
		case n.Turn == h.Turn && n.Open(s.Sessions.Now()):
			p.Session = n
		}
	}
	return p, nil
}

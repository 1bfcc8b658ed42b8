package grant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// SID is what a client knows a login session by: the sid claim of its ID tokens and logout tokens, and a parameter of
// front-channel logout (Front-Channel Logout §3, Back-Channel Logout §2.1). It opens nothing, and two clients that put
// theirs together do not learn that they have the same session.
func SID(t *tenant.Tenant, sessionID, clientID string) string {
	return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("session of a client", []byte(sessionID), []byte(clientID))[:16])
}

const (
	// logoutTokenType is the typ of a logout token (Back-Channel Logout §2.4).
	logoutTokenType = "logout+jwt"
	// logoutTokenLife is how long a logout token may be used; each attempt to deliver it makes a new one.
	logoutTokenLife = 2 * time.Minute
)

// logoutEvent is the one event of a logout token (Back-Channel Logout §2.4).
var logoutEvent = json.RawMessage(`{"http://schemas.openid.net/event/backchannel-logout":{}}`)

// LogoutToken is what a logout token tells a client.
type LogoutToken struct {
	ID      string // jti; the same in every attempt
	Client  *tenant.Client
	Subject string // empty: it does not tell
	Session string // id; empty: all of the subject's
}

// MintLogoutToken makes a logout token (Back-Channel Logout §2.4), signed and encrypted as the client's ID tokens are. It
// is always signed.
func (i *Issuer) MintLogoutToken(ctx context.Context, t *tenant.Tenant, l LogoutToken) (string, error) {
	now, p := i.Now(), ForIDToken(t, l.Client)
	if p.Alg == keys.None {
		p.Alg = t.Settings.IDTokenAlg(&tenant.Client{})
	}
	sid := ""
	if l.Session != "" {
		sid = SID(t, l.Session, l.Client.ID)
	}
	payload, err := json.Marshal(struct {
		Issuer    string          `json:"iss"`
		Subject   string          `json:"sub,omitempty"`
		Audience  string          `json:"aud"`
		IssuedAt  int64           `json:"iat"`
		ExpiresAt int64           `json:"exp"`
		ID        string          `json:"jti"`
		SID       string          `json:"sid,omitempty"`
		Events    json.RawMessage `json:"events"`
	}{t.Issuer, t.SubjectFor(l.Client, l.Subject), l.Client.ID, now.Unix(), now.Add(logoutTokenLife).Unix(), l.ID, sid, logoutEvent})
	if err != nil {
		return "", err
	}
	return i.Seal(ctx, t, l.Client, p, logoutTokenType, payload)
}

// Hint is what an ID token tells that comes back as a hint.
type Hint struct {
	Subject   string // ours, also where the client was told a pairwise one
	SID       string // empty: it tells none
	ClientIDs []string
	Shared    bool // it is signed with the client's secret: nothing but a SID of ours proves that we issued it
}

// Of reports whether the hint was issued in the session of that id: it names the session as one of its clients does. Only
// we can make such a name, so that this holds whoever signed the hint.
func (h *Hint) Of(t *tenant.Tenant, sessionID string) bool {
	for _, c := range h.ClientIDs {
		if h.SID == SID(t, sessionID, c) {
			return true
		}
	}
	return false
}

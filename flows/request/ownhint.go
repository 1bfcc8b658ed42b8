package request

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Hint is what a login_hint_token says that the tenant signs itself. Whom it is about only the tenant can read.
type Hint struct {
	Issuer   string            `json:"iss"`
	Audience string            `json:"aud"`
	ID       string            `json:"jti"`
	IssuedAt int64             `json:"iat"`
	EndsAt   int64             `json:"exp"`
	ClientID string            `json:"client_id,omitempty"` // who may present it; empty: any client
	About    subjectIdentifier `json:"sub_id"`
}

// hintedSubject is the purpose of the names that subjects have in such tokens, each in its own.
const hintedSubject = "login hint"

// NewHint is the hint of that id about a subject.
func NewHint(t *tenant.Tenant, id, subject, clientID string, now time.Time, life time.Duration) Hint {
	return Hint{Issuer: t.Issuer, Audience: t.Issuer, ID: id, IssuedAt: now.Unix(), EndsAt: now.Add(life).Unix(), ClientID: clientID,
		About: subjectIdentifier{Format: "opaque", ID: t.Secret.Pseudonym(hintedSubject, id, subject)}}
}

// isOwn reports whether the tenant says that it signed j. It is the sender's word until the signature is verified.
func isOwn(t *tenant.Tenant, j *keys.Signed) bool {
	var claims map[string]json.RawMessage // by their exact names
	var iss string
	return json.Unmarshal(j.Payload, &claims) == nil && json.Unmarshal(claims["iss"], &iss) == nil && iss == t.Issuer
}

// ownHint is whom a hint is about that the tenant signed itself, and client presents.
func (s *Service) ownHint(t *tenant.Tenant, client *tenant.Client, token string) (sub string, err error) {
	now := s.Now()
	payload, err := t.Keys.Verify(now, HintTokenType, token)
	if err != nil {
		return "", errHintToken.Because(err)
	}
	o := &object{}
	var id subjectIdentifier
	var whose string
	if err = json.Unmarshal(payload, &o.claims); err == nil {
		err = json.Unmarshal(o.claims["sub_id"], &id)
	}
	if raw, there := o.claims["client_id"]; err == nil && there {
		err = json.Unmarshal(raw, &whose)
	}
	if err != nil {
		return "", errHintToken.Because(err)
	}
	c, err := o.claimed()
	sub, ours := t.Secret.RevealPseudonym(hintedSubject, c.jti, id.ID)
	switch {
	case err != nil || !slices.Contains(c.aud, t.Issuer) || c.exp.IsZero() || !ours || whose != "" && whose != client.ID:
		return "", errHintToken.Because(err)
	case !now.Before(c.exp):
		return "", oauth.ExpiredLoginHintToken("login_hint_token has expired")
	}
	return sub, nil
}

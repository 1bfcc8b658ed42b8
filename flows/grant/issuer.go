package grant

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Issuer mints credentials. It writes nothing: a store method records what it returns.
type Issuer struct {
	Now  func() time.Time
	Rand io.Reader
	Keys ClientKeys // nil: nothing is encrypted to a client's key
}

// id returns n random bytes.
func (i *Issuer) random(n int) []byte {
	b := make([]byte, n)
	_, _ = io.ReadFull(i.Rand, b)
	return b
}

// NewID returns a grant id: 128 random bits, base64url.
func (i *Issuer) NewID() string { return base64.RawURLEncoding.EncodeToString(i.random(16)) }

// MintAccess mints an access token of grant g for scope and audience, which lie within g's terms, with a life that
// does not pass notAfter (zero: no such end), but of a second at least. stored is set where the token is opaque and must be recorded.
func (i *Issuer) MintAccess(ctx context.Context, t *tenant.Tenant, g *Grant, scope oauth.Scope, audience []string, notAfter time.Time) (token string, life time.Duration, stored *AccessToken, err error) {
	now := i.Now()
	life = AccessLife(t, g.Terms.AccessToken.Lifetime)
	if !notAfter.IsZero() {
		life = min(life, notAfter.Sub(now).Truncate(time.Second))
	}
	life = max(life, time.Second) // expires_in 0 would be a token that never lived
	if len(audience) == 0 {
		audience = []string{t.Issuer}
	}
	a := AccessToken{ID: base64.RawURLEncoding.EncodeToString(i.random(16)), Grant: g.ID, Subject: g.Subject, Actor: g.Actor,
		ClientID: g.ClientID, Scope: scope, Audience: audience, Details: g.Terms.Details, Data: g.Terms.Data, IssuedAt: now.Truncate(time.Second),
		Confirmation: g.Terms.AccessToken.Confirmation}
	a.ExpiresAt = a.IssuedAt.Add(life)
	if opaque(t, g) {
		token = base64.RawURLEncoding.EncodeToString(i.random(32))
		a.Hash = Hash(token)
		return token, life, &a, nil
	}
	payload, err := json.Marshal(accessClaims{Issuer: t.Issuer, Subject: a.Subject, Audience: oneOrMany(audience), ClientID: a.ClientID,
		Scope: scope.String(), IssuedAt: a.IssuedAt.Unix(), ExpiresAt: a.ExpiresAt.Unix(), ID: a.ID, Grant: a.Grant,
		ACR: g.Terms.Login.ACR, AMR: g.Terms.Login.AMR, AuthTime: g.Terms.Login.AuthTime, Act: act(a.Actor), Details: a.Details, Data: a.Data,
		Confirmation: a.Confirmation})
	if err == nil && len(g.Terms.AccessToken.Claims) > 0 {
		payload, err = joined(payload, g.Terms.AccessToken.Claims)
	}
	if err != nil {
		return "", 0, nil, err
	}
	if g.Terms.AccessToken.Twin {
		stored = twin(t, a)
	}
	alg := g.Terms.AccessToken.Alg
	if alg == "" || !slices.Contains(t.Keys.Algs(now), alg) { // its last key may be gone
		alg = t.Settings.AccessTokenAlg()
	}
	token, err = t.Keys.Sign(ctx, now, alg, accessType, payload)
	if err == nil && g.Terms.AccessToken.Encrypt {
		token, err = t.Secret.Encrypt(encryption, accessType, token)
	}
	return token, life, stored, err
}

// twin is the opaque token that stands for the same as the JWT a, and is revoked with it. It is derived from jti, so
// that whoever holds the JWT leads us to what is stored.
func twin(t *tenant.Tenant, a AccessToken) *AccessToken {
	a.Twin = base64.RawURLEncoding.EncodeToString(t.Secret.MAC("access token twin", []byte(a.ID)))
	a.Hash = Hash(a.Twin)
	return &a
}

// AccessLife is the life of an access token whose grant asked for seconds; zero: the tenant's default.
func AccessLife(t *tenant.Tenant, seconds int64) time.Duration {
	if seconds <= 0 {
		return t.Settings.AccessTokenLifetime()
	}
	return shortened(t.Settings.LongestAccessToken(), seconds)
}

// shortened is life, or as many seconds where they are fewer; a duration cannot hold every number of them.
func shortened(life time.Duration, seconds int64) time.Duration {
	return time.Duration(min(seconds, int64(life/time.Second))) * time.Second
}

func opaque(t *tenant.Tenant, g *Grant) bool {
	switch g.Terms.AccessToken.Encoding {
	case Identifier:
		return true
	case SelfContained:
		return false
	}
	return t.Settings.Tokens.AccessTokenOpaque
}

// accessType is the typ of a JWT access token (RFC 9068 §2.1), also of one that is encrypted around a signed one. Such a
// token is opaque to everyone else: the key is the tenant's secret for this purpose.
const (
	accessType = "at+jwt"
	encryption = "access token encryption"
)

// accessClaims are the claims of a JWT access token (RFC 9068 §2.2). gid is the grant it came of; dat is the data
// that whoever decided the grant gave along.
type accessClaims struct {
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	Audience  any             `json:"aud"`
	ClientID  string          `json:"client_id"`
	Scope     string          `json:"scope,omitempty"`
	IssuedAt  int64           `json:"iat"`
	ExpiresAt int64           `json:"exp"`
	ID        string          `json:"jti"`
	Grant     string          `json:"gid,omitempty"`
	AuthTime  int64           `json:"auth_time,omitempty"`
	ACR       string          `json:"acr,omitempty"`
	AMR       []string        `json:"amr,omitempty"`
	Act       *actor          `json:"act,omitempty"`
	Details   oauth.Details   `json:"authorization_details,omitempty"` // RFC 9396 §9.1
	Data      json.RawMessage `json:"dat,omitempty"`

	Confirmation oauth.Confirmation `json:"cnf,omitzero"`
}

// actor is the act claim (RFC 8693 §4.1).
type actor struct {
	Subject string `json:"sub"`
}

func act(sub string) *actor {
	if sub == "" {
		return nil
	}
	return &actor{sub}
}

// oneOrMany writes a single audience as a string (RFC 7519 §4.1.3).
func oneOrMany(vs []string) any {
	if len(vs) == 1 {
		return vs[0]
	}
	return vs
}

// Hash is how codes and opaque tokens are stored.
func Hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// IsJWT reports whether token has the shape of a JWT, encrypted or not (RFC 7515 §3.1, RFC 7516 §3.1). No opaque token has.
func IsJWT(token string) bool { return strings.Count(token, ".") == 2 || encrypted(token) }

func encrypted(token string) bool { return strings.Count(token, ".") == 4 }

// ParseAccess returns what the JWT access token says if it is one of t's that lives at now and is not revoked, else
// ErrNotFound. It reads no store.
func (i *Issuer) ParseAccess(t *tenant.Tenant, token string) (*AccessToken, error) {
	now := i.Now()
	if encrypted(token) {
		var err error
		if token, err = t.Secret.Decrypt(encryption, accessType, token); err != nil {
			return nil, ErrNotFound
		}
	}
	payload, err := t.Keys.Verify(now, accessType, token)
	if err != nil {
		return nil, ErrNotFound
	}
	var c struct {
		accessClaims
		Audience audience `json:"aud"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != t.Issuer {
		return nil, ErrNotFound
	}
	a := &AccessToken{ID: c.ID, Grant: c.Grant, Subject: c.Subject, ClientID: c.ClientID, Audience: c.Audience, Details: c.Details, Data: c.Data,
		IssuedAt: time.Unix(c.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC(),
		Confirmation: c.Confirmation}
	if c.Act != nil {
		a.Actor = c.Act.Subject
	}
	if a.Scope, err = oauth.ParseScope(c.Scope); err != nil || !now.Before(a.ExpiresAt) || t.Revoked.Revoked(Issued(a)) {
		return nil, ErrNotFound
	}
	return a, nil
}

// Issued is what a revocation journal must know of a.
func Issued(a *AccessToken) tenant.Issued {
	return tenant.Issued{Token: a.ID, Grant: a.Grant, Subject: a.Subject, Actor: a.Actor, ClientID: a.ClientID, At: a.IssuedAt}
}

// audience reads aud in both its forms (RFC 7519 §4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// IDTokenType is the typ of an ID token.
const IDTokenType = "JWT"

// IDToken is what an ID token is made of beside the grant.
type IDToken struct {
	Client      *tenant.Client
	Accounts    Accounts
	AccessToken string // for at_hash
	Code        string // for c_hash, where it is given beside the ID token
	State       string // for s_hash, likewise
	First       bool   // of the grant: it has the lifetime, the nonce and the preset claims of the grant
}

// MintIDToken mints an ID token of grant g (OIDC Core §2, §12.2).
func (i *Issuer) MintIDToken(ctx context.Context, t *tenant.Tenant, g *Grant, d IDToken) (string, error) {
	now, alg, life := i.Now(), t.Settings.IDTokenAlg(d.Client), t.Settings.IDTokenLifetime()
	var ofSession, ofAccount, preset map[string]json.RawMessage
	var err error
	if g.Terms.Login.SessionClaims != nil {
		err = json.Unmarshal(g.Terms.Login.SessionClaims, &ofSession)
	}
	if err == nil && len(g.Terms.IDTokenClaims) > 0 {
		ofAccount, err = d.Accounts.Claims(ctx, t, g.Subject, g.Terms.IDTokenClaims, g.Terms.ClaimsLocales)
	}
	if err != nil {
		return "", err
	}
	if d.First {
		preset = g.Terms.PresetIDToken
		if l := g.Terms.IDToken.Lifetime; l > 0 {
			life = time.Duration(l) * time.Second
		}
	}
	claims := map[string]any{}
	for _, set := range []map[string]json.RawMessage{ofSession, ofAccount, preset} {
		for name, v := range set {
			if Presettable(name) {
				claims[name] = v
			}
		}
	}
	claims["iss"], claims["sub"], claims["aud"] = t.Issuer, g.IDTokenSubject(), g.ClientID
	if g.Terms.IDToken.AudienceList {
		claims["aud"] = []string{g.ClientID}
	}
	claims["iat"], claims["exp"] = now.Unix(), now.Add(life).Unix()
	l := &g.Terms.Login
	for _, c := range []struct {
		name string
		on   bool
		v    any
	}{
		{"auth_time", l.TellAuthTime && l.AuthTime != 0, l.AuthTime},
		{"acr", l.ACR != "", l.ACR},
		{"amr", len(l.AMR) > 0, l.AMR},
		{"nonce", d.First && l.Nonce != "", l.Nonce},
		{"at_hash", d.AccessToken != "", halfHash(alg, d.AccessToken)},
		{"c_hash", d.Code != "", halfHash(alg, d.Code)},
		{"s_hash", d.State != "", halfHash(alg, d.State)},
		{"act", g.Actor != "", act(g.Actor)},
	} {
		if c.on {
			claims[c.name] = c.v
		}
	}
	if g.SessionID != "" {
		claims["sid"] = SID(t, g.SessionID, g.ClientID)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return t.Keys.Sign(ctx, now, alg, IDTokenType, payload)
}

// ParseIDToken returns the subject of an ID token that t issued to the client, expired or not (OIDC Core §3.1.2.1,
// id_token_hint). A token that is none is ErrNotFound.
func (i *Issuer) ParseIDToken(t *tenant.Tenant, clientID, token string) (sub string, err error) {
	sub, audience, err := i.ParseIDTokenHint(t, token)
	if err != nil || !slices.Contains(audience, clientID) {
		return "", ErrNotFound
	}
	return sub, nil
}

// ParseIDTokenHint returns subject and audience of an ID token that t issued to whomever, expired or not (RP-Initiated
// Logout §2). A token that is none is ErrNotFound.
func (i *Issuer) ParseIDTokenHint(t *tenant.Tenant, token string) (sub string, clientIDs []string, err error) {
	payload, err := t.Keys.Verify(i.Now(), IDTokenType, token)
	if err != nil {
		return "", nil, ErrNotFound
	}
	var c struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != t.Issuer || c.Subject == "" {
		return "", nil, ErrNotFound
	}
	return c.Subject, c.Audience, nil
}

// Revocation withdraws all access tokens of a grant.
func (i *Issuer) Revocation(t *tenant.Tenant, grantID string) tenant.Revocation {
	now := i.Now()
	return tenant.Revocation{Grant: grantID, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
}

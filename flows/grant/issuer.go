package grant

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
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

	Sources  Sources  // of claims; nil: there are none
	Accounts Accounts // whose claims go into access tokens; nil: nobody's do

	Usage Usage // is told of each token; nil: nobody is
}

// Usage counts what is issued. It is safe for concurrent use, takes no time and tells nothing back.
type Usage interface {
	// Count counts a token of a kind that was minted for a client, and for a subject, unless it is empty.
	Count(t *tenant.Tenant, client, kind, subject string)
}

// Kinds of token that are counted.
const (
	AccessTokens  = "access_token"
	RefreshTokens = "refresh_token"
	IDTokens      = "id_token"
)

// Count counts a token of g. One that is dropped, as another request was faster, is counted all the same.
func (i *Issuer) Count(t *tenant.Tenant, g *Grant, kind string) {
	if i.Usage == nil {
		return
	}
	subject := g.Subject
	if subject == g.ClientID {
		subject = ""
	}
	i.Usage.Count(t, g.ClientID, kind, subject)
}

// id returns n random bytes.
func (i *Issuer) random(n int) []byte {
	b := make([]byte, n)
	_, _ = io.ReadFull(i.Rand, b)
	return b
}

// NewID returns a grant id: 128 random bits, base64url.
func (i *Issuer) NewID() string { return base64.RawURLEncoding.EncodeToString(i.random(16)) }

// NewHandle returns a handle of 256 random bits, base64url.
func (i *Issuer) NewHandle() string { return base64.RawURLEncoding.EncodeToString(i.random(32)) }

// MintAccess mints an access token of grant g for scope and audience, which lie within g's terms, with a life that
// does not pass notAfter (zero: no such end), but of a second at least. stored is set where the token is opaque and must be recorded.
func (i *Issuer) MintAccess(ctx context.Context, t *tenant.Tenant, g *Grant, scope oauth.Scope, audience []string, notAfter time.Time) (token string, life time.Duration, stored *AccessToken, err error) {
	t = t.At(g.Terms.Face)
	c, err := clientOf(ctx, t, g.ClientID)
	if err != nil {
		return "", 0, nil, err
	}
	now := i.Now()
	life = AccessLife(t, cmp.Or(g.Terms.AccessToken.Lifetime, c.AccessLifetime))
	if !notAfter.IsZero() {
		life = min(life, notAfter.Sub(now).Truncate(time.Second))
	}
	life = max(life, time.Second) // expires_in 0 would be a token that never lived
	if len(audience) == 0 {
		audience = []string{t.Issuer}
	}
	given, data, err := i.feed(ctx, t, c, g, scope)
	if err != nil {
		return "", 0, nil, err
	}
	a := AccessToken{ID: base64.RawURLEncoding.EncodeToString(i.random(16)), Grant: g.ID, Subject: g.Subject, Actor: g.Actor,
		ClientID: g.ClientID, Scope: scope, Audience: audience, Details: g.Terms.Details, Data: data, IssuedAt: now.Truncate(time.Second),
		Confirmation: g.Terms.AccessToken.Confirmation, Delegation: g.delegation(), Fed: given}
	if t.Revoked.Revoked(Issued(&a)) { // those of this second were revoked: it counts as one of the next
		a.IssuedAt = a.IssuedAt.Add(time.Second)
	}
	a.ExpiresAt = a.IssuedAt.Add(life)
	a.ACR, a.AuthTime = g.Terms.Login.ACR, g.Terms.Login.AuthTime
	if opaque(t, c, g) {
		token = base64.RawURLEncoding.EncodeToString(i.random(32))
		a.Hash = Hash(token)
		i.Count(t, g, AccessTokens)
		return token, life, &a, nil
	}
	claims := accessClaims{Issuer: t.Issuer, Subject: a.Subject, Audience: oneOrMany(audience), ClientID: a.ClientID,
		Scope: scope.String(), IssuedAt: a.IssuedAt.Unix(), ExpiresAt: a.ExpiresAt.Unix(), ID: a.ID, Grant: a.Grant,
		ACR: g.Terms.Login.ACR, AMR: g.Terms.Login.AMR, AuthTime: g.Terms.Login.AuthTime, Act: a.Acting(), MayAct: a.Delegation.MayAct, Details: a.Details, Data: a.Data,
		Confirmation: a.Confirmation}
	if c.Pairwise() && a.Subject != c.ID && !g.Terms.AccessToken.Encrypt {
		claims.hide(t, c)
	}
	if given != nil {
		claims.UserInfo, claims.Fed = given.UserInfo, slices.Sorted(maps.Keys(given.Claims))
	}
	payload, err := json.Marshal(claims)
	if err == nil && len(g.Terms.AccessToken.Claims) > 0 {
		payload, err = joined(payload, g.Terms.AccessToken.Claims)
	}
	if err == nil && given != nil {
		payload, err = joined(payload, given.Claims)
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
	if err == nil {
		i.Count(t, g, AccessTokens)
	}
	return token, life, stored, err
}

// twin is the opaque token that stands for the same as the JWT a, and is revoked with it. It is derived from jti, so
// that whoever holds the JWT leads us to what is stored.
func twin(t *tenant.Tenant, a AccessToken) *AccessToken {
	a.Twin = TwinOf(t, a.ID)
	a.Hash = Hash(a.Twin)
	return &a
}

// TwinOf is the opaque token that stands for the same as the JWT of that id, if one was made with it.
func TwinOf(t *tenant.Tenant, id string) string {
	return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("access token twin", []byte(id)))
}

// The form of an opaque access token, of 256 bits in base64url where it is ours.
const (
	minIdentifier = 32
	maxIdentifier = 512
)

// IsIdentifier reports whether token has the shape of an opaque access token: 32 to 512 characters of base64url.
func IsIdentifier(token string) bool {
	return minIdentifier <= len(token) && len(token) <= maxIdentifier && !strings.ContainsFunc(token, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
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

// opaque tells whether the access tokens of g are: as the grant says, or else its client, or else the tenant.
func opaque(t *tenant.Tenant, c *tenant.Client, g *Grant) bool {
	switch {
	case g.Terms.AccessToken.Encoding != "":
		return g.Terms.AccessToken.Encoding == Identifier
	case c.AccessFormat != "":
		return c.AccessFormat == tenant.AccessOpaque
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
	Act       *Actor          `json:"act,omitempty"`
	MayAct    *Actor          `json:"may_act,omitempty"`
	Details   oauth.Details   `json:"authorization_details,omitempty"` // RFC 9396 §9.1
	Data      json.RawMessage `json:"dat,omitempty"`

	UserInfo map[string]json.RawMessage `json:"uip,omitempty"`
	Fed      []string                   `json:"gcl,omitempty"` // names of claims that it was fed

	OwnSubject string `json:"gsub,omitempty"`
	OwnActor   string `json:"gact,omitempty"`

	Confirmation oauth.Confirmation `json:"cnf,omitzero"`
}

// What a subject is hidden for in the tokens of a client with pairwise subjects, which can read them.
const (
	hiddenSubject = "subject of an access token"
	hiddenActor   = "actor of an access token"
)

// hide tells the subject as the client is told it, and keeps our own where nobody else can read or compare it.
func (a *accessClaims) hide(t *tenant.Tenant, c *tenant.Client) {
	a.OwnSubject = t.Secret.Pseudonym(hiddenSubject, a.ID, a.Subject)
	a.Subject = t.SubjectFor(c, a.Subject)
	if a.Act != nil || a.MayAct != nil {
		own, _ := json.Marshal(Delegation{a.Act, a.MayAct}) // texts always can be
		a.OwnActor = t.Secret.Pseudonym(hiddenActor, a.ID, string(own))
		a.Act, a.MayAct = a.Act.For(t, c), a.MayAct.For(t, c)
	}
}

// reveal undoes hide, and reports whether it could.
func (a *accessClaims) reveal(t *tenant.Tenant) (ok bool) {
	if a.OwnSubject == "" {
		return true
	}
	if a.Subject, ok = t.Secret.RevealPseudonym(hiddenSubject, a.ID, a.OwnSubject); !ok || a.Act == nil && a.MayAct == nil {
		return ok
	}
	var own Delegation
	text, ok := t.Secret.RevealPseudonym(hiddenActor, a.ID, a.OwnActor)
	ok = ok && json.Unmarshal([]byte(text), &own) == nil
	a.Act, a.MayAct = own.Act, own.MayAct
	return ok
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
	if err := json.Unmarshal(payload, &c); err != nil || !t.Owns(c.Issuer) || !c.reveal(t) {
		return nil, ErrNotFound
	}
	a := &AccessToken{Issuer: c.Issuer, ID: c.ID, Grant: c.Grant, Subject: c.Subject, ClientID: c.ClientID, Audience: c.Audience, Details: c.Details, Data: c.Data, ACR: c.ACR, AuthTime: c.AuthTime,
		IssuedAt: time.Unix(c.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC(),
		Confirmation: c.Confirmation}
	if a.Fed, err = fed(payload, c.Fed, c.UserInfo); err != nil {
		return nil, ErrNotFound
	}
	a.Delegation.MayAct = c.MayAct
	if c.Act != nil {
		if a.Actor = c.Act.Subject; *c.Act != (Actor{Subject: a.Actor}) {
			a.Delegation.Act = c.Act
		}
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

// Revocation withdraws all access tokens of a grant.
func (i *Issuer) Revocation(t *tenant.Tenant, grantID string) tenant.Revocation {
	now := i.Now()
	return tenant.Revocation{Grant: grantID, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
}

// Package grant is what was agreed between a subject, a client and us, and every credential made from it.
package grant

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Grant is one agreement and the family of credentials that come of it: a code, access tokens, ID tokens and
// a line of refresh tokens. Terms are what was agreed; the rest is its state.
type Grant struct {
	ID        string // 128 random bits, base64url; the gid claim of JWT access tokens
	Subject   string // sub of the tokens; for client credentials the client itself
	Actor     string // the real subject when Subject is impersonated (RFC 8693 §4.1)
	ClientID  string
	SessionID string // login session it hangs on, if any
	CreatedAt time.Time
	ExpiresAt time.Time // when nothing made from it can live any more
	RevokedAt time.Time
	Revision  int64  // of Terms: how often they were changed
	Managed   string // id of the agreement, as the client knows it; empty: it manages none
	Terms     Terms
	Code      *CodeState    // while it has a code, redeemed or not
	Refresh   *RefreshState // once it has a refresh token
}

// Terms are what was agreed. Their JSON is stored.
type Terms struct {
	Face           string                     `json:"face,omitempty"` // of the tenant whose issuer its tokens carry
	Scope          oauth.Scope                `json:"scope,omitempty"`
	Audience       []string                   `json:"audience,omitempty"`
	Details        oauth.Details              `json:"authorization_details,omitempty"` // RFC 9396
	Claims         []string                   `json:"claims,omitempty"`                // consented, for UserInfo
	IDTokenClaims  []string                   `json:"id_token_claims,omitempty"`       // consented, for the ID token
	ClaimsLocales  []string                   `json:"claims_locales,omitempty"`
	PresetIDToken  map[string]json.RawMessage `json:"preset_id_token,omitempty"`
	PresetUserInfo map[string]json.RawMessage `json:"preset_userinfo,omitempty"`
	Offline        bool                       `json:"offline,omitempty"` // outlives the login session
	LongLived      bool                       `json:"long_lived,omitempty"`
	FirstParty     bool                       `json:"first_party,omitempty"` // of the authorization challenge endpoint, which has no redirect URI
	Data           json.RawMessage            `json:"data,omitempty"`        // dat of JWT access tokens
	ClaimsData     json.RawMessage            `json:"claims_data,omitempty"` // for sources of claims
	Properties     []Property                 `json:"properties,omitempty"`
	Consented      []string                   `json:"consented,omitempty"`      // claim names, as whoever asked the subject reported them
	UserInfoAsked  json.RawMessage            `json:"userinfo_asked,omitempty"` // userinfo of the claims parameter, as sent
	AccessToken    AccessTerms                `json:"access_token,omitzero"`
	IDToken        IDTerms                    `json:"id_token,omitzero"`
	RefreshToken   RefreshTerms               `json:"refresh_token,omitzero"`
	Login          Login                      `json:"login,omitzero"`
	Delegation     Delegation                 `json:"delegation,omitzero"`    // where there is more to say than the grant's actor
	Parent         string                     `json:"parent,omitempty"`       // id of the grant that it comes of, and dies with
	DPoPJKT        string                     `json:"dpop_jkt,omitempty"`     // key that the code is bound to (RFC 9449 §10); empty: none
	GrantType      string                     `json:"grant_type,omitempty"`   // that it comes of; empty: see Grant.Type
	X5T            string                     `json:"x5t,omitempty"`          // certificate that the code is bound to; empty: none
	Registration   bool                       `json:"registration,omitempty"` // its access token registers one client, and ends with that

	AccessTokenClaims []string `json:"access_token_claims,omitempty"` // that access tokens are fed, with FedUserInfo or FedData before
	Verified          Verified `json:"verified,omitzero"`             // how those of Claims and IDTokenClaims that begin with tenant.Verified were asked for
}

// Verified is what a request said of verified claims, as it was sent: an object or an array (OpenID Connect for Identity
// Assurance 1.0 §6).
type Verified struct {
	UserInfo json.RawMessage `json:"userinfo,omitempty"`
	IDToken  json.RawMessage `json:"id_token,omitempty"`
}

// Login is how the subject was authenticated, as ID tokens tell it (OIDC Core §2).
type Login struct {
	AuthTime      int64           `json:"auth_time,omitempty"`      // Unix seconds
	TellAuthTime  bool            `json:"tell_auth_time,omitempty"` // max_age or require_auth_time asked for it
	ACR           string          `json:"acr,omitempty"`
	AMR           []string        `json:"amr,omitempty"`
	Nonce         string          `json:"nonce,omitempty"`
	SessionClaims json.RawMessage `json:"session_claims,omitempty"`
}

// Encodings of an access token.
const (
	SelfContained = "SELF_CONTAINED" // RFC 9068 JWT
	Identifier    = "IDENTIFIER"     // opaque, looked up
)

// AccessTerms rule the access tokens of a grant. Lifetime is in seconds, zero: the tenant's default. Alg signs JWT access
// tokens, empty: the tenant's default; Encrypt has them read by us alone; Claims are added to them. Twin says that a JWT
// comes with an identifier of the same token; it is the wish of one request. Confirmation says what the tokens of one
// request are bound to.
type AccessTerms struct {
	Lifetime int64                      `json:"lifetime,omitempty"`
	Encoding string                     `json:"encoding,omitempty"`
	Alg      keys.Alg                   `json:"alg,omitempty"`
	Encrypt  bool                       `json:"encrypt,omitempty"`
	Claims   map[string]json.RawMessage `json:"claims,omitempty"`
	Twin     bool                       `json:"-"`

	Confirmation oauth.Confirmation `json:"-"`
}

// IDTerms rule the ID tokens of a grant. Lifetime is in seconds and applies to the first one. Subject is their sub in
// place of the grant's. AudienceList has them write aud as an array.
type IDTerms struct {
	Issue        bool   `json:"issue,omitempty"`
	Lifetime     int64  `json:"lifetime,omitempty"`
	AllowRefresh bool   `json:"allow_refresh,omitempty"`
	Subject      string `json:"subject,omitempty"`
	AudienceList bool   `json:"audience_list,omitempty"`
	AuthReqID    string `json:"-"` // of the request that the tokens are pushed for: the first one names it, and hashes the refresh token
}

// RefreshTerms rule the refresh tokens of a grant. Times are in seconds, zero: the client's or else the tenant's default;
// a negative MaxIdle is no such limit.
type RefreshTerms struct {
	Issue    bool  `json:"issue,omitempty"`
	Lifetime int64 `json:"lifetime,omitempty"`
	MaxIdle  int64 `json:"max_idle,omitempty"`
	Rotate   *bool `json:"rotate,omitempty"`
}

// CodeState is a grant's authorization code (RFC 6749 §4.1.2). Only the hash of the code is kept.
type CodeState struct {
	Hash        []byte // SHA-256
	ExpiresAt   time.Time
	RedeemedAt  time.Time
	RedirectURI string // as sent in the authorization request; empty: it was not sent
	Challenge   string // S256 code challenge (RFC 7636); empty: none was sent
}

// RefreshState is a grant's line of refresh tokens. A token of generation n is derived from the grant's id and
// n under the tenant's secret, so nothing that opens anything is stored, and a repeat within the grace gets the
// same successor.
type RefreshState struct {
	Generation int64     // of the newest token; the first is 1
	RotatedAt  time.Time // when the newest was made
	UsedAt     time.Time
	ExpiresAt  time.Time // absolute; rotation does not extend it
	IdleUntil  time.Time // zero: no idle limit

	// Confirmation is the key that its tokens are bound to where the client is public (RFC 9449 §5). Those of any other
	// client are bound to its authentication; of it they tell only what kind of key it has to prove.
	Confirmation oauth.Confirmation
}

// End is when the line ends if it is not used again.
func (r *RefreshState) End() time.Time {
	if !r.IdleUntil.IsZero() && r.IdleUntil.Before(r.ExpiresAt) {
		return r.IdleUntil
	}
	return r.ExpiresAt
}

// Type is the grant type that g comes of, as far as that is certain, else empty.
func (g *Grant) Type() string {
	switch {
	case g.Terms.GrantType != "":
		return g.Terms.GrantType
	case g.Code != nil && (g.Code.RedirectURI != "" || g.Code.Challenge != ""): // else it may have come another way
		return oauth.AuthorizationCode
	}
	return ""
}

// Outlives reports whether g outlives its session: whoever decided it said so, or the subject agreed to it (OIDC Core §11).
func (g *Grant) Outlives() bool { return g.Terms.Offline || g.Terms.Scope.Has(oauth.OfflineAccess) }

// Live reports whether g still stands at now.
func (g *Grant) Live(now time.Time) bool { return g.RevokedAt.IsZero() && now.Before(g.ExpiresAt) }

// Authorization is remembered consent: what a subject allowed a client before, so that it is not asked again.
type Authorization struct {
	Subject   string
	Actor     string
	ClientID  string
	Scope     oauth.Scope
	Claims    []string
	Terms     json.RawMessage // of the last long-lived grant
	CreatedAt time.Time
	UpdatedAt time.Time
	Merged    time.Time // UpdatedAt of the record that Scope and Claims were merged with, if there was one; never stored
}

// AccessToken is an opaque access token as it is stored: by hash, with all that introspection tells.
type AccessToken struct {
	Twin      string // the token itself, where it stands beside a JWT; never stored
	Hash      []byte // SHA-256
	Issuer    string // as a JWT says; never stored
	ID        string // jti
	Grant     string // empty for client credentials
	Subject   string
	Actor     string
	ClientID  string
	Scope     oauth.Scope
	Audience  []string
	Details   oauth.Details
	Data      json.RawMessage
	IssuedAt  time.Time
	ExpiresAt time.Time

	ACR      string // how and when its subject authenticated, in Unix seconds: as its grant says (RFC 9470 §6)
	AuthTime int64

	Confirmation oauth.Confirmation // key that it is bound to
	Delegation   Delegation         // where there is more to say than its actor
	Fed          *Fed               // claims that it was fed; nil: none
}

// Tokens is a token response (RFC 6749 §5.1), with what else there is to tell of its tokens.
type Tokens struct {
	AccessToken  string
	TokenType    string
	ExpiresIn    time.Duration
	RefreshToken string
	IDToken      string
	Scope        oauth.Scope
	Details      oauth.Details // of the access token (RFC 9396 §7)

	Twin        string        // identifier of the access token, where that is a JWT and both were asked for
	Audience    []string      // of the access token, where it is for any but this server
	Refresh     *RefreshState // of the refresh token
	Grant       *Grant        // that the tokens were made of; client credentials have one without an id
	AuthSession string        // for a step-up of a first-party client (OAuth 2.0 for First-Party Applications §6.1)
	Issued      string        // issued_token_type of a token exchange (RFC 8693 §2.2.1), whose token is the access token whatever it is
}

package tenant

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

// Settings is a tenant's configuration document. Its JSON is stored and served as it is. The zero value of
// each field is its default, so that a new setting needs no migration; accessors below give the effective
// values. Lifetimes are in seconds, those of subject sessions in minutes.
type Settings struct {
	Name     string `json:"name,omitempty"`      // shown on our pages; the tenant's id where empty
	Logo     string `json:"logo,omitempty"`      // a data: URI of a PNG, JPEG or WebP picture, at most 64 KiB
	Color    string `json:"color,omitempty"`     // accent colour of our pages, #rrggbb
	Demo     bool   `json:"demo,omitempty"`      // made for trying out; a production start refuses to serve it
	LoginURL string `json:"login_url,omitempty"` // the tenant's own login UI; ours where empty

	Authorization AuthorizationSettings `json:"authorization,omitzero"`
	Tokens        TokenSettings         `json:"tokens,omitzero"`
	Sessions      SessionSettings       `json:"sessions,omitzero"`
	Clients       ClientSettings        `json:"clients,omitzero"`
	Documents     DocumentSettings      `json:"client_documents,omitzero"`
	CIBA          CIBASettings          `json:"ciba,omitzero"`
	Challenge     ChallengeSettings     `json:"challenge,omitzero"`

	Authentication AuthenticationSettings `json:"authentication,omitzero"`

	DPoP       DPoPSettings       `json:"dpop,omitzero"`
	PAR        PARSettings        `json:"par,omitzero"`
	Signing    SigningSettings    `json:"signing,omitzero"`
	Encryption EncryptionSettings `json:"encryption,omitzero"`
	Access     AccessSettings     `json:"access,omitzero"`
	Device     DeviceSettings     `json:"device,omitzero"`
	Logout     LogoutSettings     `json:"logout,omitzero"`

	Resources     map[string]ResourceSettings `json:"resources,omitempty"`      // by name
	ResourcesOnly bool                        `json:"resources_only,omitempty"` // tokens are issued for these resources and no others

	AppOrigins []string `json:"app_origins,omitempty"` // origins of pages whose scripts may call the tenant's endpoints from a browser, such as https://app.example

	RequestObjects RequestObjectSettings `json:"request_objects,omitzero"`

	Hooks   map[string]Hook   `json:"hooks,omitempty"`   // by name
	Scripts map[string]Script `json:"scripts,omitempty"` // that run, by name
	MTLS    MTLSSettings      `json:"mtls,omitzero"`

	Grants GrantSettings `json:"grants,omitzero"`

	GrantManagement GrantManagementSettings `json:"grant_management,omitzero"`

	Service ServiceSettings `json:"service,omitzero"`
	Profile string          `json:"profile,omitempty"` // fapi2-security, fapi2-message-signing, fapi1-advanced, oauth21

	Usage UsageSettings `json:"usage,omitzero"`

	MetadataOverlay Overlay `json:"metadata_overlay,omitempty"` // members that it has besides, or scopes_supported and the like instead

	Attributes map[string]string `json:"attributes,omitempty"` // the operator's own notes, which the server does not read
}

// AuthorizationSettings rule authorization requests and what their prompts say.
type AuthorizationSettings struct {
	InteractionLifetime  int64                   `json:"interaction_lifetime,omitempty"`    // 900 s
	CodeLifetime         int64                   `json:"code_lifetime,omitempty"`           // 60 s, at most 600
	ResponseModes        []string                `json:"response_modes,omitempty"`          // all of query, fragment, form_post, and those with .jwt behind, and jwt
	ResponseTypes        []string                `json:"response_types,omitempty"`          // beside code, which is always there: none
	AlwaysPromptForAuth  bool                    `json:"always_prompt_for_auth,omitempty"`  // no single sign-on
	AlwaysPromptForGrant bool                    `json:"always_prompt_for_grant,omitempty"` // no remembered consent, also for prompt=none
	HintWithPromptNone   bool                    `json:"hint_with_prompt_none,omitempty"`   // prompt=none demands an id_token_hint
	AnyScope             bool                    `json:"any_scope,omitempty"`               // do not cut scope to what the client registered
	CustomErrorCodes     []string                `json:"custom_error_codes,omitempty"`      // which a login UI may return beside the standard ones
	Scopes               []string                `json:"scopes,omitempty"`                  // advertised; openid profile email address phone offline_access where empty
	ACRValues            []string                `json:"acr_values,omitempty"`              // advertised
	ClientInAuthPrompt   bool                    `json:"client_in_auth_prompt,omitempty"`
	RequestInAuthPrompt  []string                `json:"request_in_auth_prompt,omitempty"`  // names of request parameters
	RequestInGrantPrompt []string                `json:"request_in_grant_prompt,omitempty"` // names of request parameters
	RawClaimsInPrompt    bool                    `json:"raw_claims_in_prompt,omitempty"`    // claims.raw_request in the consent prompt
	SessionInResponse    bool                    `json:"session_in_response,omitempty"`     // sub_session in a final v3 response
	ClientInResponse     bool                    `json:"client_in_response,omitempty"`      // client in a final v3 response
	RequireRedirectURI   bool                    `json:"require_redirect_uri,omitempty"`    // also of a client that registered just one
	UsualResponseMode    bool                    `json:"usual_response_mode,omitempty"`     // of query and fragment, only the one that response_type has by itself
	DetailsTypes         []DetailsType           `json:"details_types,omitempty"`           // of authorization details that clients may ask for (RFC 9396)
	ClaimsOfScope        map[string][]string     `json:"claims_of_scope,omitempty"`         // claims that the tenant's own scope values ask for
	ScopeDetails         map[string]ScopeDetails `json:"scope_details,omitempty"`           // what else there is to say of scope values
	MaxState             int                     `json:"max_state,omitempty"`               // 4096 bytes
	MaxNonce             int                     `json:"max_nonce,omitempty"`               // 512 bytes
	RequirePKCE          bool                    `json:"require_pkce,omitempty"`            // of every client that asks for a code; else of public ones, and those that registered so
	NoSingleSignOn       json.RawMessage         `json:"no_single_sign_on,omitempty"`       // a query of client metadata: the first request of such a client in a session asks for authentication
	OtherConsentInPrompt bool                    `json:"other_consent_in_prompt,omitempty"` // scope.other_consented and claims.other_consented in the consent prompt
	Claims               []string                `json:"claims,omitempty"`                  // advertised; those of our own and of the advertised scope values where empty
	DisplayValues        []string                `json:"display_values,omitempty"`          // advertised: all of page, popup, touch, wap
}

// TokenSettings rule what is issued.
type TokenSettings struct {
	AccessTokenLifetime  int64  `json:"access_token_lifetime,omitempty"`  // 600 s
	AccessTokenAlg       string `json:"access_token_alg,omitempty"`       // RS256
	AccessTokenOpaque    bool   `json:"access_token_opaque,omitempty"`    // identifier tokens unless the grant says otherwise
	IDTokenLifetime      int64  `json:"id_token_lifetime,omitempty"`      // 300 s
	IDTokenAlg           string `json:"id_token_alg,omitempty"`           // RS256, unless the client registered another
	RefreshTokenLifetime int64  `json:"refresh_token_lifetime,omitempty"` // 90 days; absolute, not extended by rotation
	RefreshTokenIdle     int64  `json:"refresh_token_idle,omitempty"`     // 30 days; negative: none
	RefreshTokenKeep     bool   `json:"refresh_token_keep,omitempty"`     // no rotation for confidential clients
	RefreshTokenGrace    int64  `json:"refresh_token_grace,omitempty"`    // 10 s in which a repeat gets the same successor; negative: none
	IDTokenReissue       bool   `json:"id_token_reissue,omitempty"`       // the backend makes a new ID token after a refresh, if it wants one
	KeyRotation          int64  `json:"key_rotation,omitempty"`           // days between rotations: 90; negative: never
	AuthorizationLimit   int64  `json:"authorization_limit,omitempty"`    // days that consent is remembered: no limit
}

// SessionSettings are the defaults of subject sessions, in minutes; negative: unlimited.
type SessionSettings struct {
	MaxLife    int64 `json:"max_life,omitempty"`    // 20160 (14 days)
	AuthLife   int64 `json:"auth_life,omitempty"`   // 1440 (1 day)
	MaxIdle    int64 `json:"max_idle,omitempty"`    // 1440 (1 day)
	PerSubject int   `json:"per_subject,omitempty"` // 5 at once, at most 25; the oldest is closed
	NativeApps int   `json:"native_apps,omitempty"` // of them, those of native apps of the identity provider: 1, at most 5
}

// ClientSettings rule the client registry.
type ClientSettings struct {
	OpenRegistration bool     `json:"open_registration,omitempty"` // registration without any token
	Max              int      `json:"max,omitempty"`               // 10000 clients
	OpenMax          int      `json:"open_max,omitempty"`          // so many clients in all end open registration: nine tenths of max
	UnusedLifetime   int64    `json:"unused_lifetime,omitempty"`   // seconds until an openly registered client goes that nobody has used: 7 days; negative: never
	SecretOverlap    int64    `json:"secret_overlap,omitempty"`    // seconds an old secret lives on after a new one: 1800; negative: none
	StrictAudience   bool     `json:"strict_audience,omitempty"`   // assertions must name the issuer; the token endpoint's URL will not do
	AuthMethods      []string `json:"auth_methods,omitempty"`      // by which new clients may authenticate: all there are where empty
	NewTokenOnPut    bool     `json:"new_token_on_put,omitempty"`  // an update request (RFC 7592 §2.2) makes a new registration access token
	NewSecretOnPut   bool     `json:"new_secret_on_put,omitempty"` // and a new secret
	TemplateHosts    bool     `json:"template_hosts,omitempty"`    // templates of redirect URIs may leave the first label of a host open
}

// or returns v seconds, or def where v is zero. Negative values pass through.
func or(v int64, def time.Duration) time.Duration {
	if v == 0 {
		return def
	}
	return time.Duration(v) * time.Second
}

// CodeLifetime is how long an authorization code may be redeemed.
func (s *Settings) CodeLifetime() time.Duration {
	return min(or(s.Authorization.CodeLifetime, time.Minute), 10*time.Minute)
}

// InteractionLifetime is how long an authorization request may wait for its subject.
func (s *Settings) InteractionLifetime() time.Duration {
	return or(s.Authorization.InteractionLifetime, 15*time.Minute)
}

// AccessTokenLifetime is the default life of an access token.
func (s *Settings) AccessTokenLifetime() time.Duration {
	return or(s.Tokens.AccessTokenLifetime, 10*time.Minute)
}

// IDTokenLifetime is the default life of an ID token.
func (s *Settings) IDTokenLifetime() time.Duration {
	return or(s.Tokens.IDTokenLifetime, 5*time.Minute)
}

// RefreshTokenLifetime is the absolute life of a refresh token and all its successors.
func (s *Settings) RefreshTokenLifetime() time.Duration {
	return or(s.Tokens.RefreshTokenLifetime, 90*24*time.Hour)
}

// RefreshTokenIdle is how long a refresh token may lie unused; zero or less: as long as it lives.
func (s *Settings) RefreshTokenIdle() time.Duration {
	return or(s.Tokens.RefreshTokenIdle, 30*24*time.Hour)
}

// RefreshTokenGrace is how long a rotated refresh token may be repeated, to get the same successor.
func (s *Settings) RefreshTokenGrace() time.Duration {
	return or(s.Tokens.RefreshTokenGrace, 10*time.Second)
}

// SecretOverlap is how long a client's old secret works after a new one was made.
func (s *Settings) SecretOverlap() time.Duration {
	return or(s.Clients.SecretOverlap, 30*time.Minute)
}

// UnusedLifetime is how long a client that registered itself stays without being used; zero or less: for good.
func (s *Settings) UnusedLifetime() time.Duration {
	return or(s.Clients.UnusedLifetime, 7*24*time.Hour)
}

// LongestAccessToken is the longest life that any access token may have: what a revocation must outlive.
func (s *Settings) LongestAccessToken() time.Duration {
	return max(s.AccessTokenLifetime(), MaxAccessToken)
}

// MaxAccessToken caps the life that a grant may ask for its access tokens.
const MaxAccessToken = 24 * time.Hour

// MaxLifeMinutes is the default life of a session.
func (s *SessionSettings) MaxLifeMinutes() int64 { return minutes(s.MaxLife, 14*24*60) }

// AuthLifeMinutes is how long an authentication counts by default.
func (s *SessionSettings) AuthLifeMinutes() int64 { return minutes(s.AuthLife, 24*60) }

// MaxIdleMinutes is how long a session may lie unused by default.
func (s *SessionSettings) MaxIdleMinutes() int64 { return minutes(s.MaxIdle, 24*60) }

// Quota is how many sessions a subject may have at once.
func (s *SessionSettings) Quota() int {
	if s.PerSubject <= 0 {
		return 5
	}
	return min(s.PerSubject, 25)
}

// NativeAppQuota is how many of them may be of native apps of the identity provider.
func (s *SessionSettings) NativeAppQuota() int { return max(1, min(s.NativeApps, 5)) }

func minutes(v, def int64) int64 {
	if v == 0 {
		return def
	}
	return v
}

// AccessTokenAlg is the algorithm that JWT access tokens are signed with.
func (s *Settings) AccessTokenAlg() keys.Alg { return alg(s.Tokens.AccessTokenAlg) }

// IDTokenAlg is the algorithm that ID tokens for c are signed with: the one it registered, or the tenant's.
func (s *Settings) IDTokenAlg(c *Client) keys.Alg {
	if c.Metadata.IDTokenAlg != "" {
		return keys.Alg(c.Metadata.IDTokenAlg)
	}
	return alg(s.Tokens.IDTokenAlg)
}

// DefaultIDTokenAlg is the algorithm of ID tokens for clients that registered none.
func (s *Settings) DefaultIDTokenAlg() keys.Alg { return alg(s.Tokens.IDTokenAlg) }

func alg(name string) keys.Alg {
	if name == "" {
		return keys.RS256
	}
	return keys.Alg(name)
}

package tenant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Clients looks up the clients of one tenant.
type Clients interface {
	// Client returns the client of that id, disabled or not, or ErrNoClient.
	Client(ctx context.Context, id string) (*Client, error)
}

// Client is a registered client of one tenant. It never changes once loaded.
type Client struct {
	ID                string         `json:"client_id"`
	Number            int64          `json:"-"` // the client's number in APIs that count their clients; below 2^53
	Secrets           []ClientSecret `json:"-"` // newest first
	RegistrationToken []byte         `json:"-"` // SHA-256 of the registration access token (RFC 7592 §3)
	CreatedAt         time.Time      `json:"-"`
	UpdatedAt         time.Time      `json:"-"`
	Disabled          bool           `json:"-"`
	SelfRegistered    bool           `json:"-"` // nobody vouches for it: its consent is not remembered
	Document          bool           `json:"-"` // its id is the URL of its metadata, which are not stored; it is SelfRegistered too
	BuiltIn           bool           `json:"-"` // the server's own; any program of a user's device can pass for it, so its consent is not remembered (RFC 8252 §8.6)
	ExpiresAt         time.Time      `json:"-"` // when it goes unless somebody has used it by then; zero: it stays
	Demands           *Demands       `json:"-"` // of its profiles; nil: none
	Metadata
}

// ClientSecret is the SHA-256 of a generated secret of 256 bits. A zero ExpiresAt means it does not expire. HMAC is the
// secret itself, which is kept only for a client that signs with it, or that we sign or encrypt for with it.
type ClientSecret struct {
	Hash      []byte       `json:"hash"`
	ExpiresAt time.Time    `json:"expires_at,omitzero"`
	HMAC      keys.HMACKey `json:"-"`
}

// Metadata is what a client registers (RFC 7591 §2, OIDC Registration §2), with our policy members. Its JSON
// is stored, and served by the registration endpoint.
type Metadata struct {
	RedirectURIs            []string          `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs  []string          `json:"post_logout_redirect_uris,omitempty"`
	TokenEndpointAuthMethod string            `json:"token_endpoint_auth_method,omitempty"`
	TokenEndpointAuthAlg    string            `json:"token_endpoint_auth_signing_alg,omitempty"` // of its assertions; empty: any
	JWKS                    json.RawMessage   `json:"jwks,omitempty"`                            // its public keys, a JWK set
	JWKSURI                 string            `json:"jwks_uri,omitempty"`                        // where they are instead
	GrantTypes              []string          `json:"grant_types,omitempty"`
	ResponseTypes           []string          `json:"response_types,omitempty"`
	ApplicationType         string            `json:"application_type,omitempty"` // web or native
	Name                    string            `json:"client_name,omitempty"`
	URI                     string            `json:"client_uri,omitempty"`
	LogoURI                 string            `json:"logo_uri,omitempty"`
	PolicyURI               string            `json:"policy_uri,omitempty"`
	TOSURI                  string            `json:"tos_uri,omitempty"`
	Localized               map[string]string `json:"-"` // "client_name#es" and the like, by full member name
	Contacts                []string          `json:"contacts,omitempty"`
	Scope                   string            `json:"scope,omitempty"` // space-delimited; empty: any
	IDTokenAlg              string            `json:"id_token_signed_response_alg,omitempty"`
	DefaultMaxAge           *int64            `json:"default_max_age,omitempty"` // seconds
	RequireAuthTime         bool              `json:"require_auth_time,omitempty"`
	DefaultACRValues        []string          `json:"default_acr_values,omitempty"`
	InitiateLoginURI        string            `json:"initiate_login_uri,omitempty"`
	SoftwareID              string            `json:"software_id,omitempty"`
	SoftwareVersion         string            `json:"software_version,omitempty"`
	RequirePKCE             bool              `json:"require_pkce,omitempty"`                                 // public clients must use PKCE in any case
	RequirePAR              bool              `json:"require_pushed_authorization_requests,omitempty"`        // RFC 9126 §6
	BackchannelMode         string            `json:"backchannel_token_delivery_mode,omitempty"`              // CIBA Core §4
	BackchannelUserCode     bool              `json:"backchannel_user_code_parameter,omitempty"`              // it sends user_code
	ChallengeErrorStyle     string            `json:"authorization_challenge_error_style,omitempty"`          // janssen where empty, or draft
	ChallengeAuthMethod     string            `json:"authorization_challenge_endpoint_auth_method,omitempty"` // none: there it need not authenticate
	DPoPBound               bool              `json:"dpop_bound_access_tokens,omitempty"`                     // never a bearer token (RFC 9449 §5.2)
	BackchannelLogoutURI    string            `json:"backchannel_logout_uri,omitempty"`                       // Back-Channel Logout §2.2
	BackchannelLogoutSID    bool              `json:"backchannel_logout_session_required,omitempty"`          // which it gets in any case
	FrontchannelLogoutURI   string            `json:"frontchannel_logout_uri,omitempty"`                      // Front-Channel Logout §2
	FrontchannelLogoutSID   bool              `json:"frontchannel_logout_session_required,omitempty"`         // which it gets in any case
	DetailsTypes            []string          `json:"authorization_details_types,omitempty"`                  // RFC 9396 §10; none: it may ask for none
	RequestMetadata
	Audience []string        `json:"audience,omitempty"` // resources whose tokens it may introspect or ask for
	Data     json.RawMessage `json:"data,omitempty"`     // the tenant's own, an object

	NotificationMetadata
	CustomMetadata
	TokenPolicy
	CertificateMetadata
	Answers
	Subjects
	MigrationMetadata
	ProfileMetadata
	ServiceMetadata
}

// Public reports whether the client has no credentials (RFC 6749 §2.1).
func (c *Client) Public() bool { return c.TokenEndpointAuthMethod == oauth.AuthNone }

// Secretive reports whether the client authenticates with a secret that it shares with us.
func (c *Client) Secretive() bool {
	return slices.ContainsFunc(c.Methods(), func(m string) bool { return !slices.Contains(secretless, m) })
}

// secretless are the methods of clients that share no secret with us.
var secretless = []string{oauth.AuthNone, oauth.AuthPrivateJWT, oauth.AuthTLS, oauth.AuthSelfSignedTLS}

// Native reports whether the client is a native application (RFC 8252).
func (c *Client) Native() bool { return c.ApplicationType == "native" }

// MayGrant reports whether the client registered grantType. RFC 7591 §2: none means authorization_code.
func (c *Client) MayGrant(grantType string) bool {
	if len(c.GrantTypes) == 0 && !c.NoGrants {
		return grantType == oauth.AuthorizationCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// MayRespond reports whether the client registered responseType, and the grant types that belong to it. RFC 7591 §2: none
// means code.
func (c *Client) MayRespond(responseType string) bool {
	registered := c.ResponseTypes
	if len(registered) == 0 {
		registered = []string{oauth.ResponseCode}
	}
	return slices.ContainsFunc(registered, func(r string) bool { return oauth.ResponseType(r) == responseType }) &&
		!slices.ContainsFunc(oauth.GrantTypesOf(responseType), func(g string) bool { return !c.MayGrant(g) })
}

// CheckSecret reports whether secret is one of the client's secrets that live at now. Every secret is
// compared, in constant time. Secrets are generated with 256 bits, so a plain hash is enough.
func (c *Client) CheckSecret(secret string, now time.Time) bool {
	h := sha256.Sum256([]byte(secret))
	ok := 0
	for _, s := range c.Secrets {
		live := s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
		same := subtle.ConstantTimeCompare(s.Hash, h[:])
		if live {
			ok |= same
		}
	}
	return ok == 1
}

// CheckHMAC reports whether j is signed with one of the client's secrets that live at now, by one of the algorithms allowed,
// or by HS256 where none is given.
func (c *Client) CheckHMAC(j *keys.Signed, now time.Time, allowed ...keys.Alg) error {
	err := error(keys.ErrInvalid)
	for _, s := range c.Secrets {
		if s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt) {
			if err = s.HMAC.Verify(j, allowed...); err == nil {
				return nil
			}
		}
	}
	return err
}

// Decrypt returns what the client encrypted for us with one of its secrets that live at now (OIDC Core §10.2).
func (c *Client) Decrypt(compact string, now time.Time, allowed ...keys.Encryption) ([]byte, error) {
	err := error(keys.ErrInvalid)
	for _, s := range c.Secrets {
		if s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt) {
			var plain []byte
			if plain, err = s.HMAC.Decrypt(compact, allowed...); err == nil {
				return plain, nil
			}
		}
	}
	return nil, err
}

// Kept is the newest secret of the client, which what we send it is signed or encrypted with; the zero HMACKey where
// it is not kept.
func (c *Client) Kept() keys.HMACKey {
	if len(c.Secrets) == 0 {
		return keys.HMACKey{}
	}
	return c.Secrets[0].HMAC
}

// FirstUse is the id of a client that goes unless it is used, so that its use is recorded; empty of any other.
func (c *Client) FirstUse() string {
	if c.ExpiresAt.IsZero() {
		return ""
	}
	return c.ID
}

package oauth

// Grant types (RFC 6749; URNs of the extensions).
const (
	AuthorizationCode = "authorization_code"
	RefreshToken      = "refresh_token"
	ClientCredentials = "client_credentials"
	Implicit          = "implicit" // of tokens in the authorization response (RFC 6749 §4.2), never at the token endpoint
)

// Response modes (OAuth 2.0 Multiple Response Type Encoding Practices §2.1; OAuth 2.0 Form Post Response Mode;
// JARM §2.3).
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
	ModeJWT      = "jwt" // the default of the response type, as a JWT (JARM §2.3.4)

	ModeQueryJWT    = "query.jwt"
	ModeFragmentJWT = "fragment.jwt"
	ModeFormPostJWT = "form_post.jwt"
)

// Client authentication methods (RFC 7591 §2).
const (
	AuthBasic      = "client_secret_basic"
	AuthPost       = "client_secret_post"
	AuthSecretJWT  = "client_secret_jwt" // OIDC Core §9
	AuthPrivateJWT = "private_key_jwt"
	AuthNone       = "none"

	AuthTLS           = "tls_client_auth"             // RFC 8705 §2.1
	AuthSelfSignedTLS = "self_signed_tls_client_auth" // RFC 8705 §2.2
)

// Scope values with a meaning of their own (OIDC Core §5.4, §11).
const (
	OpenID        = "openid"
	OfflineAccess = "offline_access"
)

// S256 is the one code challenge method (RFC 7636 §4.2; RFC 9700 §2.1.1).
const S256 = "S256"

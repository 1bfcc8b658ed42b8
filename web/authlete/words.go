package authlete

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// words are the names of a set of values here and in the standards.
type words []struct{ here, standard string }

// here names a value of the standards here, or returns the empty string.
func (ws words) here(standard string) string {
	for _, w := range ws {
		if w.standard == standard {
			return w.here
		}
	}
	return ""
}

// all names those values that have a name here.
func (ws words) all(standard []string) []string {
	var out []string
	for _, v := range standard {
		if h := ws.here(v); h != "" {
			out = append(out, h)
		}
	}
	return out
}

// standard names a value as the standards do; ok is false where there is none of that name.
func (ws words) standard(here string) (v string, ok bool) {
	for _, w := range ws {
		if w.here == here {
			return w.standard, true
		}
	}
	return "", false
}

// name is a name of the standards in a sentence. A scope value is no member.
var name = regexp.MustCompile(`scope values?|[A-Za-z_]+`)

// in has err, if it is an OAuth error, say the names of ws in place of those of the standards.
func (ws words) in(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return err
	}
	said := *e
	said.Description = name.ReplaceAllStringFunc(e.Description, func(word string) string { return cmp.Or(ws.here(word), word) })
	return said.Because(err)
}

// clientNames are the members of a client that the errors of the registry name.
var clientNames = words{
	{"clientIdAlias", "preferred_client_id"},
	{"clientId", "client_id"},
	{"clientSecret", "client_secret"},
	{"loginUri", "initiate_login_uri"},
	{"tokenAuthMethod", "token_endpoint_auth_method"},
	{"tokenAuthSignAlg", "token_endpoint_auth_signing_alg"},
	{"tlsClientAuthSubjectDn", "tls_client_auth_subject_dn"},
	{"tlsClientAuthSanDns", "tls_client_auth_san_dns"},
	{"tlsClientAuthSanUri", "tls_client_auth_san_uri"},
	{"tlsClientAuthSanIp", "tls_client_auth_san_ip"},
	{"tlsClientAuthSanEmail", "tls_client_auth_san_email"},
	{"tlsClientCertificateBoundAccessTokens", "tls_client_certificate_bound_access_tokens"},
	{"dpopRequired", "dpop_bound_access_tokens"},
	{"TLS_CLIENT_AUTH", "tls_client_auth"},
	{"SELF_SIGNED_TLS_CLIENT_AUTH", "self_signed_tls_client_auth"},
	{"idTokenSignAlg", "id_token_signed_response_alg"},
	{"idTokenEncryptionAlg", "id_token_encrypted_response_alg"},
	{"idTokenEncryptionEnc", "id_token_encrypted_response_enc"},
	{"userInfoSignAlg", "userinfo_signed_response_alg"},
	{"userInfoEncryptionAlg", "userinfo_encrypted_response_alg"},
	{"userInfoEncryptionEnc", "userinfo_encrypted_response_enc"},
	{"subjectType", "subject_type"},
	{"sectorIdentifierUri", "sector_identifier_uri"},
	{"applicationType", "application_type"},
	{"grantTypes", "grant_types"},
	{"responseTypes", "response_types"},
	{"redirectUris", "redirect_uris"},
	{"jwksUri", "jwks_uri"},
	{"defaultMaxAge", "default_max_age"},
	{"defaultAcrs", "default_acr_values"},
	{"bcDeliveryMode", "backchannel_token_delivery_mode"},
	{"bcNotificationEndpoint", "backchannel_client_notification_endpoint"},
	{"bcUserCodeRequired", "backchannel_user_code_parameter"},
	{"extension.requestableScopes", "scope"},
	{"extension.accessTokenDuration", "access_token_lifetime"},
	{"extension.refreshTokenDuration", "refresh_token_lifetime"},
	{"extension.idTokenDuration", "id_token_lifetime"},
	{"clientName", "client_name"},
	{"logoUri", "logo_uri"},
	{"clientUri", "client_uri"},
	{"policyUri", "policy_uri"},
	{"tosUri", "tos_uri"},
	{"softwareId", "software_id"},
	{"softwareVersion", "software_version"},
	{"requestSignAlg", "request_object_signing_alg"},
	{"requestEncryptionAlg", "request_object_encryption_alg"},
	{"requestEncryptionEnc", "request_object_encryption_enc"},
	{"authorizationSignAlg", "authorization_signed_response_alg"},
	{"authorizationEncryptionAlg", "authorization_encrypted_response_alg"},
	{"authorizationEncryptionEnc", "authorization_encrypted_response_enc"},
	{"bcRequestSignAlg", "backchannel_authentication_request_signing_alg"},
	{"requestUris", "request_uris"},
	{"authorizationDetailsTypes", "authorization_details_types"},
	{"authTimeRequired", "require_auth_time"},
	{"backchannelLogoutUri", "backchannel_logout_uri"},
	{"backchannelLogoutSessionRequired", "backchannel_logout_session_required"},
	{"parRequired", "require_pushed_authorization_requests"},
	{"requestObjectRequired", "require_signed_request_object"},
	{"pkceRequired", "require_pkce"},
	{"attributes", "data"},
	{"AUTHORIZATION_CODE", "authorization_code"},
	{"PRIVATE_KEY_JWT", "private_key_jwt"},
}

// preAuthorized is a grant type that we have not.
const preAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// The names of the API that callers may rely on, whether or not we have what they stand for.
var (
	grantTypes = words{
		{"AUTHORIZATION_CODE", oauth.AuthorizationCode},
		{"IMPLICIT", "implicit"},
		{"PASSWORD", "password"},
		{"CLIENT_CREDENTIALS", oauth.ClientCredentials},
		{"REFRESH_TOKEN", oauth.RefreshToken},
		{"CIBA", oauth.CIBA},
		{"DEVICE_CODE", oauth.DeviceCode},
		{"TOKEN_EXCHANGE", "urn:ietf:params:oauth:grant-type:token-exchange"},
		{"JWT_BEARER", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
		{"PRE_AUTHORIZED_CODE", preAuthorized},
	}
	responseTypes = words{
		{"NONE", "none"},
		{"CODE", "code"},
		{"TOKEN", "token"},
		{"ID_TOKEN", "id_token"},
		{"CODE_TOKEN", "code token"},
		{"CODE_ID_TOKEN", "code id_token"},
		{"ID_TOKEN_TOKEN", "id_token token"},
		{"CODE_ID_TOKEN_TOKEN", "code id_token token"},
	}
	authMethods = words{
		{"NONE", oauth.AuthNone},
		{"CLIENT_SECRET_BASIC", oauth.AuthBasic},
		{"CLIENT_SECRET_POST", oauth.AuthPost},
		{"CLIENT_SECRET_JWT", "client_secret_jwt"},
		{"PRIVATE_KEY_JWT", "private_key_jwt"},
		{"TLS_CLIENT_AUTH", "tls_client_auth"},
		{"SELF_SIGNED_TLS_CLIENT_AUTH", "self_signed_tls_client_auth"},
		{"ATTEST_JWT_CLIENT_AUTH", "attest_jwt_client_auth"},
	}
	deliveryModes    = words{{"POLL", oauth.Poll}, {"PING", "ping"}, {"PUSH", "push"}}
	applicationTypes = words{{"WEB", "web"}, {"NATIVE", "native"}}
)

// prompts are the values of prompt, the one that asks least first.
var prompts = []string{"NONE", "LOGIN", "CONSENT", "SELECT_ACCOUNT", "CREATE"}

// promptsOf names the values of a request's prompt. max_age=0 cannot be told from no max_age, so it asks for a login.
func promptsOf(asked oauth.Prompt, maxAge *int64) []string {
	var out []string
	for _, v := range asked.Values() {
		out = append(out, strings.ToUpper(v))
	}
	if maxAge != nil && *maxAge == 0 && !slices.Contains(out, "LOGIN") {
		out = append(out, "LOGIN")
	}
	return out
}

// lowest is the value that asks least; CONSENT where there is none.
func lowest(asked []string) string {
	for _, p := range prompts {
		if slices.Contains(asked, p) {
			return p
		}
	}
	return "CONSENT"
}

// pair is one of free pairs.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// tagged is a value in a language.
type tagged struct {
	Tag   string `json:"tag"`
	Value string `json:"value"`
}

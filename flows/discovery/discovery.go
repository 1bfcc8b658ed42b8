// Package discovery is what a tenant says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), computed from the
// tables of the flows and the tenant's settings, so that it promises nothing that is off.
package discovery

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Endpoints below an issuer.
const (
	Authorize  = "/authorize"
	Token      = "/token"
	Introspect = "/token/introspect"
	Revoke     = "/token/revoke"
	UserInfo   = "/userinfo"
	JWKS       = "/jwks.json"
	Clients    = "/clients"
	PAR        = "/par"
	CIBA       = "/ciba"
	Device     = "/device_authorization"
	Grants     = "/grants"
	DevicePage = "/device"
	Challenge  = "/authorize-challenge"
	EndSession = "/logout"

	CheckSession = "/login/check-session"

	OpenIDConfiguration = "/.well-known/openid-configuration"
	AuthorizationServer = "/.well-known/oauth-authorization-server"
)

// Metadata is a tenant's metadata document. Absent members are absent, never null.
type Metadata struct {
	Issuer                string   `json:"issuer"`
	Authorize             string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	JWKS                  string   `json:"jwks_uri"`
	UserInfo              string   `json:"userinfo_endpoint"`
	Registration          string   `json:"registration_endpoint"`
	Introspect            string   `json:"introspection_endpoint"`
	Revoke                string   `json:"revocation_endpoint"`
	PAR                   string   `json:"pushed_authorization_request_endpoint"`
	RequirePAR            bool     `json:"require_pushed_authorization_requests,omitempty"`
	CIBA                  string   `json:"backchannel_authentication_endpoint,omitempty"`
	CIBAModes             []string `json:"backchannel_token_delivery_modes_supported,omitempty"`
	CIBAUserCode          bool     `json:"backchannel_user_code_parameter_supported,omitempty"`
	Device                string   `json:"device_authorization_endpoint,omitempty"` // RFC 8628 §4
	Challenge             string   `json:"authorization_challenge_endpoint,omitempty"`
	EndSession            string   `json:"end_session_endpoint,omitempty"`          // RP-Initiated Logout §2.1
	CheckSession          string   `json:"check_session_iframe,omitempty"`          // Session Management §3.3
	FrontchannelLogout    bool     `json:"frontchannel_logout_supported,omitempty"` // Front-Channel Logout §3
	FrontchannelLogoutSID bool     `json:"frontchannel_logout_session_supported,omitempty"`
	BackchannelLogout     bool     `json:"backchannel_logout_supported,omitempty"` // Back-Channel Logout §2.1
	BackchannelLogoutSID  bool     `json:"backchannel_logout_session_supported,omitempty"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ACRValues             []string `json:"acr_values_supported,omitempty"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgs           []string `json:"id_token_signing_alg_values_supported"`
	IDTokenKeyAlgs        []string `json:"id_token_encryption_alg_values_supported"`
	IDTokenEncs           []string `json:"id_token_encryption_enc_values_supported"`
	UserInfoAlgs          []string `json:"userinfo_signing_alg_values_supported"`
	UserInfoKeyAlgs       []string `json:"userinfo_encryption_alg_values_supported"`
	UserInfoEncs          []string `json:"userinfo_encryption_enc_values_supported"`
	IntrospectionAlgs     []string `json:"introspection_signing_alg_values_supported"` // RFC 9701 §7
	IntrospectionKeyAlgs  []string `json:"introspection_encryption_alg_values_supported"`
	IntrospectionEncs     []string `json:"introspection_encryption_enc_values_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	AuthAlgs              []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectAuthAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevokeAuthAlgs        []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	RevokeAuthMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Displays              []string `json:"display_values_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	Claims                []string `json:"claims_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	IssParameter          bool     `json:"authorization_response_iss_parameter_supported"`
	DetailsTypes          []string `json:"authorization_details_types_supported,omitempty"` // RFC 9396 §10
	requestObjects
	DPoPAlgs []string `json:"dpop_signing_alg_values_supported"` // RFC 9449 §5.1

	CertificateBound bool              `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 §3.3
	Aliases          map[string]string `json:"mtls_endpoint_aliases,omitempty"`                      // RFC 8705 §5
	Documents        bool              `json:"client_id_metadata_document_supported,omitempty"`
	Resources        []string          `json:"protected_resources,omitempty"` // RFC 9728 §4

	Grants              string   `json:"grant_management_endpoint,omitempty"` // Grant Management for OAuth 2.0 §7.1
	GrantActions        []string `json:"grant_management_actions_supported,omitempty"`
	GrantActionRequired bool     `json:"grant_management_action_required,omitempty"`

	overlay tenant.Overlay // members that the tenant adds
}

// MetadataOf returns the metadata of t at now.
func MetadataOf(t *tenant.Tenant, now time.Time) Metadata {
	methods, algs := clientauth.Methods(t), names(clientauth.AlgsOf(t))
	answers, encrypts, encs := names(registration.AnswerAlgs(t, now)), names(keys.EncryptionAlgs()), keys.ContentEncryptions()
	m := Metadata{
		Issuer: t.Issuer, Authorize: t.Issuer + Authorize, Token: t.Issuer + Token, JWKS: t.Issuer + JWKS, UserInfo: t.Issuer + UserInfo,
		Registration: t.Issuer + Clients, Introspect: t.Issuer + Introspect, Revoke: t.Issuer + Revoke,
		PAR: t.Issuer + PAR, RequirePAR: t.Settings.PAR.Required,
		Scopes: t.Settings.AdvertisedScopes(), ResponseTypes: authorize.ResponseTypesOf(t), ResponseModes: responseModes(t),
		GrantTypes: token.GrantTypes(), ACRValues: t.Settings.AdvertisedACR(), SubjectTypes: []string{tenant.PublicSubjects, tenant.PairwiseSubjects},
		IDTokenAlgs: names(registration.IDTokenAlgs(t, now)), IDTokenKeyAlgs: encrypts, IDTokenEncs: encs,
		UserInfoAlgs: answers, UserInfoKeyAlgs: encrypts, UserInfoEncs: encs,
		IntrospectionAlgs: answers, IntrospectionKeyAlgs: encrypts, IntrospectionEncs: encs,
		AuthAlgs: algs, IntrospectAuthAlgs: algs, RevokeAuthAlgs: algs,
		AuthMethods: methods, RevokeAuthMethods: methods, IntrospectAuthMethods: slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return m == oauth.AuthNone }),
		ChallengeMethods: []string{oauth.S256}, Displays: t.Settings.AdvertisedDisplays(),
		Prompts: []string{"none", "login", "consent", "select_account", "create"}, ClaimTypes: []string{"normal"}, ClaimsParameter: true, IssParameter: true,
		DPoPAlgs: names(proof.AlgsOf(t)), CertificateBound: t.Settings.MTLS.Enabled,
	}
	if t.Face() == "" { // notices of logout name the issuer that the tenant was made with
		m.BackchannelLogout, m.BackchannelLogoutSID = true, true
	}
	if c := &t.Settings.CIBA; c.Enabled { // CIBA Core §4
		m.CIBA, m.CIBAModes, m.CIBAUserCode = t.Issuer+CIBA, t.Settings.CIBAModes(), c.UserCode
	}
	if slices.ContainsFunc(m.ResponseTypes, oauth.FrontChannel) {
		m.GrantTypes = append(m.GrantTypes, oauth.Implicit)
	}
	m.DetailsTypes, m.requestObjects = t.Settings.DetailsTypeNames(), requestObjectsOf(t)
	m.RequestParameter, m.RequestURIParameter = true, true
	if slices.ContainsFunc(m.ResponseModes, signs) {
		m.ResponseAlgs, m.ResponseKeyAlgs, m.ResponseEncs = answers, encrypts, encs
	}
	if g := &t.Settings.GrantManagement; g.Enabled {
		m.Grants, m.GrantActionRequired = t.Issuer+Grants, g.ActionRequired
		m.GrantActions = []string{oauth.GrantQuery, oauth.GrantRevoke, oauth.GrantCreate, oauth.GrantMerge, oauth.GrantReplace}
	}
	m.Documents, m.Resources = t.Settings.Documents.Enabled, resources(t)
	if t.Settings.DeviceOn() {
		m.Device = t.Issuer + Device
	}
	m.GrantTypes = slices.DeleteFunc(m.GrantTypes, func(g string) bool { return !token.Offers(t.Settings, g) && g != oauth.Implicit })
	if t.Settings.Challenge.Enabled {
		m.Challenge = t.Issuer + Challenge
	}
	if t.Settings.LoginURL == "" { // only our own pages know the browser's session
		m.EndSession = t.Issuer + EndSession
		m.FrontchannelLogout, m.FrontchannelLogoutSID = m.BackchannelLogout, m.BackchannelLogout
	}
	if t.Settings.ChecksSession() && t.Face() == "" {
		m.CheckSession = t.Issuer + CheckSession
	}
	m.Claims = claims(t, m.Scopes)
	m.overlay = t.Settings.MetadataOverlay
	m.overlaid()
	return m
}

// claims are those that the tenant lists, or those that we set ourselves and that the scope values ask for.
func claims(t *tenant.Tenant, scopes []string) []string {
	if len(t.Settings.Authorization.Claims) > 0 {
		return t.Settings.Authorization.Claims
	}
	all := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "sid"}
	for _, s := range scopes {
		all = append(all, oauth.ScopeClaims(s)...)
		all = append(all, t.Settings.Authorization.ClaimsOfScope[s]...)
	}
	for _, claim := range t.Settings.SourcedClaims() {
		if !slices.Contains(all, claim) {
			all = append(all, claim)
		}
	}
	return all
}

func names(as []keys.Alg) []string {
	ns := make([]string, len(as))
	for i, a := range as {
		ns[i] = string(a)
	}
	return ns
}

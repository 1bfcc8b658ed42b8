package authlete

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// viewed is a service that is told of.
type viewed struct {
	*tenant.Tenant
	meta                   discovery.Metadata
	now, created, modified time.Time
}

// serviceMember is a member of the service object.
type serviceMember struct {
	name    string
	shape   shape
	fate    fate
	note    string // what it makes, or why it is refused; for the documentation
	pointer string // of the setting that it makes, in an administrator's words
	// show tells it, where it is not kept; nil or empty: absent.
	show func(v *viewed) any
	// take makes the setting of it; nil raw: it was left out, and the setting is back at what it is by default.
	take func(s *tenant.Settings, raw json.RawMessage) error
	doc  docMember // of the service, whose place it takes

	loose bool // what is told where nothing is set is less than all there may be: written back it sets nothing
}

// docMember is a member of the document of a service.
type docMember struct {
	name  string
	there func(m *discovery.Metadata) bool // what it is about is on; nil: always
	words words                            // of its values; nil: they are what they are
}

// serviceMembers are all members of the service object, in the order in which they are read.
var serviceMembers = concat([]serviceMember{
	told("apiKey", "l", "the service number", func(v *viewed) any { return v.ServiceID }),
	told("number", "i", "the same", func(v *viewed) any { return v.ServiceID }),
	told("serviceOwnerNumber", "i", "not told: tenants belong to the operator", nil),
	told("apiSecret", "s", "in the answer to `/service/create` alone", nil),
	told("createdAt", "l", "", func(v *viewed) any { return millis(v.created) }),
	told("modifiedAt", "l", "", func(v *viewed) any { return millis(v.modified) }),
	told("metadata", "pair[]", "not told", nil),
	told("clientIdAliasEnabled", "b", "always `true`", func(*viewed) any { return true }),
	told("issuer", "uri", "given at `/service/create`, and fixed then: another one is refused", func(v *viewed) any { return v.Issuer }),
	told("jwks", "s", "the public keys. Keys are made and rotated here: private ones, and those of others, are refused",
		func(v *viewed) any { return string(v.Keys.JWKS(v.now)) }),
	told("pkceS256Required", "b", "always `true`: `plain` is not known", func(*viewed) any { return true }),
	told("errorUriOmitted", "b", "always `true`", func(*viewed) any { return true }),
	told("loopbackRedirectionUriVariable", "b", "always `true` (RFC 8252 §7.3)", func(*viewed) any { return true }),
	told("backchannelLogoutSupported", "b", "always `true`", func(v *viewed) any { return v.meta.BackchannelLogout }),
	told("backchannelLogoutSessionSupported", "b", "always `true`", func(v *viewed) any { return v.meta.BackchannelLogoutSID }),
	told("credentialIssuerMetadata", "object", "not told: credentials are not issued", nil),
}, honouredMembers, documentMembers, keptMembers, refusedMembers)

func told(name string, of shape, note string, show func(v *viewed) any) serviceMember {
	return serviceMember{name: name, shape: of, fate: ours, note: note, show: show}
}

// Lifetimes of a service that says nothing, in seconds. Where a tenant is no such service they are shorter.
const (
	defaultLife   = 3600
	defaultPushed = 600
)

// honouredMembers make settings.
var honouredMembers = []serviceMember{
	{"serviceName", "s", honoured, "`name`", "/name", func(v *viewed) any { return cmp.Or(v.Settings.Name, string(v.ID)) },
		func(s *tenant.Settings, raw json.RawMessage) error { return into(raw, &s.Name) }, docMember{}, false},
	{"fapiModes", "enum[]", honoured, "`profile`. `FAPI1_BASELINE`, and FAPI 1 beside FAPI 2, are refused", "/profile", showModes, takeModes, docMember{}, false},
	number("accessTokenDuration", "l", "/tokens/access_token_lifetime", defaultLife, func(s *tenant.Settings) *int64 { return &s.Tokens.AccessTokenLifetime },
		(*tenant.Settings).AccessTokenLifetime),
	number("refreshTokenDuration", "l", "/tokens/refresh_token_lifetime", 0, func(s *tenant.Settings) *int64 { return &s.Tokens.RefreshTokenLifetime },
		(*tenant.Settings).RefreshTokenLifetime),
	number("idTokenDuration", "l", "/tokens/id_token_lifetime", defaultLife, func(s *tenant.Settings) *int64 { return &s.Tokens.IDTokenLifetime },
		(*tenant.Settings).IDTokenLifetime),
	number("authorizationCodeDuration", "l", "/authorization/code_lifetime", 0, func(s *tenant.Settings) *int64 { return &s.Authorization.CodeLifetime },
		(*tenant.Settings).CodeLifetime),
	{"pushedAuthReqDuration", "l", honoured, "`par.lifetime`; 600 where left out, unless a profile wants less", "/par/lifetime",
		func(v *viewed) any { return seconds(v.Settings.PushedLifetime()) }, takePushed, docMember{}, false},
	number("dpopNonceDuration", "l", "/dpop/nonce_lifetime", 0, func(s *tenant.Settings) *int64 { return &s.DPoP.NonceLifetime }, (*tenant.Settings).NonceLifetime),
	number("backchannelAuthReqIdDuration", "i", "/ciba/lifetime", 0, func(s *tenant.Settings) *int64 { return &s.CIBA.Lifetime },
		func(s *tenant.Settings) time.Duration { return s.CIBALifetime(0) }),
	number("backchannelPollingInterval", "i", "/ciba/interval", 0, func(s *tenant.Settings) *int64 { return &s.CIBA.Interval }, (*tenant.Settings).CIBAInterval),
	number("deviceFlowCodeDuration", "i", "/device/lifetime", 0, func(s *tenant.Settings) *int64 { return &s.Device.Lifetime }, (*tenant.Settings).DeviceLifetime),
	number("deviceFlowPollingInterval", "i", "/device/interval", 0, func(s *tenant.Settings) *int64 { return &s.Device.Interval }, (*tenant.Settings).DeviceInterval),
	{"userCodeCharset", "enum", honoured, "`device.user_code_charset`", "/device/user_code_charset", showCharset, takeCharset, docMember{}, false},
	{"userCodeLength", "i", honoured, "`device.user_code_mask`, without hyphens", "/device/user_code_mask", showLength, takeLength, docMember{}, false},
	{"deviceVerificationUri", "uri", honoured, "`device.verification_uri`; ours where left out", "/device/verification_uri",
		func(v *viewed) any { return v.Settings.Device.VerificationURI },
		func(s *tenant.Settings, raw json.RawMessage) error { return into(raw, &s.Device.VerificationURI) }, docMember{}, false},
	{"deviceVerificationUriComplete", "uri", honoured, "`device.verification_uri_complete`", "/device/verification_uri_complete",
		func(v *viewed) any { return v.Settings.Device.VerificationURIComplete },
		func(s *tenant.Settings, raw json.RawMessage) error {
			return into(raw, &s.Device.VerificationURIComplete)
		}, docMember{}, false},
	{"supportedGrantTypes", "enum[]", honoured, "`grants.off`, and what turns each of the others on; `AUTHORIZATION_CODE` and `REFRESH_TOKEN` where left out. " +
		"`PASSWORD`, `TOKEN_EXCHANGE` and `JWT_BEARER` are decided by the authorization server (`grants.….backend`) where this turns them on; where one is on already, who decides stays; `IMPLICIT` comes with `supportedResponseTypes`", "/grants",
		func(v *viewed) any { return grantTypes.all(v.meta.GrantTypes) }, takeGrantTypes, docMember{}, false},
	{"supportedResponseTypes", "enum[]", honoured, "`authorization.response_types`; `CODE` is always there", "/authorization/response_types",
		func(v *viewed) any { return responseTypes.all(v.meta.ResponseTypes) }, takeResponseTypes, docMember{}, false},
	{"supportedTokenAuthMethods", "enum[]", honoured, "`clients.auth_methods`: what new clients may register; all there are where left out. Those by certificates turn `mtls.enabled` on",
		"/clients/auth_methods", func(v *viewed) any { return authMethods.all(clientauth.Methods(v.Tenant)) }, takeAuthMethods, docMember{}, false},
	{"tlsClientCertificateBoundAccessTokens", "b", honoured, "`mtls.enabled`", "/mtls/enabled", func(v *viewed) any { return v.Settings.MTLS.Enabled }, takeBound, docMember{}, false},
	{"trustedRootCertificates", "s[]", honoured, "`mtls.authorities`", "/mtls/authorities", func(v *viewed) any { return v.Settings.MTLS.Authorities },
		func(s *tenant.Settings, raw json.RawMessage) error { return into(raw, &s.MTLS.Authorities) }, docMember{}, false},
	{"accessTokenType", "s", honoured, "`Bearer`; any other is refused: a token that is bound to a key says `DPoP` by itself", "", func(*viewed) any { return "Bearer" }, takeTokenType, docMember{}, false},
	{"accessTokenSignAlg", "enum", honoured, "`tokens.access_token_alg`: access tokens are JWTs. Left out: `tokens.access_token_opaque`", "/tokens/access_token_alg", showTokenAlg, takeTokenAlg, docMember{}, false},
	{name: "supportedScopes", shape: "scope[]", fate: honoured, note: "their names: `authorization.scopes`; `defaultEntry`: `authorization.scope_details`. What else they say is told wherever scopes are objects. The attributes `access_token.duration`, `refresh_token.duration`, `fapi`, `fapi2` and `regex` are refused. Left out: every scope value", pointer: "/authorization/scopes",
		show: func(v *viewed) any { return scopesOf(v.Tenant, v.meta.Scopes) }, take: takeScopes, loose: true},
	{"supportedAcrs", "s[]", honoured, "`authorization.acr_values`", "/authorization/acr_values", func(v *viewed) any { return v.Settings.Authorization.ACRValues },
		func(s *tenant.Settings, raw json.RawMessage) error {
			return into(raw, &s.Authorization.ACRValues)
		}, docMember{}, false},
	{"supportedAuthorizationDetailsTypes", "s[]", honoured, "`authorization.details_types`; what a type demands stays", "/authorization/details_types",
		func(v *viewed) any { return v.Settings.DetailsTypeNames() }, takeDetailsTypes, docMember{}, false},
	{"attributes", "pair[]", honoured, "`attributes`", "/attributes", func(v *viewed) any { return attributes(v.Settings.Attributes) }, takeServiceAttributes, docMember{}, false},
	{"supportedBackchannelTokenDeliveryModes", "enum[]", honoured, "`PUSH`: `ciba.push`; the others are always there", "/ciba/push",
		func(v *viewed) any { return deliveryModes.all(v.Settings.CIBAModes()) }, takeDeliveryModes, docMember{}, false},
	{"clientIdMetadataDocumentSupported", "b", honoured, "`client_documents.enabled`", "/client_documents/enabled",
		func(v *viewed) any { return v.Settings.Documents.Enabled },
		func(s *tenant.Settings, raw json.RawMessage) error { return into(raw, &s.Documents.Enabled) }, docMember{}, false},
	switched("clientAssertionAudRestrictedToIssuer", "/clients/strict_audience", func(s *tenant.Settings) *bool { return &s.Clients.StrictAudience }),
	switched("pkceRequired", "/authorization/require_pkce", func(s *tenant.Settings) *bool { return &s.Authorization.RequirePKCE }),
	switched("parRequired", "/par/required", func(s *tenant.Settings) *bool { return &s.PAR.Required }),
	switched("requestObjectRequired", "/request_objects/required", func(s *tenant.Settings) *bool { return &s.RequestObjects.Required }),
	switched("traditionalRequestObjectProcessingApplied", "/request_objects/merge", func(s *tenant.Settings) *bool { return &s.RequestObjects.Merge }),
	switched("refreshTokenKept", "/tokens/refresh_token_keep", func(s *tenant.Settings) *bool { return &s.Tokens.RefreshTokenKeep }),
	switched("grantManagementActionRequired", "/grant_management/action_required", func(s *tenant.Settings) *bool { return &s.GrantManagement.ActionRequired }),
	switched("idTokenReissuable", "/tokens/id_token_reissue", func(s *tenant.Settings) *bool { return &s.Tokens.IDTokenReissue }),
	switched("dpopNonceRequired", "/dpop/require_nonce", func(s *tenant.Settings) *bool { return &s.DPoP.RequireNonce }),
	switched("backchannelUserCodeParameterSupported", "/ciba/user_code", func(s *tenant.Settings) *bool { return &s.CIBA.UserCode }),
	switched("dynamicRegistrationSupported", "/service/registration", func(s *tenant.Settings) *bool { return &s.Service.Registration }),
	switched("unauthorizedOnClientConfigSupported", "/service/unauthorized", func(s *tenant.Settings) *bool { return &s.Service.Unauthorized }),
}

// number is a number of seconds, unset where it is left out.
func number(name string, of shape, pointer string, unset int64, at func(*tenant.Settings) *int64, effective func(*tenant.Settings) time.Duration) serviceMember {
	return serviceMember{name: name, shape: of, fate: honoured, note: "`" + dotted(pointer) + "`", pointer: pointer,
		show: func(v *viewed) any { return seconds(effective(v.Settings)) },
		take: func(s *tenant.Settings, raw json.RawMessage) error {
			*at(s) = unset
			if raw == nil {
				return nil
			}
			return json.Unmarshal(raw, at(s))
		}}
}

// switched is a setting that is on or off.
func switched(name, pointer string, at func(*tenant.Settings) *bool) serviceMember {
	return serviceMember{name: name, shape: "b", fate: honoured, note: "`" + dotted(pointer) + "`", pointer: pointer,
		show: func(v *viewed) any { return *at(v.Settings) },
		take: func(s *tenant.Settings, raw json.RawMessage) error { return into(raw, at(s)) }}
}

// into reads raw into at, which is zero where nothing was given.
func into[V any](raw json.RawMessage, at *V) error {
	*at = *new(V)
	if raw == nil {
		return nil
	}
	return json.Unmarshal(raw, at)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// allOf reads the names of values of ws.
func allOf(member string, ws words, raw json.RawMessage) ([]string, error) {
	var names, out []string
	if err := into(raw, &names); err != nil {
		return nil, err
	}
	for _, name := range names {
		v, ok := ws.standard(name)
		if !ok {
			return nil, oauth.InvalidRequest(member + " holds an unknown value")
		}
		out = append(out, v)
	}
	return out, nil
}

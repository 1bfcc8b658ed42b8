package console

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A property is one setting as the registry of tenants names it, and as files of properties do.
type property struct {
	name    string                                // where it ends with *, whatever begins so
	pointer string                                // of the setting, in a settings document
	set     func(*tenant.Settings, string) string // returns what is wrong with the value, or nothing
	get     func(*tenant.Settings) string         // empty where the setting has its default
	clear   func(*tenant.Settings)                // gives it its default
	after   func(*tenant.Settings, string) string // what is wrong once all are set; nil: nothing is
	ours    string                                // what it is here, beside its setting
	idle    bool                                  // a file may have it, and it changes nothing here, as ours says
	there   string                                // what that server does where a file does not have it, if we do other than that
}

// is says what a property is here, beside its setting.
func (p property) is(ours string) property { p.ours = ours; return p }

// unsaid says what that server does without the property, and what we do.
func (p property) unsaid(there string) property { p.there = there; return p }

// properties are those that we have a setting for, and those that change nothing here. What is not among them is refused, never
// dropped: a tenant would behave other than it was told.
var properties = []property{
	text("op.authz.endpoint", "/login_url", func(s *tenant.Settings) *string { return &s.LoginURL }),
	number("op.authz.sessionLifetime", "/authorization/interaction_lifetime", false, func(s *tenant.Settings) *int64 { return &s.Authorization.InteractionLifetime }),
	list("op.authz.responseModes", "/authorization/response_modes", func(s *tenant.Settings) *[]string { return &s.Authorization.ResponseModes }),
	flag("op.authz.alwaysPromptForAuth", "/authorization/always_prompt_for_auth", false, func(s *tenant.Settings) *bool { return &s.Authorization.AlwaysPromptForAuth }),
	flag("op.authz.alwaysPromptForConsent", "/authorization/always_prompt_for_grant", false, func(s *tenant.Settings) *bool { return &s.Authorization.AlwaysPromptForGrant }),
	flag("op.authz.requireIDTokenHintWithPromptNone", "/authorization/hint_with_prompt_none", false, func(s *tenant.Settings) *bool { return &s.Authorization.HintWithPromptNone }),
	flag("op.authz.limitToRegisteredScope", "/authorization/any_scope", true, func(s *tenant.Settings) *bool { return &s.Authorization.AnyScope }).is("the contrary"),
	list("op.authz.customErrorCodes", "/authorization/custom_error_codes", func(s *tenant.Settings) *[]string { return &s.Authorization.CustomErrorCodes }),
	list("op.authz.advertisedScopes", "/authorization/scopes", func(s *tenant.Settings) *[]string { return &s.Authorization.Scopes }).unsaid("openid alone; here also those of the standard"),
	flag("op.authz.includeClientInfoInAuthPrompt", "/authorization/client_in_auth_prompt", false, func(s *tenant.Settings) *bool { return &s.Authorization.ClientInAuthPrompt }),
	list("op.authz.requestParamsInAuthPrompt", "/authorization/request_in_auth_prompt", func(s *tenant.Settings) *[]string { return &s.Authorization.RequestInAuthPrompt }),
	list("op.authz.requestParamsInConsentPrompt", "/authorization/request_in_grant_prompt", func(s *tenant.Settings) *[]string { return &s.Authorization.RequestInGrantPrompt }),
	flag("op.authz.includeRawClaimsRequestInPrompt", "/authorization/raw_claims_in_prompt", false, func(s *tenant.Settings) *bool { return &s.Authorization.RawClaimsInPrompt }),
	flag("op.authz.includeSubjectSessionInFinalResponse", "/authorization/session_in_response", false, func(s *tenant.Settings) *bool { return &s.Authorization.SessionInResponse }),
	flag("op.authz.includeClientInfoInFinalResponse", "/authorization/client_in_response", false, func(s *tenant.Settings) *bool { return &s.Authorization.ClientInResponse }),
	flag("op.authz.alwaysRequireRedirectURI", "/authorization/require_redirect_uri", false, func(s *tenant.Settings) *bool { return &s.Authorization.RequireRedirectURI }),
	flag("op.authz.prohibitSwitchBetweenBasicResponseModes", "/authorization/usual_response_mode", false, func(s *tenant.Settings) *bool { return &s.Authorization.UsualResponseMode }),
	shared("op.authz.maxStateLength.formPostResponse", "/authorization/max_state", func(s *tenant.Settings) *int { return &s.Authorization.MaxState }).is("one for both").unsaid("8192; here 4096"),
	shared("op.authz.maxStateLength.uriResponse", "/authorization/max_state", func(s *tenant.Settings) *int { return &s.Authorization.MaxState }).is("one for both").unsaid("1024; here 4096"),
	number("op.authz.maxNonceLength", "/authorization/max_nonce", false, func(s *tenant.Settings) *int { return &s.Authorization.MaxNonce }),
	number("op.idToken.lifetime", "/tokens/id_token_lifetime", false, func(s *tenant.Settings) *int64 { return &s.Tokens.IDTokenLifetime }),
	flag("op.reg.refreshAccessTokenOnUpdate", "/clients/new_token_on_put", false, func(s *tenant.Settings) *bool { return &s.Clients.NewTokenOnPut }).unsaid("true; here a token stays unless an update asks for another"),
	flag("op.reg.alwaysRefreshClientSecretOnUpdate", "/clients/new_secret_on_put", false, func(s *tenant.Settings) *bool { return &s.Clients.NewSecretOnPut }).unsaid("true; here a secret stays unless an update asks for another"),
	only("op.reg.httpMaxRequestSize", "250000").is("no more is read"),
	only("op.reg.rejectNonTLSRedirectionURIs", "true").is("http is for the loopback alone"),
	flag("op.reg.allowOpenRegistration", "/clients/open_registration", false, func(s *tenant.Settings) *bool { return &s.Clients.OpenRegistration }),
	number("authzStore.code.lifetime", "/authorization/code_lifetime", false, func(s *tenant.Settings) *int64 { return &s.Authorization.CodeLifetime }).unsaid("up to 300 s; here 60"),
	number("authzStore.accessToken.defaultLifetime", "/tokens/access_token_lifetime", false, func(s *tenant.Settings) *int64 { return &s.Tokens.AccessTokenLifetime }),
	text("authzStore.accessToken.jwsAlg", "/tokens/access_token_alg", func(s *tenant.Settings) *string { return &s.Tokens.AccessTokenAlg }),
	longest("authzStore.refreshToken.defaultLifetime", "/tokens/refresh_token_lifetime", func(s *tenant.Settings) *int64 { return &s.Tokens.RefreshTokenLifetime }).is("0 is ten years, as nothing here is for ever").unsaid("for ever; here 90 days"),
	flag("authzStore.refreshToken.defaultRotate", "/tokens/refresh_token_keep", true, func(s *tenant.Settings) *bool { return &s.Tokens.RefreshTokenKeep }).is("the contrary; those of public clients always rotate").unsaid("false; here they rotate"),
	number("sessionStore.maxLifetime", "/sessions/max_life", true, func(s *tenant.Settings) *int64 { return &s.Sessions.MaxLife }).unsaid("259200 minutes; here 20160"),
	number("sessionStore.authLifetime", "/sessions/auth_life", true, func(s *tenant.Settings) *int64 { return &s.Sessions.AuthLife }).unsaid("43200 minutes; here 1440"),
	number("sessionStore.maxIdleTime", "/sessions/max_idle", true, func(s *tenant.Settings) *int64 { return &s.Sessions.MaxIdle }).unsaid("14400 minutes; here 1440"),
	number("sessionStore.nativeIdPAppQuotaPerSubject", "/sessions/native_apps", false, func(s *tenant.Settings) *int { return &s.Sessions.NativeApps }),
	number("sessionStore.quotaPerSubject", "/sessions/per_subject", false, func(s *tenant.Settings) *int { return &s.Sessions.PerSubject }),
	only("sessionStore.onQuotaExhaustion", "CLOSE_OLD_SESSION").is("the oldest session is closed"),
	responseTypes("op.authz.responseTypes", "/authorization/response_types", func(s *tenant.Settings) *[]string { return &s.Authorization.ResponseTypes }).is("those beside `code`, which must be there ([requests](../requests.md#response-types))"),
	only("op.authz.allowedPKCE", "S256").is("`plain` is not served"),
	words("op.authz.requiredPKCE", "/authorization/require_pkce", map[string]bool{"S256": true, "none": false, "": false}, func(s *tenant.Settings) *bool { return &s.Authorization.RequirePKCE }).is("`S256` or `none`; clients have a `require_pkce` of their own"),
	idle("op.authz.allowUnsafeStatePatterns", "fixed: any text, which comes back byte for byte"),
	detailsTypes("op.rar.supportedTypes", "/authorization/details_types").is("objects, with `type`"),
	number("op.par.lifetime", "/par/lifetime", false, func(s *tenant.Settings) *int64 { return &s.PAR.Lifetime }),
	flag("op.par.require", "/par/required", false, func(s *tenant.Settings) *bool { return &s.PAR.Required }).is("clients have a `require_pushed_authorization_requests` of their own"),
	alike("op.authz.oAuthRequestJWTPolicy", "/request_objects/merge", policies, func(s *tenant.Settings) *bool { return &s.RequestObjects.Merge }).is("one for both policies").unsaid("STRICT, and so it is here"),
	alike("op.authz.openIDRequestJWTPolicy", "/request_objects/merge", policies, func(s *tenant.Settings) *bool { return &s.RequestObjects.Merge }).is("one for both policies").unsaid("MERGE_UNSECURED; here STRICT"),
	flag("op.authz.alwaysRequireSignedRequestJWT", "/request_objects/required", false, func(s *tenant.Settings) *bool { return &s.RequestObjects.Required }),
	limit("op.authz.maxAgeRequestJWTNotBefore", "/request_objects/lifetime", func(s *tenant.Settings) *int64 { return &s.RequestObjects.Lifetime }).is("seconds from `nbf`, which then must be there, to `exp`: one for both"),
	limit("op.authz.maxLifetimeRequestJWTExpiration", "/request_objects/lifetime", func(s *tenant.Settings) *int64 { return &s.RequestObjects.Lifetime }).is("seconds from `nbf`, which then must be there, to `exp`: one for both"),
	matching("op.authz.requireRequestJWTNotBefore", func(s *tenant.Settings) bool { return s.RequestObjects.Lifetime > 0 }, "must be true exactly where there is a longest lifetime or age of request objects").is("required exactly where there is a lifetime"),
	matching("op.authz.alwaysRequireSignedResponse", signedOnly, "must be true exactly where op.authz.responseModes are all signed").is("`authorization.response_modes`, with none but those that end with `jwt`"),
	idle("op.authz.requestJWSAlgs", metadataAlgs), idle("op.authz.requestJWEAlgs", metadataAlgs), idle("op.authz.requestJWEEncs", metadataAlgs),
	idle("op.authz.responseJWSAlgs", metadataAlgs), idle("op.authz.responseJWEAlgs", metadataAlgs), idle("op.authz.responseJWEEncs", metadataAlgs),
	only("op.authz.responseJWTIncludeX5C", "false").is("not included"),
	only("op.idToken.includeSubjectSessionClaims", "*").is("all of them"),
	only("op.issuerAliasMode", "MIGRATION").is("what was remembered counts under every alias"),
	only("op.federation.enable", "false").is("federation is not served"),
	idle("op.federation.*", "federation is not served"),
	only("jose.allowWeakKeys", "false").is("RSA keys have 2048 bits or more"),
	idle("keyStore.*", "keys are kept in the database, encrypted, and rotate by `tokens.key_rotation`; those of that server's own store are not in the file"),
	query("op.sso.disableForSelectedClients", "/authorization/no_single_sign_on", func(s *tenant.Settings) *json.RawMessage { return &s.Authorization.NoSingleSignOn }).is("a query of client metadata ([below](#clients-without-single-sign-on))"),
	flag("op.authz.includeOtherConsentedScopeAndClaimsInPrompt", "/authorization/other_consent_in_prompt", false, func(s *tenant.Settings) *bool { return &s.Authorization.OtherConsentInPrompt }).is("`scope.other_consented`, `claims.other_consented`"),
	list("op.authz.advertisedClaims", "/authorization/claims", func(s *tenant.Settings) *[]string { return &s.Authorization.Claims }).unsaid("sub alone; here also those of the scope values"),
	list("op.authz.advertisedDisplayTypes", "/authorization/display_values", func(s *tenant.Settings) *[]string { return &s.Authorization.DisplayValues }).unsaid("page alone; here page popup touch wap"),
	abroad("op.logout.endpoint", "end_session_endpoint").is("only beside `login_url`, as our own pages have one"),
	abroad("op.checkSession.iframe", "check_session_iframe").is("only beside `login_url`, as our own pages have one"),
	overlay("op.metadataOverlay").is("a JSON object: members that metadata has besides, or other `scopes_supported`, `claims_supported`, `display_values_supported`, `acr_values_supported`. What says who the server is, where, and what it can do is refused"),
	idle("op.splashPage", "there is no start page"),
	idle("op.checkSession.cookieName", "our pages name their cookies"),
	idle("monitor.*", "of the whole deployment: its operator makes a token of the platform that reaches `monitor`"),
	idle("tenants.*", "of the whole deployment: `/tenants/rest/v1` takes tokens of the platform"),
	idle("sqlStore.*", "there is one database, which the operator names"),
	idle("env", "`CHANCERY_ENV` of the deployment"),
}

// metadataAlgs is what algorithms of requests and responses are here.
const metadataAlgs = "fixed: those in the metadata, of which each client registers its own"

// policies say whether the members that a request object lacks may stand beside it.
var policies = map[string]bool{"STRICT": false, "MERGE_UNSECURED": true}

// of makes a property of the field that at finds.
func of[V any](name, pointer string, at func(*tenant.Settings) *V, read func(string) (V, string), write func(V) string) property {
	return property{
		name: name, pointer: pointer,
		set: func(s *tenant.Settings, v string) string {
			x, wrong := read(v)
			if wrong == "" {
				*at(s) = x
			}
			return wrong
		},
		get:   func(s *tenant.Settings) string { return write(*at(s)) },
		clear: func(s *tenant.Settings) { *at(s) = *new(V) },
	}
}

// text is a setting that is a text.
func text(name, pointer string, at func(*tenant.Settings) *string) property {
	return of(name, pointer, at,
		func(v string) (string, string) { return v, "" },
		func(v string) string { return v })
}

// number is a setting that is a number other than zero, which stands for our default. Where unlimited, any negative
// number is no limit.
func number[N int | int64](name, pointer string, unlimited bool, at func(*tenant.Settings) *N) property {
	return of(name, pointer, at,
		func(v string) (N, string) {
			n, err := strconv.ParseInt(v, 10, 32)
			switch {
			case err != nil:
				return 0, "must be a whole number"
			case n == 0 && unlimited:
				return 0, "must not be zero"
			case n < 1 && !unlimited:
				return 0, "must be positive"
			}
			return N(max(n, -1)), ""
		},
		func(n N) string {
			if n == 0 {
				return ""
			}
			return strconv.FormatInt(int64(n), 10)
		})
}

// shared is number for one of several properties that stand for one setting of ours: they must agree.
func shared(name, pointer string, at func(*tenant.Settings) *int) property {
	p := number(name, pointer, false, at)
	set := p.set
	p.set = func(s *tenant.Settings, v string) string {
		before := *at(s)
		wrong := set(s, v)
		if wrong == "" && before != 0 && before != *at(s) {
			return "must be the same for every response mode"
		}
		return wrong
	}
	return p
}

// flag is a setting that is true or false; its default is def, where ours is always false.
func flag(name, pointer string, def bool, at func(*tenant.Settings) *bool) property {
	return of(name, pointer, at,
		func(v string) (bool, string) {
			switch v {
			case "true", "false":
				return (v == "true") != def, ""
			}
			return false, "must be true or false"
		},
		func(v bool) string {
			if !v {
				return ""
			}
			return strconv.FormatBool(!def)
		})
}

// list is a setting that is several words, separated by commas or spaces.
func list(name, pointer string, at func(*tenant.Settings) *[]string) property {
	return of(name, pointer, at,
		func(v string) ([]string, string) {
			return separated(v), ""
		},
		func(vs []string) string { return strings.Join(vs, ",") })
}

func separated(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

// only is a setting that has one value here.
func only(name, value string) property {
	return property{
		name: name,
		set: func(_ *tenant.Settings, v string) string {
			if v != value {
				return "must be " + value
			}
			return ""
		},
		get:   func(*tenant.Settings) string { return "" },
		clear: func(*tenant.Settings) {},
	}
}

// hashProperties are the properties that hold the SHA-256 of an API token in hexadecimal, optionally with a label after
// a dot, by what the token is for.
var hashProperties = []struct {
	prefix string
	api    tenant.API
}{
	{"op.authz", tenant.AuthzAPI},
	{"op.logout", tenant.LogoutAPI},
	{"op.reg", tenant.ClientAPI},
	{"sessionStore", tenant.SessionAPI},
	{"authzStore", tenant.GrantAPI},
	{"keyStore", tenant.KeyAPI},
	{"op.sts.jar", tenant.RequestObjectAPI},
	{"op.sts.privateKeyJWT", tenant.ClientAssertionAPI},
	{"op.sts.loginHintToken", tenant.LoginHintAPI},
}

// unsupported is what is said of a property that we do not know.
const unsupported = "is unknown, or not supported"

const hashSuffix = ".apiAccessTokenSHA256"

// scopeProperty begins the properties that say which claims a scope value asks for.
const scopeProperty = "op.claims.map."

// issuerProperty is the tenant's issuer, which is fixed when it is created.
const issuerProperty = "op.issuer"

// tokenProps are the API tokens that came as properties, by hash. Tokens of other labels are not the registry's.
type tokenProps map[string]admin.NewToken

// labelMark begins the label of a token that came as properties; after it come their names, without the suffix.
const labelMark = "props: "

// badProperty says what is wrong with one property.
func badProperty(name, what string) error {
	return &oauth.Error{Code: "invalid_request", Description: name + " " + what}
}

// speakable is a name that an error may say.
var speakable = regexp.MustCompile(`^[A-Za-z0-9._*-]{1,100}$`)

// applied returns s with the properties in place of what they can express, and the tokens among them.
func applied(s tenant.Settings, props map[string]string) (tenant.Settings, tokenProps, error) {
	known := map[string]property{}
	for _, p := range properties {
		known[p.name] = p
		p.clear(&s)
	}
	s.Authorization.ClaimsOfScope = nil
	tokens := tokenProps{}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		v := props[name]
		if name == issuerProperty {
			continue
		}
		if p, ok := known[name]; ok && !p.idle {
			if wrong := p.set(&s, strings.TrimSpace(v)); wrong != "" {
				return s, nil, badProperty(name, wrong)
			}
			continue
		}
		if scope, ok := strings.CutPrefix(name, scopeProperty); ok {
			if s.Authorization.ClaimsOfScope == nil {
				s.Authorization.ClaimsOfScope = map[string][]string{}
			}
			s.Authorization.ClaimsOfScope[scope] = separated(v)
			continue
		}
		if err := tokens.add(name, v); err != nil {
			return s, nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if p, ok := known[name]; ok && p.after != nil {
			if wrong := p.after(&s, strings.TrimSpace(props[name])); wrong != "" {
				return s, nil, badProperty(name, wrong)
			}
		}
	}
	return s, tokens, nil
}

// add takes over a property that holds the hash of a token.
func (ts tokenProps) add(name, v string) error {
	for _, p := range hashProperties {
		label, ok := strings.CutPrefix(name, p.prefix+hashSuffix)
		if !ok || label != "" && (label[0] != '.' || len(label) == 1) || !speakable.MatchString(name) {
			continue
		}
		hash, err := hex.DecodeString(strings.TrimSpace(v))
		if err != nil || len(hash) != 32 {
			return badProperty(name, "must be a SHA-256 in hexadecimal")
		}
		n := ts[string(hash)]
		if n.Hash == nil {
			n = admin.NewToken{Hash: hash, Label: strings.TrimSuffix(labelMark, " ")}
		}
		n.Label += " " + p.prefix + label
		if !slices.Contains(n.APIs, p.api) {
			n.APIs = append(n.APIs, p.api)
		}
		ts[string(hash)] = n
		return nil
	}
	if !speakable.MatchString(name) {
		name = "A property"
	}
	return badProperty(name, unsupported)
}

// propertiesOf returns what of a tenant can be said as properties.
func propertiesOf(r *tenant.Record) map[string]string {
	props := map[string]string{issuerProperty: r.Issuer}
	for _, p := range properties {
		if v := p.get(&r.Settings); v != "" {
			props[p.name] = v
		}
	}
	for scope, claims := range r.Settings.Authorization.ClaimsOfScope {
		props[scopeProperty+scope] = strings.Join(claims, " ")
	}
	for _, k := range r.Tokens {
		names, ok := strings.CutPrefix(k.Label, labelMark)
		if !ok {
			continue
		}
		for name := range strings.FieldsSeq(names) {
			for _, p := range hashProperties {
				if label, ok := strings.CutPrefix(name, p.prefix); ok && (label == "" || label[0] == '.') {
					props[p.prefix+hashSuffix+label] = hex.EncodeToString(k.Hash)
				}
			}
		}
	}
	return props
}

package authlete

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The enumerations of the API, as callers know them.
var (
	anyGrantType  = []string{"AUTHORIZATION_CODE", "IMPLICIT", "PASSWORD", "CLIENT_CREDENTIALS", "REFRESH_TOKEN", "CIBA", "DEVICE_CODE", "TOKEN_EXCHANGE", "JWT_BEARER", "PRE_AUTHORIZED_CODE"}
	anyResponse   = []string{"NONE", "CODE", "TOKEN", "ID_TOKEN", "CODE_TOKEN", "CODE_ID_TOKEN", "ID_TOKEN_TOKEN", "CODE_ID_TOKEN_TOKEN"}
	anyAuthMethod = []string{"NONE", "CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST", "CLIENT_SECRET_JWT", "PRIVATE_KEY_JWT", "TLS_CLIENT_AUTH", "SELF_SIGNED_TLS_CLIENT_AUTH", "ATTEST_JWT_CLIENT_AUTH"}
	anyPrompt     = []string{"NONE", "LOGIN", "CONSENT", "SELECT_ACCOUNT", "CREATE"}
	anyDisplay    = []string{"PAGE", "POPUP", "TOUCH", "WAP"}
	anyDelivery   = []string{"POLL", "PING", "PUSH"}
	anyTokenType  = []string{"JWT", "ACCESS_TOKEN", "REFRESH_TOKEN", "ID_TOKEN", "SAML1", "SAML2", "DEVICE_SECRET"}
	anyFAPIMode   = []string{"FAPI1_BASELINE", "FAPI1_ADVANCED", "FAPI2_SECURITY", "FAPI2_MESSAGE_SIGNING_AUTH_REQ", "FAPI2_MESSAGE_SIGNING_AUTH_RES", "FAPI2_MESSAGE_SIGNING_INTROSPECTION_RES"}
	anyRegistered = []string{"AUTOMATIC", "EXPLICIT"}
	anySignature  = []string{"NONE", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "ES256K", "EdDSA"}
	anyEncryption = []string{"RSA1_5", "RSA_OAEP", "RSA_OAEP_256", "A128KW", "A192KW", "A256KW", "DIR", "ECDH_ES", "ECDH_ES_A128KW", "ECDH_ES_A192KW", "ECDH_ES_A256KW", "A128GCMKW", "A192GCMKW",
		"A256GCMKW", "PBES2_HS256_A128KW", "PBES2_HS384_A192KW", "PBES2_HS512_A256KW"}
	anyContentEncryption = []string{"A128CBC_HS256", "A192CBC_HS384", "A256CBC_HS512", "A128GCM", "A192GCM", "A256GCM"}
	anyResponseMode      = []string{"QUERY", "FRAGMENT", "FORM_POST", "JWT", "QUERY_JWT", "FRAGMENT_JWT", "FORM_POST_JWT"}
)

// enums are the members whose values callers look up by name, and the names that there are.
var enums = map[string][]string{
	"display":                                anyDisplay,
	"supportedDisplays":                      anyDisplay,
	"prompts":                                anyPrompt,
	"lowestPrompt":                           anyPrompt,
	"supportedPromptValues":                  anyPrompt,
	"supportedClaimTypes":                    {"NORMAL", "AGGREGATED", "DISTRIBUTED"},
	"clientType":                             {"PUBLIC", "CONFIDENTIAL"},
	"applicationType":                        {"WEB", "NATIVE"},
	"userCodeCharset":                        {"BASE20", "NUMERIC"},
	"subjectType":                            {"PUBLIC", "PAIRWISE"},
	"clientAuthMethod":                       anyAuthMethod,
	"tokenAuthMethod":                        anyAuthMethod,
	"supportedTokenAuthMethods":              anyAuthMethod,
	"supportedRevocationAuthMethods":         anyAuthMethod,
	"supportedIntrospectionAuthMethods":      anyAuthMethod,
	"grantType":                              anyGrantType,
	"grantTypes":                             anyGrantType,
	"supportedGrantTypes":                    anyGrantType,
	"responseTypes":                          anyResponse,
	"supportedResponseTypes":                 anyResponse,
	"responseModes":                          anyResponseMode,
	"requestedTokenType":                     anyTokenType,
	"subjectTokenType":                       anyTokenType,
	"actorTokenType":                         anyTokenType,
	"batchKind":                              {"CREATE"},
	"result":                                 {"SUCCEEDED", "FAILED"},
	"gmAction":                               {"CREATE", "QUERY", "REPLACE", "REVOKE", "MERGE"},
	"hintType":                               {"LOGIN_HINT", "LOGIN_HINT_TOKEN", "ID_TOKEN_HINT"},
	"deliveryMode":                           anyDelivery,
	"bcDeliveryMode":                         anyDelivery,
	"supportedBackchannelTokenDeliveryModes": anyDelivery,
	"fapiModes":                              anyFAPIMode,
	"supportedServiceProfiles":               {"FAPI", "OPEN_BANKING"},
	"supportedAttachments":                   {"EMBEDDED", "EXTERNAL"},
	"supportedSnses":                         {"FACEBOOK"},
	"supportedClientRegistrationTypes":       anyRegistered,
	"clientRegistrationTypes":                anyRegistered,
	"clientSource":                           {"STATIC_REGISTRATION", "DYNAMIC_REGISTRATION", "AUTOMATIC_REGISTRATION", "EXPLICIT_REGISTRATION", "METADATA_DOCUMENT"},
	"idTokenAudType":                         {"array", "string"},
	"accessTokenSignAlg":                     anySignature,
	"authorizationSignAlg":                   anySignature,
	"tokenAuthSignAlg":                       anySignature,
	"requestSignAlg":                         anySignature,
	"idTokenSignAlg":                         anySignature,
	"userInfoSignAlg":                        anySignature,
	"bcRequestSignAlg":                       anySignature,
	"authorizationEncryptionAlg":             anyEncryption,
	"requestEncryptionAlg":                   anyEncryption,
	"idTokenEncryptionAlg":                   anyEncryption,
	"userInfoEncryptionAlg":                  anyEncryption,
	"authorizationEncryptionEnc":             anyContentEncryption,
	"requestEncryptionEnc":                   anyContentEncryption,
	"idTokenEncryptionEnc":                   anyContentEncryption,
	"userInfoEncryptionEnc":                  anyContentEncryption,
}

// kinds are the members whose JSON type callers insist on. Those of services and clients are in their tables.
var kinds = func() map[string]string {
	out := map[string]string{}
	for kind, members := range map[string]string{
		"number": "clientId number apiKey serviceApiKey maxAge expiresAt authTime accessTokenExpiresAt accessTokenDuration refreshTokenExpiresAt refreshTokenDuration idTokenDuration createdAt modifiedAt " +
			"totalCount start end defaultMaxAge expiresIn interval requestedExpiry tokenCount count lastRefreshedAt cnonceDuration cnonceExpiresAt",
		"string": "resultCode resultMessage action responseContent ticket subject sub clientIdAlias clientName idTokenClaims userInfoClaims tokenId requestId accessTokenHash refreshTokenHash accessToken " +
			"refreshToken jwtAccessToken idToken authorizationCode tokenType grantId grantSubject loginHint purpose username password assertion subjectToken actorToken dpopNonce certificateThumbprint acr " +
			"requestObjectPayload requestUri authReqId hint bindingMessage userCode requestContext clientNotificationEndpoint clientNotificationToken deviceCode verificationUri " +
			"verificationUriComplete newClientSecret oldClientSecret clientIdentifier token errorCode errorDescription serviceName lowestPrompt display key tag name version",
		"boolean": "clientIdAliasUsed clientIdAliasEnabled acrEssential existent usable sufficient refreshable userCodeRequired valid signatureValid forExternalAttachment previousRefreshTokenUsed " +
			"hidden defaultEntry requestableScopesEnabled tokenExchangePermitted nativeSsoRequested responseSigningRequired",
		"array": "claims claimsAtUserInfo scopes scopeDetails refreshTokenScopes acrs uiLocales claimsLocales resources accessTokenResources prompts properties consentedClaims claimNames warnings " +
			"missingClaims invalidClaims errorDescriptions accessTokens services clients elements serviceAttributes clientAttributes latestGrantedScopes mergedGrantedScopes requestableScopes " +
			"requestedIdTokenClaims features audiences",
		"object": "client service extension grant authorizationDetails subjectTokenInfo actorTokenInfo status info ticketInfo",
	} {
		for _, name := range strings.Fields(members) {
			out[name] = kind
		}
	}
	enter := func(name string, s shape) {
		switch {
		case strings.HasSuffix(string(s), "[]"):
			out[name] = "array"
		case s == "b":
			out[name] = "boolean"
		case s == "i", s == "l":
			out[name] = "number"
		case s == "object":
			out[name] = "object"
		default:
			out[name] = "string"
		}
	}
	for i := range serviceMembers {
		enter(serviceMembers[i].name, serviceMembers[i].shape)
	}
	for i := range clientMembers {
		enter(clientMembers[i].name, clientMembers[i].shape)
	}
	return out
}()

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// recorded is an answer as its caller has it.
type recorded struct {
	method, path string // behind what says which service it is
	status       int
	contentType  string
	text         string
	body         any // nil where the text is no JSON
	members      m   // of body, where it is an object
	content      any // of responseContent, where that is JSON
}

// visit calls f for every value in v, by where it is and its name.
func visit(at, name string, v any, f func(at, name string, v any)) {
	f(at, name, v)
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			visit(fmt.Sprintf("%s[%d]", at, i), "", e, f)
		}
	case map[string]any:
		for n, e := range v {
			visit(at+"."+n, n, e, f)
		}
	}
}

// each calls f for every value of the answer.
func (a *recorded) each(f func(at, name string, v any)) {
	if !a.foreign() {
		visit("", "", a.body, f)
	}
}

// foreign reports whether the answer is a document of the OAuth world, whose members have names and types of their own.
func (a *recorded) foreign() bool {
	return a.path == "/service/configuration" || a.path == "/service/jwks/get" || a.path == "/misc/echo"
}

var (
	resultCodes   = regexp.MustCompile(`^A\d{6}$`)
	milliseconds  = regexp.MustCompile(`(ExpiresAt|^expiresAt|^createdAt|^modifiedAt|^lastRefreshedAt)$`)
	inSeconds     = regexp.MustCompile(`(Duration|^authTime|^expiresIn|^interval|^maxAge|^defaultMaxAge|^requestedExpiry)$`)
	withoutBody   = regexp.MustCompile(`^DELETE /(client/delete|service/delete|auth/token/delete|client/extension/requestable_scopes/delete)\b`)
	afterService  = regexp.MustCompile(`^(/t/[^/]+)?/api(/\d+)?(/|$)`)
	theirStatuses = []int{400, 401, 403, 404, 405, 413, 415, 429, 500, 503}
)

// rules are what strict callers reject. A check says what is wrong with an answer.
var rules = []struct {
	rule  string
	check func(a *recorded) []string
}{
	{"absent members are left out, and nothing is null", func(a *recorded) (wrong []string) {
		null := func(at, _ string, v any) {
			if v == nil {
				wrong = append(wrong, at)
			}
		}
		if a.body != nil {
			visit("", "", a.body, null)
		}
		if a.content != nil {
			visit("responseContent", "", a.content, null)
		}
		return wrong
	}},
	{"enumerations hold the names that there are", func(a *recorded) (wrong []string) {
		a.each(func(at, name string, v any) {
			known := enums[name]
			if known == nil {
				return
			}
			values, ok := v.([]any)
			if !ok {
				values = []any{v}
			}
			for _, e := range values {
				if s, _ := e.(string); !slices.Contains(known, s) {
					wrong = append(wrong, fmt.Sprintf("%s is %v", at, e))
				}
			}
		})
		return wrong
	}},
	{"an action is one of those that the call has, and a call without actions has none", func(a *recorded) []string {
		known := slices.Concat(documented[a.path], documentedElsewhere[family(a.path)])
		given, there := a.members["action"]
		if action, _ := given.(string); there && !slices.Contains(known, action) || !there && known != nil && a.status == http.StatusOK {
			return []string{fmt.Sprint(given)}
		}
		return nil
	}},
	{"numbers are whole, and below 2^53", func(a *recorded) (wrong []string) {
		a.each(func(at, _ string, v any) {
			if n, ok := v.(float64); ok && (n != math.Trunc(n) || math.Abs(n) >= 1<<53) {
				wrong = append(wrong, fmt.Sprintf("%s is %v", at, n))
			}
		})
		return wrong
	}},
	{"client_id of the OAuth world is a string", func(a *recorded) (wrong []string) {
		if o, ok := a.content.(m); ok && o["client_id"] != nil && kindOf(o["client_id"]) != "string" {
			wrong = append(wrong, fmt.Sprint(o["client_id"]))
		}
		return wrong
	}},
	{"members are of the types that they have", func(a *recorded) (wrong []string) {
		a.each(func(at, name string, v any) {
			if kind := kinds[name]; kind != "" && v != nil && kind != kindOf(v) && !strings.Contains(at, "nsCredentials[") { // which has an apiKey of its own
				wrong = append(wrong, at+" is a "+kindOf(v))
			}
		})
		return wrong
	}},
	{"every answer with a body is JSON, and says so", func(a *recorded) []string {
		if a.path == "/lifecycle/healthcheck" || a.text == "" && a.status == http.StatusNoContent {
			return nil
		}
		if a.contentType != "application/json" || a.body == nil {
			return []string{a.contentType}
		}
		return nil
	}},
	{"the status is the documented one", func(a *recorded) []string {
		want := http.StatusOK
		if withoutBody.MatchString(a.method + " " + a.path) {
			want = http.StatusNoContent
		}
		if a.status != want && !slices.Contains(theirStatuses, a.status) || a.status == http.StatusNoContent && a.text != "" {
			return []string{fmt.Sprint(a.status, a.text)}
		}
		return nil
	}},
	{"what waits for a decision names client and service", func(a *recorded) (wrong []string) {
		if action := a.members["action"]; action == "INTERACTION" || action == "NO_INTERACTION" {
			for _, name := range []string{"client", "service", "ticket"} {
				if a.members[name] == nil {
					wrong = append(wrong, name)
				}
			}
		}
		return wrong
	}},
	{"times are milliseconds, durations and authTime seconds", func(a *recorded) (wrong []string) {
		a.each(func(at, name string, v any) {
			n, ok := v.(float64)
			if ok && n != 0 && (milliseconds.MatchString(name) && n < 1e12 || inSeconds.MatchString(name) && n > 1e10) {
				wrong = append(wrong, fmt.Sprintf("%s is %v", at, n))
			}
		})
		return wrong
	}},
	{"what is no success has a code and a message, and so has what has an action", func(a *recorded) []string {
		code, _ := a.members["resultCode"].(string)
		message, _ := a.members["resultMessage"].(string)
		if (a.status >= 400 || a.members["action"] != nil) && (!resultCodes.MatchString(code) || !strings.HasPrefix(message, "["+code+"] ")) {
			return []string{code + " " + message}
		}
		return nil
	}},
}

// documentedElsewhere are the actions of calls that there is nothing behind, by family.
var documentedElsewhere = map[string][]string{
	"federation":  {"OK", "BAD_REQUEST", "NOT_FOUND", "INTERNAL_SERVER_ERROR"},
	"vci":         {"OK", "NOT_FOUND", "FORBIDDEN", "BAD_REQUEST", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR", "CALLER_ERROR", "AUTHLETE_ERROR"},
	"nativesso":   {"OK", "CALLER_ERROR", "INTERNAL_SERVER_ERROR", "SERVER_ERROR"},
	"attestation": {"OK", "INTERNAL_SERVER_ERROR"},
	"hsk":         {"SUCCESS", "INVALID_REQUEST", "NOT_FOUND", "SERVER_ERROR"},
	"logout":      {"OK", "CALLER_ERROR", "SERVER_ERROR"},
}

// family is the first segment of a path; of the logout tokens the word for what they are.
func family(path string) string {
	if path == "/backchannel/logout/token" {
		return "logout"
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

// record is the answer to a request.
func record(method, path string, rec *httptest.ResponseRecorder) *recorded {
	at := "/" + strings.TrimSuffix(afterService.ReplaceAllString(path, ""), "/")
	a := &recorded{method: method, path: at, status: rec.Code, contentType: rec.Header().Get("Content-Type"), text: rec.Body.String()}
	if json.Unmarshal([]byte(a.text), &a.body) != nil {
		a.body = nil
	}
	a.members, _ = a.body.(map[string]any)
	if text, ok := a.members["responseContent"].(string); ok && json.Unmarshal([]byte(text), &a.content) != nil {
		a.content = nil
	}
	return a
}

// rejected says what strict callers reject in an answer.
func (a *recorded) rejected() (wrong []string) {
	for _, r := range rules {
		for _, what := range r.check(a) {
			wrong = append(wrong, fmt.Sprintf("%s %s %d: %s: %s", a.method, a.path, a.status, r.rule, what))
		}
	}
	return wrong
}

// judged is a handler whose answers strict callers take, whichever test they are for.
func judged(t *testing.T, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		method, path := r.Method, r.URL.Path
		h.ServeHTTP(rw, r)
		if rec, ok := rw.(*httptest.ResponseRecorder); ok {
			for _, wrong := range record(method, path, rec).rejected() {
				t.Error(wrong)
			}
		}
	})
}

// Each rule can be broken.
func TestStrictCallersReject(t *testing.T) {
	for _, tt := range []struct {
		path, method, contentType, body, rule string
		status                                int
	}{
		{body: `{"a":{"b":[null]}}`, rule: "absent members"},
		{body: `{"responseContent":"{\"a\":null}"}`, rule: "absent members"},
		{path: "/client/get/1", body: `{"grantTypes":["authorization_code"]}`, rule: "enumerations"},
		{path: "/auth/token", body: `{"action":"FORM"}`, rule: "an action"},
		{path: "/auth/token", body: `{}`, rule: "an action"},
		{path: "/hsk/get/list", body: `{"action":"OK"}`, rule: "an action"},
		{path: "/client/get/1", body: `{"action":"OK"}`, rule: "an action"},
		{body: `{"clientId":9007199254740992}`, rule: "numbers"},
		{body: `{"expiresIn":1.5}`, rule: "numbers"},
		{body: `{"responseContent":"{\"client_id\":1}"}`, rule: "client_id"},
		{body: `{"clientId":"1"}`, rule: "members"},
		{body: `{"services":[{"pkceRequired":"true"}]}`, rule: "members"},
		{contentType: "text/plain", body: `{}`, rule: "every answer"},
		{contentType: "application/json; charset=utf-8", body: `{}`, rule: "every answer"},
		{body: `x`, rule: "every answer"},
		{status: 201, body: `{}`, rule: "the status"},
		{status: 302, body: `{}`, rule: "the status"},
		{path: "/client/delete/1", method: "DELETE", body: `{}`, rule: "the status"},
		{path: "/auth/authorization", body: `{"action":"INTERACTION","ticket":"t","client":{}}`, rule: "what waits"},
		{body: `{"createdAt":1772366400}`, rule: "times"},
		{body: `{"authTime":1772366400000}`, rule: "times"},
		{status: 400, body: `{"resultCode":"400","resultMessage":"x"}`, rule: "what is no success"},
	} {
		rec := httptest.NewRecorder()
		rec.Header().Set("Content-Type", tt.contentType)
		if tt.contentType == "" {
			rec.Header().Set("Content-Type", "application/json")
		}
		if tt.status != 0 {
			rec.Code = tt.status
		}
		rec.Body.WriteString(tt.body)
		if tt.method == "" {
			tt.method = http.MethodGet
		}
		wrong := record(tt.method, "/api/1000001"+tt.path, rec).rejected()
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, ": "+tt.rule) }) {
			t.Errorf("%s %s: %q", tt.path, tt.body, wrong)
		}
	}
	for _, r := range rules {
		if len(r.check(&recorded{method: "GET", path: "/client/get/1", status: 200, contentType: "application/json", body: m{}, members: m{}})) > 0 {
			t.Error(r.rule)
		}
	}
}

// What strict callers reject is in no answer of any call, whether it succeeds, is wrong, is another's or is malformed. The
// answers of all the other tests are judged in the same way.
func TestStrictCallers(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		for _, e := range w.everyCall(t) {
			for _, second := range []bool{false, true} {
				path, authorization := e.at(w, t, second)
				if rec := w.call(e.method, path, e.text(e.sends()), with("Authorization", authorization)); rec.Code != e.status {
					t.Errorf("%s %s: %d %s", e.method, path, rec.Code, rec.Body)
				}
				path, _ = e.at(w, t, second) // of what there is now
				body := e.text(e.sends())
				named, query, _ := strings.Cut(path, "?")
				for rule, send := range map[string]func(r *http.Request){
					"nobody":        func(r *http.Request) { r.Header.Del("Authorization") },
					"another":       func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
					"no body":       func(r *http.Request) { rebody(r, ""); r.URL.RawQuery = "" },
					"nothing in it": func(r *http.Request) { rebody(r, "{}"); r.URL.RawQuery = "" },
					"broken":        func(r *http.Request) { rebody(r, `{"a":`) },
					"an array":      func(r *http.Request) { rebody(r, `[1]`) },
					"a text":        func(r *http.Request) { rebody(r, `"x"`); r.Header.Set("Content-Type", "text/plain") },
					"a form": func(r *http.Request) {
						rebody(r, "x=%")
						r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					},
					"a query":          func(r *http.Request) { r.URL.RawQuery = "start=x&pretty=x&dryRun=x&patch=x" },
					"a repeated query": func(r *http.Request) { r.URL.RawQuery = "start=1&start=2&subject=a&subject=b" },
					"another's method": func(r *http.Request) { r.Method = http.MethodPatch },
					"wrong types": func(r *http.Request) {
						rebody(r, strings.NewReplacer(`":"`, `":["`, `",`, `"],`, `"}`, `"]}`).Replace(body))
					},
					"what there is not": func(r *http.Request) { r.URL.Path = named + "/x"; r.URL.RawQuery = query },
				} {
					if rec := w.call(e.method, path, body, func(r *http.Request) {
						r.Header.Set("Authorization", authorization)
						send(r)
					}); rec.Code >= 500 {
						t.Errorf("%s %s, %s: %d %s", e.method, path, rule, rec.Code, rec.Body)
					}
				}
			}
		}
		tokens := w.post(t, "/auth/token", redeeming(w.code(t, "")))
		for _, p := range []string{"", "client_id=nobody", asked("&prompt=none"), asked("&prompt=login+consent&max_age=0&display=wap"), asked("&response_mode=form_post"), asked("&scope=openid"),
			asked("&prompt=bad"), "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb"} {
			w.post(t, "/auth/authorization", m{"parameters": p, "context": nil})
		}
		for _, token := range []any{nil, "", "x", tokens["accessToken"], tokens["jwtAccessToken"], tokens["idToken"], tokens["refreshToken"]} {
			w.post(t, "/auth/introspection", m{"token": token, "scopes": nil, "subject": ""})
			w.post(t, "/auth/introspection", m{"token": token, "scopes": []string{"x"}})
			w.post(t, "/auth/introspection/standard", m{"parameters": fmt.Sprintf("token=%v", token), "rsUri": nil})
			w.post(t, "/auth/userinfo", m{"token": token})
			w.post(t, "/auth/userinfo/issue", m{"token": token, "claims": `{"a":null}`})
		}
	})
}

// Every sentence may stand in an error description.
func TestSentences(t *testing.T) {
	for _, o := range refusals {
		if strings.ContainsFunc(o.text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			t.Errorf("%q", o.text)
		}
	}
	seen := map[string]string{}
	for _, e := range slices.Concat(runtime, management, services) {
		at := strings.TrimSuffix(e.path, "/:subject") // which may stand elsewhere
		if path := seen[e.codes]; path != "" && path != at || len(e.codes) != 4 {
			t.Errorf("%s: %s and %s", e.codes, at, path)
		}
		seen[e.codes] = at
	}
}

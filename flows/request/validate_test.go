package request

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const (
	callback  = "https://shop.example/cb"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B
)

// registry knows some clients; the id "down" finds it out of order.
type registry map[string]*tenant.Client

var errDown = errors.New("the registry is down")

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if id == "down" {
		return nil, errDown
	}
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

func client(id string, m tenant.Metadata) *tenant.Client { return &tenant.Client{ID: id, Metadata: m} }

// clients returns the registry of the tests: each client differs from shop in what its name says.
func clients() registry {
	one := []string{callback}
	age, long := int64(300), int64(1)<<40
	off := client("disabled", tenant.Metadata{RedirectURIs: one})
	off.Disabled = true
	return registry{
		"shop":      client("shop", tenant.Metadata{RedirectURIs: one}),
		"two":       client("two", tenant.Metadata{RedirectURIs: []string{callback, callback + "/2"}}),
		"disabled":  off,
		"public":    client("public", tenant.Metadata{RedirectURIs: one, TokenEndpointAuthMethod: "none"}),
		"careful":   client("careful", tenant.Metadata{RedirectURIs: one, RequirePKCE: true}),
		"narrow":    client("narrow", tenant.Metadata{RedirectURIs: one, Scope: "openid email"}),
		"machine":   client("machine", tenant.Metadata{RedirectURIs: one, GrantTypes: []string{"client_credentials"}}),
		"mute":      client("mute", tenant.Metadata{RedirectURIs: one, ResponseTypes: []string{"none"}}),
		"defaults":  client("defaults", tenant.Metadata{RedirectURIs: one, DefaultMaxAge: &age, DefaultACRValues: []string{"loa2"}}),
		"patient":   client("patient", tenant.Metadata{RedirectURIs: one, DefaultMaxAge: &long}),
		"resources": client("resources", tenant.Metadata{RedirectURIs: one, Audience: []string{"https://api.example/"}}),
		"payer":     client("payer", tenant.Metadata{RedirectURIs: one, DetailsTypes: []string{"payment"}}),
		"deceptive": client("deceptive", tenant.Metadata{RedirectURIs: []string{callback + "?state=1"}}),
		"anyport":   client("anyport", tenant.Metadata{RedirectURIs: []string{"http://127.0.0.1:0/cb"}, ApplicationType: "native"}),
		"template":  client("template", tenant.Metadata{RedirectURIs: []string{template}}),
		"app":       client("app", tenant.Metadata{RedirectURIs: []string{"http://127.0.0.1/cb", "app.example:/cb"}, ApplicationType: "native"}),
	}
}

func service() *Service {
	return &Service{
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query", "fragment", "form_post"},
		Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
			if sub, ok := strings.CutPrefix(token, "hint-of-"); ok {
				return sub, nil
			}
			return "", errors.New("no ID token of ours")
		},
	}
}

// validate runs the checks over query, at a tenant with settings a. What query lacks of a good request is added in
// front, unless query names it, also as empty.
func validate(query string, a tenant.AuthorizationSettings) (*Request, error) {
	params := Parse(query)
	for name, value := range map[string]string{"client_id": "shop", "redirect_uri": callback, "response_type": "code", "scope": "openid"} {
		if !params.Has(name) {
			params.Set(name, value)
		}
	}
	t := &tenant.Tenant{Settings: &tenant.Settings{Authorization: a}, Clients: clients()}
	r, _, err := service().Validate(context.Background(), t, Authorize, params)
	return r, err
}

func TestRefused(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	type settings = tenant.AuthorizationSettings
	for _, tt := range []struct {
		rule, query string
		settings    settings
		want        string // code: description
		redirected  bool   // the error may go to the client
	}{
		{"client_id is required", "client_id=", settings{}, "invalid_request: client_id is missing", false},
		{"an unknown client is nobody's", "client_id=nobody", settings{}, "invalid_request: client_id is unknown", false},
		{"a disabled client looks unknown", "client_id=disabled", settings{}, "invalid_request: client_id is unknown", false},
		{"a client id that no store takes is unknown", "client_id=a%00b", settings{}, "invalid_request: client_id is unknown", false},
		{"so is one that is not UTF-8", "client_id=%ff", settings{}, "invalid_request: client_id is unknown", false},
		{"so is one that is too long", "client_id=" + long(256), settings{}, "invalid_request: client_id is unknown", false},
		{"a repeated client_id proves nothing", "client_id=shop&client_id=shop", settings{}, "invalid_request: client_id is repeated", false},
		{"a repeated redirect_uri proves nothing", "redirect_uri=https%3A%2F%2Fshop.example%2Fcb&redirect_uri=x", settings{}, "invalid_request: redirect_uri is repeated", false},
		{"OpenID Connect needs redirect_uri", "redirect_uri=", settings{}, "invalid_request: redirect_uri is missing", false},
		{"so do several registered ones", "client_id=two&redirect_uri=&scope=a", settings{}, "invalid_request: redirect_uri is missing", false},
		{"one that stands for any port is none by itself", "client_id=anyport&redirect_uri=&scope=a", settings{}, "invalid_request: redirect_uri is missing", false},
		{"a template leads nowhere by itself", "client_id=template&redirect_uri=" + url.QueryEscape(template), settings{}, "invalid_request: redirect_uri is a template, and nothing that fits is there to fill it in", false},
		{"also where it goes without saying", "client_id=template&redirect_uri=&scope=a", settings{}, "invalid_request: redirect_uri is a template, and nothing that fits is there to fill it in", false},
		{"what comes of a template is not registered", "client_id=template&redirect_uri=https%3A%2F%2Fshop.example%2Fcb%2Fone", settings{}, "invalid_request: redirect_uri is not registered for this client", false},
		{"redirect_uri is compared as bytes", "redirect_uri=https%3A%2F%2Fshop.example%2FCB", settings{}, "invalid_request: redirect_uri is not registered for this client", false},
		{"a redirect URI may not answer itself", "client_id=deceptive&redirect_uri=https%3A%2F%2Fshop.example%2Fcb%3Fstate%3D1", settings{}, "invalid_request: redirect_uri has a parameter of the response in its query", false},
		{"a tenant may have query and fragment stay what they are", "response_mode=fragment", settings{UsualResponseMode: true}, "invalid_request: response_mode must be the one that response_type has by itself", true},
		{"a tenant may demand one that could go without saying", "redirect_uri=&scope=a", settings{RequireRedirectURI: true}, "invalid_request: redirect_uri is missing", false},
		{"nor one that was not sent", "client_id=deceptive&redirect_uri=&scope=a", settings{}, "invalid_request: redirect_uri has a parameter of the response in its query", false},

		{"a parameter may not be repeated", "state=a&state=a", settings{}, "invalid_request: a parameter is repeated", true},
		{"nor one we do not know", "x=1&x=1", settings{}, "invalid_request: a parameter is repeated", true},
		{"nor as empty", "nonce=&nonce=", settings{}, "invalid_request: a parameter is repeated", true},
		{"request objects are not supported", "request=eyJ", settings{}, "request_not_supported: request is not supported", true},
		{"nor their references", "request_uri=urn%3Ax", settings{}, "request_uri_not_supported: request_uri is not supported", true},
		{"nor registration on the fly", "registration=%7B%7D", settings{}, "registration_not_supported: registration is not supported", true},
		{"state must be UTF-8", "state=%ff", settings{}, "invalid_request: state holds characters that are not allowed", true},
		{"nonce must not hold NUL", "nonce=a%00", settings{}, "invalid_request: nonce holds characters that are not allowed", true},
		{"login_hint must not hold NUL", "login_hint=a%00", settings{}, "invalid_request: login_hint holds characters that are not allowed", true},
		{"resource must be UTF-8", "resource=https%3A%2F%2Fa%2F&resource=%ff", settings{}, "invalid_request: resource holds characters that are not allowed", true},
		{"state has a limit", "state=" + long(4097), settings{}, "invalid_request: state is too long", true},
		{"the tenant may lower it", "state=" + long(9), settings{MaxState: 8}, "invalid_request: state is too long", true},
		{"nonce has a limit", "nonce=" + long(513), settings{}, "invalid_request: nonce is too long", true},
		{"the tenant may lower that too", "nonce=" + long(9), settings{MaxNonce: 8}, "invalid_request: nonce is too long", true},
		{"login_hint has a limit", "login_hint=" + long(513), settings{}, "invalid_request: login_hint is too long", true},

		{"response_type is required", "response_type=", settings{}, "invalid_request: response_type is missing", true},
		{"response_type has an alphabet", "response_type=code%3Cb%3E", settings{}, "invalid_request: response_type holds characters that are not allowed", true},
		{"no access token from here", "response_type=token", settings{}, "unsupported_response_type: response_type is not supported", true},
		{"nor an ID token", "response_type=code+id_token", settings{}, "unsupported_response_type: response_type is not supported", true},
		{"the client must have registered it", "client_id=mute", settings{}, "unauthorized_client: the client may not use this response_type", true},
		{"and the grant that it leads to", "client_id=machine", settings{}, "unauthorized_client: the client may not use this response_type", true},
		{"response_mode must be known", "response_mode=web_message", settings{}, "invalid_request: response_mode is not supported", true},
		{"and allowed by the tenant", "response_mode=fragment", settings{ResponseModes: []string{"query"}}, "invalid_request: response_mode is not allowed", true},
		{"also where it is the default", "", settings{ResponseModes: []string{"form_post"}}, "invalid_request: response_mode is missing", true},

		{"scope has an alphabet", "scope=openid+%22", settings{}, "invalid_scope: scope holds characters that are not allowed", true},
		{"scope has a limit", "scope=" + long(4097), settings{}, "invalid_scope: scope is too long", true},
		{"a scope of which nothing is registered is refused", "client_id=narrow&scope=a+b", settings{}, "invalid_scope: the client may not ask for this scope", true},

		{"a public client must use PKCE", "client_id=public", settings{}, "invalid_request: code_challenge is required for this client", true},
		{"also with an empty challenge", "client_id=public&code_challenge=", settings{}, "invalid_request: code_challenge is required for this client", true},
		{"so must one that registered to", "client_id=careful", settings{}, "invalid_request: code_challenge is required for this client", true},
		{"a method needs a challenge", "code_challenge_method=S256", settings{}, "invalid_request: code_challenge is missing", true},
		{"plain is refused", "code_challenge_method=plain&code_challenge=" + challenge, settings{}, "invalid_request: code_challenge_method must be S256", true},
		{"also as the default", "code_challenge=" + challenge, settings{}, "invalid_request: code_challenge_method must be S256", true},
		{"a challenge has 43 characters, not 42", "code_challenge_method=S256&code_challenge=" + challenge[1:], settings{}, "invalid_request: code_challenge is not the base64url form of a SHA-256 value", true},
		{"nor 44", "code_challenge_method=S256&code_challenge=" + challenge + "A", settings{}, "invalid_request: code_challenge is not the base64url form of a SHA-256 value", true},
		{"nor padding", "code_challenge_method=S256&code_challenge=" + challenge + "%3D", settings{}, "invalid_request: code_challenge is not the base64url form of a SHA-256 value", true},
		{"nor another alphabet", "code_challenge_method=S256&code_challenge=%2B" + challenge[1:], settings{}, "invalid_request: code_challenge is not the base64url form of a SHA-256 value", true},

		{"prompt has known values", "prompt=login+maybe", settings{}, "invalid_request: prompt has an unknown value", true},
		{"none stands alone", "prompt=none+login", settings{}, "invalid_request: prompt combines values that exclude each other", true},
		{"create stands alone", "prompt=create+login", settings{}, "invalid_request: prompt combines values that exclude each other", true},
		{"max_age is a number", "max_age=soon", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"not a negative one", "max_age=-1", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"nor minus zero", "max_age=-0", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"nor a signed one", "max_age=%2B1", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"nor a fraction", "max_age=1.5", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"nor without end", "max_age=99999999999", settings{}, "invalid_request: max_age is not a whole number of seconds", true},
		{"display has known values", "display=tv", settings{}, "invalid_request: display has an unknown value", true},
		{"acr_values has a limit", "acr_values=" + strings.Repeat("a+", 33), settings{}, "invalid_request: acr_values has too many values", true},

		{"claims must be JSON", "claims=%7B", settings{}, "invalid_request: claims is not a valid JSON object", true},
		{"verified claims must say by what framework", `claims={"userinfo":{"verified_claims":{"verification":{},"claims":{"name":null}}}}`, settings{}, "invalid_request: verified_claims is not an object, or an array of objects, with verification, its trust_framework and claims", true},
		{"a purpose has a length", "purpose=ab", settings{}, "invalid_request: purpose must have from 3 to 300 characters", true},
		{"a purpose has no control characters", "purpose=abc%0Ad", settings{}, "invalid_request: purpose must have from 3 to 300 characters", true},
		{"claims must be an object", "claims=%5B%5D", settings{}, "invalid_request: claims is not a valid JSON object", true},
		{"claims has a limit", "claims=%7B%22x%22%3A%22" + long(8192) + "%22%7D", settings{}, "invalid_request: claims is too long", true},
		{"claim names have an alphabet", `claims={"userinfo":{"a\"b":null}}`, settings{}, "invalid_request: claims holds a name that is not allowed", true},
		{"an essential acr must be one that the tenant knows", `claims={"id_token":{"acr":{"essential":true,"value":"gold"}}}`, settings{ACRValues: []string{"silver"}}, "unmet_authentication_requirements: no authentication here reaches an acr that the request demands", true},
		{"a hint must be ours", "id_token_hint=foreign", settings{}, "invalid_request: id_token_hint is not an ID token of this issuer", true},
		{"a hint has a limit", "id_token_hint=hint-of-" + long(32<<10), settings{}, "invalid_request: id_token_hint is too long", true},
		{"a hint and claims may not contradict", `id_token_hint=hint-of-alice&claims={"id_token":{"sub":{"value":"bob"}}}`, settings{}, "invalid_request: id_token_hint and claims name different subjects", true},

		{"a resource is absolute", "resource=api", settings{}, "invalid_target: resource is not an absolute URI without fragment", true},
		{"a resource has no fragment", "resource=https%3A%2F%2Fapi.example%2F%23", settings{}, "invalid_target: resource is not an absolute URI without fragment", true},
		{"a resource has a limit", "resource=https%3A%2F%2F" + long(2048), settings{}, "invalid_target: resource is not an absolute URI without fragment", true},
		{"resources have a limit", "resource=https%3A%2F%2Fa" + strings.Repeat("&resource=https%3A%2F%2Fa", 16), settings{}, "invalid_target: too many resource values", true},
		{"and one together", "resource=https%3A%2F%2F" + long(2040) + "&resource=urn%3Aa" + long(2040) + "&resource=urn%3Ab" + long(99), settings{}, "invalid_target: the resource values are too long", true},
		{"a resource must be the client's, where it has any", "client_id=resources&resource=https%3A%2F%2Fother.example%2F", settings{}, "invalid_target: the client may not ask for this resource", true},
	} {
		r, err := validate(tt.query, tt.settings)
		e, ok := errors.AsType[*oauth.Error](err)
		if !ok {
			t.Errorf("%s: got %v", tt.rule, err)
			continue
		}
		if got := e.Code + ": " + e.Description; got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.rule, got, tt.want)
		}
		if (r != nil) != tt.redirected {
			t.Errorf("%s: redirected %v, want %v", tt.rule, r != nil, tt.redirected)
		}
		if r != nil && r.RedirectURI != callback {
			t.Errorf("%s: redirected to %q", tt.rule, r.RedirectURI)
		}
	}
}

// What an error response needs is known even where the request is wrong in that very place.
func TestErrorResponse(t *testing.T) {
	type settings = tenant.AuthorizationSettings
	for _, tt := range []struct {
		rule, query string
		settings    settings
		mode, state string
	}{
		{"errors go by query", "display=tv&state=s", settings{}, "query", "s"},
		{"or as asked", "display=tv&state=s&response_mode=form_post", settings{}, "form_post", "s"},
		{"or by fragment, where a token was asked for", "response_type=token&state=s", settings{}, "fragment", "s"},
		{"but not by a mode we do not have", "response_mode=web_message&state=s", settings{}, "query", "s"},
		{"nor by one the tenant does not allow", "display=tv&response_mode=fragment", settings{ResponseModes: []string{"query"}}, "query", ""},
		{"nor by one of two", "response_mode=fragment&response_mode=form_post", settings{}, "query", ""},
		{"a state that is too long does not come back", "state=abc", settings{MaxState: 2}, "query", ""},
	} {
		r, err := validate(tt.query, tt.settings)
		if err == nil || r == nil {
			t.Errorf("%s: got %v, %v", tt.rule, r, err)
			continue
		}
		if r.ResponseMode != tt.mode || r.State != tt.state {
			t.Errorf("%s: got %q, %q, want %q, %q", tt.rule, r.ResponseMode, r.State, tt.mode, tt.state)
		}
	}
}

func TestAccepted(t *testing.T) {
	age := func(n int64) *int64 { return &n }
	type settings = tenant.AuthorizationSettings
	for _, tt := range []struct {
		rule, query string
		settings    settings
		want        func(*Request) // changes the plainest request into what is expected
	}{
		{"the plainest request", "", settings{}, func(*Request) {}},
		{"unknown and empty parameters are as if absent", "foo=1&state=&max_age=&prompt=&display=&claims=&resource=", settings{}, func(*Request) {}},
		{"redirect_uri may be left out of plain OAuth", "redirect_uri=&scope=a", settings{}, func(r *Request) {
			r.RedirectSent, r.Scope = false, oauth.Scope{"a"}
		}},
		{"scope may be left out", "scope=", settings{}, func(r *Request) { r.Scope = nil }},
		{"scope is cut to what is registered", "client_id=narrow&scope=email+phone", settings{}, func(r *Request) {
			r.ClientID, r.Scope, r.Narrowed = "narrow", oauth.Scope{"email"}, true
		}},
		{"unless the tenant lets clients ask for any", "client_id=narrow&scope=email+phone", settings{AnyScope: true}, func(r *Request) {
			r.ClientID, r.Scope = "narrow", oauth.Scope{"email", "phone"}
		}},
		{"scope values are a set", "scope=a++b+a", settings{}, func(r *Request) { r.Scope = oauth.Scope{"a", "b"} }},
		{"state and nonce come as they are", "state=%26%3C%3E%22%27%2B%0D%0A%C3%A9+x&nonce=" + strings.Repeat("n", 512), settings{}, func(r *Request) {
			r.State, r.Nonce = "&<>\"'+\r\n\u00e9 x", strings.Repeat("n", 512)
		}},
		{"the tenant may raise the limit of state", "state=" + strings.Repeat("s", 5000), settings{MaxState: 5000}, func(r *Request) {
			r.State = strings.Repeat("s", 5000)
		}},
		{"response_mode", "response_mode=form_post", settings{}, func(r *Request) { r.ResponseMode, r.ModeAsked = "form_post", "form_post" }},
		{"PKCE", "client_id=public&code_challenge_method=S256&code_challenge=" + challenge, settings{}, func(r *Request) {
			r.ClientID, r.CodeChallenge = "public", challenge
		}},
		{"prompt", "prompt=login+consent", settings{}, func(r *Request) { r.Prompt = oauth.PromptLogin | oauth.PromptConsent }},
		{"max_age", "max_age=0", settings{}, func(r *Request) { r.MaxAge = age(0) }},
		{"the client's defaults", "client_id=defaults", settings{}, func(r *Request) {
			r.ClientID, r.MaxAge, r.ACRValues = "defaults", age(300), []string{"loa2"}
		}},
		{"the request goes before the client's defaults", "client_id=defaults&max_age=5&acr_values=loa3+loa4", settings{}, func(r *Request) {
			r.ClientID, r.MaxAge, r.ACRValues = "defaults", age(5), []string{"loa3", "loa4"}
		}},
		{"display and hint", "display=popup&login_hint=alice%40wonderland.net", settings{}, func(r *Request) {
			r.Display, r.LoginHint = "popup", "alice@wonderland.net"
		}},
		{"languages, without what is none", "ui_locales=es+en-GB+%3C+toolonglanguage&claims_locales=bg", settings{}, func(r *Request) {
			r.UILocales, r.ClaimsLocales = []string{"es", "en-GB"}, []string{"bg"}
		}},
		{"a purpose", "purpose=Open+an+account", settings{}, func(r *Request) { r.Purpose = "Open an account" }},
		{"claims: a voluntary acr", `claims={"id_token":{"acr":{"values":["a","b"]}}}`, settings{}, func(r *Request) {
			r.ACRValues = []string{"a", "b"}
		}},
		{"claims: an essential acr, beside acr_values", `acr_values=c&claims={"id_token":{"acr":{"value":"a","essential":true}}}`, settings{}, func(r *Request) {
			r.ACRValues, r.EssentialACR = []string{"c"}, []string{"a"}
		}},
		{"claims: a subject", `claims={"userinfo":{"sub":{"value":"alice"}}}`, settings{}, func(r *Request) { r.RequiredSub = "alice" }},
		{"a hint names the subject", "id_token_hint=hint-of-alice", settings{}, func(r *Request) {
			r.IDTokenHint, r.RequiredSub = "hint-of-alice", "alice"
		}},
		{"a hint and claims may agree", `id_token_hint=hint-of-alice&claims={"id_token":{"sub":{"value":"alice"}}}`, settings{}, func(r *Request) {
			r.IDTokenHint, r.RequiredSub = "hint-of-alice", "alice"
		}},
		{"resources", "resource=https%3A%2F%2Fa.example%2F&resource=urn%3Ab", settings{}, func(r *Request) {
			r.Resource = []string{"https://a.example/", "urn:b"}
		}},
		{"what the prompts show, sent or not", "tenant_hint=x&resource=urn%3Aa&resource=urn%3Ab&odd=%00&other=y",
			settings{RequestInAuthPrompt: []string{"tenant_hint", "absent", "odd"}, RequestInGrantPrompt: []string{"resource"}}, func(r *Request) {
				r.Resource = []string{"urn:a", "urn:b"}
				r.Shown = map[string][]string{"tenant_hint": {"x"}, "resource": {"urn:a", "urn:b"}}
			}},
		{"a loopback URI of an app with the port of the day", "client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcb", settings{}, func(r *Request) {
			r.ClientID, r.RedirectURI = "app", "http://127.0.0.1:49152/cb"
		}},
	} {
		got, err := validate(tt.query, tt.settings)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		want := &Request{ClientID: "shop", ResponseType: "code", ResponseMode: "query", RedirectURI: callback, RedirectSent: true, Scope: oauth.Scope{"openid"}}
		tt.want(want)
		got.Claims, got.RawClaims = nil, nil
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

func TestClaimsAreKeptAsTheyCame(t *testing.T) {
	const raw = `{"userinfo":{"email":{"essential":true},"name":null},"x":[1.50]}`
	r, err := validate(url.Values{"claims": {raw}}.Encode(), tenant.AuthorizationSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if string(r.RawClaims) != raw {
		t.Errorf("raw claims: got %s", r.RawClaims)
	}
	if c := r.Claims.UserInfo; len(c) != 2 || !c["email"].Essential || c["name"] != nil {
		t.Errorf("claims: got %v", c)
	}
}

func TestRegistryOutOfOrder(t *testing.T) {
	r, err := validate("client_id=down", tenant.AuthorizationSettings{})
	if r != nil || !errors.Is(err, errDown) || oauth.ErrorOf(err).Code != "server_error" {
		t.Errorf("a registry that cannot answer is not an unknown client: got %v, %v", r, err)
	}
}

func TestChecksOfAnotherKindDoNotRun(t *testing.T) {
	ten := &tenant.Tenant{Settings: &tenant.Settings{}, Clients: clients()}
	params := Parse("client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&prompt=maybe")
	if _, _, err := service().Validate(context.Background(), ten, 0, params); err != nil {
		t.Errorf("got %v", err)
	}
	for _, c := range checks {
		if c.kinds == 0 {
			t.Error("a check applies to no kind of request")
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		rule, raw string
		want      url.Values
	}{
		{"pairs", "a=1&b=2", url.Values{"a": {"1"}, "b": {"2"}}},
		{"a leading question mark is not a name", "?a=1", url.Values{"a": {"1"}}},
		{"plus is a space", "a=1+2%2B", url.Values{"a": {"1 2+"}}},
		{"an illegal escape leaves its pair out", "a=%zz&%zz=1&b=2%", url.Values{}},
		{"and the others in", "a=%zz&a=1", url.Values{"a": {"1"}}},
		{"no value is an empty one", "a&b=", url.Values{"a": {""}, "b": {""}}},
		{"empty pairs are none", "&&a=1&", url.Values{"a": {"1"}}},
		{"a semicolon separates nothing", "a=1;b=2", url.Values{"a": {"1;b=2"}}},
		{"an equals sign in a value", "a=b=c", url.Values{"a": {"b=c"}}},
		{"nothing", "", url.Values{}},
	} {
		if d := cmp.Diff(tt.want, Parse(tt.raw)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

// What was read can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add("?a=1&b=%zz&c&a=%ff")
	f.Fuzz(func(t *testing.T, raw string) {
		v := Parse(raw)
		if d := cmp.Diff(v, Parse(v.Encode())); d != "" {
			t.Error(d)
		}
	})
}

func TestSameRedirect(t *testing.T) {
	for _, tt := range []struct {
		rule, registered, sent string
		native, want           bool
	}{
		{"equal", "https://a.example/cb", "https://a.example/cb", false, true},
		{"another case", "https://a.example/cb", "https://A.example/cb", false, false},
		{"a slash more", "https://a.example/cb", "https://a.example/cb/", false, false},
		{"a query more", "https://a.example/cb", "https://a.example/cb?x", false, false},
		{"an escape that means the same", "https://a.example/cb", "https://a.example/%63b", false, false},
		{"the default port", "https://a.example/cb", "https://a.example:443/cb", false, false},
		{"user information", "https://a.example/cb", "https://b@a.example/cb", false, false},
		{"dot segments", "https://a.example/cb", "https://a.example/x/../cb", false, false},
		{"a fragment", "https://a.example/cb", "https://a.example/cb#x", false, false},
		{"a web client's loopback port", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", false, false},
		{"an app's loopback port", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true, true},
		{"another one than registered", "http://127.0.0.1:80/cb", "http://127.0.0.1:5000/cb", true, true},
		{"or none", "http://127.0.0.1:80/cb", "http://127.0.0.1/cb", true, true},
		{"the port of IPv6", "http://[::1]/cb", "http://[::1]:5000/cb", true, true},
		{"with a query", "http://127.0.0.1?a", "http://127.0.0.1:5000?a", true, true},
		{"without a path", "http://127.0.0.1", "http://127.0.0.1:5000", true, true},
		{"another path", "http://127.0.0.1/cb", "http://127.0.0.1:5000/other", true, false},
		{"another loopback", "http://127.0.0.1/cb", "http://[::1]:5000/cb", true, false},
		{"localhost is a name", "http://localhost/cb", "http://localhost:5000/cb", true, false},
		{"another host that begins alike", "http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", true, false},
		{"a host hidden as user information", "http://127.0.0.1/cb", "http://127.0.0.1:5000@evil.example/cb", true, false},
		{"a port without digits", "http://127.0.0.1/cb", "http://127.0.0.1:/cb", true, false},
		{"a port with too many", "http://127.0.0.1/cb", "http://127.0.0.1:500000/cb", true, false},
		{"an app's https URI", "https://a.example/cb", "https://a.example:5000/cb", true, false},
		{"the port 0 is any", "http://127.0.0.1:0/cb", "http://127.0.0.1:5000/cb", true, true},
		{"also of IPv6", "http://[::1]:0/cb", "http://[::1]:5000/cb", true, true},
		{"and of localhost, if it is said so", "http://localhost:0/cb", "http://localhost:5000/cb", true, true},
		{"without a path", "http://localhost:0", "http://localhost:5000", true, true},
		{"nobody listens at the port 0", "http://localhost:0/cb", "http://127.0.0.1:0/cb", true, false},
		{"another path of localhost", "http://localhost:0/cb", "http://localhost:5000/other", true, false},
		{"a host that begins like localhost", "http://localhost:0/cb", "http://localhost.evil.example/cb", true, false},
		{"another name of the loopback", "http://localhost:0/cb", "http://127.0.0.1:5000/cb", true, false},
		{"the port 0 of a web client", "http://127.0.0.1:0/cb", "http://127.0.0.1:5000/cb", false, false},
	} {
		if got := sameRedirect(tt.registered, tt.sent, tt.native); got != tt.want {
			t.Errorf("%s: got %v", tt.rule, got)
		}
	}
}

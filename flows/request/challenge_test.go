package request

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// challenged validates query as a request of a first-party client that differs from the plainest by change.
func challenged(query string, s tenant.Settings, earlier *Request, change ...func(*tenant.Metadata)) (*Request, error) {
	m := tenant.Metadata{RedirectURIs: []string{callback}, Scope: "openid email authorization_challenge"}
	for _, f := range change {
		f(&m)
	}
	return service().ValidateChallenge(context.Background(), &tenant.Tenant{Settings: &s}, client("app", m), Parse(query), earlier)
}

func scoped(scope string) func(*tenant.Metadata) {
	return func(m *tenant.Metadata) { m.Scope = scope }
}

func public(m *tenant.Metadata) { m.TokenEndpointAuthMethod = oauth.AuthNone }

func careful(m *tenant.Metadata) { m.RequirePKCE = true }

func TestChallengeRefused(t *testing.T) {
	strict := tenant.Settings{Challenge: tenant.ChallengeSettings{RequireResponseType: true}}
	before, plain := &Request{CodeChallenge: challenge}, &Request{}
	for _, tt := range []struct {
		rule, query string
		settings    tenant.Settings
		earlier     *Request
		change      func(*tenant.Metadata)
		want        string
	}{
		{"the client registers the code grant", "", tenant.Settings{}, nil, func(m *tenant.Metadata) { m.GrantTypes = []string{oauth.ClientCredentials} },
			"unauthorized_client: the client may not use the grant type authorization_code"},
		{"the client holds the scope", "", tenant.Settings{}, nil, scoped("openid"), ErrNotFirstParty.Error()},
		{"asking for it does not help", "scope=authorization_challenge", tenant.Settings{}, nil, scoped("openid"), ErrNotFirstParty.Error()},
		{"one that may ask for any scope does not hold it", "", tenant.Settings{}, nil, scoped(""), ErrNotFirstParty.Error()},
		{"also where the tenant lets it ask", "", tenant.Settings{Authorization: tenant.AuthorizationSettings{AnyScope: true}}, nil, scoped("openid"), ErrNotFirstParty.Error()},
		{"a word that begins like it is another", "", tenant.Settings{}, nil, scoped("authorization_challenge2"), ErrNotFirstParty.Error()},
		{"only a code can be had", "response_type=token", tenant.Settings{}, nil, nil, "unsupported_response_type: response_type must be code"},
		{"and nothing beside it", "response_type=code+id_token", tenant.Settings{}, nil, nil, "unsupported_response_type: response_type must be code"},
		{"a tenant may have it said", "", strict, nil, nil, "invalid_request: response_type is missing"},
		{"a parameter may not be repeated", "state=a&state=a", tenant.Settings{}, nil, nil, "invalid_request: a parameter is repeated"},
		{"request objects are not supported", "request=eyJ", tenant.Settings{}, nil, nil, "request_not_supported: request is not supported"},
		{"nor their references", "request_uri=urn:x", tenant.Settings{}, nil, nil, "request_uri_not_supported: request_uri is not supported"},
		{"a scope has its characters", "scope=a%22b", tenant.Settings{}, nil, nil, "invalid_scope: scope holds characters that are not allowed"},
		{"a code challenge is S256", "code_challenge=" + challenge + "&code_challenge_method=plain", tenant.Settings{}, nil, nil, "invalid_request: code_challenge_method must be S256"},
		{"no method means plain", "code_challenge=" + challenge, tenant.Settings{}, nil, nil, "invalid_request: code_challenge_method must be S256"},
		{"a code challenge is a hash", "code_challenge=abc&code_challenge_method=S256", tenant.Settings{}, nil, nil, "invalid_request: code_challenge is not the base64url form of a SHA-256 value"},
		{"a public client sends one", "", tenant.Settings{}, nil, public, "invalid_request: code_challenge is required for this client"},
		{"and one that registered to", "", tenant.Settings{}, nil, careful, "invalid_request: code_challenge is required for this client"},
		{"a later call cannot bring another", "code_challenge=" + strings.Repeat("A", 43) + "&code_challenge_method=S256", tenant.Settings{}, before, nil, "invalid_request: code_challenge is not that of the first request"},
		{"nor the first one", "code_challenge=" + challenge + "&code_challenge_method=S256", tenant.Settings{}, plain, nil, "invalid_request: code_challenge is not that of the first request"},
		{"nor another method", "code_challenge_method=plain", tenant.Settings{}, before, nil, "invalid_request: code_challenge_method must be S256"},
		{"a state has an end", "state=" + strings.Repeat("x", 4097), tenant.Settings{}, nil, nil, "invalid_request: state is too long"},
		{"a nonce has an end", "nonce=" + strings.Repeat("x", 513), tenant.Settings{}, nil, nil, "invalid_request: nonce is too long"},
		{"a login_hint is text", "login_hint=%ff", tenant.Settings{}, nil, nil, "invalid_request: login_hint holds characters that are not allowed"},
		{"a login_hint has an end", "login_hint=" + strings.Repeat("x", 513), tenant.Settings{}, nil, nil, "invalid_request: login_hint is too long"},
		{"acr_values have an end", "acr_values=" + strings.Repeat("x+", 33), tenant.Settings{}, nil, nil, "invalid_request: acr_values has too many values"},
		{"a prompt is known", "prompt=please", tenant.Settings{}, nil, nil, "invalid_request: prompt has an unknown value"},
		{"max_age is a number", "max_age=soon", tenant.Settings{}, nil, nil, "invalid_request: max_age is not a whole number of seconds"},
		{"an id_token_hint is ours", "id_token_hint=x", tenant.Settings{}, nil, nil, "invalid_request: id_token_hint is not an ID token of this issuer"},
		{"a resource is a URI", "resource=x", tenant.Settings{}, nil, nil, "invalid_target: resource is not an absolute URI without fragment"},
	} {
		change := tt.change
		if change == nil {
			change = func(*tenant.Metadata) {}
		}
		r, err := challenged(tt.query, tt.settings, tt.earlier, change)
		if r != nil || err == nil || short(err) != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.rule, r, err, tt.want)
		}
	}
	if _, err := challenged("", tenant.Settings{}, nil, scoped("openid")); !errors.Is(err, ErrNotFirstParty) {
		t.Errorf("a door cannot tell: %v", err)
	}
}

// short is err as its client is told of it.
func short(err error) string {
	e := oauth.ErrorOf(err)
	return e.Code + ": " + e.Description
}

func TestChallengeAccepted(t *testing.T) {
	age := int64(300)
	full := "scope=openid+email&state=s&nonce=n&code_challenge=" + challenge + "&code_challenge_method=S256&prompt=login+consent&max_age=300&ui_locales=de+en" +
		"&claims_locales=fr&login_hint=%2B1-310-123-4567&acr_values=a+b&claims=%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D&id_token_hint=hint-of-alice&resource=https://api.example/"
	whole := func() *Request {
		return &Request{ClientID: "app", ResponseType: "code", Scope: oauth.Scope{"openid", "email"}, State: "s", Nonce: "n", CodeChallenge: challenge,
			Prompt: oauth.PromptLogin | oauth.PromptConsent, MaxAge: &age, UILocales: []string{"de", "en"}, ClaimsLocales: []string{"fr"}, LoginHint: "+1-310-123-4567",
			ACRValues: []string{"a", "b"}, Claims: &oauth.Claims{UserInfo: map[string]*oauth.Claim{"name": nil}}, RawClaims: json.RawMessage(`{"userinfo":{"name":null}}`),
			IDTokenHint: "hint-of-alice", RequiredSub: "alice", Resource: []string{"https://api.example/"}}
	}
	but := func(change func(*Request)) *Request {
		r := whole()
		change(r)
		return r
	}
	for _, tt := range []struct {
		rule, query string
		earlier     *Request
		change      func(*tenant.Metadata)
		want        *Request
	}{
		{"nothing need be asked", "", nil, nil, &Request{ClientID: "app", ResponseType: "code"}},
		{"an empty parameter is none", "response_type=&scope=&prompt=&acr_values=&max_age=", nil, nil, &Request{ClientID: "app", ResponseType: "code"}},
		{"everything may be", "response_type=code&" + full, nil, nil, whole()},
		{"no redirect URI is read", "redirect_uri=https://elsewhere.example/", nil, nil, &Request{ClientID: "app", ResponseType: "code"}},
		{"scope is cut to what is registered", "scope=openid+profile+address+email+phone+user_name", nil, scoped("openid authorization_challenge"),
			&Request{ClientID: "app", ResponseType: "code", Scope: oauth.Scope{"openid"}, Narrowed: true}},
		{"even to nothing", "scope=photos", nil, nil, &Request{ClientID: "app", ResponseType: "code", Narrowed: true}},
		{"a public client with a code challenge", "code_challenge=" + challenge + "&code_challenge_method=S256", nil, public, &Request{ClientID: "app", ResponseType: "code", CodeChallenge: challenge}},
		{"a later call repeats nothing", "", whole(), nil, whole()},
		{"or everything", full, whole(), nil, whole()},
		{"also a public client's", "", &Request{CodeChallenge: challenge}, public, &Request{ClientID: "app", ResponseType: "code", CodeChallenge: challenge}},
		{"what it says counts", "scope=openid&acr_values=c&login_hint=bob&resource=https://b.example/", whole(), nil, but(func(r *Request) {
			r.Scope, r.ACRValues, r.LoginHint, r.Resource = oauth.Scope{"openid"}, []string{"c"}, "bob", []string{"https://b.example/"}
		})},
		{"what the client has lost since is not kept", "", whole(), scoped("openid authorization_challenge"), but(func(r *Request) { r.Scope, r.Narrowed = oauth.Scope{"openid"}, true })},
	} {
		change := tt.change
		if change == nil {
			change = func(*tenant.Metadata) {}
		}
		got, err := challenged(tt.query, tenant.Settings{}, tt.earlier, change)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

// What a call sends is not changed by what it goes on with.
func TestChallengeLeavesItsParameters(t *testing.T) {
	params := Parse("scope=openid")
	c := client("app", tenant.Metadata{Scope: "openid authorization_challenge"})
	_, err := service().ValidateChallenge(context.Background(), &tenant.Tenant{Settings: &tenant.Settings{}}, c, params, &Request{Nonce: "n", Resource: []string{"https://a.example/"}})
	if err != nil || len(params) != 1 {
		t.Errorf("got %v, %v", params, err)
	}
}

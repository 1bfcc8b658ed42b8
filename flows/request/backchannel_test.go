package request

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// backchannel validates query as a request of c. What query lacks of a good request is added in front, unless query
// names it, also as empty.
func backchannel(query string, s tenant.CIBASettings, c tenant.Metadata) (*Request, error) {
	params := Parse(query)
	for name, value := range map[string]string{"scope": "openid", "login_hint": "alice"} {
		if !params.Has(name) {
			params.Set(name, value)
		}
	}
	t := &tenant.Tenant{Settings: &tenant.Settings{CIBA: s}, Clients: clients()}
	return service().ValidateBackchannel(context.Background(), t, client("bank", c), params)
}

// bank is a client that may use backchannel authentication, changed by change.
func bank(change ...func(*tenant.Metadata)) tenant.Metadata {
	m := tenant.Metadata{GrantTypes: []string{oauth.CIBA}, BackchannelMode: "poll"}
	for _, f := range change {
		f(&m)
	}
	return m
}

func TestBackchannelRefused(t *testing.T) {
	on := tenant.CIBASettings{Enabled: true}
	codes := tenant.CIBASettings{Enabled: true, UserCode: true}
	withCode := bank(func(m *tenant.Metadata) { m.BackchannelUserCode = true })
	for _, tt := range []struct {
		rule, query string
		settings    tenant.CIBASettings
		client      tenant.Metadata
		want        string
	}{
		{"a public client has not authenticated", "", on, bank(func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = "none" }), "invalid_client: backchannel authentication requires client authentication"},
		{"the tenant turns it on", "", tenant.CIBASettings{}, bank(), "unauthorized_client: backchannel authentication is turned off"},
		{"the client registers the grant", "", on, tenant.Metadata{BackchannelMode: "poll"}, "unauthorized_client: the client may not use backchannel authentication"},
		{"the client registers a delivery mode", "", on, tenant.Metadata{GrantTypes: []string{oauth.CIBA}}, "unauthorized_client: the client has registered no backchannel_token_delivery_mode that is supported"},
		{"the delivery mode is poll", "", on, bank(func(m *tenant.Metadata) { m.BackchannelMode = "push" }), "unauthorized_client: the client has registered no backchannel_token_delivery_mode that is supported"},
		{"a parameter may not be repeated", "login_hint=a&login_hint=b", on, bank(), "invalid_request: a parameter is repeated"},
		{"a request object needs a client that registered to sign", "request=e30.e30.", on, bank(), "invalid_request: the client has not registered that it signs authentication requests"},
		{"nor one elsewhere", "request_uri=urn:x", on, bank(), "invalid_request: request_uri is not supported"},
		{"scope is required", "scope=", on, bank(), "invalid_request: scope is missing"},
		{"scope holds openid", "scope=email", on, bank(), "invalid_scope: scope must hold openid"},
		{"which the client may ask for", "scope=openid email", on, bank(func(m *tenant.Metadata) { m.Scope = "email" }), "invalid_scope: scope must hold openid"},
		{"a hint is required", "login_hint=", on, bank(), "invalid_request: exactly one of login_hint, login_hint_token and id_token_hint is required"},
		{"two hints are one too many", "id_token_hint=hint-of-alice", on, bank(), "invalid_request: exactly one of login_hint, login_hint_token and id_token_hint is required"},
		{"also these two", "login_hint=&login_hint_token=x&id_token_hint=hint-of-alice", on, bank(), "invalid_request: exactly one of login_hint, login_hint_token and id_token_hint is required"},
		{"a login_hint has an end", "login_hint=" + strings.Repeat("x", 513), on, bank(), "invalid_request: login_hint is too long"},
		{"a login_hint is text", "login_hint=%ff", on, bank(), "invalid_request: login_hint holds characters that are not allowed"},
		{"a login_hint_token has an end", "login_hint=&login_hint_token=" + strings.Repeat("x", maxHint+1), on, bank(), "invalid_request: login_hint_token is too long"},
		{"an id_token_hint is ours", "login_hint=&id_token_hint=e30.e30.x", on, bank(), "invalid_request: id_token_hint is not an ID token of this issuer"},
		{"a binding message has an end", "binding_message=" + strings.Repeat("x", 101), on, bank(), "invalid_binding_message: binding_message is too long"},
		{"a binding message is no markup", "binding_message=<b>1", on, bank(), "invalid_binding_message: binding_message holds characters that are not allowed"},
		{"a binding message shows", "binding_message=a%0ab", on, bank(), "invalid_binding_message: binding_message holds characters that are not allowed"},
		{"a binding message does not turn around", "binding_message=a%E2%80%AEb", on, bank(), "invalid_binding_message: binding_message holds characters that are not allowed"},
		{"a binding message has one kind of space", "binding_message=a%C2%A0b", on, bank(), "invalid_binding_message: binding_message holds characters that are not allowed"},
		{"a binding message has the tenant's form", "binding_message=12345", tenant.CIBASettings{Enabled: true, BindingMessage: "[0-9]{4}"}, bank(), "invalid_binding_message: binding_message has not the form that is required here"},
		{"as a whole", "binding_message=12345", tenant.CIBASettings{Enabled: true, BindingMessage: "1234|5"}, bank(), "invalid_binding_message: binding_message has not the form that is required here"},
		{"a user code is required of who registered it", "", codes, withCode, "missing_user_code: user_code is missing"},
		{"a user code has an end", "user_code=" + strings.Repeat("x", 129), codes, bank(), "invalid_user_code: user_code is too long"},
		{"an expiry is a number", "requested_expiry=soon", on, bank(), "invalid_request: requested_expiry is not a positive number of seconds"},
		{"an expiry is positive", "requested_expiry=0", on, bank(), "invalid_request: requested_expiry is not a positive number of seconds"},
		{"an expiry is not signed", "requested_expiry=%2B5", on, bank(), "invalid_request: requested_expiry is not a positive number of seconds"},
		{"an expiry is whole", "requested_expiry=1.5", on, bank(), "invalid_request: requested_expiry is not a positive number of seconds"},
		{"a context is an object", "request_context=[]", on, bank(), "invalid_request: request_context is no JSON object, or too long"},
		{"a context has an end", `request_context={"a":"` + strings.Repeat("x", maxContext) + `"}`, on, bank(), "invalid_request: request_context is no JSON object, or too long"},
		{"a resource is a URI", "resource=a", on, bank(), "invalid_target: resource is not an absolute URI without fragment"},
	} {
		r, err := backchannel(tt.query, tt.settings, tt.client)
		if err == nil || r != nil {
			t.Errorf("%s: it passes", tt.rule)
			continue
		}
		e := oauth.ErrorOf(err)
		if got := e.Code + ": " + e.Description; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
}

func TestBackchannelAccepted(t *testing.T) {
	on := tenant.CIBASettings{Enabled: true}
	codes := tenant.CIBASettings{Enabled: true, UserCode: true}
	openid := oauth.Scope{"openid"}
	for _, tt := range []struct {
		rule, query string
		settings    tenant.CIBASettings
		client      tenant.Metadata
		want        Request
	}{
		{"little is needed", "", on, bank(), Request{Scope: openid, LoginHint: "alice"}},
		{"what an authorization request holds is not read", "redirect_uri=x&response_type=y&state=z&prompt=none&claims=[&client_notification_token=x", on, bank(), Request{Scope: openid, LoginHint: "alice"}},
		{"scope is cut to what the client registered", "scope=openid email phone", on, bank(func(m *tenant.Metadata) { m.Scope = "openid email" }), Request{Scope: oauth.Scope{"openid", "email"}, Narrowed: true, LoginHint: "alice"}},
		{"an ID token names the subject", "login_hint=&id_token_hint=hint-of-alice", on, bank(), Request{Scope: openid, IDTokenHint: "hint-of-alice", RequiredSub: "alice"}},
		{"a login_hint_token is taken as it is", "login_hint=&login_hint_token=x.y.z", on, bank(), Request{Scope: openid, Backchannel: Decoupled{LoginHintToken: "x.y.z"}}},
		{"a binding message may be in any language", "binding_message=" + url.QueryEscape("Überweisung 12,50 €?"), on, bank(), Request{Scope: openid, LoginHint: "alice", Backchannel: Decoupled{BindingMessage: "Überweisung 12,50 €?"}}},
		{"or have the tenant's form", "binding_message=W4SCT", tenant.CIBASettings{Enabled: true, BindingMessage: `\w{5}`}, bank(), Request{Scope: openid, LoginHint: "alice", Backchannel: Decoupled{BindingMessage: "W4SCT"}}},
		{"a user code that nobody checks is not read", "user_code=1234", on, bank(func(m *tenant.Metadata) { m.BackchannelUserCode = true }), Request{Scope: openid, LoginHint: "alice"}},
		{"one that was not announced is passed on", "user_code=1234", codes, bank(), Request{Scope: openid, LoginHint: "alice", Backchannel: Decoupled{UserCode: "1234"}}},
		{"one that was announced is required", "user_code=1234", codes, bank(func(m *tenant.Metadata) { m.BackchannelUserCode = true }), Request{Scope: openid, LoginHint: "alice", Backchannel: Decoupled{UserCode: "1234", UserCodeRequired: true}}},
		{"an expiry, a context, acr values and resources", `requested_expiry=120&request_context={"a": 1}&acr_values=loa2 loa1&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example`, on, bank(), Request{Scope: openid, LoginHint: "alice", ACRValues: []string{"loa2", "loa1"},
			Resource: []string{"https://a.example", "https://b.example"}, Backchannel: Decoupled{RequestedExpiry: 120, Context: json.RawMessage(`{"a": 1}`)}}},
	} {
		got, err := backchannel(tt.query, tt.settings, tt.client)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		tt.want.ClientID = "bank"
		if d := cmp.Diff(&tt.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.rule, d)
		}
	}
}

func TestUserCodeIsNotStored(t *testing.T) {
	r, err := backchannel("user_code=hush-1234", tenant.CIBASettings{Enabled: true, UserCode: true}, bank())
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(r); strings.Contains(string(b), "hush") || !strings.Contains(string(b), "alice") {
		t.Errorf("stored as %s", b)
	}
}

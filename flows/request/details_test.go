package request

import (
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestDetails(t *testing.T) {
	offered := tenant.AuthorizationSettings{DetailsTypes: []tenant.DetailsType{{Type: "payment"}, {Type: "account"}}}
	for _, tt := range []struct{ rule, client, sent, want string }{
		{"what tenant and client have", "payer", `[{"type": "payment"}]`, ""},
		{"what the client has not", "payer", `[{"type":"account"}]`, "invalid_authorization_details: the client may not ask for this type of authorization_details"},
		{"what the tenant has not", "payer", `[{"type":"other"}]`, "invalid_authorization_details: authorization_details holds a type that is not supported"},
		{"what is none", "payer", `{}`, "invalid_authorization_details: authorization_details is not a JSON array of objects that each have a type"},
		{"NUL", "payer", "[\x00]", "invalid_request: authorization_details holds characters that are not allowed"},
	} {
		r, err := validate("client_id="+tt.client+"&authorization_details="+url.QueryEscape(tt.sent), offered)
		got := ""
		if err != nil {
			got = oauth.ErrorOf(err).Code + ": " + oauth.ErrorOf(err).Description
		}
		if got != tt.want || r == nil || tt.want == "" && (len(r.Details) != 1 || string(r.Details[0]) != `{"type":"payment"}`) {
			t.Errorf("%s: %s, %+v", tt.rule, got, r)
		}
	}
}

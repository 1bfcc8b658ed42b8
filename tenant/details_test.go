package tenant_test

import (
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestCheckDetails(t *testing.T) {
	s := &tenant.Settings{Authorization: tenant.AuthorizationSettings{DetailsTypes: []tenant.DetailsType{
		{Type: "free"}, {Type: "payment", Required: []string{"amount"}}, {Type: "account", Required: []string{"id"}, Members: []string{"actions"}}, {Type: "others"}}}}
	c := &tenant.Client{Metadata: tenant.Metadata{DetailsTypes: []string{"free", "payment", "account"}}}
	for _, tt := range []struct{ rule, sent, want string }{
		{"nothing", `[]`, ""},
		{"anything of a free type", `[{"type":"free","x":1}]`, ""},
		{"what is required, and more", `[{"type":"payment","amount":"1","x":1}]`, ""},
		{"only what is known", `[{"type":"account","id":"1","actions":["read"]}]`, ""},
		{"a type that is not offered", `[{"type":"unknown"}]`, "authorization_details holds a type that is not supported"},
		{"a type that the client has not registered", `[{"type":"others"}]`, "the client may not ask for this type of authorization_details"},
		{"a member that is missing", `[{"type":"payment"}]`, "authorization_details lacks a member that its type requires"},
		{"a member that is not known", `[{"type":"account","id":"1","x":1}]`, "authorization_details has a member that its type does not know"},
		{"one bad one among good ones", `[{"type":"free"},{"type":"payment"}]`, "authorization_details lacks a member that its type requires"},
	} {
		d, err := oauth.ParseDetails(tt.sent)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := s.CheckDetails(c, d); err != nil {
			e := oauth.ErrorOf(err)
			if got = e.Description; e.Code != "invalid_authorization_details" {
				t.Errorf("%s: %s", tt.rule, e.Code)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
	}
	if d, _ := oauth.ParseDetails(`[{"type":"free"}]`); s.CheckDetails(&tenant.Client{}, d) == nil {
		t.Error("a client that registered no type may ask for one")
	}
}

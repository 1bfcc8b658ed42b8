package registration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// documentID is the URL of a client's metadata document.
const documentID = "https://app.example/oauth/client.json"

// document is a metadata document with these members beside client_id and redirect_uris.
func document(members string) string {
	return `{"client_id":"` + documentID + `","redirect_uris":["https://app.example/cb"]` + members + `}`
}

const publicJWK = `{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`

// S142, S144: what a metadata document may not say.
func TestDocumentsRefused(t *testing.T) {
	near := tenant.DocumentSettings{Enabled: true, SameOrigin: true}
	for _, c := range []struct {
		rule, doc string
		settings  tenant.DocumentSettings
		want      string // error code
	}{
		{"no object", `[]`, tenant.DocumentSettings{}, "invalid_request"},
		{"a member twice", document(`,"client_name":"a","client_name":"b"`), tenant.DocumentSettings{}, "invalid_request"},
		{"no client_id", `{"redirect_uris":["https://app.example/cb"]}`, tenant.DocumentSettings{}, badMeta},
		{"another's client_id", strings.Replace(document(""), "oauth", "other", 1), tenant.DocumentSettings{}, badMeta},
		{"a client_id in another spelling", strings.Replace(document(""), "app.example/o", "APP.example/o", 1), tenant.DocumentSettings{}, badMeta},
		{"a client secret", document(`,"client_secret":"s"`), tenant.DocumentSettings{}, badMeta},
		{"an empty client secret", document(`,"client_secret":""`), tenant.DocumentSettings{}, badMeta},
		{"an end of a client secret", document(`,"client_secret_expires_at":0`), tenant.DocumentSettings{}, badMeta},
		{"client_secret_basic", document(`,"token_endpoint_auth_method":"client_secret_basic"`), tenant.DocumentSettings{}, badMeta},
		{"client_secret_jwt", document(`,"token_endpoint_auth_method":"client_secret_jwt"`), tenant.DocumentSettings{}, badMeta},
		{"private_key_jwt without keys", document(`,"token_endpoint_auth_method":"private_key_jwt"`), tenant.DocumentSettings{}, badMeta},
		{"a private key", document(`,"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[` + strings.Replace(publicJWK, `"kid"`, `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kid"`, 1) + `]}`), tenant.DocumentSettings{}, badMeta},
		{"jwks beside jwks_uri", document(`,"jwks":{"keys":[` + publicJWK + `]},"jwks_uri":"https://app.example/jwks"`), tenant.DocumentSettings{}, badMeta},
		{"no redirect URI", `{"client_id":"` + documentID + `"}`, tenant.DocumentSettings{}, "invalid_redirect_uri"},
		{"S26 an active scheme", `{"client_id":"` + documentID + `","redirect_uris":["javascript:alert(1)"]}`, tenant.DocumentSettings{}, "invalid_redirect_uri"},
		{"S26 plain http", `{"client_id":"` + documentID + `","redirect_uris":["http://app.example/cb"]}`, tenant.DocumentSettings{}, "invalid_redirect_uri"},
		{"S45 a link that is code", document(`,"logo_uri":"javascript:alert(1)"`), tenant.DocumentSettings{}, badMeta},
		{"what is relied on and not there", document(`,"sector_identifier_uri":"https://app.example/sector"`), tenant.DocumentSettings{}, badMeta},
		{"only redirect URIs elsewhere, where the tenant says so", `{"client_id":"` + documentID + `","redirect_uris":["https://other.example/cb","https://sub.app.example/cb"]}`, near, "invalid_redirect_uri"},
	} {
		s, acme, _ := house(t)
		acme.Settings.Documents = c.settings
		got, err := s.Document(acme, documentID, []byte(c.doc))
		if got != nil || oauth.ErrorOf(err).Code != c.want {
			t.Errorf("%s: %+v, %v", c.rule, got, err)
		}
	}
}

func TestDocuments(t *testing.T) {
	s, acme, m := house(t)
	acme.Settings.Authorization.Scopes = []string{"openid", "email"}
	got, err := s.Document(acme, documentID, []byte(document(`,"client_name":"App","scope":"email admin","audience":["https://api.example"],"data":{"a":1},
		"grant_types":["authorization_code","refresh_token","client_credentials","urn:ietf:params:oauth:grant-type:device_code"],
		"response_types":["code","id_token"],"preferred_client_id":"mine","require_pkce":true,"unknown":[]`)))
	if err != nil {
		t.Fatal(err)
	}
	want := &tenant.Client{ID: documentID, CreatedAt: noon, UpdatedAt: noon, SelfRegistered: true, Document: true, Metadata: tenant.Metadata{
		RedirectURIs: []string{"https://app.example/cb"}, Name: "App", Scope: "email", GrantTypes: []string{"authorization_code", "refresh_token"},
		ResponseTypes: []string{"code"}, TokenEndpointAuthMethod: "none", ApplicationType: "web", RequirePKCE: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("what is not offered is left out:", diff)
	}
	if got, err = s.Document(acme, documentID, []byte(document(`,"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[`+publicJWK+`]}`))); err != nil ||
		got.Public() || got.Secretive() || len(got.JWKS) == 0 || got.Scope != "openid email" {
		t.Errorf("a client with keys: %+v, %v", got, err)
	}
	acme.Settings.Documents.SameOrigin = true
	got, err = s.Document(acme, documentID, []byte(`{"client_id":"`+documentID+`","application_type":"native","redirect_uris":["https://other.example/cb",
		"https://app.example/cb","http://127.0.0.1/cb","com.example.app:/cb","https://app.example:8443/cb"]}`))
	if err != nil || cmp.Diff([]string{"https://app.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"}, got.RedirectURIs) != "" {
		t.Errorf("redirect URIs: %+v, %v", got, err)
	}
	if len(m.clients) > 0 || len(m.events) > 0 {
		t.Error("something was stored")
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(document(""))
	f.Add(document(`,"jwks":{"keys":[` + publicJWK + `]}`))
	f.Fuzz(func(t *testing.T, doc string) {
		s, acme, _ := house(t)
		c, err := s.Document(acme, documentID, []byte(doc))
		if (c == nil) == (err == nil) {
			t.Fatal(c, err)
		}
		if c != nil && (c.ID != documentID || !c.SelfRegistered || len(c.Secrets) > 0 || c.Secretive() || len(c.RedirectURIs) == 0) {
			t.Fatalf("%+v", c)
		}
	})
}

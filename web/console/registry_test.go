package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

// sha is the SHA-256 of a token in hexadecimal.
func sha(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// entryOf reads a tenant of the registry.
func entryOf(t *testing.T, a answer) (e struct {
	TID     string
	Props   map[string]string
	Enabled bool
	Attrs   map[string]string
}) {
	t.Helper()
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRegistryLife(t *testing.T) {
	h := newHouse(t)
	if a := h.call("GET", "/tenants/rest/v1", ""); a.status != http.StatusOK || string(a.body) != "[]" {
		t.Errorf("without tenants: %d %s", a.status, a.body)
	}
	const token, second = "an-authz-token-of-32-characters-x", "a-second-token-of-32-characters-x"
	props := map[string]string{
		"op.authz.endpoint":                                    "https://login.acme.example/",
		"op.authz.alwaysPromptForConsent":                      "true",
		"op.authz.limitToRegisteredScope":                      "false",
		"op.authz.advertisedScopes":                            "openid, email",
		"op.authz.apiAccessTokenSHA256":                        sha(token),
		"op.reg.apiAccessTokenSHA256":                          sha(token),
		"op.reg.apiAccessTokenSHA256.2":                        sha(second),
		"op.authz.maxStateLength.uriResponse":                  "1024",
		"op.authz.maxStateLength.formPostResponse":             "1024",
		"op.authz.responseTypes":                               "code",
		"op.rar.supportedTypes":                                "payment,consent",
		"op.sso.disableForSelectedClients":                     `{"software_id":"portal"}`,
		"op.authz.advertisedClaims":                            "sub,email",
		"op.authz.advertisedDisplayTypes":                      "page",
		"op.authz.includeOtherConsentedScopeAndClaimsInPrompt": "true",
		"op.metadataOverlay":                                   `{"op_tos_uri":"https://acme.example/tos"}`,
		"op.logout.endpoint":                                   "https://login.acme.example/out",
		"op.authz.requiredPKCE":                                "S256",
		"op.par.require":                                       "true",
		"op.authz.oAuthRequestJWTPolicy":                       "MERGE_UNSECURED",
		"op.authz.openIDRequestJWTPolicy":                      "MERGE_UNSECURED",
		"op.claims.map.hr":                                     "salary grade",
		"authzStore.accessToken.jwsAlg":                        "ES256",
		"authzStore.refreshToken.defaultRotate":                "false",
		"op.idToken.lifetime":                                  "120",
		"authzStore.code.lifetime":                             "90",
		"authzStore.accessToken.defaultLifetime":               "900",
		"authzStore.refreshToken.defaultLifetime":              "86400",
		"sessionStore.maxLifetime":                             "-1",
		"sessionStore.quotaPerSubject":                         "3",
		"sessionStore.nativeIdPAppQuotaPerSubject":             "2",
		"sessionStore.onQuotaExhaustion":                       "CLOSE_OLD_SESSION",
	}
	body, _ := json.Marshal(map[string]any{"tid": "acme", "props": props, "attrs": map[string]string{"plan": "gold"}})
	made := h.call("POST", "/tenants/rest/v1", string(body))
	if made.status != http.StatusCreated || made.header.Get("Location") != "/tenants/rest/v1/acme" {
		t.Fatalf("%d %s", made.status, made.body)
	}
	r, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	want := tenant.Settings{
		LoginURL: "https://login.acme.example/",
		Authorization: tenant.AuthorizationSettings{CodeLifetime: 90, AlwaysPromptForGrant: true, AnyScope: true, Scopes: []string{"openid", "email"},
			MaxState: 1024, ClaimsOfScope: map[string][]string{"hr": {"salary", "grade"}}, DetailsTypes: []tenant.DetailsType{{Type: "payment"}, {Type: "consent"}}, RequirePKCE: true,
			NoSingleSignOn: json.RawMessage(`{"software_id":"portal"}`), Claims: []string{"sub", "email"}, DisplayValues: []string{"page"}, OtherConsentInPrompt: true},
		MetadataOverlay: tenant.Overlay{"op_tos_uri": json.RawMessage(`"https://acme.example/tos"`), "end_session_endpoint": json.RawMessage(`"https://login.acme.example/out"`)},
		PAR:             tenant.PARSettings{Required: true}, RequestObjects: tenant.RequestObjectSettings{Merge: true},
		Tokens: tenant.TokenSettings{AccessTokenLifetime: 900, AccessTokenAlg: "ES256", IDTokenLifetime: 120, RefreshTokenLifetime: 86400,
			RefreshTokenKeep: true},
		Sessions:   tenant.SessionSettings{MaxLife: -1, PerSubject: 3, NativeApps: 2},
		Attributes: map[string]string{"plan": "gold"},
	}
	if diff := cmp.Diff(want, r.Settings); diff != "" {
		t.Errorf("the settings: %s", diff)
	}
	// What has the default is not shown; what is shown can be put back.
	shown := entryOf(t, h.call("GET", "/tenants/rest/v1/acme", ""))
	said := map[string]string{"op.issuer": h.url + "/t/acme"}
	for name, v := range props {
		said[name] = v
	}
	said["op.authz.advertisedScopes"] = "openid,email"
	delete(said, "sessionStore.onQuotaExhaustion")
	delete(said, "op.authz.responseTypes")
	if diff := cmp.Diff(said, shown.Props); diff != "" || shown.TID != "acme" || !shown.Enabled || shown.Attrs["plan"] != "gold" {
		t.Errorf("it is shown as %+v: %s", shown, diff)
	}
	// One token for two APIs, and a further one for one of them.
	clients := func(token string) int {
		return h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+token).status
	}
	if clients(token) != 200 || clients(second) != 200 || len(r.Tokens) != 2 {
		t.Errorf("the tokens open the clients with %d and %d; there are %d", clients(token), clients(second), len(r.Tokens))
	}

	// A whole new set of properties, which leaves out what shall go.
	body, _ = json.Marshal(map[string]any{"props": map[string]string{"op.reg.apiAccessTokenSHA256": sha(second), "op.idToken.lifetime": "60"}, "enabled": true})
	put := entryOf(t, h.call("PUT", "/tenants/rest/v1/acme", string(body)))
	if diff := cmp.Diff(map[string]string{"op.issuer": h.url + "/t/acme", "op.reg.apiAccessTokenSHA256": sha(second), "op.idToken.lifetime": "60"}, put.Props); diff != "" {
		t.Errorf("after the update: %s", diff)
	}
	if put.Attrs["plan"] != "gold" {
		t.Errorf("attributes that were not sent are gone: %v", put.Attrs)
	}
	if clients(token) != 401 || clients(second) != 200 {
		t.Errorf("the tokens open the clients with %d and %d", clients(token), clients(second))
	}

	var all []struct{ TID string }
	if err := json.Unmarshal(h.call("GET", "/tenants/rest/v1", "").body, &all); err != nil || len(all) != 1 || all[0].TID != "acme" {
		t.Errorf("the list is %v, and %v", all, err)
	}
	off := h.call("PUT", "/tenants/rest/v1/acme", `{"props": {}, "enabled": false}`)
	if e := entryOf(t, off); e.Enabled || h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").status != 404 {
		t.Error("a disabled tenant is served")
	}
	if a := h.call("DELETE", "/tenants/rest/v1/acme", ""); a.status != http.StatusNoContent {
		t.Errorf("deleting: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/tenants/rest/v1/acme", ""); a.status != http.StatusNotFound {
		t.Errorf("after that: %d %s", a.status, a.body)
	}
}

func TestRegistryKeepsWhatHasNoProperty(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "")
	h.call("PATCH", "/admin/v1/tenants/acme", `{"settings": {"name": "Acme", "authorization": {"acr_values": ["2"], "always_prompt_for_auth": true}}}`)
	if a := h.call("PUT", "/tenants/rest/v1/acme", `{"props": {"op.authz.maxNonceLength": "256"}}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	want := tenant.Settings{Name: "Acme", Authorization: tenant.AuthorizationSettings{ACRValues: []string{"2"}, MaxNonce: 256}}
	if diff := cmp.Diff(want, r.Settings); diff != "" {
		t.Error(diff)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+acme.APIToken); a.status != http.StatusOK {
		t.Errorf("a token that is not the registry's is gone: %d", a.status)
	}
}

func TestRegistryRefuses(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
		says                     string
	}{
		{"an unknown property", "POST", "", `{"tid": "x", "props": {"op.authz.telepathy": "true"}}`, 400, "op.authz.telepathy"},
		{"one that we have no setting for", "POST", "", `{"tid": "x", "props": {"op.issuerAliases.1": "https://a.example"}}`, 400, "op.issuerAliases.1"},
		{"keys of one's own", "POST", "", `{"tid": "x", "props": {"jose.jwkSet": "e30"}}`, 400, "jose.jwkSet"},
		{"the deployment's token", "POST", "", `{"tid": "x", "props": {"tenants.apiAccessTokenSHA256": "` + sha("x") + `"}}`, 400, "tenants.apiAccessTokenSHA256"},
		{"a name that cannot be said", "POST", "", `{"tid": "x", "props": {"a\nb": "true"}}`, 400, "A property"},
		{"a hash that is none", "POST", "", `{"tid": "x", "props": {"op.authz.apiAccessTokenSHA256": "secret"}}`, 400, "op.authz.apiAccessTokenSHA256"},
		{"a hash with an empty label", "POST", "", `{"tid": "x", "props": {"op.authz.apiAccessTokenSHA256.": "` + sha("x") + `"}}`, 400, "op.authz.apiAccessTokenSHA256."},
		{"a number that is none", "POST", "", `{"tid": "x", "props": {"op.idToken.lifetime": "5m"}}`, 400, "op.idToken.lifetime"},
		{"a life out of range", "POST", "", `{"tid": "x", "props": {"authzStore.code.lifetime": "3600"}}`, 400, "authzStore.code.lifetime"},
		{"one that changes nothing", "POST", "", `{"tid": "x", "props": {"op.splashPage": "blank"}}`, 400, "op.splashPage"},
		{"keys that are not the tenant's", "POST", "", `{"tid": "x", "props": {"op.metadataOverlay": "{\"jwks_uri\":\"https://evil.example\"}"}}`, 400, "op.metadataOverlay is what the server says of itself"},
		{"a place to sign out beside our own", "POST", "", `{"tid": "x", "props": {"op.logout.endpoint": "https://login.example/out"}}`, 400, "op.logout.endpoint"},
		{"a query that is none", "POST", "", `{"tid": "x", "props": {"op.sso.disableForSelectedClients": "{\"a\":{\"$gt\":1}}"}}`, 400, "op.sso.disableForSelectedClients"},
		{"policies that differ", "POST", "", `{"tid": "x", "props": {"op.authz.oAuthRequestJWTPolicy": "STRICT", "op.authz.openIDRequestJWTPolicy": "MERGE_UNSECURED"}}`, 400, "op.authz.oAuthRequestJWTPolicy"},
		{"no code among the response types", "POST", "", `{"tid": "x", "props": {"op.authz.responseTypes": "id_token"}}`, 400, "op.authz.responseTypes"},
		{"a flag that is none", "POST", "", `{"tid": "x", "props": {"op.reg.allowOpenRegistration": "yes"}}`, 400, "op.reg.allowOpenRegistration"},
		{"a login page without TLS", "POST", "", `{"tid": "x", "props": {"op.authz.endpoint": "http://login.example"}}`, 400, "op.authz.endpoint"},
		{"an unknown response mode", "POST", "", `{"tid": "x", "props": {"op.authz.responseModes": "query,pigeon"}}`, 400, "op.authz.responseModes"},
		{"lengths that differ by response mode", "POST", "", `{"tid": "x", "props": {"op.authz.maxStateLength.uriResponse": "1024", "op.authz.maxStateLength.formPostResponse": "4096"}}`, 400, "op.authz.maxStateLength"},
		{"a scope value that asks for what the server sets", "POST", "", `{"tid": "x", "props": {"op.claims.map.hr": "sub"}}`, 400, "op.claims.map"},
		{"an algorithm that there is no key for", "PUT", "/acme", `{"props": {"authzStore.accessToken.jwsAlg": "EdDSA"}}`, 400, "authzStore.accessToken.jwsAlg"},
		{"another answer to too many sessions", "POST", "", `{"tid": "x", "props": {"sessionStore.onQuotaExhaustion": "DENY"}}`, 400, "sessionStore.onQuotaExhaustion"},
		{"a bad issuer", "POST", "", `{"tid": "x", "props": {"op.issuer": "http://x.example"}}`, 400, "op.issuer"},
		{"a bad id", "POST", "", `{"tid": "X"}`, 400, "tid"},
		{"no id", "POST", "", `{"props": {}}`, 400, "tid"},
		{"props that are no map of texts", "POST", "", `{"tid": "x", "props": {"op.idToken.lifetime": 60}}`, 400, "props"},
		{"an unknown member", "POST", "", `{"tid": "x", "owner": "globex"}`, 400, "owner"},
		{"an id that is taken", "POST", "", `{"tid": "acme"}`, 409, "taken"},
		{"the platform", "POST", "", `{"tid": "platform"}`, 400, "tid"},
		{"an update without props", "PUT", "/acme", `{}`, 400, "props"},
		{"an update of another tenant", "PUT", "/acme", `{"tid": "globex", "props": {}}`, 400, "tid"},
		{"another issuer", "PUT", "/acme", `{"props": {"op.issuer": "https://new.example"}}`, 400, "op.issuer"},
		{"an update of nobody", "PUT", "/nobody", `{"props": {}}`, 404, ""},
		{"an update of the platform", "PUT", "/platform", `{"props": {}}`, 404, ""},
		{"the platform itself", "GET", "/platform", ``, 404, ""},
		{"deleting the platform", "DELETE", "/platform", ``, 404, ""},
		{"deleting nobody", "DELETE", "/nobody", ``, 404, ""},
	} {
		a := h.call(tt.method, "/tenants/rest/v1"+tt.path, tt.body)
		var e struct {
			Error       string
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal(a.body, &e); err != nil || a.status != tt.status || e.Error == "" || !strings.Contains(e.Description, tt.says) {
			t.Errorf("%s: got %d %s, want %d that says %s", tt.rule, a.status, a.body, tt.status, tt.says)
		}
	}
	if rs, err := h.console.Tenants(t.Context(), "", 10); err != nil || len(rs) != 1 {
		t.Errorf("something was made: %v, %v", rs, err)
	}
}

func TestRegistryListsEveryTenant(t *testing.T) {
	h := newHouse(t)
	want := []string{"a", "b", "c"}
	for _, id := range want {
		h.create(id, "")
	}
	var all []struct{ TID string }
	if err := json.Unmarshal(h.call("GET", "/tenants/rest/v1/", "").body, &all); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.TID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

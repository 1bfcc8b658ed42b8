package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

// report is what is said of a file of properties.
type report struct {
	TenantID string `json:"tenant_id"`
	Issuer   string
	Imported bool
	Refused  int
	Lines    []struct {
		Line                                   int
		Last                                   int `json:"last_line"`
		Property, Key, Outcome, As, Value, Why string
	}
}

// of is the row of a property, or of a key.
func (r *report) of(name string) (outcome, as, value, why string) {
	for _, l := range r.Lines {
		if l.Property == name && l.Key == "" || l.Key == name && l.Key != "" {
			return l.Outcome, l.As, l.Value, l.Why
		}
	}
	return "", "", "", ""
}

func (h *house) imported(text, id string, dry bool) (*report, answer) {
	h.t.Helper()
	body, _ := json.Marshal(map[string]any{"properties": text, "tenant_id": id, "dry_run": dry})
	a := h.call("POST", "/admin/v1/tenants/import", string(body))
	r := &report{}
	if err := json.Unmarshal(a.body, r); err != nil {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	return r, a
}

// ecKey is a private JWK of another server, and what only its owner knows of it.
func ecKey(t *testing.T, kid string) (jwk, secret string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err1 := k.PublicKey.Bytes()
	d, err2 := k.Bytes()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","use":"sig","kid":%q,"x":%q,"y":%q,"d":%q}`, kid, b64(public[1:33]), b64(public[33:]), b64(d)), b64(d)
}

// A file of every kind of line: nothing of it is lost, and no secret of it is told.
func TestImportOfProperties(t *testing.T) {
	h := newHouse(t)
	first, d1 := ecKey(t, "CXup")
	second, d2 := ecKey(t, "old1")
	set := `{"keys":[` + first + `,` + second + `,{"kty":"oct","kid":"hmac","k":"dGhlIHNlY3JldA"}]}`
	const token, other = "an-authz-token-of-32-characters-x", "a-second-token-of-32-characters-x"
	text := strings.Join([]string{
		"# of the old server",
		"! and more",
		"",
		"op.issuer = https://id.acme.example",
		"op.issuerAliases.1: https://login.acme.example",
		"jose.jwkSet=" + base64.RawURLEncoding.EncodeToString([]byte(set)),
		"op.authz.apiAccessTokenSHA256 " + sha(token),
		"op.authz.apiAccessTokenSHA256.next=" + sha(other),
		"op.reg.apiAccessTokenSHA256=" + sha(token),
		"monitor.apiAccessTokenSHA256=" + sha("m"),
		"op.authz.endpoint=https://login.acme.example/ui",
		"op.authz.advertisedScopes=openid, \\",
		"    email",
		"op.authz.alwaysPromptForAuth=false",
		"authzStore.refreshToken.defaultLifetime=0",
		"authzStore.refreshToken.defaultRotate=false",
		"op.claims.map.hr=salary",
		"sqlStore.password=hush-hush",
		"my.plugin.secret=hush-hush",
		"sessionStore.onQuotaExhaustion=CLOSE_OLD_SESSION",
	}, "\n") + "\n"

	dry, _ := h.imported(text, "acme", true)
	if dry.Imported || dry.Refused != 0 || h.call("GET", "/admin/v1/tenants/acme", "").status != http.StatusNotFound {
		t.Errorf("a dry run: %+v", dry)
	}
	r, a := h.imported(text, "acme", false)
	if a.status != http.StatusOK || !r.Imported || r.Refused != 0 || r.TenantID != "acme" || r.Issuer != "https://id.acme.example" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	dry.Imported = true
	if diff := cmp.Diff(dry, r); diff != "" {
		t.Errorf("the dry run said otherwise: %s", diff)
	}
	for _, secret := range []string{d1, d2, "dGhlIHNlY3JldA", sha(token), sha(other), "hush-hush", token} {
		if strings.Contains(string(a.body), secret) {
			t.Errorf("a secret is told: %s", a.body)
		}
	}
	next := 1
	for _, l := range r.Lines {
		if l.Line == 0 || l.Key != "" {
			continue
		}
		if l.Line != next {
			t.Errorf("after line %d comes %d", next-1, l.Line)
		}
		next = max(l.Line, l.Last) + 1
	}
	if next != strings.Count(text, "\n")+1 {
		t.Errorf("the report ends before line %d", next)
	}
	for name, want := range map[string][4]string{
		"":                                   {"ignored", "", "", "a comment"},
		"op.issuer":                          {"taken", "issuer", "https://id.acme.example", ""},
		"op.issuerAliases.1":                 {"taken", "aliases", "https://login.acme.example", ""},
		"jose.jwkSet":                        {"taken", "keys", "2 of 3 keys", ""},
		"CXup":                               {"taken", "keys", "ES256", ""},
		"op.authz.apiAccessTokenSHA256.next": {"taken", "tokens", "authz-sessions", ""},
		"op.authz.advertisedScopes":          {"taken", "authorization.scopes", `["openid","email"]`, ""},
		"op.authz.alwaysPromptForAuth":       {"taken", "authorization.always_prompt_for_auth", "the default", ""},
		"authzStore.refreshToken.defaultLifetime": {"taken", "tokens.refresh_token_lifetime", "315360000", ""},
		"op.claims.map.hr":                        {"taken", "authorization.claims_of_scope.hr", "salary", ""},
		"my.plugin.secret":                        {"ignored", "", "", "is none of the settings of a tenant"},
		"sessionStore.maxLifetime":                {"absent", "sessions.max_life", "", "there it is 259200 minutes; here 20160"},
	} {
		outcome, as, value, why := r.of(name)
		if got := [4]string{outcome, as, value, why}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if outcome, _, _, why := r.of("hmac"); outcome != "ignored" || !strings.Contains(why, "handles of sessions") {
		t.Errorf("the HMAC key: %s %s", outcome, why)
	}
	if outcome, _, _, why := r.of("monitor.apiAccessTokenSHA256"); outcome != "ignored" || !strings.Contains(why, "platform") {
		t.Errorf("the monitoring token: %s %s", outcome, why)
	}

	record, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	want := tenant.Settings{LoginURL: "https://login.acme.example/ui", Authorization: tenant.AuthorizationSettings{Scopes: []string{"openid", "email"}, ClaimsOfScope: map[string][]string{"hr": {"salary"}}},
		Tokens: tenant.TokenSettings{RefreshTokenLifetime: 315360000, RefreshTokenKeep: true}}
	if diff := cmp.Diff(want, record.Settings); diff != "" {
		t.Errorf("the settings: %s", diff)
	}
	if !slices.Equal(record.Aliases, []string{"https://login.acme.example"}) || len(record.Tokens) != 2 {
		t.Errorf("aliases %v, %d tokens", record.Aliases, len(record.Tokens))
	}
	// What relying parties know is there, and the first of the keys signs; an algorithm that had none has one of ours.
	var kids []string
	for _, k := range record.Keys {
		kids = append(kids, k.ID)
		if k.ID == "CXup" && !k.RetiredAt.IsZero() || k.ID == "old1" && k.RetiredAt.IsZero() {
			t.Errorf("%v retires at %v", k, k.RetiredAt)
		}
	}
	if len(kids) != 3 || !slices.Contains(kids, "CXup") || !slices.Contains(kids, "old1") {
		t.Errorf("its keys are %v", kids)
	}
	jwks := string(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body)
	var published struct{ X string }
	_ = json.Unmarshal([]byte(first), &published)
	if !strings.Contains(jwks, `"kid":"CXup"`) || !strings.Contains(jwks, published.X) || !strings.Contains(jwks, `"kid":"old1"`) || strings.Contains(jwks, d1) {
		t.Errorf("relying parties find %s", jwks)
	}
	// The tokens that its callers have open what they opened, and nothing of another tenant.
	h.create("globex", "")
	if a := h.call("GET", "/t/globex/clients", "", "Authorization", "Bearer "+token); a.status != http.StatusUnauthorized {
		t.Errorf("another tenant: %d %s", a.status, a.body)
	}
	for token, want := range map[string]int{token: 200, other: 403, "another": 401} {
		if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+token); a.status != want {
			t.Errorf("%s: %d %s", token, a.status, a.body)
		}
	}
}

// What has no value is not there, for that server: it is told of, and what differs then is told too.
func TestImportOfWhatHasNoValue(t *testing.T) {
	h := newHouse(t)
	names := []string{"op.issuerAliases.1", "op.reg.apiAccessTokenSHA256", "jose.jwkSet", "op.metadataOverlay", "op.sso.disableForSelectedClients", "op.checkSession.iframe",
		"op.logout.endpoint", "op.authz.endpoint", "op.authz.sessionLifetime", "op.authz.alwaysPromptForAuth", "op.authz.oAuthRequestJWTPolicy", "op.authz.allowedPKCE",
		"op.authz.alwaysRequireSignedResponse", "sessionStore.maxLifetime", "sessionStore.authLifetime", "op.authz.advertisedScopes"}
	text := "op.issuer=https://id.acme.example\nsessionStore.maxIdleTime=60\n" + strings.Join(names, "=\n") + " =  \n"
	r, a := h.imported(text, "acme", false)
	if a.status != http.StatusOK || !r.Imported {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, name := range names {
		if outcome, as, value, why := r.of(name); outcome != "ignored" || as+value != "" || !strings.Contains(why, "no value") {
			t.Errorf("%s: %s %s %s %s", name, outcome, as, value, why)
		}
	}
	told := func(as string) bool {
		for _, l := range r.Lines {
			if l.Outcome == "absent" && l.As == as {
				return true
			}
		}
		return false
	}
	if !told("authorization.scopes") || !told("sessions.auth_life") || told("sessions.max_idle") || !told("tokens.refresh_token_idle") {
		t.Errorf("what is not said: %s", a.body)
	}
	record, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tenant.Settings{Sessions: tenant.SessionSettings{MaxIdle: 60}}, record.Settings); diff != "" || len(record.Tokens)+len(record.Aliases) > 0 {
		t.Errorf("%s %v %v", diff, record.Tokens, record.Aliases)
	}
	for rule, text := range map[string]string{
		"the issuer":                     "op.issuer=",
		"one that may be mistyped":       "op.issuer=https://b.example\nop.authz.alwaysPromtForAuth=",
		"twice, the second with a value": "op.issuer=https://b.example\nop.idToken.lifetime=\nop.idToken.lifetime=60",
	} {
		if r, a := h.imported(text, "b", false); r.Imported || r.Refused == 0 {
			t.Errorf("%s: %d %s", rule, a.status, a.body)
		}
	}
}

// What is refused is told of its line, and then nothing at all is made.
func TestImportIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	h.create("taken", "")
	const issuer = "op.issuer=https://id.acme.example\n"
	for _, tt := range []struct{ rule, text, name, why string }{
		{"no issuer", "op.idToken.lifetime=60", "op.issuer", "is missing"},
		{"an issuer that is none", "op.issuer=http://id.acme.example", "op.issuer", "https"},
		{"a property that may be mistyped", issuer + "op.authz.alwaysPromtForAuth=true", "op.authz.alwaysPromtForAuth", "unknown"},
		{"a value that is none", issuer + "op.idToken.lifetime=5m", "op.idToken.lifetime", "whole number"},
		{"a value that is out of range", issuer + "authzStore.code.lifetime=3600", "authzStore.code.lifetime", "must be from"},
		{"a property twice", issuer + "op.idToken.lifetime=60\nop.idToken.lifetime=61", "", ""},
		{"a malformed escape", issuer + `op.authz.endpoint=\u12`, "op.authz.endpoint", "hexadecimal"},
		{"a reference", issuer + "op.authz.endpoint=${login}", "op.authz.endpoint", "not in the file"},
		{"a property without name", issuer + "=x", "", "has no name"},
		{"aliases by a proxy", issuer + "op.issuerAliases=*", "op.issuerAliases", "op.issuerAliases.1"},
		{"an alias that is the issuer", issuer + "op.issuerAliases.1=https://id.acme.example", "op.issuerAliases.1", "other issuers"},
		{"an alias that is none", issuer + "op.issuerAliases.1=x", "op.issuerAliases.1", "URL"},
		{"keys that are none", issuer + "jose.jwkSet=e30", "jose.jwkSet", "JWK set"},
		{"a hash that is none", issuer + "op.logout.apiAccessTokenSHA256=secret", "op.logout.apiAccessTokenSHA256", "SHA-256"},
		{"less than is promised", issuer + "op.authz.allowedPKCE=plain,S256", "op.authz.allowedPKCE", "S256"},
		{"what only together is wrong", issuer + "op.authz.alwaysRequireSignedResponse=true", "op.authz.alwaysRequireSignedResponse", "responseModes"},
		{"lengths that differ", issuer + "op.authz.maxStateLength.uriResponse=1024\nop.authz.maxStateLength.formPostResponse=2048", "op.authz.maxStateLength.formPostResponse", "same"},
	} {
		r, a := h.imported(tt.text, "acme", false)
		outcome, _, value, why := r.of(tt.name)
		if tt.name == "" {
			for _, l := range r.Lines {
				if l.Outcome == "refused" {
					outcome, value, why = l.Outcome, l.Value, l.Why
				}
			}
		}
		if a.status != http.StatusOK || r.Imported || r.Refused == 0 || outcome != "refused" || value != "" || !strings.Contains(why, tt.why) {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
		if h.call("GET", "/admin/v1/tenants/acme", "").status != http.StatusNotFound {
			t.Fatalf("%s: there is a tenant", tt.rule)
		}
	}
	for _, tt := range []struct{ rule, text, id string }{
		{"an id that is taken", issuer, "taken"},
		{"an issuer that is taken", "op.issuer=" + h.url + "/t/taken", "taken"},
	} {
		for _, dry := range []bool{true, false} {
			if _, a := h.imported(tt.text, tt.id, dry); a.status != http.StatusConflict {
				t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
			}
		}
	}
	if r, _ := h.imported(issuer, "No_Label", true); r.Refused != 1 {
		t.Errorf("a bad id: %+v", r)
	}
	r, _ := h.imported("op.issuer=https://id.Acme.example:8443/c2id", "", true)
	if r.TenantID != "id-acme-example-c2id" {
		t.Errorf("an id made of the issuer: %+v", r)
	}
}

package tenant_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

var (
	png  = "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n…"))
	jpeg = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff…"))
	webp = "data:image/webp;base64," + base64.StdEncoding.EncodeToString([]byte("RIFF....WEBP…"))
	svg  = base64.StdEncoding.EncodeToString([]byte("<svg onload=alert(1)>"))
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		document string
		wrong    []string // pointers
	}{
		{"the defaults are right", `{}`, nil},
		{"so is a document that sets everything", `{"name": "Acme", "logo": "` + png + `", "color": "#0a3D62",
			"login_url": "https://login.acme.example/start?tenant=acme",
			"authorization": {"interaction_lifetime": 600, "code_lifetime": 600, "response_modes": ["query", "fragment", "form_post"],
				"custom_error_codes": ["account_locked"], "scopes": ["openid", "invoices:read"], "acr_values": ["urn:acme:mfa"],
				"request_in_auth_prompt": ["ui_locales"], "request_in_grant_prompt": ["x.hint"],
				"claims_of_scope": {"hr": ["https://acme.example/salary", "grade"]}, "max_state": 8192, "max_nonce": 512},
			"tokens": {"access_token_lifetime": 3600, "access_token_alg": "ES256", "id_token_lifetime": 300, "id_token_alg": "EdDSA",
				"refresh_token_lifetime": 7776000, "refresh_token_idle": -1, "refresh_token_grace": -1, "key_rotation": -1,
				"authorization_limit": 365},
			"sessions": {"max_life": -1, "auth_life": 60, "max_idle": -1, "per_subject": 25, "native_apps": 5},
			"clients": {"open_registration": true, "max": 50000, "secret_overlap": -1}}`, nil},
		{"a name has no control characters", `{"name": "Acme\u0007"}`, []string{"/name"}},
		{"a name has an end", `{"name": "` + strings.Repeat("a", 201) + `"}`, []string{"/name"}},
		{"a logo may be a JPEG", `{"logo": "` + jpeg + `"}`, nil},
		{"a logo may be WebP", `{"logo": "` + webp + `"}`, nil},
		{"a logo is not fetched", `{"logo": "https://acme.example/logo.png"}`, []string{"/logo"}},
		{"a logo is no SVG", `{"logo": "data:image/svg+xml;base64,` + svg + `"}`, []string{"/logo"}},
		{"a logo is what it says", `{"logo": "data:image/png;base64,` + svg + `"}`, []string{"/logo"}},
		{"a logo is base64 to its end", `{"logo": "` + png + `\""}`, []string{"/logo"}},
		{"a logo has no line ends", `{"logo": "` + png[:30] + `\n` + png[30:] + `"}`, []string{"/logo"}},
		{"a logo has at most 64 KiB", `{"logo": "` + png + strings.Repeat("AAAA", 16<<10) + `"}`, []string{"/logo"}},
		{"a colour has six digits", `{"color": "#fff"}`, []string{"/color"}},
		{"a colour is no style", `{"color": "#ffffff;x"}`, []string{"/color"}},
		{"a colour has hexadecimal digits", `{"color": "#gggggg"}`, []string{"/color"}},
		{"a colour has no sign", `{"color": "#+fffff"}`, []string{"/color"}},
		{"a login page is https", `{"login_url": "http://login.acme.example/"}`, []string{"/login_url"}},
		{"but may be http on the loopback", `{"login_url": "http://127.0.0.1:3000/login"}`, nil},
		{"also by its name", `{"login_url": "http://localhost:3000/login"}`, nil},
		{"which is not a part of another", `{"login_url": "http://localhost.acme.example/"}`, []string{"/login_url"}},
		{"a login page is no script", `{"login_url": "javascript:alert(1)"}`, []string{"/login_url"}},
		{"a login page is absolute", `{"login_url": "//acme.example"}`, []string{"/login_url"}},
		{"a login page has a host", `{"login_url": "https://:443/"}`, []string{"/login_url"}},
		{"a login page has no user", `{"login_url": "https://acme@evil.example"}`, []string{"/login_url"}},
		{"a login page has no fragment", `{"login_url": "https://acme.example/#"}`, []string{"/login_url"}},
		{"a login page has no line ends", `{"login_url": "https://acme.example/\n"}`, []string{"/login_url"}},
		{"a code lives at most 10 minutes", `{"authorization": {"code_lifetime": 601}}`, []string{"/authorization/code_lifetime"}},
		{"a code lives a while", `{"authorization": {"code_lifetime": 1}}`, []string{"/authorization/code_lifetime"}},
		{"a request does not wait for ever", `{"authorization": {"interaction_lifetime": -1}}`, []string{"/authorization/interaction_lifetime"}},
		{"state keeps room for what clients send", `{"authorization": {"max_state": 1}}`, []string{"/authorization/max_state"}},
		{"nonce has an end", `{"authorization": {"max_nonce": 5000}}`, []string{"/authorization/max_nonce"}},
		{"an access token ends", `{"tokens": {"access_token_lifetime": -1}}`, []string{"/tokens/access_token_lifetime"}},
		{"an access token lives at most a day", `{"tokens": {"access_token_lifetime": 86401}}`, []string{"/tokens/access_token_lifetime"}},
		{"an ID token ends", `{"tokens": {"id_token_lifetime": 2592001}}`, []string{"/tokens/id_token_lifetime"}},
		{"a refresh token ends", `{"tokens": {"refresh_token_lifetime": -1}}`, []string{"/tokens/refresh_token_lifetime"}},
		{"only -1 is negative", `{"tokens": {"refresh_token_idle": -2}}`, []string{"/tokens/refresh_token_idle"}},
		{"a grace is short", `{"tokens": {"refresh_token_grace": 3600}}`, []string{"/tokens/refresh_token_grace"}},
		{"keys rotate within a lifetime", `{"tokens": {"key_rotation": 100000}}`, []string{"/tokens/key_rotation"}},
		{"and at most 5 of native apps", `{"sessions": {"native_apps": 6}}`, []string{"/sessions/native_apps"}},
		{"a subject has at most 25 sessions", `{"sessions": {"per_subject": 26}}`, []string{"/sessions/per_subject"}},
		{"the registry is bounded", `{"clients": {"max": 1000001}}`, []string{"/clients/max"}},
		{"none is no algorithm", `{"tokens": {"access_token_alg": "none"}}`, []string{"/tokens/access_token_alg"}},
		{"an HMAC is no algorithm of ours", `{"tokens": {"id_token_alg": "HS256"}}`, []string{"/tokens/id_token_alg"}},
		{"algorithms are case-sensitive", `{"tokens": {"id_token_alg": "rs256"}}`, []string{"/tokens/id_token_alg"}},
		{"a response mode is known", `{"authorization": {"response_modes": ["query", "pigeon"]}}`, []string{"/authorization/response_modes/1"}},
		{"a response type is known", `{"authorization": {"response_types": ["token id_token", "none", "code", "code code token", "token"]}}`, []string{"/authorization/response_types/2", "/authorization/response_types/3"}},
		{"a type of authorization details is named once", `{"authorization": {"details_types": [{"type": "a"}, {"type": "a", "required": ["type"]}, {"members": ["b c"]}]}}`,
			[]string{"/authorization/details_types/1/required/0", "/authorization/details_types/1/type", "/authorization/details_types/2/members/0", "/authorization/details_types/2/type"}},
		{"a response mode is named once", `{"authorization": {"response_modes": ["query", "query"]}}`, []string{"/authorization/response_modes/1"}},
		{"an error code is a word", `{"authorization": {"custom_error_codes": ["a b"]}}`, []string{"/authorization/custom_error_codes/0"}},
		{"a scope value has no space", `{"authorization": {"scopes": ["a b", "ok"]}}`, []string{"/authorization/scopes/0"}},
		{"a scope value has no quotes", `{"authorization": {"claims_of_scope": {"a\"b": []}}}`, []string{`/authorization/claims_of_scope/a"b`}},
		{"an acr value is not empty", `{"authorization": {"acr_values": [""]}}`, []string{"/authorization/acr_values/0"}},
		{"a parameter is a word", `{"authorization": {"request_in_auth_prompt": ["x&y"], "request_in_grant_prompt": ["<"]}}`,
			[]string{"/authorization/request_in_auth_prompt/0", "/authorization/request_in_grant_prompt/0"}},
		{"a pointer is escaped", `{"authorization": {"claims_of_scope": {"a/b~c": ["x y"]}}}`, []string{"/authorization/claims_of_scope/a~1b~0c/0"}},
		{"a claim name breaks out of nothing", `{"authorization": {"claims_of_scope": {"hr": ["x\":0,\"admin"]}}}`, []string{"/authorization/claims_of_scope/hr/0"}},
		{"a claim that the server sets is not the tenant's", `{"authorization": {"claims_of_scope": {"hr": ["grade", "iss", "sub"]}}}`,
			[]string{"/authorization/claims_of_scope/hr/1", "/authorization/claims_of_scope/hr/2"}},
		{"the standard's scope values are the standard's", `{"authorization": {"claims_of_scope": {"email": ["grade"], "openid": []}}}`,
			[]string{"/authorization/claims_of_scope/email", "/authorization/claims_of_scope/openid"}},
		{"lists have an end", `{"authorization": {"acr_values": [` + strings.TrimSuffix(strings.Repeat(`"a",`, 201), ",") + `]}}`,
			[]string{"/authorization/acr_values"}},
		{"everything wrong is told", `{"color": "red", "logo": "x", "clients": {"max": -5}}`, []string{"/clients/max", "/color", "/logo"}},
	} {
		s, err := tenant.ParseSettings([]byte(tt.document))
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		var got []string
		for _, e := range s.Check() {
			if e.Message == "" {
				t.Errorf("%s: no message at %s", tt.rule, e.Pointer)
			}
			if len(got) < len(tt.wrong) || !strings.HasPrefix(e.Pointer, "/authorization/acr_values/") {
				got = append(got, e.Pointer)
			}
		}
		if diff := cmp.Diff(tt.wrong, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, diff)
		}
	}
}

// Every number has a range and every string a rule: a new setting that Check does not look at fails here.
func TestCheckLooksAtEveryMember(t *testing.T) {
	free := map[string]bool{} // members that may be anything of their type
	var walk func(v reflect.Value, pointer string, s *tenant.Settings)
	walk = func(v reflect.Value, pointer string, s *tenant.Settings) {
		bad := reflect.Value{}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				walk(v.Field(i), pointer+"/"+name, s)
			}
			return
		case reflect.Bool:
			return
		case reflect.String:
			bad = reflect.ValueOf("\x00 bad")
		case reflect.Int, reflect.Int64:
			bad = reflect.ValueOf(int64(-99)).Convert(v.Type())
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Struct {
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
				walk(v.Index(0), pointer+"/0", s)
				v.SetZero()
				return
			}
			bad = reflect.ValueOf([]string{"\x00 bad"})
			if v.Type().Elem().Kind() == reflect.Uint8 {
				bad = reflect.ValueOf([]byte("bad")).Convert(v.Type())
			}
		case reflect.Map:
			bad = reflect.MakeMap(v.Type())
			bad.SetMapIndex(reflect.ValueOf("\x00 bad"), reflect.Zero(v.Type().Elem()))
		}
		v.Set(bad)
		found := s.Check()
		v.SetZero()
		if free[pointer] != (len(found) == 0) {
			t.Errorf("%s: nonsense there is found wrong in %v", pointer, found)
		}
	}
	var s tenant.Settings
	walk(reflect.ValueOf(&s).Elem(), "", &s)
}

func TestParseSettings(t *testing.T) {
	for _, tt := range []struct {
		rule, document, wrong string // pointer, or - for none
	}{
		{"an object", `{}`, "-"},
		{"null leaves the default", `{"name": null, "tokens": null, "authorization": {"scopes": null}}`, "-"},
		{"a document within", `{"grants": {"issuers": [{"issuer": "x", "jwks": {"keys": [{"kty": "OKP", "x": ["y", 1]}]}}]}}`, "-"},
		{"a document within that names a member twice", `{"grants": {"issuers": [{"jwks": {"keys": [], "keys": []}}]}}`, "/grants/issuers/0/jwks/keys"},
		{"nothing", ``, ""},
		{"not an object", `[]`, ""},
		{"null is not an object", `null`, ""},
		{"cut off", `{"name": "x"`, ""},
		{"not JSON", `{"name": x}`, ""},
		{"something after it", `{} {}`, ""},
		{"not UTF-8", "{\"name\": \"\xff\"}", ""},
		{"too large", `{"name": "` + strings.Repeat("x", tenant.MaxSettings) + `"}`, ""},
		{"an unknown member", `{"colour": "#ffffff"}`, "/colour"},
		{"an unknown member inside", `{"authorization": {"always_promt_for_grant": true}}`, "/authorization/always_promt_for_grant"},
		{"another case", `{"tokens": {"Access_Token_Opaque": true}}`, "/tokens/Access_Token_Opaque"},
		{"a repeated member", `{"name": "a", "name": "b"}`, "/name"},
		{"a member repeated in an escape", `{"name": "a", "n\u0061me": "b"}`, "/name"},
		{"a repeated key of a map", `{"authorization": {"claims_of_scope": {"x": [], "x": []}}}`, "/authorization/claims_of_scope/x"},
		{"a string for a number", `{"tokens": {"access_token_lifetime": "600"}}`, "/tokens/access_token_lifetime"},
		{"a fraction for a number", `{"tokens": {"access_token_lifetime": 0.5}}`, "/tokens/access_token_lifetime"},
		{"a number without end", `{"tokens": {"access_token_lifetime": 1e99}}`, "/tokens/access_token_lifetime"},
		{"a number for an object", `{"tokens": 5}`, "/tokens"},
		{"an array for an object", `{"tokens": []}`, "/tokens"},
		{"an object for a string", `{"name": {}}`, "/name"},
		{"an array for a string", `{"name": ["a"]}`, "/name"},
		{"depth", `{"authorization": {"scopes": ` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`, "/authorization/scopes/0"},
	} {
		_, err := tenant.ParseSettings([]byte(tt.document))
		if tt.wrong == "-" {
			if err != nil {
				t.Errorf("%s: %v", tt.rule, err)
			}
			continue
		}
		if e, ok := errors.AsType[tenant.FieldError](err); !ok || e.Pointer != tt.wrong || e.Message == "" {
			t.Errorf("%s: error %v, want one at %q", tt.rule, err, tt.wrong)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	for _, s := range []string{`{}`, `{"name":"a","authorization":{"claims_of_scope":{"x":["y"]}},"tokens":{"key_rotation":-1}}`, `{"a":1}`, `[[`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := tenant.ParseSettings(b)
		if err != nil {
			if _, ok := errors.AsType[tenant.FieldError](err); !ok {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		s.Check()
		// What was read is what encoding/json reads, and can be written and read again.
		var plain tenant.Settings
		if err := json.Unmarshal(b, &plain); err != nil {
			t.Fatalf("encoding/json refuses what ParseSettings takes: %v", err)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := tenant.ParseSettings(again)
		if err != nil {
			t.Fatalf("%s is not read again: %v", again, err)
		}
		if once, twice := mustMarshal(t, plain), mustMarshal(t, back); once != twice {
			t.Fatalf("%s became %s", once, twice)
		}
	})
}

func mustMarshal(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestZeroSettingsAreTheDefaults(t *testing.T) {
	var s tenant.Settings
	for _, tt := range []struct {
		name      string
		got, want time.Duration
	}{
		{"code", s.CodeLifetime(), time.Minute},
		{"interaction", s.InteractionLifetime(), 15 * time.Minute},
		{"access token", s.AccessTokenLifetime(), 10 * time.Minute},
		{"ID token", s.IDTokenLifetime(), 5 * time.Minute},
		{"refresh token", s.RefreshTokenLifetime(), 90 * 24 * time.Hour},
		{"refresh token, idle", s.RefreshTokenIdle(), 30 * 24 * time.Hour},
		{"refresh token, grace", s.RefreshTokenGrace(), 10 * time.Second},
		{"secret overlap", s.SecretOverlap(), 30 * time.Minute},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if b, _ := json.Marshal(s); string(b) != "{}" {
		t.Errorf("the zero document is stored as %s", b)
	}
	s.Authorization.CodeLifetime = 3600
	if s.CodeLifetime() != 10*time.Minute {
		t.Error("a stored lifetime beyond RFC 6749 §4.1.2 is honoured")
	}
}

package connect2id

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

const v1, v2, v3 = "/authz-sessions/rest/v1", "/authz-sessions/rest/v2", "/authz-sessions/rest/v3"

// What no endpoint with a body takes, wherever its session stands.
func TestBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	type row struct {
		rule, body string
		change     func(*http.Request)
		status     int
		want       string
	}
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	rows := []row{
		{"broken off", `{"query":"a"`, nil, 400, "invalid_request: Invalid JSON at offset 12"},
		{"no JSON", `foo`, nil, 400, "invalid_request: Invalid JSON at offset 0"},
		{"nothing", ` `, nil, 400, "invalid_request: Invalid JSON at offset 1"},
		{"a comma too many", `{"a":1,}`, nil, 400, "invalid_request: Invalid JSON at offset 7"},
		{"more than one value", `{} {}`, nil, 400, "invalid_request: Unexpected text after the JSON value at offset 3"},
		{"a member twice", `{"x":1,"x":1}`, nil, 400, "invalid_request: A JSON member is repeated at offset 7"},
		{"a member twice inside", `{"data":{"x":1,"x":1}}`, nil, 400, "invalid_request: A JSON member is repeated at offset 15"},
		{"too deep", `{"data":` + deep + `}`, nil, 400, "invalid_request: The JSON nests too deep at offset 323"},
		{"a zero character", `{"sub":"a\u0000"}`, nil, 400, "invalid_request: A JSON string holds a zero character at offset 7"},
		{"not UTF-8", "{\"sub\":\"\xff\"}", nil, 400, "invalid_request: The JSON is not UTF-8 at offset 8"},
		{"an array", `["a"]`, nil, 400, "invalid_request: The JSON value has the wrong type"},
		{"a text", `"a"`, nil, 400, "invalid_request: The JSON value has the wrong type"},
		{"no content type", `{}`, header("Content-Type"), 415, "invalid_request: The content type must be application/json"},
		{"a form", `a=b`, header("Content-Type", "application/x-www-form-urlencoded"), 415, "invalid_request: The content type must be application/json"},
		{"two content types", `{}`, header("Content-Type", "application/json", "application/json"), 415, "invalid_request: The content type must be application/json"},
		{"compressed", `{}`, header("Content-Encoding", "gzip"), 415, "invalid_request: The content encoding is not supported"},
		{"too long", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, nil, 413, "invalid_request: The request body is too large"},
	}
	each(t, func(t *testing.T, w *world) {
		login, consent := w.atLogin(t, "v3"), w.atConsent(t, "v3")
		for _, at := range []struct{ method, path string }{{"POST", v1}, {"POST", v3}, {"PUT", v3 + "/" + login}, {"PUT", v3 + "/" + consent}, {"PUT", v3 + "/" + login + "/data"}, {"POST", directPath + "/"}} {
			for _, tt := range rows {
				rec := w.call(at.method, at.path, tt.body, tt.change)
				want := tt.want
				if strings.HasSuffix(at.path, "/data") && want == "invalid_request: The JSON value has the wrong type" {
					want = "invalid_request: data must be an object"
				}
				if rec.Code != tt.status || errorOf(rec) != want {
					t.Errorf("%s %s: %s: got %d %s, want %d %s", at.method, at.path[:22], tt.rule, rec.Code, errorOf(rec), tt.status, want)
				}
			}
		}
		w.unchanged(t, login, consent)
	})
}

// unchanged fails unless two sessions still wait, one for authentication and one for consent.
func (w *world) unchanged(t *testing.T, login, consent string) {
	t.Helper()
	for sid, want := range map[string]string{login: "belongs to the consent step", consent: "belongs to the authentication step"} {
		rec := w.call("PUT", v3+"/"+sid, `{"scope":[],"sub":"x"}`, nil)
		if rec.Code != 400 || !strings.Contains(errorOf(rec), want) {
			t.Errorf("the session has changed: got %d %s", rec.Code, rec.Body)
		}
	}
}

func TestStartInput(t *testing.T) {
	long, _ := json.Marshal(strings.Repeat("a", 32<<10+1))
	object := `{"x":"` + strings.Repeat("x", maxObject) + `"}`
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct{ rule, path, body, want string }{
			{"no query", v1, `{}`, "invalid_request: query is missing"},
			{"query is null", v1, `{"query":null}`, "invalid_request: query is missing"},
			{"query in another case", v1, `{"Query":"a=b"}`, "invalid_request: query is missing"},
			{"query is a number", v1, `{"query":7}`, "invalid_request: The JSON member query has the wrong type"},
			{"query is an object", v3, `{"query":{"client_id":"s6BhdR"}}`, "invalid_request: The JSON member query has the wrong type"},
			{"query is too long", v3, `{"query":` + string(long) + `}`, "invalid_request: query is too long"},
			{"sub_sid is a number", v1, `{"query":"","sub_sid":7}`, "invalid_request: The JSON member sub_sid has the wrong type"},
			{"data is a text", v3, `{"query":"","data":"x"}`, "invalid_request: data must be an object"},
			{"data is an array", v2, `{"query":"","data":[]}`, "invalid_request: data must be an object"},
			{"data is too long", v2, `{"query":"","data":` + object + `}`, "invalid_request: data is too long"},
			{"ajax is a word", v1 + "?ajax=yes", start(""), "invalid_request: ajax must be true or false"},
			{"ajax is twice", v2 + "?ajax=true&ajax=true", start(""), "invalid_request: A parameter is repeated"},
		} {
			if rec := w.call("POST", tt.path, tt.body, nil); rec.Code != 400 || errorOf(rec) != tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		for rule, path := range map[string]string{"v3 does not care for ajax": v3 + "?ajax=maybe&ajax=", "nor v1 for what it does not know": v1 + "?x=1&ajax="} {
			if rec := w.call("POST", path, start(""), nil); rec.Code != 200 {
				t.Errorf("%s: got %d %s", rule, rec.Code, rec.Body)
			}
		}
	})
}

// Everything that is wrong inside the authorization request is told as such, never as a malformed call.
func TestWrongRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, query := range []string{"", "?", "&&&", "%", "client_id=%00", "client_id=%ff", "client_id=s6BhdR&redirect_uri=%00", "client_id=s6BhdR&redirect_uri=javascript:alert(1)",
			"=", "client_id=" + strings.Repeat("x", 30<<10)} {
			body, _ := json.Marshal(map[string]string{"query": query})
			if rec := w.call("POST", v1, string(body), nil); rec.Code != 220 || !strings.HasPrefix(errorOf(rec), "invalid_request: ") || rec.Header().Get("Location") != "" {
				t.Errorf("%.60q: got %d %s", query, rec.Code, rec.Body)
			}
		}
		for _, query := range []string{"&state=%00", "&state=%ff", "&nonce=%00", "&scope=%22", "&claims=%7B", "&claims=" + strings.Repeat("%5B", 5000), "&max_age=1e9", "&display=%3Cb%3E", "&prompt=x", "&x=1&x=2",
			"&id_token_hint=foreign", "&resource=%00", "&code_challenge=%00", "&acr_values=%00", "&login_hint=%ff", "&response_mode=x"} {
			if rec := w.call("POST", v1, start(query), nil); rec.Code != 302 || !strings.Contains(rec.Header().Get("Location"), "?error=") {
				t.Errorf("%s: got %d %s", query, rec.Code, rec.Body)
			}
		}
		for query, want := range map[string]string{"&request=x": "invalid_request_object: ", "&request_uri=x": "invalid_request_uri: "} { // who asks is not proved
			if rec := w.call("POST", v1, start(query), nil); rec.Code != 220 || !strings.HasPrefix(errorOf(rec), want) || rec.Header().Get("Location") != "" {
				t.Errorf("%s: got %d %s", query, rec.Code, rec.Body)
			}
		}
		for _, sid := range []string{"\u0000", "x", ".", strings.Repeat("\u0000", 22) + "." + strings.Repeat("\u0000", 22), strings.Repeat("x", 60<<10)} {
			body, _ := json.Marshal(map[string]string{"query": "response_type=code&client_id=s6BhdR&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb", "sub_sid": sid})
			want := 200
			if strings.Contains(sid, "\x00") {
				want = 400 // the body itself is not taken
			}
			if rec := w.call("POST", v1, string(body), nil); rec.Code != want {
				t.Errorf("sub_sid %.10q: got %d %s", sid, rec.Code, rec.Body)
			}
		}
	})
}

func TestSubjectInput(t *testing.T) {
	object := `{"x":"` + strings.Repeat("x", maxObject) + `"}`
	each(t, func(t *testing.T, w *world) {
		login, consent := w.atLogin(t, "v3"), w.atConsent(t, "v3")
		for _, tt := range []struct{ rule, body, want string }{
			{"nothing", `{}`, "sub is missing"},
			{"sub is null", `{"sub":null}`, "sub is missing"},
			{"sub is empty", `{"sub":""}`, "sub is missing"},
			{"sub in another case", `{"SUB":"alice"}`, "sub is missing"},
			{"sub is a number", `{"sub":7}`, "The JSON member sub has the wrong type"},
			{"sub is too long", `{"sub":"` + strings.Repeat("x", 256) + `"}`, "sub must have 1 to 255 printable ASCII characters"},
			{"sub has a line break", `{"sub":"a\nb"}`, "sub must have 1 to 255 printable ASCII characters"},
			{"sub is the client", `{"sub":"s6BhdR"}`, "sub is the id of the client"},
			{"two ways to say who", `{"sub":"alice","sub_sid":"x"}`, "sub and sub_sid exclude each other"},
			{"sub_sid is a number", `{"sub_sid":7}`, "The JSON member sub_sid has the wrong type"},
			{"auth_time is a text", `{"sub":"alice","auth_time":"1772366400"}`, "The JSON member auth_time has the wrong type"},
			{"auth_time is a fraction", `{"sub":"alice","auth_time":1772366400.5}`, "The JSON member auth_time has the wrong type"},
			{"auth_time is negative", `{"sub":"alice","auth_time":-1}`, "auth_time is out of range"},
			{"auth_time is beyond time", `{"sub":"alice","auth_time":9000000000000000000}`, "auth_time is out of range"},
			{"auth_time is to come", `{"sub":"alice","auth_time":1772366461}`, "auth_time must not lie ahead"},
			{"creation_time is to come", `{"sub":"alice","creation_time":1772366461}`, "creation_time must not lie ahead"},
			{"creation_time is long ago", `{"sub":"alice","creation_time":0}`, "the session would be over already"},
			{"creation_time is an object", `{"sub":"alice","creation_time":{}}`, "The JSON member creation_time has the wrong type"},
			{"acr is an array", `{"sub":"alice","acr":["a"]}`, "The JSON member acr has the wrong type"},
			{"amr is a text", `{"sub":"alice","amr":"pwd"}`, "The JSON member amr has the wrong type"},
			{"amr holds a number", `{"sub":"alice","amr":["pwd",7]}`, "The JSON member amr has the wrong type"},
			{"amr holds a control character", `{"sub":"alice","amr":["\u0007"]}`, "amr must be at most 16 short strings without control characters"},
			{"max_life is a text", `{"sub":"alice","max_life":"1"}`, "The JSON member max_life has the wrong type"},
			{"max_life is beyond numbers", `{"sub":"alice","max_life":1e99}`, "The JSON member max_life has the wrong type"},
			{"max_life is beyond time", `{"sub":"alice","max_life":9000000000000000000}`, "max_life, auth_life and max_idle must not exceed 100 years of minutes"},
			{"authentication outlives the session", `{"sub":"alice","max_life":10,"auth_life":20}`, "max_life must not be less than auth_life, nor auth_life less than max_idle"},
			{"idle time outlives authentication", `{"sub":"alice","max_life":30,"auth_life":10,"max_idle":20}`, "max_life must not be less than auth_life, nor auth_life less than max_idle"},
			{"unlimited outlives limited", `{"sub":"alice","max_life":30,"auth_life":-1}`, "max_life must not be less than auth_life, nor auth_life less than max_idle"},
			{"claims is an array", `{"sub":"alice","claims":["name"]}`, "claims must be an object"},
			{"claims are more than other terms leave room for", `{"sub":"alice","claims":{"x":"` + strings.Repeat("x", 2<<10) + `"}}`, "claims must not exceed 2 KiB"},
			{"claims names the issuer", `{"sub":"alice","claims":{"iss":"x"}}`, "claims holds a name that is not allowed"},
			{"claims is too long", `{"sub":"alice","claims":` + object + `}`, "claims is too long"},
			{"data is a number", `{"sub":"alice","data":7}`, "data must be an object"},
			{"data is too long", `{"sub":"alice","data":` + object + `}`, "data is too long"},
			{"a key that is none", `{"sub":"alice","jkt":"x"}`, "jkt must be the base64url form of a SHA-256 hash"},
			{"a fingerprint that is none", `{"sub":"alice","fpt":"x"}`, "fpt must be the base64url form of a SHA-256 hash"},
			{"scope", `{"sub":"alice","scope":["a"]}`, "scope belongs to the consent step"},
			{"audience", `{"audience":[]}`, "audience belongs to the consent step"},
			{"preset_claims", `{"preset_claims":{}}`, "preset_claims belongs to the consent step"},
			{"long_lived", `{"long_lived":true}`, "long_lived belongs to the consent step"},
			{"issue_refresh_token", `{"issue_refresh_token":true}`, "issue_refresh_token belongs to the consent step"},
			{"refresh_token", `{"refresh_token":{}}`, "refresh_token belongs to the consent step"},
			{"access_token", `{"access_token":{}}`, "access_token belongs to the consent step"},
			{"id_token", `{"id_token":{}}`, "id_token belongs to the consent step"},
			{"impersonated_sub", `{"impersonated_sub":"bob"}`, "impersonated_sub belongs to the consent step"},
		} {
			if rec := w.call("PUT", v3+"/"+login, tt.body, nil); rec.Code != 400 || errorOf(rec) != "invalid_request: "+tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		w.unchanged(t, login, consent)
		if rec := w.call("PUT", v3+"/"+login, `{"sub":"alice","unheard_of":{"x":[1]},"scope":null,"Scope":["a"]}`, nil); rec.Code != 200 {
			t.Errorf("unknown and absent members: got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestConsentInput(t *testing.T) {
	object := `{"x":"` + strings.Repeat("x", maxObject) + `"}`
	each(t, func(t *testing.T, w *world) {
		login, consent := w.atLogin(t, "v1"), w.atConsent(t, "v1")
		for _, tt := range []struct{ rule, body, want string }{
			{"nothing", `{}`, "scope is missing"},
			{"scope is null", `{"scope":null}`, "scope is missing"},
			{"scope in another case", `{"Scope":["a"]}`, "scope is missing"},
			{"scope is a text", `{"scope":"a b"}`, "The JSON member scope has the wrong type"},
			{"scope holds a number", `{"scope":[7]}`, "The JSON member scope has the wrong type"},
			{"a scope value is two", `{"scope":["a b"]}`, "scope holds a value that is not allowed"},
			{"a scope value is null", `{"scope":[null]}`, "scope holds a value that is not allowed"},
			{"a scope value is quoted", `{"scope":["\""]}`, "scope holds a value that is not allowed"},
			{"audience is a text", `{"scope":[],"audience":"a"}`, "The JSON member audience has the wrong type"},
			{"audience holds an empty text", `{"scope":[],"audience":[""]}`, "audience holds a value that is not allowed"},
			{"claims is an object", `{"scope":[],"claims":{}}`, "The JSON member claims has the wrong type"},
			{"a claim name is quoted", `{"scope":[],"claims":["a\"b"]}`, "claims holds a name that is not allowed"},
			{"all claims for access tokens", `{"scope":[],"claims":["access_token:*"]}`, "claims with the prefix access_token: must be named: there is no * of them"},
			{"two places of a claim", `{"scope":[],"claims":["access_token:id_token:email"]}`, "claims holds a name with more prefixes than one"},
			{"claims_locales is a text", `{"scope":[],"claims_locales":"en"}`, "The JSON member claims_locales has the wrong type"},
			{"claims_locales holds no language", `{"scope":[],"claims_locales":["<"]}`, "claims_locales holds what is not a language tag"},
			{"preset_claims is an array", `{"scope":[],"preset_claims":[]}`, "The JSON member preset_claims has the wrong type"},
			{"preset claims are a text", `{"scope":[],"preset_claims":{"id_token":"x"}}`, "The JSON member preset_claims.id_token has the wrong type"},
			{"preset claims are more than fits into a token", `{"scope":[],"preset_claims":{"id_token":{"x":"` + strings.Repeat("x", 15000) + `"}}}`, "claims, data, scope and audience together are more than fits into a token"},
			{"an impersonated subject that is not ASCII", `{"scope":[],"impersonated_sub":"ålice"}`, "impersonated_sub must have 1 to 255 printable ASCII characters"},
			{"a preset issuer", `{"scope":[],"preset_claims":{"id_token":{"iss":"x"}}}`, "preset_claims holds a name that is not allowed"},
			{"a preset subject", `{"scope":[],"preset_claims":{"userinfo":{"sub":"x"}}}`, "preset_claims holds a name that is not allowed"},
			{"long_lived is a text", `{"scope":[],"long_lived":"true"}`, "The JSON member long_lived has the wrong type"},
			{"issue_refresh_token is a number", `{"scope":[],"issue_refresh_token":1}`, "The JSON member issue_refresh_token has the wrong type"},
			{"two words on the refresh token", `{"scope":[],"issue_refresh_token":true,"refresh_token":{"issue":false}}`, "issue_refresh_token and refresh_token.issue contradict each other"},
			{"refresh_token is a text", `{"scope":[],"refresh_token":"x"}`, "The JSON member refresh_token has the wrong type"},
			{"refresh_token.lifetime is a text", `{"scope":[],"refresh_token":{"lifetime":"1"}}`, "The JSON member refresh_token.lifetime has the wrong type"},
			{"refresh_token.max_idle is negative", `{"scope":[],"refresh_token":{"max_idle":-1}}`, "a lifetime is out of range"},
			{"access_token.lifetime is a text", `{"scope":[],"access_token":{"lifetime":"600"}}`, "The JSON member access_token.lifetime has the wrong type"},
			{"access_token.lifetime is negative", `{"scope":[],"access_token":{"lifetime":-600}}`, "a lifetime is out of range"},
			{"access_token.encoding is unknown", `{"scope":[],"access_token":{"encoding":"self_contained"}}`, "access_token.encoding must be SELF_CONTAINED or IDENTIFIER"},
			{"pairwise access tokens", `{"scope":[],"access_token":{"sub_type":"PAIRWISE"}}`, "access_token.sub_type PAIRWISE is not supported"},
			{"access_token.sub_type is unknown", `{"scope":[],"access_token":{"sub_type":"x"}}`, "access_token.sub_type must be PUBLIC or PAIRWISE"},
			{"encrypt is a text", `{"scope":[],"access_token":{"encrypt":"true"}}`, "The JSON member access_token.encrypt has the wrong type"},
			{"an algorithm without a key", `{"scope":[],"access_token":{"jws_alg":"ES384"}}`, "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"no algorithm", `{"scope":[],"access_token":{"jws_alg":"none"}}`, "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"id_token.allow_refresh is a text", `{"scope":[],"id_token":{"allow_refresh":"x"}}`, "The JSON member id_token.allow_refresh has the wrong type"},
			{"impersonated_sub is a number", `{"scope":[],"impersonated_sub":7}`, "The JSON member impersonated_sub has the wrong type"},
			{"impersonated_sub is the client", `{"scope":[],"impersonated_sub":"s6BhdR"}`, "impersonated_sub is the id of the client"},
			{"two to be impersonated", `{"scope":[],"impersonated_sub":"a","id_token":{"impersonated_sub":"b"}}`, "impersonated_sub and id_token.impersonated_sub contradict each other"},
			{"claims_data is a text", `{"scope":[],"claims_data":"x"}`, "claims_data must be an object"},
			{"a mistyped member of refresh_token", `{"scope":[],"refresh_token":{"lifetme":5}}`, "Unknown JSON member at offset 29"},
			{"a mistyped member of access_token", `{"scope":[],"access_token":{"encript":true}}`, "Unknown JSON member at offset 28"},
			{"a mistyped member of id_token", `{"scope":[],"id_token":{"liftime":5}}`, "Unknown JSON member at offset 24"},
			{"a mistyped member of preset_claims", `{"scope":[],"preset_claims":{"idtoken":{}}}`, "Unknown JSON member at offset 29"},
			{"data is an array", `{"scope":[],"data":[]}`, "data must be an object"},
			{"data is too long", `{"scope":[],"data":` + object + `}`, "data is too long"},
			{"sub", `{"scope":[],"sub":"bob"}`, "sub belongs to the authentication step"},
			{"sub_sid", `{"scope":[],"sub_sid":"x"}`, "sub_sid belongs to the authentication step"},
			{"auth_time", `{"scope":[],"auth_time":1}`, "auth_time belongs to the authentication step"},
			{"creation_time", `{"scope":[],"creation_time":1}`, "creation_time belongs to the authentication step"},
			{"acr", `{"scope":[],"acr":"x"}`, "acr belongs to the authentication step"},
			{"amr", `{"scope":[],"amr":[]}`, "amr belongs to the authentication step"},
			{"max_life", `{"scope":[],"max_life":1}`, "max_life belongs to the authentication step"},
			{"auth_life", `{"scope":[],"auth_life":1}`, "auth_life belongs to the authentication step"},
			{"max_idle", `{"scope":[],"max_idle":1}`, "max_idle belongs to the authentication step"},
		} {
			if rec := w.call("PUT", v1+"/"+consent, tt.body, nil); rec.Code != 400 || errorOf(rec) != "invalid_request: "+tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		w.unchanged(t, login, consent)
		if rec := w.call("PUT", v1+"/"+consent, `{"scope":["openid"],"unheard_of":{"x":[1]},"sub":null,"Sub":"bob"}`, nil); rec.Code != 302 {
			t.Errorf("unknown and absent members: got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestHandles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		want := w.call("GET", v3+"/"+strings.Repeat("A", 43), "", nil).Body.String()
		sid := w.atLogin(t, "v3")
		for _, odd := range []string{"x", "%00", "%ff", "%2e%2e", "%2F", "%C3%A9", "..%2f..", "'%20OR%201=1", strings.Repeat("A", 4000), sid + "A", sid[:42], "%20" + sid, strings.ToUpper(sid), "null", "undefined", "*", "data"} {
			for _, c := range []struct{ method, path, body string }{{"GET", "", ""}, {"PUT", "", `{"sub":"alice"}`}, {"DELETE", "", ""}, {"GET", "/data", ""}, {"PUT", "/data", `{}`}} {
				rec := w.call(c.method, v3+"/"+odd+c.path, c.body, nil)
				if rec.Code != 404 || rec.Header().Get("Content-Type") != "application/json" {
					t.Errorf("%s %.40s%s: got %d %s", c.method, odd, c.path, rec.Code, rec.Body)
				}
				if !strings.Contains(odd, "%") && rec.Body.String() != want {
					t.Errorf("%s %.40s%s: got %s", c.method, odd, c.path, rec.Body)
				}
			}
		}
		for _, c := range []struct{ method, path string }{{"PUT", v3}, {"DELETE", v3}, {"GET", v3}, {"POST", v3 + "/" + sid}, {"PATCH", v3 + "/" + sid}, {"DELETE", v3 + "/" + sid + "/data"}} {
			if rec := w.call(c.method, c.path, "", nil); rec.Code != 405 {
				t.Errorf("%s %s: got %d", c.method, c.path, rec.Code)
			}
		}
		if rec := w.call("GET", v1+"/"+sid+"/data", "", nil); rec.Code != 404 {
			t.Errorf("version 1 has no data: got %d", rec.Code)
		}
		if rec := w.call("GET", "/authz-sessions/rest/v4/"+sid, "", nil); rec.Code != 404 {
			t.Errorf("there is no version 4: got %d", rec.Code)
		}
	})
}

// An interaction that our own pages lead is none of the API's.
func TestInteractionsOfOurOwnPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sid := w.atLogin(t, "v3")
		ten := w.tenants["acme"].ID
		i, err := w.db.Load(context.Background(), ten, noon, hashOf(sid))
		if err != nil {
			t.Fatal(err)
		}
		i.Hash, i.Binding = hashOf("own"), hashOf("browser")
		if err := w.db.Begin(context.Background(), ten, *i, nil); err != nil {
			t.Fatal(err)
		}
		if rec := w.call("GET", v3+"/own", "", nil); rec.Code != 404 {
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
	})
}

// A store that cannot answer is no reason to refuse anybody for good.
func TestStoreDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sid := w.atLogin(t, "v3")
		for _, fault := range []struct {
			rule   string
			err    error
			status int
			want   string
		}{
			{"unreachable", oauth.Unavailable().Because(errors.New("connection refused by 10.0.0.1")), 503, "temporarily_unavailable: The service is temporarily unavailable"},
			{"out of time", context.DeadlineExceeded, 503, "temporarily_unavailable: The service is temporarily unavailable"},
			{"broken", errors.New("syntax error near SELECT"), 500, "server_error"},
		} {
			w.store.failWith(fault.err)
			for _, c := range []struct{ method, path, body string }{{"POST", v1, start("")}, {"POST", v3, start("")}, {"GET", v3 + "/" + sid, ""}, {"PUT", v3 + "/" + sid, `{"sub":"alice"}`}, {"DELETE", v3 + "/" + sid, ""}} {
				rec := w.call(c.method, c.path, c.body, nil)
				if rec.Code != fault.status || errorOf(rec) != fault.want || (rec.Header().Get("Retry-After") != "") != (rec.Code == 503) {
					t.Errorf("%s: %s: got %d %v %s", fault.rule, c.method, rec.Code, rec.Header(), rec.Body)
				}
			}
		}
		w.store.failWith(nil)
		if rec := w.call("PUT", v3+"/"+sid, `{"sub":"alice"}`, nil); rec.Code != 200 {
			t.Errorf("afterwards: got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestRepeats(t *testing.T) {
	const repeats = 64
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			rule   string
			sid    string
			method string
			body   string
			won    int
			lost   map[int]bool
		}{
			{"one consent wins", w.atConsent(t, "v1"), "PUT", `{"scope":["openid"]}`, 302, map[int]bool{404: true}},
			{"one denial wins", w.atConsent(t, "v1"), "DELETE", "", 302, map[int]bool{404: true}},
			{"one authentication wins", w.atLogin(t, "v1"), "PUT", `{"sub":"alice"}`, 200, map[int]bool{400: true}},
		} {
			codes := make(chan int, repeats)
			for range repeats {
				go func() { codes <- w.call(tt.method, v1+"/"+tt.sid, tt.body, nil).Code }()
			}
			got := map[int]int{}
			for range repeats {
				select {
				case code := <-codes:
					got[code]++
				case <-time.After(time.Minute):
					t.Fatalf("%s: no answer", tt.rule)
				}
			}
			if got[tt.won] != 1 {
				t.Errorf("%s: got %v", tt.rule, got)
			}
			for code := range got {
				if code != tt.won && !tt.lost[code] {
					t.Errorf("%s: got %v", tt.rule, got)
				}
			}
		}
	})
}

// No answer may be kept or lead a browser on by itself, and none tells what we run on.
func TestHeaders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sid := w.atLogin(t, "v3")
		for _, c := range []struct{ method, path, body string }{{"POST", v3, start("")}, {"POST", v1, `{"query":""}`}, {"GET", v3 + "/" + sid, ""}, {"PUT", v3 + "/" + sid + "/data", `{}`}, {"PUT", v3 + "/" + sid, `{`}, {"DELETE", v1 + "/" + sid, ""}, {"GET", v1 + "/" + sid, ""}} {
			h := w.call(c.method, c.path, c.body, nil).Header()
			if h.Get("Cache-Control") != "no-store" || h.Get("Server") != "" || h.Get("Access-Control-Allow-Origin") != "" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: got %v", c.method, c.path, h)
			}
		}
	})
}

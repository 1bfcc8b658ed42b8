package registration

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
)

const (
	badURI  = "invalid_redirect_uri"
	badMeta = "invalid_client_metadata"
	badBody = "invalid_request"
)

// said is the code of err, or nothing.
func said(err error) string {
	if err == nil {
		return ""
	}
	return oauth.ErrorOf(err).Code
}

func TestRedirectURIs(t *testing.T) {
	for _, c := range []struct {
		rule, uri   string
		web, native bool // may register it
	}{
		{"https", "https://app.example/cb", true, true},
		{"https with port and query", "https://app.example:8443/cb?tenant=1&lang=en", true, true},
		{"https with an escaped path", "https://app.example/a%20b", true, true},
		{"https without a path", "https://app.example", true, true},
		{"https to an address", "https://[2001:db8::1]/cb", true, true},
		{"http to 127.0.0.1", "http://127.0.0.1:8765/cb", true, true},
		{"http to [::1]", "http://[::1]:8765/cb", true, true},
		{"http to localhost", "http://localhost/cb", true, true},
		{"a scheme of one's own", "com.example.app:/cb", false, true},
		{"a scheme of one's own with a host", "com.example.app://cb", false, true},
		{"http to elsewhere", "http://app.example/cb", false, false},
		{"http to another loopback address", "http://127.0.0.2/cb", false, false},
		{"http to a name that begins like the loopback", "http://localhost.evil.example/cb", false, false},
		{"http to a name that begins like the loopback's address", "http://127.0.0.1.evil.example/cb", false, false},
		{"http to the loopback in decimal", "http://2130706433/cb", false, false},
		{"http to the mapped loopback", "http://[::ffff:127.0.0.1]/cb", false, false},
		{"http to a name with a final dot", "http://localhost./cb", false, false},
		{"a scheme without a dot", "myapp:/cb", false, false},
		{"an opaque URI", "com.example.app:cb", false, false},
		{"javascript", "javascript:alert(1)", false, false},
		{"javascript in other letters", "JaVaScRiPt:alert(1)", false, false},
		{"javascript with a comment", "javascript://app.example/%0aalert(1)", false, false},
		{"data", "data:text/html,x", false, false},
		{"vbscript", "vbscript:x", false, false},
		{"file", "file:///etc/passwd", false, false},
		{"blob", "blob:https://app.example/1", false, false},
		{"urn", "urn:ietf:wg:oauth:2.0:oob", false, false},
		{"ftp", "ftp://app.example/", false, false},
		{"a scheme in capitals", "HTTPS://app.example/cb", false, false},
		{"a fragment", "https://app.example/cb#x", false, false},
		{"an empty fragment", "https://app.example/cb#", false, false},
		{"a wildcard in the host", "https://*.app.example/cb", false, false},
		{"a wildcard in the path", "https://app.example/*", false, false},
		{"userinfo", "https://app.example@evil.example/cb", false, false},
		{"userinfo with password", "https://a:b@app.example/cb", false, false},
		{"empty userinfo", "https://@app.example/cb", false, false},
		{"no host", "https:///cb", false, false},
		{"only a port", "https://:443/cb", false, false},
		{"an empty port", "https://app.example:/cb", false, false},
		{"a port that is none", "https://app.example:x/cb", false, false},
		{"a relative reference", "/cb", false, false},
		{"a reference without a scheme", "//app.example/cb", false, false},
		{"empty", "", false, false},
		{"white space before", " https://app.example/cb", false, false},
		{"white space inside", "https://app.example/a b", false, false},
		{"a tab in the scheme", "java\tscript:alert(1)", false, false},
		{"a line break", "https://app.example/cb\r\nX: y", false, false},
		{"NUL", "https://app.example/\x00", false, false},
		{"a backslash", `https://app.example\@evil.example/`, false, false},
		{"a quote", `https://app.example/"onload=`, false, false},
		{"angle brackets", "https://app.example/<script>", false, false},
		{"characters that are not ASCII", "https://äpp.example/cb", false, false},
		{"an escaped host", "https://app%2eexample/cb", false, false},
		{"a bad escape", "https://app.example/%zz", false, false},
		{"a bad escape in the query", "https://app.example/?a=%zz", false, false},
		{"code in the query", "https://app.example/cb?code=x", false, false},
		{"state in the query", "https://app.example/cb?a=1&state=x", false, false},
		{"response in the query", "https://app.example/cb?response=x", false, false},
		{"error in the query, escaped", "https://app.example/cb?%65rror=x", false, false},
		{"iss in the query", "https://app.example/cb?iss=x", false, false},
		{"too long", "https://app.example/" + strings.Repeat("a", 2048), false, false},
	} {
		for _, kind := range []struct {
			native bool
			want   bool
		}{{false, c.web}, {true, c.native}} {
			if err := redirectURI(c.uri, kind.native); (err == nil) != kind.want || err != nil && said(err) != badURI {
				t.Errorf("%s: %q, native %v: got %v", c.rule, c.uri, kind.native, err)
			}
		}
	}
}

func TestRules(t *testing.T) {
	long := strings.Repeat("x", 300)
	list := `["` + strings.Repeat(`a","`, 200) + `a"]`
	for _, c := range []struct{ rule, members, want string }{
		{"nothing but a redirect URI", `{}`, ""},
		{"no redirect URI", `{"redirect_uris":[]}`, badURI},
		{"null redirect URIs", `{"redirect_uris":null}`, badURI},
		{"one bad redirect URI among good ones", `{"redirect_uris":["https://a.example/","http://a.example/"]}`, badURI},
		{"no redirect URI without a code", `{"redirect_uris":null,"grant_types":["client_credentials"]}`, ""},
		{"a logout URI", `{"post_logout_redirect_uris":["https://a.example/bye"]}`, ""},
		{"a logout URI with an active scheme", `{"post_logout_redirect_uris":["javascript:x"]}`, badURI},
		{"a native client's own scheme", `{"application_type":"native","redirect_uris":["com.example.a:/cb"]}`, ""},
		{"a web client's own scheme", `{"redirect_uris":["com.example.a:/cb"]}`, badURI},
		{"an unknown application type", `{"application_type":"Native"}`, badMeta},
		{"pages", `{"client_uri":"https://a.example/","policy_uri":"http://a.example/p","tos_uri":"https://a.example/t","logo_uri":"https://a.example/l.png"}`, ""},
		{"client_uri with an active scheme", `{"client_uri":"javascript:x"}`, badMeta},
		{"policy_uri of a private scheme", `{"policy_uri":"com.example.a:/p"}`, badMeta},
		{"tos_uri relative", `{"tos_uri":"/t"}`, badMeta},
		{"logo_uri with the picture inside", `{"logo_uri":"data:image/png;base64,AA"}`, badMeta},
		{"a translated page with an active scheme", `{"tos_uri#fr":"vbscript:x"}`, badMeta},
		{"an empty page is none", `{"tos_uri":""}`, ""},
		{"initiate_login_uri", `{"initiate_login_uri":"https://a.example/login"}`, ""},
		{"initiate_login_uri over plain http", `{"initiate_login_uri":"http://a.example/login"}`, badMeta},
		{"names in several scripts", `{"client_name":"Café 日本","client_name#fa":"می\u200cخواهم"}`, ""},
		{"a name with a line break", `{"client_name":"a\nb"}`, badMeta},
		{"a name that turns direction", `{"client_name":"a\u202eb"}`, badMeta},
		{"a translated name with a control character", `{"client_name#fr":"a\u0007"}`, badMeta},
		{"a name of 300 characters", `{"client_name":"` + long + `"}`, badMeta},
		{"contacts", `{"contacts":["ops@a.example"]}`, ""},
		{"an empty contact", `{"contacts":[""]}`, badMeta},
		{"software", `{"software_id":"4NRB1","software_version":"2.1"}`, ""},
		{"a software id of 300 characters", `{"software_id":"` + long + `"}`, badMeta},
		{"a policy for refresh tokens", `{"refresh_token_lifetime":3600,"refresh_token_idle":-1,"refresh_token_rotation":false}`, ""},
		{"a refresh token of a second", `{"refresh_token_lifetime":1}`, badMeta},
		{"a refresh token for ever", `{"refresh_token_lifetime":9000000000}`, badMeta},
		{"a negative life", `{"refresh_token_lifetime":-1}`, badMeta},
		{"an idle time of a second", `{"refresh_token_idle":1}`, badMeta},
		{"an idle time below none", `{"refresh_token_idle":-2}`, badMeta},
		{"client_secret_post", `{"token_endpoint_auth_method":"client_secret_post"}`, ""},
		{"none", `{"token_endpoint_auth_method":"none"}`, ""},
		{"a method we do not know", `{"token_endpoint_auth_method":"private_key_jwt"}`, badMeta},
		{"none for client credentials", `{"token_endpoint_auth_method":"none","grant_types":["client_credentials"]}`, badMeta},
		{"a grant type we do not know", `{"grant_types":["authorization_code","password"]}`, badMeta},
		{"the implicit grant", `{"grant_types":["implicit"],"response_types":["token"]}`, badMeta},
		{"a response type we do not know", `{"response_types":["code","id_token"]}`, badMeta},
		{"code without its grant", `{"grant_types":["client_credentials"],"response_types":["code"]}`, badMeta},
		{"an empty grant type", `{"grant_types":[""]}`, badMeta},
		{"scope", `{"scope":"openid read:all"}`, ""},
		{"scope with a quote", `{"scope":"openid \"x"}`, badMeta},
		{"scope too long", `{"scope":"` + strings.Repeat("x", 5000) + `"}`, badMeta},
		{"an algorithm that the tenant has a key for", `{"id_token_signed_response_alg":"ES256"}`, ""},
		{"an algorithm that it has no key for", `{"id_token_signed_response_alg":"RS256"}`, badMeta},
		{"none as algorithm", `{"id_token_signed_response_alg":"none"}`, badMeta},
		{"an HMAC as algorithm", `{"id_token_signed_response_alg":"HS256"}`, badMeta},
		{"default_max_age of zero", `{"default_max_age":0}`, ""},
		{"default_max_age below zero", `{"default_max_age":-1}`, badMeta},
		{"authentication contexts", `{"default_acr_values":["urn:a","1"]}`, ""},
		{"an authentication context with a space", `{"default_acr_values":["a b"]}`, badMeta},
		{"audience", `{"audience":["https://api.example","orders"]}`, ""},
		{"audience with a fragment", `{"audience":["https://api.example#x"]}`, badMeta},
		{"an empty audience", `{"audience":[""]}`, badMeta},
		{"data", `{"data":{"a":[1,{"b":null}]}}`, ""},
		{"data too large", `{"data":{"a":"` + strings.Repeat("x", 70_000) + `"}}`, badMeta},
		{"too many of anything", `{"contacts":` + list + `}`, badMeta},
	} {
		s, acme, m := house(t)
		body := `{"redirect_uris":["https://a.example/cb"],` + c.members[1:]
		if strings.Contains(c.members, `"redirect_uris"`) {
			body = c.members
		}
		body = strings.Replace(body, ",}", "}", 1)
		r := request(t, body, administrator)
		_, err := s.Register(t.Context(), acme, r)
		if said(err) != c.want {
			t.Errorf("%s: registered with %v, want %q", c.rule, err, c.want)
		}
		if (len(m.clients) == 1) != (c.want == "") {
			t.Errorf("%s: %d clients", c.rule, len(m.clients))
		}
		// The same on update.
		s, acme, m = house(t)
		was, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://was.example/cb"]}`, administrator))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Update(t.Context(), acme, was.Client.ID, r); said(err) != c.want {
			t.Errorf("%s: updated with %v, want %q", c.rule, err, c.want)
		}
		if (len(m.events) == 2) != (c.want == "") {
			t.Errorf("%s: %d events", c.rule, len(m.events))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ rule, body, want string }{
		{"an object", `{"redirect_uris":["a"],"x":{"y":[1]}}`, ""},
		{"rotation as a text", `{"refresh_token_rotation":"true"}`, badMeta},
		{"a life as a text", `{"refresh_token_lifetime":"3600"}`, badMeta},
		{"unknown members are ignored", `{"foo":1,"foo#fr":2,"Redirect_URIs":7}`, ""},
		{"null is as if not sent", `{"scope":null,"contacts":null,"default_max_age":null,"jwks":null,"data":null,"client_name#fr":null}`, ""},
		{"empty", ``, badBody},
		{"an array", `[]`, badBody},
		{"a string", `"{}"`, badBody},
		{"null", `null`, badBody},
		{"cut off", `{"scope":"a"`, badBody},
		{"something after it", `{} {}`, badBody},
		{"a member twice", `{"scope":"a","scope":"b"}`, badBody},
		{"a member twice, once escaped", `{"scope":"a","\u0073cope":"b"}`, badBody},
		{"too long", `{"x":"` + strings.Repeat("x", MaxBody) + `"}`, badBody},
		{"too deep", strings.Repeat(`{"x":`, 20_000) + "1" + strings.Repeat("}", 20_000), badBody},
		{"redirect_uris is a string", `{"redirect_uris":"https://a.example/"}`, badMeta},
		{"redirect_uris holds a number", `{"redirect_uris":[1]}`, badMeta},
		{"redirect_uris holds null", `{"redirect_uris":["https://a.example/",null]}`, badMeta},
		{"grant_types holds an array", `{"grant_types":[["authorization_code"]]}`, badMeta},
		{"scope is an array", `{"scope":["openid"]}`, badMeta},
		{"client_name is an object", `{"client_name":{"en":"x"}}`, badMeta},
		{"require_auth_time is a string", `{"require_auth_time":"true"}`, badMeta},
		{"default_max_age is a string", `{"default_max_age":"1"}`, badMeta},
		{"default_max_age is a fraction", `{"default_max_age":1.5}`, badMeta},
		{"default_max_age is out of range", `{"default_max_age":1e30}`, badMeta},
		{"data is an array", `{"data":[1]}`, badMeta},
		{"data is a string", `{"data":"{}"}`, badMeta},
		{"a translation is a number", `{"client_name#fr":1}`, badMeta},
		{"a translation into no language", `{"client_name#":"x"}`, badMeta},
		{"a translation into something else", `{"client_name#<b>":"x"}`, badMeta},
		{"jwks is a string", `{"jwks":"{}"}`, badMeta},
		{"jwks is an array", `{"jwks":[]}`, badMeta},
		{"jwks_uri is an object", `{"jwks_uri":{}}`, badMeta},
		{"sector_identifier_uri is an array", `{"sector_identifier_uri":["https://a.example/s"]}`, badMeta},
		{"encrypted ID tokens by a number", `{"id_token_encrypted_response_alg":1}`, badMeta},
		{"bound tokens", `{"dpop_bound_access_tokens":true}`, ""},
		{"tokens that need not be bound", `{"dpop_bound_access_tokens":false}`, ""},
		{"pushed requests only", `{"require_pushed_authorization_requests":true}`, ""},
		{"pushed requests only, as a word", `{"require_pushed_authorization_requests":"true"}`, badMeta},
	} {
		if _, err := Parse([]byte(c.body)); said(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.rule, err, c.want)
		}
	}
}

func TestMasterOnly(t *testing.T) {
	const redirect = `"redirect_uris":["https://a.example/cb"]`
	for _, c := range []struct{ rule, members, want string }{
		{"a code and refresh tokens", `"grant_types":["authorization_code","refresh_token"]`, ""},
		{"client credentials", `"grant_types":["client_credentials"]`, badMeta},
		{"data", `"data":{}`, badMeta},
		{"require_pkce", `"require_pkce":true`, badMeta},
		{"require_pkce of a client that must in any case", `"require_pkce":true,"token_endpoint_auth_method":"none"`, ""},
		{"audience", `"audience":["https://api.example"]`, badMeta},
		{"a life of its refresh tokens", `"refresh_token_lifetime":3600`, badMeta},
		{"an idle time of its refresh tokens", `"refresh_token_idle":-1`, badMeta},
		{"no rotation of its refresh tokens", `"refresh_token_rotation":false`, badMeta},
		{"an id of its choice", `"preferred_client_id":"my-app"`, badMeta},
		{"a secret of its choice", `"preferred_client_secret":"0123456789abcdef0123456789abcdef"`, badMeta},
		{"scope that is advertised", `"scope":"openid email"`, ""},
		{"scope that is not advertised", `"scope":"openid orders"`, badMeta},
		{"the challenge scope", `"scope":"authorization_challenge"`, badMeta},
		{"when it was authenticated", `"require_auth_time":true,"default_max_age":60`, ""},
	} {
		s, acme, m := house(t)
		acme.Settings.Authorization.Scopes = []string{"openid", "email", "authorization_challenge"}
		_, err := s.Register(t.Context(), acme, request(t, "{"+redirect+","+c.members+"}", Open("192.0.2.1")))
		if said(err) != c.want {
			t.Errorf("%s, by anybody: %v, want %q", c.rule, err, c.want)
		}
		for _, made := range m.clients {
			if oauth.Scope(strings.Fields(made.Scope)).Has(ChallengeScope) || made.Scope == "" {
				t.Errorf("%s: anybody may have scope %q", c.rule, made.Scope)
			}
		}
		if _, err = s.Register(t.Context(), acme, request(t, "{"+redirect+","+c.members+"}", administrator)); err != nil {
			t.Errorf("%s, by master: %v", c.rule, err)
		}
	}
}

func TestOwnCannotRaise(t *testing.T) {
	const all = `"redirect_uris":["https://a.example/cb"],"grant_types":["authorization_code","client_credentials"],"refresh_token_idle":60,
		"data":{"plan":1,"seats":[2]},"require_pkce":true,"audience":["https://api.example"]`
	for _, c := range []struct{ rule, was, update, want, member, then string }{
		{"what it has it may repeat", `{` + all + `,"scope":"openid orders"}`,
			`{` + all + `,"scope":"openid orders"}`, "", "scope", "openid orders"},
		{"data in another order is the same", `{` + all + `}`,
			`{` + strings.Replace(all, `"plan":1,"seats":[2]`, `"seats":[2], "plan":1`, 1) + `}`, "", "data", `{"seats":[2],"plan":1}`},
		{"data that it leaves out stays", `{` + all + `}`, `{"redirect_uris":["https://a.example/2"]}`, "", "data", `{"plan":1,"seats":[2]}`},
		{"require_pkce stays", `{` + all + `}`, `{"redirect_uris":["https://a.example/2"],"require_pkce":false}`, "", "require_pkce", "true"},
		{"audience stays", `{` + all + `}`, `{"redirect_uris":["https://a.example/2"]}`, "", "audience", `https://api.example`},
		{"its refresh tokens' policy stays", `{` + all + `}`, `{"redirect_uris":["https://a.example/2"]}`, "", "refresh_token_idle", "60"},
		{"its refresh tokens' policy does not change", `{` + all + `}`, `{` + strings.Replace(all, `idle":60`, `idle":61`, 1) + `}`, badMeta, "refresh_token_idle", "60"},
		{"pairwise subjects stay", `{` + all + `,"subject_type":"pairwise"}`, `{"redirect_uris":["https://a.example/2"]}`, "", "subject_type", "pairwise"},
		{"pairwise subjects it may repeat", `{` + all + `,"subject_type":"pairwise"}`, `{` + all + `,"subject_type":"pairwise"}`, "", "subject_type", "pairwise"},
		{"pairwise subjects do not become public", `{` + all + `,"subject_type":"pairwise"}`, `{` + all + `,"subject_type":"public"}`, badMeta, "subject_type", "pairwise"},
		{"public subjects may become pairwise", `{` + all + `}`, `{` + all + `,"subject_type":"pairwise"}`, "", "subject_type", "pairwise"},
		{"public subjects it may repeat", `{` + all + `}`, `{` + all + `,"subject_type":"public"}`, "", "subject_type", "public"},
		{"scope that it leaves out stays", `{` + all + `,"scope":"openid"}`, `{"redirect_uris":["https://a.example/2"]}`, "", "scope", "openid"},
		{"scope of blanks stays", `{` + all + `,"scope":"openid"}`, `{"redirect_uris":["https://a.example/2"],"scope":" "}`, "", "scope", "openid"},
		{"scope may shrink", `{` + all + `,"scope":"openid orders"}`, `{` + all + `,"scope":"orders"}`, "", "scope", "orders"},
		{"scope may not grow", `{` + all + `,"scope":"openid"}`, `{` + all + `,"scope":"openid orders"}`, badMeta, "scope", "openid"},
		{"any scope may become some", `{` + all + `}`, `{` + all + `,"scope":"orders"}`, "", "scope", "orders"},
		{"any scope is not the challenge scope", `{` + all + `}`, `{` + all + `,"scope":"authorization_challenge"}`, badMeta, "scope", ""},
		{"the challenge scope stays with who has it", `{` + all + `,"scope":"authorization_challenge"}`,
			`{` + all + `,"scope":"authorization_challenge"}`, "", "scope", "authorization_challenge"},
		{"a grant may go", `{` + all + `}`, `{"redirect_uris":["https://a.example/cb"],"grant_types":["refresh_token","authorization_code"]}`,
			"", "grant_types", "refresh_token authorization_code"},
		{"a grant may not come", `{"redirect_uris":["https://a.example/cb"],"refresh_token_idle":60}`, `{` + all + `}`, badMeta, "grant_types", "authorization_code"},
		{"data may not change", `{` + all + `}`, `{` + strings.Replace(all, `"plan":1`, `"plan":9`, 1) + `}`, badMeta, "data", `{"plan":1,"seats":[2]}`},
		{"audience may not grow", `{` + all + `}`, `{` + strings.Replace(all, `["https://api.example"]`, `["https://api.example","x"]`, 1) + `}`,
			badMeta, "audience", `https://api.example`},
		{"an id of its choice", `{` + all + `}`, `{` + all + `,"preferred_client_id":"x"}`, badMeta, "scope", ""},
		{"a secret of its choice", `{` + all + `}`, `{` + all + `,"preferred_client_secret":"0123456789abcdef0123456789abcdef"}`, badMeta, "scope", ""},
	} {
		s, acme, m := house(t)
		was, err := s.Register(t.Context(), acme, request(t, c.was, administrator))
		if err != nil {
			t.Fatal(c.rule, err)
		}
		_, err = s.Update(t.Context(), acme, was.Client.ID, request(t, c.update, Own(was.RegistrationToken, "192.0.2.1")))
		if said(err) != c.want {
			t.Errorf("%s: %v, want %q", c.rule, err, c.want)
		}
		now := m.clients[was.Client.ID]
		pkce := "false"
		if now.RequirePKCE {
			pkce = "true"
		}
		then := map[string]string{"scope": now.Scope, "data": string(now.Data), "require_pkce": pkce, "subject_type": now.SubjectType, "refresh_token_idle": strconv.FormatInt(now.RefreshIdle, 10),
			"audience": strings.Join(now.Audience, " "), "grant_types": strings.Join(now.GrantTypes, " ")}[c.member]
		if c.member == "grant_types" && c.want != "" {
			then = now.GrantTypes[0]
		}
		if then != c.then {
			t.Errorf("%s: %s is %q, want %q", c.rule, c.member, then, c.then)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://a.example/cb"],"client_name":"x","client_name#fr":"y","data":{"a":1},"default_max_age":1}`))
	f.Add([]byte(`{"jwks":{},"scope":null,"contacts":[null]}`))
	f.Add([]byte(`{"redirect_uris":["com.example:/cb"],"application_type":"native","grant_types":["authorization_code"]}`))
	s, acme, _ := house(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Parse(body)
		if err != nil {
			return
		}
		r.By = administrator
		if s.settle(acme, &r, &r.Metadata, &(&Request{}).Metadata, noon) != nil {
			return
		}
		// What is registered comes back as it was stored, through either form of JSON.
		b, err := MarshalMetadata(r.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		again, err := UnmarshalMetadata(b)
		if err != nil {
			t.Fatalf("%s does not read again: %v", b, err)
		}
		if c, err := MarshalMetadata(again); err != nil || string(c) != string(b) {
			t.Errorf("%s\nbecomes\n%s, %v", b, c, err)
		}
		for _, uri := range r.Metadata.RedirectURIs {
			if strings.ContainsAny(uri, "\r\n\t\x00 #*\\\"<>") || strings.HasPrefix(strings.ToLower(uri), "javascript:") {
				t.Errorf("%q is registered", uri)
			}
		}
	})
}

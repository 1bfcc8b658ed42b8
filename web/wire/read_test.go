package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

func urlEscape(s string) string { return url.QueryEscape(s) }

func newBody(s string) (io.ReadCloser, int64) {
	return io.NopCloser(strings.NewReader(s)), int64(len(s))
}

// request returns the context of a request with that body.
func request(method, target, contentType, content string) *gin.Context {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(method, target, strings.NewReader(content))
	if contentType != "" {
		c.Request.Header.Set("Content-Type", contentType)
	}
	return c
}

const form = "application/x-www-form-urlencoded"

func TestForm(t *testing.T) {
	for _, tt := range []struct {
		rule, query, contentType, body string
		want                           url.Values
		status                         int
	}{
		{"a form", "", form, "a=1&b=x+y%2B%C3%A4", url.Values{"a": {"1"}, "b": {"x y+ä"}}, 0},
		{"with a charset", "", form + "; charset=UTF-8", "a=1", url.Values{"a": {"1"}}, 0},
		{"nothing", "", form, "", url.Values{}, 0},
		{"an empty parameter is absent", "", form, "a=&b&c=1", url.Values{"c": {"1"}}, 0},
		{"a repeated parameter", "", form, "scope=a&scope=b", nil, 400},
		{"repeated alike", "", form, "scope=a&scope=a", nil, 400},
		{"repeated and empty", "", form, "scope=a&scope=", nil, 400},
		{"repeated in an escape", "", form, "scope=a&%73cope=b", nil, 400},
		{"resource and audience repeat", "", form, "resource=a&resource=b&audience=c&audience=d&audience=", url.Values{"resource": {"a", "b"}, "audience": {"c", "d"}}, 0},
		{"the query is not read", "a=2&c=3", form, "a=1", url.Values{"a": {"1"}}, 0},
		{"a secret in the query", "client_secret=x", form, "a=1", nil, 400},
		{"an assertion in the query", "client_assertion=x", form, "a=1", nil, 400},
		{"a code in the query", "code=x", form, "a=1", nil, 400},
		{"a token in the query, in an escape", "refresh%5ftoken=x", form, "a=1", nil, 400},
		{"disorder in the query", "a=%zz", form, "a=1", nil, 400},
		{"a broken escape", "", form, "a=%zz", nil, 400},
		{"a semicolon", "", form, "a=1;b=2", nil, 400},
		{"what is not UTF-8", "", form, "a=%ff", nil, 400},
		{"a name that is not UTF-8", "", form, "%ff=a", nil, 400},
		{"a zero byte", "", form, "a=%00", nil, 400},
		{"JSON", "", "application/json", `{"a":1}`, nil, 415},
		{"multipart", "", "multipart/form-data; boundary=x", "--x--", nil, 415},
		{"no content type", "", "", "a=1", nil, 415},
		{"another charset", "", form + "; charset=utf-7", "a=1", nil, 415},
		{"a content type in disorder", "", form + ";;;", "a=1", nil, 415},
		{"a similar content type", "", form + "x", "a=1", nil, 415},
		{"too large", "", form, "a=" + strings.Repeat("x", 100), nil, 413},
	} {
		got, err := wire.Form(request("POST", "/?"+tt.query, tt.contentType, tt.body), 100)
		if tt.status == 0 && err != nil || tt.status != 0 && (err == nil || wire.StatusOf(err) != tt.status || oauth.ErrorOf(err).Code != "invalid_request") {
			t.Errorf("%s: %v", tt.rule, err)
		}
		if diff := cmp.Diff(tt.want, got); tt.status == 0 && diff != "" {
			t.Errorf("%s: %s", tt.rule, diff)
		}
	}
	c := request("POST", "/", form, "a=1")
	c.Request.Header.Add("Content-Type", form)
	if _, err := wire.Form(c, 100); wire.StatusOf(err) != 415 {
		t.Errorf("two content types: %v", err)
	}
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		want        url.Values
		ok          bool
	}{
		{"a query", "a=1&b=&c=x%20y", url.Values{"a": {"1"}, "c": {"x y"}}, true},
		{"nothing", "", url.Values{}, true},
		{"a repeated parameter", "state=1&state=2", nil, false},
		{"resource repeats", "resource=a&resource=b", url.Values{"resource": {"a", "b"}}, true},
		{"a code may come by redirect", "code=x&state=y", url.Values{"code": {"x"}, "state": {"y"}}, true},
		{"a secret may not", "client_secret=x", nil, false},
		{"nor an access token", "access_token=x", nil, false},
		{"a broken escape", "a=%", nil, false},
		{"a zero byte", "a=%00", nil, false},
	} {
		got, err := wire.Query(request("GET", "/?"+tt.query, "", ""))
		if (err == nil) != tt.ok || err != nil && wire.StatusOf(err) != 400 {
			t.Errorf("%s: %v", tt.rule, err)
		}
		if diff := cmp.Diff(tt.want, got); tt.ok && diff != "" {
			t.Errorf("%s: %s", tt.rule, diff)
		}
	}
}

type embedded struct {
	Inner string `json:"inner"`
}

type document struct {
	embedded
	Sub    string            `json:"sub"`
	Age    *int64            `json:"age"`
	Raw    json.RawMessage   `json:"raw"`
	Map    map[string]any    `json:"map"`
	List   []embedded        `json:"list"`
	Nested *document         `json:"nested"`
	Text   map[string]string `json:"text"`
	Hidden string            `json:"-"`
	Plain  bool
}

func TestReadJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	age := int64(5)
	for _, tt := range []struct {
		rule, body string
		want       document
		wrong      string // part of the description
		strict     string // the same, where unknown members are refused; else as wrong
	}{
		{"an object", ` {"sub": "a", "age": 5, "inner": "b", "Plain": true}` + "\n", document{Sub: "a", Age: &age, embedded: embedded{"b"}, Plain: true}, "", ""},
		{"escapes", `{"s\u0075b": "\u00e4\n\ud83d\ude00"}`, document{Sub: "ä\n😀"}, "", ""},
		{"unknown members", `{"x": {"sub": [1, -2.5e+3, true, false, null]}}`, document{}, "", "Unknown JSON member at offset 1"},
		{"a member in another case is unknown", `{"Sub": "a", "SUB": "b", "nested": {"sUB": "c"}}`, document{Nested: &document{}}, "", "Unknown JSON member at offset 1"},
		{"and cannot replace the right one", `{"sub": "a", "Sub": "b"}`, document{Sub: "a"}, "", "Unknown JSON member at offset 13"},
		{"not even in an escape", `{"sub": "a", "\u0053ub": "b"}`, document{Sub: "a"}, "", "Unknown JSON member at offset 13"},
		{"a hidden field is unknown", `{"Hidden": "a", "-": "b"}`, document{}, "", "Unknown JSON member at offset 1"},
		{"null is absent", `{"sub": null, "age": null, "raw": null, "list": null, "nested": null}`, document{}, "", ""},
		{"but stays where the tenant's own data is", `{"map": {"a": null, "A": 1}, "raw": {"b": null}}`,
			document{Map: map[string]any{"a": nil, "A": 1.0}, Raw: json.RawMessage(`{"b": null}`)}, "", ""},
		{"inside lists, too", `{"list": [{"Inner": "x"}, {"inner": "y"}]}`, document{List: []embedded{{}, {"y"}}}, "", "Unknown JSON member at offset 11"},
		{"depth within bounds", `{"raw": ` + deep(63) + `}`, document{Raw: json.RawMessage(deep(63))}, "", ""},
		{"depth beyond", `{"raw": ` + deep(64) + `}`, document{}, "nests too deep at offset", ""},
		{"depth of 10,000", `{"x": ` + deep(10_000) + `}`, document{}, "nests too deep at offset", "Unknown JSON member"},
		{"a repeated member", `{"sub": "a", "sub": "b"}`, document{}, "A JSON member is repeated at offset 13", ""},
		{"repeated in an escape", `{"sub": "a", "\u0073ub": "b"}`, document{}, "repeated at offset 13", ""},
		{"repeated inside", `{"map": {"x": {"a": 1, "a": 1}}}`, document{}, "repeated", ""},
		{"repeated in what is unknown", `{"x": [{"a": 1, "a": 1}]}`, document{}, "repeated", "Unknown JSON member"},
		{"nothing", ``, document{}, "Invalid JSON at offset 0", ""},
		{"something after it", `{} {}`, document{}, "Unexpected text after the JSON value at offset 3", ""},
		{"cut off", `{"sub": "a"`, document{}, "Invalid JSON at offset 11", ""},
		{"cut off in a string", `{"sub": "a`, document{}, "Invalid JSON string at offset 10", ""},
		{"a comma too many", `{"sub": "a",}`, document{}, "Invalid JSON at offset 12", ""},
		{"a comma too many in a list", `{"list": [{},]}`, document{}, "Invalid JSON at offset 13", ""},
		{"no quotes", `{sub: "a"}`, document{}, "Invalid JSON at offset 1", ""},
		{"single quotes", `{'sub': 'a'}`, document{}, "Invalid JSON at offset 1", ""},
		{"a comment", `{/* x */}`, document{}, "Invalid JSON at offset 1", ""},
		{"a leading zero", `{"age": 05}`, document{}, "Invalid JSON at offset 9", ""},
		{"a plus", `{"age": +5}`, document{}, "Invalid JSON at offset 8", ""},
		{"a dot", `{"age": 5.}`, document{}, "Invalid JSON number at offset 10", ""},
		{"an exponent alone", `{"age": 5e}`, document{}, "Invalid JSON number at offset 10", ""},
		{"NaN", `{"age": NaN}`, document{}, "Invalid JSON at offset 8", ""},
		{"a bad word", `{"Plain": tru}`, document{}, "Invalid JSON at offset 10", ""},
		{"a bad escape", `{"sub": "\x"}`, document{}, "Invalid JSON string at offset 8", ""},
		{"a control character", "{\"sub\": \"a\nb\"}", document{}, "Invalid JSON string at offset 10", ""},
		{"a zero character", `{"sub": "a\u0000"}`, document{}, "zero character at offset 8", ""},
		{"a zero character in a name", `{"a\u0000": 1}`, document{}, "zero character at offset 1", ""},
		{"what is not UTF-8", "{\"sub\": \"\xff\"}", document{}, "The JSON is not UTF-8 at offset 9", ""},
		{"a byte order mark", "\ufeff{}", document{}, "Invalid JSON at offset 0", ""},
		{"a number for a string", `{"sub": 5}`, document{}, "The JSON member sub has the wrong type", ""},
		{"a string for a number", `{"age": "5"}`, document{}, "The JSON member age has the wrong type", ""},
		{"a fraction for an integer", `{"age": 5.5}`, document{}, "The JSON member age has the wrong type", ""},
		{"a number without end", `{"age": 1e999}`, document{}, "The JSON member age has the wrong type", ""},
		{"an object for a list", `{"list": {}}`, document{}, "The JSON member list has the wrong type", ""},
		{"a wrong type inside", `{"nested": {"sub": []}}`, document{}, "The JSON member nested.sub has the wrong type", ""},
		{"a wrong type in what is embedded, which has no name of its own", `{"inner": 5}`, document{}, "The JSON member inner has the wrong type", ""},
		{"and in a list of it", `{"nested": {"list": [{"inner": 5}]}}`, document{}, "The JSON member nested.list.inner has the wrong type", ""},
		{"a wrong type under the tenant's own names", `{"text": {"a\"b<script>": 5}}`, document{}, "wrong type", ""},
		{"a list", `[]`, document{}, "The JSON value has the wrong type", ""},
	} {
		for _, strict := range []bool{false, true} {
			read, wrong := wire.ReadJSON, tt.wrong
			if strict {
				read = wire.ReadStrictJSON
				if tt.strict != "" {
					wrong = tt.strict
				}
			}
			var got document
			err := read(request("POST", "/", "application/json", tt.body), 1<<20, &got)
			switch e := oauth.ErrorOf(err); {
			case wrong == "" && err != nil:
				t.Errorf("%s (strict %v): %v", tt.rule, strict, err)
			case wrong != "" && (err == nil || e.Code != "invalid_request" || !strings.Contains(e.Description, wrong)):
				t.Errorf("%s (strict %v): %v, want %q", tt.rule, strict, err, wrong)
			case wrong != "" && (strings.ContainsAny(e.Description, "\"\\<") || strings.Contains(e.Description, "script")):
				t.Errorf("%s: %q", tt.rule, e.Description)
			case wrong == "" && !reflect.DeepEqual(got, tt.want):
				t.Errorf("%s (strict %v): %s", tt.rule, strict, cmp.Diff(tt.want, got, cmp.AllowUnexported(document{})))
			}
		}
	}
}

type terms struct {
	wire.Closed
	Lifetime int64 `json:"lifetime"`
}

func TestClosedObjects(t *testing.T) {
	for _, tt := range []struct{ rule, body, wrong string }{
		{"known members", `{"terms": {"lifetime": 5}, "more": [{"lifetime": 5}]}`, ""},
		{"an unknown one beside", `{"lifetme": 5, "terms": {"lifetime": 5}}`, ""},
		{"none", `{"terms": {}, "more": []}`, ""},
		{"an unknown one inside", `{"terms": {"lifetme": 5}}`, "Unknown JSON member at offset 11"},
		{"in another case", `{"terms": {"Lifetime": 5}}`, "Unknown JSON member at offset 11"},
		{"that is null", `{"terms": {"lifetme": null}}`, "Unknown JSON member at offset 11"},
		{"that names the marker", `{"terms": {"Closed": {}}}`, "Unknown JSON member at offset 11"},
		{"in a list", `{"more": [{}, {"lifetme": 5}]}`, "Unknown JSON member at offset 15"},
	} {
		var v struct {
			Terms *terms  `json:"terms"`
			More  []terms `json:"more"`
		}
		err := wire.ReadJSON(request("POST", "/", "application/json", tt.body), 1<<10, &v)
		if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || oauth.ErrorOf(err).Description != tt.wrong) {
			t.Errorf("%s: %v, want %q", tt.rule, err, tt.wrong)
		}
	}
}

func TestJSONContentTypes(t *testing.T) {
	for contentType, ok := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON;charset=UTF-8": true,
		"": false, "text/plain": false, form: false, "application/json; charset=utf-16": false, "application/json,text/plain": false,
		"application/jsonx": false, "application/xml": false, "text/html; application/json": false,
	} {
		var v map[string]any
		err := wire.ReadJSON(request("POST", "/", contentType, "{}"), 10, &v)
		if ok && err != nil || !ok && wire.StatusOf(err) != 415 {
			t.Errorf("%q: %v", contentType, err)
		}
	}
	var v map[string]any
	if err := wire.ReadJSON(request("POST", "/", "application/json", `{"a": 12345}`), 10, &v); wire.StatusOf(err) != 413 {
		t.Errorf("too large: %v", err)
	}
}

func TestBearer(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		header []string
		want   string
		code   string
	}{
		{"a token", []string{"Bearer chy_-._~+/="}, "chy_-._~+/=", ""},
		{"any case of the scheme", []string{"BEARER x"}, "x", ""},
		{"several spaces", []string{"Bearer   x"}, "x", ""},
		{"no header", nil, "", ""},
		{"two headers", []string{"Bearer x", "Bearer x"}, "", "invalid_request"},
		{"an empty header", []string{""}, "", "invalid_token"},
		{"a scheme alone", []string{"Bearer"}, "", "invalid_token"},
		{"a scheme and spaces", []string{"Bearer   "}, "", "invalid_token"},
		{"another scheme", []string{"DPoP x"}, "", "invalid_token"},
		{"two in one", []string{"Bearer x, Bearer y"}, "", "invalid_token"},
		{"a tab", []string{"Bearer\tx"}, "", "invalid_token"},
		{"padding alone", []string{"Bearer =="}, "", "invalid_token"},
		{"what is not ASCII", []string{"Bearer ä"}, "", "invalid_token"},
		{"quotes", []string{`Bearer "x"`}, "", "invalid_token"},
	} {
		c := request("GET", "/", "", "")
		c.Request.Header["Authorization"] = tt.header
		got, err := wire.Bearer(c)
		if got != tt.want || (err == nil) != (tt.code == "") || err != nil && oauth.ErrorOf(err).Code != tt.code {
			t.Errorf("%s: %q, %v", tt.rule, got, err)
		}
	}
}

func TestBasic(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		rule       string
		header     []string
		id, secret string
		code       string
	}{
		{"id and secret", []string{"Basic " + b64("web:s3cret")}, "web", "s3cret", ""},
		{"any case of the scheme", []string{"bASIC " + b64("web:s")}, "web", "s", ""},
		{"both are form-encoded", []string{"Basic " + b64("a%3Ab+c:p%40%25%C3%A4")}, "a:b c", "p@%ä", ""},
		{"a secret may hold colons", []string{"Basic " + b64("web:a:b")}, "web", "a:b", ""},
		{"a secret may be empty", []string{"Basic " + b64("web:")}, "web", "", ""},
		{"no header", nil, "", "", ""},
		{"another scheme", []string{"Bearer x"}, "", "", ""},
		{"two headers", []string{"Basic " + b64("a:b"), "Basic " + b64("a:b")}, "", "", "invalid_request"},
		{"also of two kinds", []string{"Basic " + b64("a:b"), "Bearer x"}, "", "", "invalid_request"},
		{"no colon", []string{"Basic " + b64("web")}, "", "", "invalid_client"},
		{"no id", []string{"Basic " + b64(":s")}, "", "", "invalid_client"},
		{"no credentials", []string{"Basic"}, "", "", "invalid_client"},
		{"not base64", []string{"Basic a:b"}, "", "", "invalid_client"},
		{"base64 without its padding", []string{"Basic " + strings.TrimRight(b64("web:s"), "=")}, "", "", "invalid_client"},
		{"base64 with bits to spare", []string{"Basic YTpiYh=="}, "", "", "invalid_client"},
		{"base64 with line ends", []string{"Basic YTpi\r\nYmI="}, "", "", "invalid_client"},
		{"the other alphabet", []string{"Basic YTo_Pz8-"}, "", "", "invalid_client"},
		{"a broken escape in the id", []string{"Basic " + b64("a%:b")}, "", "", "invalid_client"},
		{"a broken escape in the secret", []string{"Basic " + b64("a:b%zz")}, "", "", "invalid_client"},
		{"what is not UTF-8", []string{"Basic " + b64("a:\xff")}, "", "", "invalid_client"},
		{"what is not UTF-8, in an escape", []string{"Basic " + b64("a%ff:b")}, "", "", "invalid_client"},
		{"a zero byte", []string{"Basic " + b64("a%00:b")}, "", "", "invalid_client"},
	} {
		c := request("POST", "/", "", "")
		c.Request.Header["Authorization"] = tt.header
		id, secret, ok, err := wire.Basic(c)
		if id != tt.id || secret != tt.secret || ok != (tt.id != "") || (err == nil) != (tt.code == "") || err != nil && oauth.ErrorOf(err).Code != tt.code {
			t.Errorf("%s: %q %q %v, %v", tt.rule, id, secret, ok, err)
		}
	}
}

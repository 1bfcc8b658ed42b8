package authlete

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// with returns a change of a request that replaces headers; an empty value takes one away.
func with(headers ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			if r.Header.Del(headers[i]); headers[i+1] != "" {
				r.Header[http.CanonicalHeaderKey(headers[i])] = strings.Split(headers[i+1], "||")
			}
		}
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

const revoking = `{"parameters":"token=x&client_id=browser"}`

func TestWhoMayCall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.tenants["acme"], w.tenants["globex"]
		number, other := w.known(t)["$acme"], w.known(t)["$globex"]
		for _, tt := range []struct {
			rule, path string
			headers    []string
			status     int
			code       string
		}{
			{"the service's token", "/api/" + number, nil, 200, "A113001"},
			{"a token for every API", "/api/" + number, []string{"Authorization", "Bearer chy_acme_all"}, 200, "A113001"},
			{"the organization's token", "/api/" + number, []string{"Authorization", "Bearer " + adminToken}, 200, "A113001"},
			{"number and token in HTTP Basic", "/api", []string{"Authorization", basic(number, "chy_acme_api")}, 200, "A113001"},
			{"that and the same number in the path", "/api/" + number, []string{"Authorization", basic(number, "chy_acme_api")}, 200, "A113001"},
			{"the organization's token in HTTP Basic, whatever the user", "/api/" + number, []string{"Authorization", basic("owner", adminToken)}, 200, "A113001"},
			{"a tenant header that agrees", "/api/" + number, []string{"Tenant-ID", string(acme.ID)}, 200, "A113001"},
			{"a tenant header and a token", "/api", []string{"Issuer", acme.Issuer}, 200, "A113001"},

			{"no credentials", "/api/" + number, []string{"Authorization", ""}, 401, "A001202"},
			{"no credentials, and no number", "/api", []string{"Authorization", ""}, 401, "A001202"},
			{"no credentials, for nobody", "/api/999", []string{"Authorization", ""}, 401, "A001202"},
			{"a wrong token", "/api/" + number, []string{"Authorization", "Bearer nope"}, 401, "A001203"},
			{"another service's token", "/api/" + number, []string{"Authorization", "Bearer chy_globex_api"}, 401, "A001203"},
			{"an expired token", "/api/" + number, []string{"Authorization", "Bearer chy_acme_expired"}, 401, "A001203"},
			{"a token of the platform that is not the organization's", "/api/" + number, []string{"Authorization", "Bearer chy_platform_all"}, 401, "A001203"},
			{"an unknown service", "/api/999", nil, 401, "A001203"},
			{"an unknown service, with the organization's token", "/api/999", []string{"Authorization", "Bearer " + adminToken}, 401, "A001203"},
			{"an unknown service in HTTP Basic", "/api", []string{"Authorization", basic("999", "chy_acme_api")}, 401, "A001203"},
			{"the same in the path", "/api/999", []string{"Authorization", basic("999", "chy_acme_api")}, 401, "A001203"},
			{"a wrong secret in HTTP Basic", "/api", []string{"Authorization", basic(number, "nope")}, 401, "A001203"},
			{"no secret in HTTP Basic", "/api", []string{"Authorization", basic(number, "")}, 401, "A001203"},
			{"a number that is none", "/api/x", nil, 401, "A001203"},
			{"a number with a zero before it", "/api/0" + number, nil, 401, "A001203"},
			{"an escaped number", "/api/%31" + number[1:], nil, 401, "A001203"},
			{"a malformed header", "/api/" + number, []string{"Authorization", "Basic !"}, 401, "A001203"},
			{"a malformed header, and no number", "/api", []string{"Authorization", "Basic !"}, 401, "A001203"},
			{"another scheme", "/api/" + number, []string{"Authorization", "DPoP chy_acme_api"}, 401, "A001203"},
			{"the header twice", "/api/" + number, []string{"Authorization", "Bearer chy_acme_api||Bearer chy_acme_api"}, 401, "A001203"},

			{"a token for another API", "/api/" + number, []string{"Authorization", "Bearer chy_acme_other"}, 403, "A001206"},

			{"a token and no service", "/api", nil, 400, "A001207"},
			{"two services", "/api/" + other, []string{"Authorization", basic(number, "chy_acme_api")}, 400, "A001207"},
			{"two services, with a header", "/api/" + number, []string{"Tenant-ID", string(globex.ID)}, 400, "A001207"},
			{"two services, below an issuer", "/t/" + string(globex.ID) + "/api/" + number, nil, 400, "A001207"},
			{"a tenant header twice", "/api/" + number, []string{"Tenant-ID", string(acme.ID) + "||" + string(acme.ID)}, 400, "A001207"},
			{"a list of tenants", "/api/" + number, []string{"Tenant-ID", string(acme.ID) + "," + string(acme.ID)}, 400, "A001207"},
		} {
			rec := w.call("POST", tt.path+"/auth/revocation", revoking, with(tt.headers...))
			code, _ := shownOf(t, rec.Body.Bytes())
			if rec.Code != tt.status || code != tt.code || rec.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %s, want %d %s", tt.rule, rec.Code, rec.Body, tt.status, tt.code)
			}
			if rec.Code == 401 && !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: no challenge", tt.rule)
			}
		}
	})
}

// Whether there is a service shows neither in the answer nor in its headers.
func TestAnUnknownServiceIsAWrongToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		dump := func(rec *httptest.ResponseRecorder) string {
			h, _ := json.Marshal(rec.Header())
			return rec.Body.String() + string(h)
		}
		for _, path := range []string{"/auth/token", "/auth/authorization", "/client/get/app", "/service/get", "/service/jwks/get"} {
			method := "POST"
			if strings.Contains(path, "get") {
				method = "GET"
			}
			want := dump(w.call(method, "/api/"+number+path, "", with("Authorization", "Bearer nope")))
			for _, tt := range []struct{ path, authorization string }{
				{"/api/999", "Bearer nope"}, {"/api/999", "Bearer chy_acme_api"}, {"/api/99999999999999999999", "Bearer nope"},
				{"/api/" + number, "Bearer chy_globex_api"}, {"/api/" + number, basic(number, "nope")}, {"/api/999", basic("999", "nope")},
			} {
				if got := dump(w.call(method, tt.path+path, "", with("Authorization", tt.authorization))); got != want {
					t.Errorf("%s%s with %s: %s, want %s", tt.path, path, tt.authorization, got, want)
				}
			}
		}
	})
}

func TestWhatIsNotServed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		for _, tt := range []struct {
			method, path string
			status       int
			code         string
		}{
			{"POST", "/api/" + number + "/vci/nothing", 404, "A001208"},
			{"POST", "/api/nothing", 404, "A001208"},
			{"GET", "/api", 404, "A001208"},
			{"GET", "/api/" + number + "/auth/token", 405, "A001209"},
			{"POST", "/api/" + number + "/client/get/app", 405, "A001209"},
		} {
			rec := w.call(tt.method, tt.path, "", nil)
			if code, _ := shownOf(t, rec.Body.Bytes()); rec.Code != tt.status || code != tt.code {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, rec.Code, rec.Body)
			}
		}
		rec := w.call("GET", "/api/lifecycle/healthcheck?extended=true", "", with("Authorization", ""))
		if rec.Code != 200 || rec.Body.String() != "OK" || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
			t.Error(rec.Code, rec.Body, rec.Header())
		}
	})
}

func TestListsAndCreationOfServices(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		var list struct {
			Start, End, TotalCount int
			Services               []struct {
				APIKey      json.Number
				APISecret   string
				ServiceName string
			}
		}
		get := func(path, authorization string) {
			t.Helper()
			rec := w.call("GET", path, "", with("Authorization", authorization))
			list.Services = nil
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || rec.Code != 200 {
				t.Fatal(rec.Code, rec.Body)
			}
		}
		get("/api/service/get/list", basic(number, "chy_acme_api"))
		if list.TotalCount != 1 || len(list.Services) != 1 || string(list.Services[0].APIKey) != number || list.End != 5 {
			t.Errorf("a service sees %+v", list)
		}
		get("/api/service/get/list?start=0&end=1000", "Bearer "+adminToken)
		total := list.TotalCount
		if total < 2 || len(list.Services) != min(total, 1000) {
			t.Errorf("the operator sees %d of %d", len(list.Services), total)
		}
		for _, s := range list.Services {
			if s.APISecret != "" {
				t.Error("a secret is listed")
			}
		}

		rec := w.call("POST", "/api/service/create", `{"serviceName":"New","accessTokenDuration":120,"supportedScopes":[{"name":"openid"},{"name":"read"}],"attributes":[{"key":"k","value":"v"}],"number":0,"apiSecret":null}`,
			with("Authorization", "Bearer "+adminToken))
		var made map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &made); err != nil || rec.Code != 200 {
			t.Fatal(rec.Code, rec.Body)
		}
		secret, _ := made["apiSecret"].(string)
		if made["serviceName"] != "New" || made["accessTokenDuration"] != 120.0 || !strings.HasPrefix(secret, "chy_") {
			t.Errorf("made %v", made)
		}
		get("/api/service/get/list?start="+"0&end=0", "Bearer "+adminToken)
		if list.TotalCount != total+1 {
			t.Errorf("there are %d services, and were %d", list.TotalCount, total)
		}
		if rec := w.call("POST", "/api/service/create", `{"accessTokenDuration":-5}`, with("Authorization", "Bearer "+adminToken)); rec.Code != 400 {
			t.Error(rec.Code, rec.Body)
		}
	})
}

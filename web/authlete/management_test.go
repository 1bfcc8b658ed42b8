package authlete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

// managed are all calls that answer with a status, with what to send: nothing that changes anything.
func managed() []endpoint {
	return slices.Concat(management, services)
}

// at is the path of a call in one generation, of the service of that number, about a client that there is not.
func (e *endpoint) at(number string, second bool) string {
	path := strings.NewReplacer(":clientId", "nobody", ":subject", "alice", ":token", "x", ":requestId", "x").Replace(e.path)
	if !second {
		return "/api/" + number + path
	}
	if slices.ContainsFunc(services, func(s endpoint) bool { return s.path == e.path }) {
		path += "/" + number
	}
	return "/api" + path
}

// Who may make each call: the operator and tokens for every API of the service make all but one, and tokens for this API all
// but those that change the service. To everybody else every call is as one of a service that there is not.
func TestWhoMayManage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number, other := w.known(t)["$acme"], w.known(t)["$globex"]
		const allowed, notOthers = 0, -1
		for _, e := range managed() {
			body := ""
			if e.method == http.MethodPost || e.method == http.MethodPut {
				body = `{"issuer":"https://elsewhere.example","subject":"alice","clientLocked":true,"scopes":[],"requestableScopes":["x"],"clientSecret":"0123456789-0123456789_0123456789ab","parRequired":5}`
			}
			for _, tt := range []struct {
				who, authorization string
				second             bool
				status             int
				code               string
			}{
				{"the operator", "Bearer " + adminToken, false, allowed, ""},
				{"the service's owner", basic(number, adminToken), true, allowed, ""},
				{"a token for every API", "Bearer chy_acme_all", false, notOthers, ""},
				{"the same in HTTP Basic", basic(number, "chy_acme_all"), true, notOthers, ""},
				{"a token of the service", "Bearer chy_acme_api", false, notOthers, ""},
				{"the same in HTTP Basic", basic(number, "chy_acme_api"), true, notOthers, ""},
				{"a token for another API", "Bearer chy_acme_other", false, 403, "A001206"},
				{"a token for another API in HTTP Basic", basic(number, "chy_acme_other"), true, 403, "A001206"},
				{"an expired token", "Bearer chy_acme_expired", false, 401, "A001203"},
				{"another service's token", "Bearer chy_globex_all", false, 401, "A001203"},
				{"a wrong secret", basic(number, "chy_globex_api"), true, 401, "A001203"},
				{"nobody", "", false, 401, "A001202"},
				{"nobody, in the generation before", "", true, 401, "A001202"},
			} {
				status := tt.status
				if status == notOthers {
					switch status = allowed; {
					case e.path == "/service/delete", e.path == "/service/update" && strings.Contains(tt.who, "service"):
						status = 403
					case e.path == "/service/update" && strings.Contains(tt.authorization, basic(number, "chy_acme_api")[6:]):
						status = 403
					}
				}
				if e.path == "/service/delete" && status == allowed {
					continue // it would
				}
				rec := w.call(e.method, e.at(number, tt.second), body, with("Authorization", tt.authorization))
				wrong := rec.Code != status
				if tt.code != "" && !wrong {
					code, _ := shownOf(t, rec.Body.Bytes())
					wrong = code != tt.code
				}
				if status == allowed {
					wrong = rec.Code == 401 || rec.Code == 403 || rec.Code >= 500
				}
				if wrong {
					t.Errorf("%s %s by %s: %d %s", e.method, e.path, tt.who, rec.Code, rec.Body)
				}
			}
			// A service's number is no way to find out whether it is there.
			dump := func(path, authorization string) string {
				rec := w.call(e.method, path, body, with("Authorization", authorization))
				h, _ := json.Marshal(rec.Header())
				return fmt.Sprint(rec.Code, rec.Body, string(h))
			}
			want := dump(e.at("999", false), "Bearer chy_acme_all")
			for _, token := range []string{"chy_acme_all", "chy_acme_api", "nope"} {
				if got := dump(e.at(other, false), "Bearer "+token); got != want {
					t.Errorf("%s %s: another service answers %s, one that there is not %s", e.method, e.path, got, want)
				}
			}
		}
	})
}

// Numbers of services and clients are theirs for good, below 2^53, given once, and mean nothing to another service.
func TestNumbersAreOnesOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		seen := map[int64]bool{}
		fresh := func(v any) int64 {
			t.Helper()
			n, _ := v.(json.Number).Int64()
			if n <= 0 || n >= 1<<53 || seen[n] {
				t.Fatalf("the number %v is out of range, or was given before", v)
			}
			seen[n] = true
			return n
		}
		get := func(method, path, body, authorization string, status int) map[string]any {
			t.Helper()
			rec := w.call(method, path, body, with("Authorization", authorization))
			if rec.Code != status {
				t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
			}
			out := map[string]any{}
			d := json.NewDecoder(rec.Body)
			d.UseNumber()
			if rec.Body.Len() > 0 && d.Decode(&out) != nil {
				t.Fatal(rec.Body)
			}
			return out
		}
		owner := "Bearer " + adminToken
		for range 3 {
			made := get("POST", "/api/service/create", `{"serviceName":"N"}`, owner, 200)
			n := strconv.FormatInt(fresh(made["apiKey"]), 10)
			told := get("POST", "/api/"+n+"/service/update", `{"serviceName":"M"}`, owner, 200)
			if told["apiKey"] != made["apiKey"] || told["number"] != made["apiKey"] || told["createdAt"] != made["createdAt"] {
				t.Errorf("%v became %v", made, told)
			}
			get("DELETE", "/api/"+n+"/service/delete", "", owner, 204)
		}
		clear(seen)
		acme, globex := w.known(t)["$acme"], w.known(t)["$globex"]
		mine := "Bearer chy_acme_api"
		var last string
		for i := range 4 {
			body := `{"redirectUris":["https://n.example/cb"]}`
			alias := ""
			if i%2 == 1 {
				alias = "alias" + strconv.Itoa(i)
				body = `{"redirectUris":["https://n.example/cb"],"clientIdAlias":"` + alias + `"}`
			}
			made := get("POST", "/api/"+acme+"/client/create", body, mine, 200)
			last = strconv.FormatInt(fresh(made["clientId"]), 10)
			if alias == "" {
				alias = last
			}
			if made["clientIdAlias"] != alias || made["clientIdAliasEnabled"] != true {
				t.Errorf("made %v", made)
			}
			for _, name := range []string{last, alias} {
				if told := get("GET", "/api/"+acme+"/client/get/"+name, "", mine, 200); told["clientId"] != made["clientId"] || told["clientIdAlias"] != alias {
					t.Errorf("%s is %v", name, told)
				}
			}
			if i == 0 {
				get("DELETE", "/api/"+acme+"/client/delete/"+last, "", mine, 204) // and it is nobody's again
			}
		}
		// Of another service's client, and of none, the same is said.
		for _, e := range management {
			if !strings.Contains(e.path, ":clientId") {
				continue
			}
			body := ""
			if e.method != http.MethodGet && e.method != http.MethodDelete {
				body = `{"subject":"alice","clientLocked":true,"requestableScopes":["x"],"clientSecret":"0123456789-0123456789_0123456789ab","redirectUris":["https://n.example/cb"]}`
			}
			ask := func(id string) string {
				path := strings.NewReplacer(":clientId", id, ":subject", "alice").Replace(e.path) + "?subject=alice"
				rec := w.call(e.method, "/api/"+globex+path, body, with("Authorization", "Bearer chy_globex_api"))
				return fmt.Sprint(rec.Code, rec.Body)
			}
			want := ask("9007199254740991")
			for _, id := range []string{last, "alias3", "nobody"} {
				if got := ask(id); got != want || !strings.HasPrefix(got, "404") {
					t.Errorf("%s %s of %s: %s, want %s", e.method, e.path, id, got, want)
				}
			}
		}
	})
}

// Of many who replace a service at once each succeeds or is told why not, and the service is as one of them said.
func TestServicesAreReplacedWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		done := make(chan int)
		for i := range 8 {
			go func() {
				rec := w.call("POST", "/api/"+number+"/service/update", fmt.Sprintf(`{"serviceName":"S%d","description":"S%d"}`, i, i), with("Authorization", "Bearer chy_acme_all"))
				done <- rec.Code
			}()
		}
		won := 0
		for range 8 {
			switch code := <-done; code {
			case 200:
				won++
			case 503: // others came between, again and again
			default:
				t.Errorf("answered %d", code)
			}
		}
		r, err := w.db.Tenant(t.Context(), w.tenants["acme"].ID)
		if err != nil || won == 0 || string(r.Settings.Service.Members["description"]) != `"`+r.Settings.Name+`"` {
			t.Errorf("%d won, and the service is %q %s (%v)", won, r.Settings.Name, r.Settings.Service.Members["description"], err)
		}
	})
}

// What stands in the settings is no secret, what is told to the owner is what was given, and it is told to nobody else.
func TestSecretsOfAServiceAreSealed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		if rec := w.call("POST", "/api/"+number+"/service/update", `{"authenticationCallbackApiSecret":"hush","snsCredentials":[{"sns":"FACEBOOK","apiSecret":"hush"}],"federationJwks":"{\"keys\":[{\"d\":\"hush\"}]}"}`,
			with("Authorization", "Bearer chy_acme_all")); rec.Code != 200 || strings.Count(rec.Body.String(), "hush") != 3 {
			t.Fatal(rec.Code, rec.Body)
		}
		r, err := w.db.Tenant(t.Context(), w.tenants["acme"].ID)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(r.Settings); strings.Contains(string(b), "hush") || len(r.Settings.Service.Members) != 3 {
			t.Errorf("the settings are %s", b)
		}
		for _, path := range []string{"/api/" + number + "/service/get", "/api/service/get/list"} {
			if rec := w.call("GET", path, "", with("Authorization", basic(number, "chy_acme_api"))); rec.Code != 200 || strings.Contains(rec.Body.String(), "hush") || strings.Contains(rec.Body.String(), "authenticationCallbackApiSecret") {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
		// Under another tenant's secret it is nothing.
		s := r.Settings
		g := w.tenants["globex"]
		v := &viewed{Tenant: &tenant.Tenant{ID: g.ID, Settings: &s, Keys: g.Keys, Secret: g.Secret}}
		if told := v.object(true)["authenticationCallbackApiSecret"]; told != nil {
			t.Errorf("told %v", told)
		}
	})
}

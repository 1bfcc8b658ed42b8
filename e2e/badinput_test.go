package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A body over its limit, a repeated parameter, broken JSON, a wrong content type: each endpoint refuses them in its own
// form, and nothing changes.
func TestBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		k := x.tokens(t, c)
		code := x.code(t, c)
		r := x.start(t, c.request("prompt", "consent"), "")
		var pending prompt
		r.read(t, &pending)
		api := []part{bearer(x.APIToken), header("Tenant-ID", x.TenantID)}
		admin := []part{bearer(s.adminToken)}
		const html, problem, plain = "text/html; charset=utf-8", "application/problem+json", "application/json"
		codeForm := params("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).Encode()
		tokenForm := params("token", k.Refresh).Encode()
		newClient := `{"redirect_uris":["` + callback + `"]}`
		endpoints := []struct {
			method, at string
			auth       []part
			good       string // a body that would change something
			json       bool
			form       string // content type of its errors
		}{
			{"POST", x.url("/token"), []part{c.auth()}, codeForm, false, plain},
			{"POST", x.url("/token/introspect"), []part{c.auth()}, tokenForm, false, plain},
			{"POST", x.url("/token/revoke"), []part{c.auth()}, tokenForm, false, plain},
			{"POST", x.url("/authorize"), nil, c.request().Encode(), false, html},
			{"POST", x.url("/clients"), []part{bearer(x.APIToken)}, newClient, true, plain},
			{"PUT", x.url("/clients/" + c.ID), []part{bearer(x.APIToken)}, newClient, true, plain},
			{"POST", s.url + sessionsV1, api, `{"query":"` + c.request().Encode() + `"}`, true, plain},
			{"PUT", s.url + sessionsV1 + "/" + pending.SID, api, `{"sub":"` + x.User.Subject + `"}`, true, plain},
			{"POST", s.url + "/authz-sessions/rest/v3", api, `{"query":"` + c.request().Encode() + `"}`, true, plain},
			{"PUT", s.url + "/authz-sessions/rest/v3/" + pending.SID, api, `{"sub":"` + x.User.Subject + `"}`, true, plain},
			{"POST", s.url + "/admin/v1/tenants", admin, `{"tenant_id":"bad-input"}`, true, problem},
			{"PATCH", s.url + "/admin/v1/tenants/" + x.TenantID, admin, `{"enabled":false}`, true, problem},
			{"POST", s.url + "/tenants/rest/v1", admin, `{"tid":"bad-input"}`, true, plain},
		}
		for _, e := range endpoints {
			name := strings.TrimPrefix(e.at, s.url)
			kind := "application/x-www-form-urlencoded"
			var inputs map[string][]part
			if e.json {
				kind = "application/json"
				member, _, _ := strings.Cut(e.good[1:], ":")
				inputs = map[string][]part{
					"broken JSON":                {body(kind, e.good[:len(e.good)-1])},
					"two values":                 {body(kind, e.good+e.good)},
					"an array":                   {body(kind, "["+e.good+"]")},
					"a text":                     {body(kind, `"x"`)},
					"null":                       {body(kind, "null")},
					"nothing":                    {body(kind, "")},
					"a member twice":             {body(kind, "{"+member+":null,"+e.good[1:])},
					"a member twice, inside":     {body(kind, e.good[:len(e.good)-1]+`,"data":{"a":1,"a":2}}`)},
					"a member of the wrong type": {body(kind, "{"+member+`:{"a":1}}`)},
					"depth":                      {body(kind, strings.Repeat(`{"data":`, 20_000)+"1"+strings.Repeat("}", 20_000))},
					"bytes that are no text":     {body(kind, "{\"\xff\":1}")},
					"a byte order mark":          {body(kind, "\ufeff"+e.good)},
					"a form":                     {body("application/x-www-form-urlencoded", "a=b")},
					"another charset":            {body("application/json; charset=utf-16", e.good)},
				}
				if strings.Contains(name, "admin") || strings.Contains(name, "clients") || strings.Contains(name, "tenants") {
					delete(inputs, "a member twice, inside")
				}
			} else {
				inputs = map[string][]part{
					"a parameter twice":            {body(kind, e.good+"&"+e.good)},
					"a parameter twice, one empty": {body(kind, e.good+"&"+strings.Split(e.good, "=")[0]+"=")},
					"JSON":                         {body("application/json", "{}")},
					"a multipart form":             {body("multipart/form-data; boundary=x", e.good)},
				}
				if e.form != html { // an authorization request ignores what cannot be decoded
					inputs["a bad escape"] = []part{body(kind, e.good+"&x=%zz")}
					inputs["bytes that are no text"] = []part{body(kind, e.good+"&x=%ff")}
					inputs["NUL"] = []part{body(kind, e.good+"&x=%00")}
					inputs["another charset"] = []part{body(kind+"; charset=utf-16", e.good)}
				}
			}
			inputs["no content type"] = []part{body("", e.good)}
			inputs["text"] = []part{body("text/plain", e.good)}
			inputs["a body over its limit"] = []part{body(kind, pad(e.good, e.json))}
			inputs["an encoded body"] = []part{body(kind, e.good), header("Content-Encoding", "gzip")}
			for rule, parts := range inputs {
				r := call(t, e.method, e.at, append(parts, e.auth...)...)
				refused := r.StatusCode >= 400 && r.StatusCode < 500
				if e.form == html && strings.HasPrefix(rule, "a parameter twice") {
					refused = refused || strings.Contains(r.Header.Get("Location"), "error=invalid_request")
				}
				if !refused {
					t.Errorf("%s %s, %s: %d %s", e.method, name, rule, r.StatusCode, r.body)
				}
				if refused && r.StatusCode >= 400 && r.Header.Get("Content-Type") != e.form {
					t.Errorf("%s %s, %s: an answer of %s: %s", e.method, name, rule, r.Header.Get("Content-Type"), r.body)
				}
				tooLong := http.StatusRequestEntityTooLarge
				if e.json && strings.Contains(e.at, "/clients") && !strings.Contains(e.at, "/admin/") {
					tooLong = http.StatusBadRequest // as other registries of clients answer
				}
				if want := map[string]int{"a body over its limit": tooLong, "text": 415, "no content type": 415, "an encoded body": 415, "another charset": 415, "JSON": 415, "a form": 415}[rule]; want != 0 && r.StatusCode != want {
					t.Errorf("%s %s, %s: %d, want %d", e.method, name, rule, r.StatusCode, want)
				}
			}
		}
		// Nothing has changed.
		call(t, http.MethodGet, s.url+"/admin/v1/tenants/bad-input", bearer(s.adminToken)).want(t, "404 *")
		if !x.active(t, k.Access) {
			t.Error("bad input revoked a token")
		}
		if n := len(x.clients(t)); n != 2 {
			t.Errorf("bad input left %d clients", n)
		}
		var still prompt
		if x.api(t, http.MethodGet, sessionsV1+"/"+pending.SID).want(t, "200"); still.SubSession.Sub != "" {
			t.Error("bad input answered a prompt")
		}
		issued(t, x.redeem(t, c, code))
	})
}

// pad makes a body of 2 MiB that would be good but for its size.
func pad(good string, json bool) string {
	if json {
		return good[:len(good)-1] + fmt.Sprintf(`,"padding":%q}`, strings.Repeat("x", 2<<20))
	}
	return good + "&padding=" + strings.Repeat("x", 2<<20)
}

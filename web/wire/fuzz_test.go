package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

func FuzzForm(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%00", "resource=a&resource=b", "a=1&a=2", "%zz", "a;b", "=&="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := wire.Form(request("POST", "/", form, s), 1<<16)
		if err != nil {
			if status := wire.StatusOf(err); status != 400 && status != 413 {
				t.Fatalf("%q: %d", s, status)
			}
			return
		}
		want, err := url.ParseQuery(s)
		if err != nil {
			t.Fatalf("%q is taken: %v", s, err)
		}
		for name, vs := range got {
			if len(vs) == 0 || len(vs) > 1 && name != "resource" && name != "audience" {
				t.Fatalf("%q: %d of %q", s, len(vs), name)
			}
			for _, v := range vs {
				if v == "" || !utf8.ValidString(v) || strings.Contains(v, "\x00") {
					t.Fatalf("%q: %q = %q", s, name, v)
				}
			}
			if want.Get(name) != vs[0] && name != "resource" && name != "audience" {
				t.Fatalf("%q: %q = %q", s, name, vs)
			}
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{`{"sub":"a","nested":{"age":5}}`, `{"Sub":1,"sub":null}`, `[1,2.5e-3,"\u0061\\"]`, `{"a":{"a":[{}]}}`, `"\ud800"`, ``, `nul`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var any1 any
		if err := wire.ReadJSON(request("POST", "/", "application/json", string(b)), 1<<16, &any1); err == nil {
			var any2 any
			if err := json.Unmarshal(b, &any2); err != nil {
				t.Fatalf("%q is taken: %v", b, err)
			}
			if !reflect.DeepEqual(any1, any2) {
				t.Fatalf("%q: %v, want %v", b, any1, any2)
			}
		} else if status := wire.StatusOf(err); status != 400 && status != 413 {
			t.Fatalf("%q: %d", b, status)
		}
		var loose, strict document
		err := wire.ReadJSON(request("POST", "/", "application/json", string(b)), 1<<16, &loose)
		if err != nil && strings.ContainsFunc(oauth.ErrorOf(err).Description, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			t.Fatalf("%q: %v", b, err)
		}
		if wire.ReadStrictJSON(request("POST", "/", "application/json", string(b)), 1<<16, &strict) == nil {
			if err != nil || !reflect.DeepEqual(loose, strict) {
				t.Fatalf("%q: strict %+v, loose %+v (%v)", b, strict, loose, err)
			}
		}
		if err == nil && !bytes.Contains(b, []byte("sub")) && !bytes.Contains(b, []byte(`\`)) && loose.Sub != "" {
			t.Fatalf("%q: sub is %q", b, loose.Sub)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	for _, s := range []string{"Bearer x", "Basic YTpi", "Basic YSUzQTpi", "bearer  ==", "", " ", "Basic\t", "Bearer \x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := request("GET", "/", "", "")
		c.Request.Header["Authorization"] = []string{s}
		if token, err := wire.Bearer(c); err == nil && (token == "" || strings.ContainsAny(token, " \t\r\n\",;\x00")) {
			t.Fatalf("%q: token %q", s, token)
		}
		id, secret, ok, err := wire.Basic(c)
		if ok && (err != nil || id == "" || !utf8.ValidString(id+secret) || strings.Contains(id+secret, "\x00")) {
			t.Fatalf("%q: %q %q %v", s, id, secret, err)
		}
		if ok {
			std := &http.Request{Header: c.Request.Header}
			user, password, found := std.BasicAuth()
			if u, _ := url.QueryUnescape(user); !found || u != id {
				t.Fatalf("%q: id %q, net/http says %q", s, id, user)
			}
			if p, _ := url.QueryUnescape(password); p != secret {
				t.Fatalf("%q: secret %q, net/http says %q", s, secret, password)
			}
		}
	})
}

// FuzzGate sends any path and headers: no answer is a 5xx, and no tenant answers but by its exact name.
func FuzzGate(f *testing.F) {
	w := newWorld(f)
	w.gate.Sink = nil
	for _, s := range []string{"/t/acme/token", "/t/acme/../globex/token", "//t/acme/token", "/t/%61cme/token", "/.well-known/openid-configuration/t/acme", "*", "/t/"} {
		f.Add(s, "id.example", "acme")
	}
	f.Fuzz(func(t *testing.T, path, host, header string) {
		for _, method := range []string{"GET", "POST"} {
			u, err := url.ParseRequestURI(path)
			if err != nil {
				return
			}
			r := httptest.NewRequest(method, "https://id.example/", nil)
			r.URL, r.Host, r.RequestURI = u, host, path
			r.RemoteAddr = "192.0.2.1:1"
			rec := w.do(r)
			if rec.Code >= 500 {
				t.Fatalf("%s %q: %d %s", method, path, rec.Code, rec.Body)
			}
			var a answer
			_ = json.Unmarshal(rec.Body.Bytes(), &a)
			if a.Tenant != "" && !strings.Contains(u.EscapedPath(), "/t/"+a.Tenant) && host != "login.own.example" && host != "deep.example" {
				t.Fatalf("%s %q at %q is answered by %s", method, path, host, a.Tenant)
			}
			r.Header["Tenant-Id"] = []string{header}
			r.Header["Authorization"] = []string{"Bearer chy_acme-all"}
			if rec := w.do(r); rec.Code >= 500 {
				t.Fatalf("%s %q with %q: %d", method, path, header, rec.Code)
			}
		}
	})
}

package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// How clients authenticate, and how they do not: S58–S62, S70, S71.
func TestClientAuthentication(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		odd := "a:secret with % + and / = of 40 characters"
		grants := []string{"client_credentials"}
		register := func(method, secret string) *client {
			return x.register(t, map[string]any{"token_endpoint_auth_method": method, "preferred_client_secret": secret, "grant_types": grants, "redirect_uris": []string{}, "response_types": []string{}})
		}
		byBasic, byPost := register("client_secret_basic", odd), register("client_secret_post", odd)
		public := x.public(t, callback)
		raw := func(credentials string) part {
			return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		}
		grant := func(pairs ...string) part {
			return form(append([]string{"grant_type", "client_credentials"}, pairs...)...)
		}
		for _, c := range []struct {
			rule  string
			parts []part
			want  string
		}{
			{"Basic", []part{byBasic.auth(), grant()}, "200"},
			{"S62 a secret with :, %, + and a space, form-encoded", []part{raw(url.QueryEscape(byBasic.ID) + ":" + url.QueryEscape(odd)), grant()}, "200"},
			{"body", []part{grant("client_id", byPost.ID, "client_secret", odd)}, "200"},
			{"S58 Basic for a client of the body", []part{byPost.auth(), grant()}, "401 invalid_client"},
			{"S58 body for a client of Basic", []part{grant("client_id", byBasic.ID, "client_secret", odd)}, "401 invalid_client"},
			{"S58 both at once", []part{byBasic.auth(), grant("client_id", byBasic.ID, "client_secret", odd)}, "400 invalid_request"},
			{"S58 both at once, of two clients", []part{byBasic.auth(), grant("client_id", byPost.ID, "client_secret", odd)}, "400 invalid_request"},
			{"S58 client_id beside Basic, the same", []part{byBasic.auth(), grant("client_id", byBasic.ID)}, "200"},
			{"S58 client_id beside Basic, another", []part{byBasic.auth(), grant("client_id", byPost.ID)}, "400 invalid_request"},
			{"S58 an assertion, which no client has registered", []part{grant("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", "e30.e30.x")}, "401 invalid_client"},
			{"S58 a name alone, of a client that has a secret", []part{grant("client_id", byBasic.ID)}, "401 invalid_client"},
			{"S59 nothing", []part{grant()}, "401 invalid_client"},
			{"S59 a wrong secret by Basic", []part{basic(byBasic.ID, "wrong"), grant()}, "401 invalid_client"},
			{"S59 a wrong secret in the body", []part{grant("client_id", byPost.ID, "client_secret", "wrong")}, "401 invalid_client"},
			{"S60 an unknown client", []part{basic("nobody", odd), grant()}, "401 invalid_client"},
			{"S62 not base64", []part{header("Authorization", "Basic %%%"), grant()}, "401 invalid_client"},
			{"S62 base64 without a colon", []part{raw(byBasic.ID), grant()}, "401 invalid_client"},
			{"S62 a bad percent escape", []part{raw(byBasic.ID + ":%zz"), grant()}, "401 invalid_client"},
			{"S62 a NUL", []part{raw(byBasic.ID + ":a\x00"), grant()}, "401 invalid_client"},
			{"S62 not UTF-8", []part{raw(byBasic.ID + ":\xff\xfe"), grant()}, "401 invalid_client"},
			{"S62 the secret as it is, not form-encoded", []part{raw(byBasic.ID + ":" + odd), grant()}, "401 invalid_client"},
			{"S62 an empty name", []part{raw(":" + odd), grant()}, "401 invalid_client"},
			{"S62 two Authorization headers", []part{byBasic.auth(), header("Authorization", "Bearer x"), grant()}, "400 invalid_request"},
			{"S62 another scheme", []part{header("Authorization", "Digest x"), grant()}, "401 invalid_client"},
			{"S62 the scheme in other letters", []part{func(r *http.Request) {
				byBasic.auth()(r)
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Basic", "bASIC", 1))
			}, grant()}, "200"},
			{"S70 client credentials by a public client", []part{grant("client_id", public.ID)}, "400 unauthorized_client"},
			{"S71 a grant that is not registered", []part{byBasic.auth(), form("grant_type", "authorization_code", "code", "x")}, "400 unauthorized_client"},
			{"S71 a grant that is not registered", []part{byBasic.auth(), form("grant_type", "refresh_token", "refresh_token", "x")}, "400 unauthorized_client"},
		} {
			r := call(t, http.MethodPost, x.url("/token"), c.parts...)
			if !r.is(c.want) {
				t.Errorf("%s: got %s, want %s\n%s", c.rule, r.outcome(), c.want, r.body)
			}
			if r.StatusCode == http.StatusOK {
				issued(t, r)
			}
			tried := strings.HasPrefix(strings.ToLower(r.Request.Header.Get("Authorization")), "basic ")
			if challenged := strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic "); r.StatusCode == http.StatusUnauthorized && challenged != tried {
				t.Errorf("S59 %s: WWW-Authenticate %q", c.rule, r.Header.Get("WWW-Authenticate"))
			}
		}
		// S61 credentials in the URL, by whatever endpoint they are sent to.
		for _, at := range []string{"/token", "/token/introspect", "/token/revoke"} {
			r := call(t, http.MethodPost, x.url(at+"?"+params("client_id", byPost.ID, "client_secret", odd).Encode()), form("grant_type", "client_credentials", "token", "x"))
			if !r.is("400 invalid_request", "401 invalid_client") {
				t.Errorf("S61 %s: %s", at, r.outcome())
			}
		}
		// S60 what cannot be told apart.
		disabled := register("client_secret_basic", "")
		if out, err := s.run("client", "disable", x.TenantID, disabled.ID); err != nil {
			t.Fatal(out, err)
		}
		within(t, aboutASecond, "a client is disabled", func() bool {
			return x.token(t, disabled, "grant_type", "client_credentials").is("401 invalid_client")
		})
		wrong := call(t, http.MethodPost, x.url("/token"), basic(byBasic.ID, "wrong"), grant())
		for who, p := range map[string]part{"unknown": basic("nobody", "wrong"), "disabled": disabled.auth(), "of another method": byPost.auth()} {
			if r := call(t, http.MethodPost, x.url("/token"), p, grant()); !same(r, wrong) {
				t.Errorf("S60 a client that is %s: %v %s", who, r.Header, r.body)
			}
		}
	})
}

// A secret is shown once, and an old one ends when its overlap is over (S72).
func TestClientSecrets(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"clients": map[string]any{"secret_overlap": 2}})
		old := x.confidential(t, callback)
		read := call(t, http.MethodGet, x.url("/clients/"+old.ID), bearer(x.APIToken)).want(t, "200")
		list := call(t, http.MethodGet, x.url("/clients"), bearer(x.APIToken)).want(t, "200")
		for _, r := range []reply{read, list} {
			if strings.Contains(string(r.body), old.Secret) {
				t.Error("S72 a secret is shown again")
			}
		}
		out, err := s.run("client", "rotate-secret", x.TenantID, old.ID, "-o", "json")
		if err != nil {
			t.Fatal(err)
		}
		fresh := *old
		reply{body: []byte(out)}.read(t, &fresh)
		secret(fresh.Secret)
		if fresh.Secret == old.Secret {
			t.Fatal("the secret is the same after rotation")
		}
		rotated := time.Now()
		within(t, aboutASecond, "the new secret works", func() bool { return x.token(t, &fresh, "grant_type", "client_credentials").is("200") })
		if time.Since(rotated) < 1500*time.Millisecond {
			issued(t, x.token(t, old, "grant_type", "client_credentials"))
		}
		time.Sleep(time.Until(rotated.Add(2200 * time.Millisecond)))
		x.token(t, old, "grant_type", "client_credentials").want(t, "401 invalid_client")
		issued(t, x.token(t, &fresh, "grant_type", "client_credentials"))
	})
}

package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// What commands answer with, as far as these tests look at it.
type (
	shownTenant struct {
		ID       tenant.ID       `json:"tenant_id"`
		Settings tenant.Settings `json:"settings"`
	}
	shownUser  struct{ Sub string }
	shownToken struct{ ID, Token string }
)

// Commands in processes of their own, several at once, beside a server that writes all the while.
func TestCommandsBesideAServer(t *testing.T) {
	for engine, flags := range engines {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			p := &program{t: t, flags: flags(t, dir)}
			b := p.serve(dir)
			acme := b.Tenants[0]

			stop := make(chan struct{})
			var writers, commands sync.WaitGroup
			wrote := 0
			writers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					body := `{"redirect_uris": ["https://app.example/cb"], "client_name": "App"}`
					if got := status("POST", acme.Issuer+"/clients", acme.APIToken, body); got != http.StatusCreated {
						t.Errorf("the server's own write: %d", got)
						return
					}
					wrote++
				}
			})
			const each = 3
			for i := range 4 {
				commands.Go(func() {
					for j := range each {
						id := fmt.Sprintf("t%d-%d", i, j)
						var made admin.Created
						p.json(&made, "", "tenant", "create", id, "--template", "starter")
						var u shownUser
						p.json(&u, "correct horse battery staple\n", "user", "create", id, "bob", "--claim", "email=bob@example.com")
						var s shownTenant
						p.json(&s, "", "tenant", "set", "acme", fmt.Sprintf("attributes.a%d-%d=%d", i, j, j))
						if made.APIToken == "" || u.Sub == "" || s.ID != "acme" {
							t.Errorf("%s: got %v, %v and %v", id, made, u.Sub, s.ID)
						}
					}
				})
			}
			commands.Wait()
			close(stop)
			writers.Wait()
			if wrote == 0 {
				t.Error("the server wrote nothing meanwhile")
			}
			var all []shownTenant
			p.json(&all, "", "tenant", "list")
			if len(all) != 2+4*each {
				t.Errorf("there are %d tenants", len(all))
			}
			var s shownTenant
			p.json(&s, "", "tenant", "show", "acme")
			if n := len(s.Settings.Attributes); n != 4*each {
				t.Errorf("%d of %d changes to one tenant were kept", n, 4*each)
			}
			serverFollows(t, p, b)
		})
	}
}

// serverFollows checks that a running server acts on what commands did.
func serverFollows(t *testing.T, p *program, b bootstrap) {
	var made admin.Created
	p.json(&made, "", "tenant", "create", "initech")
	keys := made.Issuer + "/jwks.json"
	eventually(t, "a new tenant is served", func() bool { return status("GET", keys, "", "") == http.StatusOK })
	var k shownToken
	p.json(&k, "", "token", "create", "initech", "--api", "clients")
	eventually(t, "a new token works", func() bool {
		return status("GET", made.Issuer+"/clients", k.Token, "") == http.StatusOK
	})
	p.json(&map[string]string{}, "", "token", "revoke", "initech", k.ID)
	eventually(t, "a revoked token does not", func() bool {
		return status("GET", made.Issuer+"/clients", k.Token, "") == http.StatusUnauthorized
	})
	var off shownTenant
	p.json(&off, "", "tenant", "disable", "initech")
	eventually(t, "a disabled tenant is not served", func() bool { return status("GET", keys, "", "") == http.StatusNotFound })
	p.json(&off, "", "tenant", "enable", "initech")
	eventually(t, "it is served again", func() bool { return status("GET", keys, "", "") == http.StatusOK })
	p.json(&map[string]string{}, "", "tenant", "delete", "initech", "--yes")
	eventually(t, "a deleted tenant is not served", func() bool { return status("GET", keys, "", "") == http.StatusNotFound })
	var platform shownToken
	p.json(&platform, "", "token", "create", "platform", "--label", "me")
	eventually(t, "a platform token made here opens the administration", func() bool {
		return status("GET", b.PublicURL+"/admin/v1/tenants", platform.Token, "") == http.StatusOK
	})
}

// Names come from strangers: they must not reach the operator's terminal as commands to it.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Zoë & Sønner":          "Zoë & Sønner",
		"red \x1b[31malert":     "red \uFFFD[31malert",
		"two\nlines\tand\rmore": "two\uFFFDlines\uFFFDand\uFFFDmore",
		"\u202egnp.exe":         "\uFFFDgnp.exe",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPatchOf(t *testing.T) {
	for _, tt := range []struct {
		rule string
		in   []string
		want string // empty: refused
	}{
		{"a text", []string{"name=Acme"}, `{"name":"Acme"}`},
		{"a text with an equals sign", []string{"login_url=https://x.example/?a=b"}, `{"login_url":"https://x.example/?a=b"}`},
		{"a number inside", []string{"tokens.id_token_lifetime=60"}, `{"tokens":{"id_token_lifetime":60}}`},
		{"two inside the same", []string{"tokens.id_token_lifetime=60", "tokens.id_token_alg=ES256"}, `{"tokens":{"id_token_alg":"ES256","id_token_lifetime":60}}`},
		{"a text that looks like a number", []string{"name=7", "attributes.x=true"}, `{"attributes":{"x":"true"},"name":"7"}`},
		{"a text given back", []string{"name=null"}, `{"name":null}`},
		{"a flag, a list and null", []string{"a=true", "b=[\"x\"]", "c=null"}, `{"a":true,"b":["x"],"c":null}`},
		{"an empty text", []string{"name="}, `{"name":""}`},
		{"no value", []string{"name"}, ""},
		{"no name", []string{"=x"}, ""},
	} {
		got, err := patchOf(tt.in)
		if (err != nil) != (tt.want == "") || string(got) != tt.want {
			t.Errorf("%s: got %s and %v", tt.rule, got, err)
		}
	}
}

package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
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

// The commands one after the other, as an operator types them.
func TestCommands(t *testing.T) {
	dir := t.TempDir()
	p := &program{t: t, flags: []string{"--data", dir}}
	if r := p.run("", "tenant", "list"); r.code != 1 || !strings.Contains(r.err, "no database") || r.stdout != "" {
		t.Errorf("without a database: %+v", r)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("a command that failed left %v, %v", entries, err)
	}
	b := p.serve(dir)
	if b.Tenants[0].Issuer != b.PublicURL+"/t/acme" {
		t.Errorf("the server is at %s, and its tenant at %s", b.PublicURL, b.Tenants[0].Issuer)
	}
	long := "correct horse battery staple"
	var cid, kid, tid string
	find := func(r result, pattern string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(r.stdout)
		if m == nil {
			t.Fatalf("there is no %s in %q", pattern, r.stdout)
		}
		return m[1]
	}
	for _, tt := range []struct {
		rule  string
		stdin string
		args  func() []string
		code  int
		says  string // in the answer, or in the error where there is a code
		then  func(r result)
	}{
		{"a tenant is made", "", words("tenant create initech --template starter --username carol"), 0, "carol", nil},
		{"its issuer lies where the server's do", "", words("tenant show initech"), 0, b.PublicURL + "/t/initech", nil},
		{"unless the command is told otherwise", "", words("tenant create hooli --public-url https://id.example"), 0, "https://id.example/t/hooli", nil},
		{"its id is taken", "", words("tenant create initech"), 1, "taken", nil},
		{"an id is checked", "", words("tenant create No_Label"), 1, "tenant_id", nil},
		{"a template is checked", "", words("tenant create x --template deluxe"), 2, "--template", nil},
		{"tenants are listed", "", words("tenant list"), 0, "initech", nil},
		{"a setting is changed", "", words("tenant set initech name=Initech tokens.id_token_lifetime=60"), 0, `"id_token_lifetime":60`, nil},
		{"a default is given back", "", words("tenant set initech tokens.id_token_lifetime=null"), 0, `"name":"Initech"`, func(r result) {
			if strings.Contains(r.stdout, "id_token_lifetime") {
				t.Errorf("it is still set: %s", r.stdout)
			}
		}},
		{"a patch comes from the standard input", `{"color": "#123456"}`, words("tenant set initech --settings -"), 0, `#123456`, nil},
		{"a setting is checked", "", words("tenant set initech color=red"), 1, "settings/color", nil},
		{"an unknown setting is refused", "", words("tenant set initech colour=red"), 1, "settings/colour", nil},
		{"a change has to say what", "", words("tenant set initech"), 2, "--settings", nil},
		{"an unknown tenant is said to be unknown", "", words("tenant show nobody"), 3, "There is no such tenant", nil},
		{"the platform has no clients", "", words("client create platform --redirect-uri https://a.example/cb"), 1, "no clients", nil},
		{"and no users", long + "\n", words("user create platform dave"), 1, "no users", nil},
		{"a tenant is not deleted by accident", "", words("tenant delete initech"), 2, "--yes", nil},

		{"a user is made", long + "\n", words("user create initech bob --claim email=bob@example.com --claim email_verified=true"), 0, "bob", nil},
		{"a password is needed", "", words("user create initech dave"), 1, "password", nil},
		{"unless the user has none", "", words("user create initech eve --no-password"), 0, "eve", nil},
		{"a password is checked", "short\n", words("user create initech dave"), 1, "shorter than 8", nil},
		{"a user name is taken", long + "\n", words("user create initech BOB"), 1, "taken", nil},
		{"a claim is checked", long + "\n", words("user create initech dave --claim email=nobody"), 1, "wrong type", nil},
		{"users are imported", `{"users": [{"username": "frank", "password_hash": "$pbkdf2-sha256$i=1000$c2l4dGVlbiBieXRlIHNhbA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"},
			{"username": "grace", "enabled": false}]}`, words("user import initech -"), 0, "grace", nil},
		{"an import is all or none, and all of its faults are told", `{"users": [{"username": "heidi"}, {"username": "FRANK"}, {"username": "ivan", "password_hash": "md5"}]}`,
			words("user import initech -"), 1, "users/2/password_hash", nil},
		{"so nobody of it is there", "", words("user show initech heidi"), 3, "no such account", nil},
		{"a file of users is checked", `{"users": [{"username": "heidi", "sub": "x"}]}`, words("user import initech -"), 1, "#/users/0/sub is unknown", nil},
		{"and is one", `[]`, words("user import initech -"), 1, "not a JSON object", nil},
		{"users are listed", "", words("user list initech"), 0, "bob", nil},
		{"a user is shown", "", words("user show initech bob"), 0, "bob@example.com", nil},
		{"a password is changed", long + " 2\n", words("user set-password initech bob"), 0, "new password", nil},
		{"a user is disabled", "", words("user disable initech bob"), 0, "disabled", nil},
		{"a disabled user is shown as that", "", words("user show initech bob -o json"), 0, `"enabled": false`, nil},
		{"a user is enabled", "", words("user enable initech bob"), 0, "enabled", nil},
		{"a user is not deleted by accident", "", words("user delete initech bob"), 2, "--yes", nil},
		{"a user is deleted", "", words("user delete initech bob --yes"), 0, "deleted", nil},
		{"a deleted user is not there", "", words("user show initech bob"), 3, "no such account", nil},

		{"a client is made", "", words("client create initech --name App --redirect-uri https://app.example/cb"), 0, "client secret", func(r result) {
			cid = find(r, `client id +(\S+)`)
		}},
		{"a client is checked", "", words("client create initech --redirect-uri http://app.example/cb"), 1, "", nil},
		{"a client comes from a document", `{"client_name": "Doc", "grant_types": ["client_credentials"], "response_types": []}`,
			words("client create initech --metadata - --id doc"), 0, "doc", nil},
		{"clients are listed", "", words("client list initech"), 0, "App", nil},
		{"a client's secret is shown once", "", func() []string { return []string{"client", "show", "initech", cid, "-o", "json"} }, 0, "App", func(r result) {
			if strings.Contains(r.stdout, "client_secret\"") {
				t.Errorf("it is shown again: %s", r.stdout)
			}
		}},
		{"a secret is rotated", "", func() []string { return []string{"client", "rotate-secret", "initech", cid} }, 0, "client secret", nil},
		{"a client is disabled", "", func() []string { return []string{"client", "disable", "initech", cid} }, 0, "disabled", nil},
		{"a disabled client is shown as that", "", func() []string { return []string{"client", "show", "initech", cid} }, 0, "App", nil},
		{"a client is enabled", "", func() []string { return []string{"client", "enable", "initech", cid} }, 0, "enabled", nil},
		{"a client is deleted", "", func() []string { return []string{"client", "delete", "initech", cid, "--yes"} }, 0, "deleted", nil},
		{"a deleted client is not there", "", func() []string { return []string{"client", "show", "initech", cid} }, 3, "no such client", nil},

		{"keys are listed", "", words("key list initech"), 0, "ES256", func(r result) { kid = find(r, `(\S+) +ES256`) }},
		{"keys are rotated", "", words("key rotate initech --alg ES256"), 0, "ES256", nil},
		{"a key is revoked", "", func() []string { return []string{"key", "revoke", "initech", "-o", "json", "--", kid} }, 0, "ES256", func(r result) {
			if strings.Contains(r.stdout, kid) {
				t.Errorf("it is still there: %s", r.stdout)
			}
		}},
		{"an unknown algorithm is refused", "", words("key rotate initech --alg HS256"), 1, "#/alg must be", nil},

		{"a token is made", "", words("token create initech --label ci --api clients --expires 24h"), 0, "chy_", func(r result) { tid = find(r, `id +(\S+)`) }},
		{"tokens are listed without themselves", "", words("token list initech"), 0, "ci", func(r result) {
			if strings.Contains(r.stdout, "chy_") {
				t.Errorf("a token is shown again: %s", r.stdout)
			}
		}},
		{"a token of the administration names its tenant", "", words("token create initech --role developer"), 0, "chy_initech.", nil},
		{"what happened is listed", "", words("audit list initech --kind api_token_created"), 0, "api_token_created", nil},
		{"what happened is exported", "", words("audit export initech"), 0, `"kind":"tenant_created"`, nil},
		{"what happened is checked", "", words("audit verify initech -o json"), 0, `"intact": true`, nil},
		{"a head that never was is missed", "", words("audit verify initech --head 00"), 1, "the head is not in the chain", nil},
		{"a token for an unknown API is refused", "", words("token create initech --api everything"), 1, "apis", nil},
		{"a token is revoked", "", func() []string { return []string{"token", "revoke", "initech", tid} }, 0, "revoked", nil},
		{"a revoked token is not there", "", func() []string { return []string{"token", "revoke", "initech", tid} }, 3, "no such API token", nil},

		{"a tenant is deleted", "", words("tenant delete initech --yes"), 0, "deleted", nil},
		{"an unknown command is refused", "", words("tenant annihilate initech"), 2, "annihilate", nil},
	} {
		// The flags of the database come last, where -- would hide them.
		args := tt.args()
		flags := p.flags
		if i := len(args) - 2; i >= 0 && args[i] == "--" {
			args = append(append(append([]string{}, args[:i]...), flags...), args[i:]...)
			p.flags = nil
		}
		r := p.run(tt.stdin, args...)
		p.flags = flags
		said := r.stdout
		if tt.code != 0 {
			said = r.err
			if r.stdout != "" && tt.code != 0 {
				t.Errorf("%s: it failed and answered %q", tt.rule, r.stdout)
			}
		}
		if r.code != tt.code || !strings.Contains(said, tt.says) {
			t.Errorf("%s: exit code %d, %q, %q; want %d that says %q", tt.rule, r.code, r.stdout, r.err, tt.code, tt.says)
			continue
		}
		if tt.then != nil {
			tt.then(r)
		}
	}
}

// words are arguments without spaces inside.
func words(s string) func() []string { return func() []string { return strings.Fields(s) } }

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

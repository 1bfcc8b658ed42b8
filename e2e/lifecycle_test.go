package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// bootstrap is bootstrap.json.
type bootstrap struct {
	PublicURL  string   `json:"public_url"`
	OpsURL     string   `json:"ops_url"`
	AdminToken string   `json:"admin_token"`
	Tenants    []tenant `json:"tenants"`
}

// bootstrap reads the file of a server with demo tenants, whose admin token is then the server's.
func (s *server) bootstrap(t *testing.T) (bootstrap, os.FileInfo) {
	t.Helper()
	file := filepath.Join(s.data, "bootstrap.json")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bootstrap
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	s.adminToken = b.AdminToken
	for i := range b.Tenants {
		b.Tenants[i].at = s
	}
	return b, info
}

// A first start makes the demo tenants and tells of them; a stop and a second start keep everything.
func TestStartStopStart(t *testing.T) {
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.demo, c.adminToken = true, "" })
			b, info := s.bootstrap(t)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("bootstrap.json has mode %o, want 600", info.Mode().Perm())
			}
			if dir, err := os.Stat(s.data); err != nil || dir.Mode().Perm()&0o077 != 0 {
				t.Errorf("the data directory is open to others: %v %v", dir.Mode(), err)
			}
			for _, name := range []string{"chancery.db", "chancery.db-wal", "development.kek"} {
				if f, err := os.Stat(filepath.Join(s.data, name)); err == nil && f.Mode().Perm() != 0o600 {
					t.Errorf("%s has mode %o, want 600", name, f.Mode().Perm())
				}
			}
			exactMembers(t, filepath.Join(s.data, "bootstrap.json"))
			if b.PublicURL != s.url || b.OpsURL != s.ops || len(b.AdminToken) < 32 || len(b.Tenants) != 2 {
				t.Errorf("bootstrap.json: public_url %s, ops_url %s, an admin_token of %d characters, %d tenants", b.PublicURL, b.OpsURL, len(b.AdminToken), len(b.Tenants))
			}
			for i, id := range []string{"acme", "globex"} {
				x := b.Tenants[i]
				if x.TenantID != id || x.Issuer != s.url+"/t/"+id || x.ServiceID <= 0 || x.User.Username != "alice" ||
					!slices.Equal(x.Client.RedirectURIs, []string{"http://127.0.0.1:8765/cb"}) ||
					!slices.Equal(x.Client.GrantTypes, []string{"authorization_code", "refresh_token", "client_credentials", "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"}) {
					t.Errorf("tenant %d: %+v", i, x)
				}
			}
			if !strings.Contains(s.err.String(), b.Tenants[0].Issuer) || !strings.Contains(s.err.String(), "curl ") {
				t.Error("the start does not print what to open and a curl to paste")
			}

			acme := &b.Tenants[0]
			k := acme.tokens(t, acme.Client)
			code := acme.code(t, acme.Client)
			jwks := call(t, http.MethodGet, acme.url("/jwks.json")).want(t, "200").body
			if err := s.stop(); err != nil {
				t.Fatal("stop:", err)
			}

			again := s.conf
			again.publicURL = s.publicURL
			r := launch(t, again)
			later, second := r.bootstrap(t)
			if !second.ModTime().Equal(info.ModTime()) || later.AdminToken != b.AdminToken {
				t.Error("the second start wrote bootstrap.json again")
			}
			here := acme.on(r)
			if got := call(t, http.MethodGet, here.url("/jwks.json")).body; string(got) != string(jwks) {
				t.Error("the keys are others after a restart")
			}
			if !here.active(t, k.Access) {
				t.Error("an access token from before the restart is not active")
			}
			issued(t, here.refresh(t, here.Client, k.Refresh))
			issued(t, here.redeem(t, here.Client, code))
			call(t, http.MethodGet, r.url+"/admin/v1/tenants", bearer(b.AdminToken)).want(t, "200")
		})
	}
}

// exactMembers checks that bootstrap.json has the members that other programs rely on, and no others.
func exactMembers(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(string, any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				walk(at+"."+name, member)
			}
		case []any:
			for _, member := range v {
				walk(at+"[]", member)
			}
		default:
			paths = append(paths, fmt.Sprintf("%s %T", at[1:], v))
		}
	}
	walk("", v)
	slices.Sort(paths)
	want := []string{
		"admin_token string", "ops_url string", "public_url string",
		"tenants[].api_token string", "tenants[].client.client_id string", "tenants[].client.client_secret string",
		"tenants[].client.grant_types[] string", "tenants[].client.redirect_uris[] string",
		"tenants[].issuer string", "tenants[].service_id float64", "tenants[].tenant_id string",
		"tenants[].user.password string", "tenants[].user.sub string", "tenants[].user.username string",
	}
	if got := slices.Compact(paths); !slices.Equal(got, want) {
		t.Errorf("bootstrap.json has the members\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Start to ready on an existing embedded database, and memory at rest. The best of several starts is what the program
// needs; the others are what else the machine does.
func TestStartIsFastAndSmall(t *testing.T) {
	s := fresh(t, sqlite, func(c *conf) { c.demo, c.adminToken = true, "" })
	best, began := time.Hour, time.Now()
	for range 5 {
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		s = launch(t, s.conf)
		best = min(best, s.ready)
	}
	t.Logf("start to ready: %v", best.Round(time.Millisecond))
	if limit := busy.Patience(300*time.Millisecond, began); best > limit {
		t.Errorf("start to ready took %v, want less than %v", best, limit)
	}
	least := 1 << 30
	for range 20 {
		least = min(least, s.resident(t))
		if least < 60e6 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Logf("resident at rest: %.1f MB", float64(least)/1e6)
	if least >= 60e6 {
		t.Errorf("resident memory at rest is %.1f MB, want less than 60 MB", float64(least)/1e6)
	}
}

// resident is the resident memory of the process in bytes.
func (s *server) resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	for line := range strings.Lines(string(text)) {
		kB := 0
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kB); n == 1 {
			return kB << 10
		}
	}
	t.Fatal("no VmRSS in /proc")
	return 0
}

// A start that cannot serve says why and ends with another status than 0.
func TestRefusesToStart(t *testing.T) {
	demo := fresh(t, sqlite, func(c *conf) { c.demo, c.adminToken = true, "" })
	kek := "CHANCERY_KEK=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	own := fresh(t, sqlite, func(c *conf) { c.demo, c.adminToken, c.env = true, "", []string{kek} })
	production := []string{"CHANCERY_ENV=production", "CHANCERY_PUBLIC_URL=https://id.example", kek, "CHANCERY_TRUSTED_PROXIES=127.0.0.1"}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(production), func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	for _, c := range []struct {
		rule string
		data string
		env  []string
		args []string
		says string
	}{
		{"production needs a key-encryption key of its own", "", without("CHANCERY_KEK"), nil, "CHANCERY_KEK"},
		{"production needs TLS or a trusted proxy", "", without("CHANCERY_TRUSTED_PROXIES"), nil, "TLS"},
		{"production does not trust everyone's headers", "", append(without("CHANCERY_TRUSTED_PROXIES"), "CHANCERY_TRUSTED_PROXIES=10.0.0.0/8,::/0"), nil, "everyone"},
		{"production does not make demo tenants", "", production, []string{"--demo=true"}, "demo"},
		{"production does not take the key of a development server", demo.data, append(without("CHANCERY_KEK"), developmentKEK(t, demo.data)), nil, "development key-encryption key"},
		{"production does not serve demo tenants", own.data, production, nil, "demo"},
		{"production needs an https public URL", "", without("CHANCERY_PUBLIC_URL"), nil, "public-url"},
		{"a key that is none", "", []string{"CHANCERY_KEK=short"}, nil, "32 bytes"},
		{"the wrong key-encryption key", demo.data, []string{kek}, nil, "key"},
		{"an environment that is none", "", []string{"CHANCERY_ENV=staging"}, nil, "production"},
		{"a proxy that is none", "", []string{"CHANCERY_TRUSTED_PROXIES=proxy.example"}, nil, "trusted-proxies"},
		{"a short first admin token", "", []string{"CHANCERY_ADMIN_TOKEN=secret"}, nil, "32"},
		{"an argument that is none", "", nil, []string{"--no-such-flag"}, "no-such-flag"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			if c.data == "" {
				c.data = t.TempDir()
			}
			conf := conf{data: c.data, env: c.env}
			_, err := conf.run(append([]string{"serve", "--listen", freePort(), "--ops-listen", freePort()}, c.args...)...)
			if said := fmt.Sprint(err); err == nil || !strings.Contains(said, c.says) || strings.Contains(said, "goroutine") {
				t.Errorf("it said %s, want something about %s", said, c.says)
			}
		})
	}
}

// developmentKEK is the setting that brings the key which a development server made for itself.
func developmentKEK(t *testing.T, data string) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(data, "development.kek"))
	if err != nil {
		t.Fatal(err)
	}
	return "CHANCERY_KEK=" + strings.TrimSpace(string(key))
}

// A server that is told to stop answers the requests under way, and fails none of a client that keeps its connection. Only
// a new connection may be refused: its client has sent nothing yet, and goes elsewhere.
func TestGracefulStop(t *testing.T) {
	s := fresh(t, sqlite, nil)
	x := s.newTenant(t)
	failed := make(chan error, 4)
	for range cap(failed) {
		go func() {
			kept := &http.Client{Transport: &http.Transport{}}
			for {
				reused := false
				trace := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
				r, err := try(kept, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", "client_credentials"),
					func(r *http.Request) { *r = *r.WithContext(trace) })
				switch {
				case err == nil && r.StatusCode == http.StatusOK:
					continue
				case err == nil:
					err = fmt.Errorf("%s: %s", r.outcome(), r.body)
				case !reused:
					err = nil
				}
				failed <- err
				return
			}
		}()
	}
	time.Sleep(200 * time.Millisecond)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aftermath is what a command left behind.
type aftermath struct {
	code        int
	out, errors string
}

// remotely runs a command against the server over HTTP, from a machine that has nothing but a token.
func (s *server) remotely(t testing.TB, token, stdin string, args ...string) aftermath {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.TempDir()
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CHANCERY_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "CHANCERY_SERVER="+s.url, "CHANCERY_TOKEN="+token, "CHANCERY_CONFIG="+filepath.Join(cmd.Dir, "config.yaml"))
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	if token != "" && strings.Contains(out.String()+complaint.String(), token) {
		t.Errorf("chancery %v shows the token that it was given", args)
	}
	return aftermath{cmd.ProcessState.ExitCode(), out.String(), complaint.String()}
}

// The command line, far from the database, may do what its token may and no more: another tenant is one that does not exist.
func TestRemoteCommands(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		made := func(role string) (k struct{ Token, ID string }) {
			t.Helper()
			out, err := s.run("token", "create", x.TenantID, "--role", role, "-o", "json")
			if err == nil {
				err = json.Unmarshal([]byte(out), &k)
			}
			if err != nil {
				t.Fatal(err)
			}
			secret(k.Token)
			return k
		}
		administrator, developer := made("admin"), made("developer")
		within(t, aboutASecond, "the tokens are known", func() bool {
			return s.remotely(t, administrator.Token, "", "whoami").code == 0 && s.remotely(t, developer.Token, "", "whoami").code == 0
		})

		var c client
		r := s.remotely(t, developer.Token, "", "client", "create", x.TenantID, "--name", "Far", "--grant", "client_credentials", "-o", "json")
		if err := json.Unmarshal([]byte(r.out), &c); err != nil {
			t.Fatalf("%v: %+v", err, r)
		}
		secret(c.Secret)
		issued(t, x.token(t, &c, "grant_type", "client_credentials"))
		if r := s.remotely(t, administrator.Token, "correct horse battery staple\n", "user", "create", x.TenantID, "ann"); r.code != 0 {
			t.Errorf("a user is not made: %+v", r)
		}
		if r := s.remotely(t, administrator.Token, "", "user", "disable", x.TenantID, "ann"); r.code != 0 || r.out != "user ann disabled\n" {
			t.Errorf("a user is not found by name: %+v", r)
		}
		if r := s.remotely(t, administrator.Token, "", "audit", "list", x.TenantID, "--kind", "client_created", "--since", "1h"); !strings.Contains(r.out, developer.ID) {
			t.Errorf("the trail does not say who made the client: %+v", r)
		}

		for _, tt := range []struct {
			rule, token, args string
			code              int
		}{
			{"a developer does not look after users", developer.Token, "user list " + x.TenantID, 4},
			{"nor settings", developer.Token, "tenant set " + x.TenantID + " name=X", 4},
			{"an administrator of a tenant does not see which tenants there are", administrator.Token, "tenant list", 4},
			{"makes none", administrator.Token, "tenant create far-" + x.TenantID, 4},
			{"does not turn its own off", administrator.Token, "tenant disable " + x.TenantID, 4},
			{"nor delete it", administrator.Token, "tenant delete " + x.TenantID + " --yes", 4},
			{"makes no token that may more", administrator.Token, "token create " + x.TenantID + " --role owner", 4},
			{"sees no platform", administrator.Token, "token list platform", 3},
			{"a token that is none opens nothing", "chy_" + x.TenantID + ".none", "tenant show " + x.TenantID, 4},
			{"an API token of the dialects opens nothing here", x.APIToken, "tenant show " + x.TenantID, 4},
		} {
			if r := s.remotely(t, tt.token, "", strings.Fields(tt.args)...); r.code != tt.code || r.out != "" || r.errors == "" {
				t.Errorf("%s: %+v, want %d", tt.rule, r, tt.code)
			}
		}

		// S6: every command about another tenant fails as it does about one that nobody has.
		for _, args := range []string{"tenant show ID", "tenant set ID name=X", "tenant enable ID", "tenant delete ID --yes", "tenant restore ID", "tenant check ID", "tenant hook-secret ID x",
			"settings show ID", "settings replace ID -", "settings history ID", "client list ID", "client show ID " + other.Client.ID, "client rotate-secret ID " + other.Client.ID,
			"client create ID --name X", "client delete ID " + other.Client.ID + " --yes", "user list ID", "user show ID alice", "user set-password ID alice", "user delete ID alice --yes", "user import ID -",
			"key list ID", "key rotate ID", "key preview ID", "token create ID --role developer", "token list ID", "token revoke ID x", "initial-token create ID", "initial-token list ID",
			"session list ID", "session end ID --sub=" + other.User.Subject, "grant list ID -- " + other.User.Subject, "grant revoke ID --sub=" + other.User.Subject,
			"role list ID", "role put ID x --permission users:read", "administrator list ID", "service-account create ID x", "webhook list ID", "audit list ID", "audit export ID", "audit verify ID"} {
			about := func(id string) aftermath {
				return s.remotely(t, administrator.Token, `{"users": []}`, strings.Fields(strings.ReplaceAll(args, "ID", id))...)
			}
			foreign, unknown := about(other.TenantID), about("nobody-has-this")
			if foreign != unknown || foreign.code != 3 || foreign.out != "" {
				t.Errorf("%s: of another tenant %+v, of none %+v", args, foreign, unknown)
			}
		}
		call(t, http.MethodGet, other.url("/jwks.json")).want(t, "200")
		issued(t, other.token(t, other.Client, "grant_type", "client_credentials"))

		if r := s.remotely(t, administrator.Token, "", "token", "revoke", x.TenantID, developer.ID); r.code != 0 {
			t.Errorf("the developer's token is not revoked: %+v", r)
		}
		within(t, theBound, "the developer's end", func() bool { return s.remotely(t, developer.Token, "", "whoami").code == 4 })
	})
}

package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// firstParty registers a client that may use the authorization challenge endpoint.
func (x *tenant) firstParty(t testing.TB, metadata map[string]any) *client {
	t.Helper()
	m := map[string]any{"scope": "openid profile email authorization_challenge", "redirect_uris": []string{callback},
		"grant_types": []string{"authorization_code", "refresh_token"}}
	for name, v := range metadata {
		m[name] = v
	}
	return x.register(t, m)
}

// challengeAt calls the authorization challenge endpoint as c.
func (x *tenant) challengeAt(t testing.TB, c *client, pairs ...string) reply {
	t.Helper()
	r := call(t, http.MethodPost, x.url("/authorize-challenge"), c.auth(), form(pairs...))
	var got struct {
		Code    string `json:"authorization_code"`
		Session string `json:"auth_session"`
	}
	r.read(t, &got)
	secret(got.Code, got.Session)
	return r
}

// The example of an app signs its user in by itself, as a public client and as one with a secret.
func TestChallengeApp(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		app := built(t, "docs/examples/challenge-app")
		x := s.newTenant(t)
		for name, c := range map[string]*client{
			"public":        x.firstParty(t, map[string]any{"token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": []string{"com.example.app:/cb"}}),
			"with a secret": x.firstParty(t, nil),
		} {
			t.Run(name, func(t *testing.T) {
				run := func(typed string) (string, string, error) {
					var out, said bytes.Buffer
					cmd := exec.Command(app, "-issuer", x.Issuer, "-client", c.ID)
					cmd.Env = append(x.at.environment(), "CHALLENGE_APP_SECRET="+c.Secret)
					cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(typed), &out, &said
					err := cmd.Run()
					for range secretsIn(out.String() + said.String()) {
						t.Error("the example wrote a secret")
					}
					return out.String(), said.String(), err
				}
				out, said, err := run(x.User.Username + "\nnot the password\n" + x.User.Username + "\n" + x.User.Password + "\n")
				if err != nil {
					t.Fatal(err, said)
				}
				var claims map[string]any
				if err := json.Unmarshal([]byte(out), &claims); err != nil || claims["sub"] != x.User.Subject || claims["email"] != "alice@example.com" {
					t.Errorf("got %v, %s", err, out)
				}
				if !strings.Contains(said, "username: ") || !strings.Contains(said, "wrong") {
					t.Errorf("the user saw: %s", said)
				}
				out, said, err = run(x.User.Username + "\n" + strings.Repeat("not the password\n"+x.User.Username+"\n", 5))
				if err == nil || out != "" || !strings.Contains(said, "username_or_password_invalid") {
					t.Errorf("five wrong passwords: got %v, %s%s", err, out, said)
				}
			})
		}
	})
}

// The endpoint is announced, an ordinary client may not use it, and nobody learns whether a user exists.
func TestChallengeRefusals(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		var metadata map[string]any
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &metadata)
		if metadata["authorization_challenge_endpoint"] != x.Issuer+"/authorize-challenge" {
			t.Errorf("announced: %v", metadata["authorization_challenge_endpoint"])
		}
		name, word := x.User.Username, x.User.Password
		x.challengeAt(t, x.Client, "username", name, "password", word).want(t, "401 invalid_request")
		c := x.firstParty(t, nil)
		unknown := x.challengeAt(t, c, "username", "nobody", "password", word).want(t, "401 username_or_password_invalid")
		if wrong := x.challengeAt(t, c, "username", name, "password", "not the password"); !same(unknown, wrong) {
			t.Errorf("told apart: %s, %s", unknown.body, wrong.body)
		}
		stranger, off := *c, *c
		stranger.ID, off.Secret = "nobody", "not the secret"
		if a, b := x.challengeAt(t, &stranger, "username", name), x.challengeAt(t, &off, "username", name); !same(a, b) || !a.is("401 invalid_client") {
			t.Errorf("clients told apart: %s, %s", a.body, b.body)
		}
		call(t, http.MethodPost, s.url+"/jans-auth/restv1/authorize-challenge", header("Tenant-ID", x.TenantID), c.auth(), form("login_hint", "+1-310-123-4567")).
			want(t, "401 username_required")
		call(t, http.MethodPost, s.url+"/jans-auth/restv1/authorize-challenge", c.auth(), form()).want(t, "404 not_found")
	})
}

// Of many callers one gets a code, and the handle opens nothing afterwards, nor anything else before.
func TestChallengeOneCode(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, y := s.newTenant(t), s.newTenant(t)
		c, other, foreign := x.firstParty(t, nil), x.firstParty(t, nil), y.firstParty(t, nil)
		var asked struct {
			Session string `json:"auth_session"`
		}
		x.challengeAt(t, c, "scope", "openid", "username", x.User.Username, "use_auth_session", "true").want(t, "401 password_required").read(t, &asked)
		answer := []string{"auth_session", asked.Session, "password", x.User.Password}
		x.challengeAt(t, other, answer...).want(t, "400 invalid_session")
		y.challengeAt(t, foreign, answer...).want(t, "400 invalid_session")
		call(t, http.MethodPost, x.url("/authorize-challenge"), form(answer...)).want(t, "401 invalid_client")
		x.api(t, http.MethodGet, sessionsV1+"/"+asked.Session).want(t, "404 authz_not_found")
		x.api(t, http.MethodGet, sessionsV1+"/"+asked.Session[:22]).want(t, "404 authz_not_found")

		replies := make([]reply, 16) // each costs the check of a password
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				replies[i], _ = try(direct, http.MethodPost, x.url("/authorize-challenge"), c.auth(), form(answer...))
			})
		}
		wg.Wait()
		var won []reply
		for _, r := range replies {
			switch {
			case r.Response == nil:
				t.Error("a caller got no answer")
			case r.is("200"):
				won = append(won, r)
			case !r.is("400 invalid_session"):
				t.Errorf("a loser got %s", r.outcome())
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d codes", len(won))
		}
		var granted struct {
			Code string `json:"authorization_code"`
		}
		won[0].read(t, &granted)
		secret(granted.Code)
		x.challengeAt(t, c, answer...).want(t, "400 invalid_session")
		call(t, http.MethodPost, x.url("/token"), c.auth(), form("grant_type", "authorization_code", "code", granted.Code)).want(t, "200")
	})
}

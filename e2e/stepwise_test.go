package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// stepwise is a relying party on openid-client, in a process of its own, that does one step at a time.
type stepwise struct {
	stdin io.Writer
	lines *bufio.Scanner
}

// outcome is what a step yielded, as far as the tests look at it.
type outcome struct {
	Error   string         `json:"error"`
	URL     string         `json:"url"`
	Pending bool           `json:"pending"`
	Claims  map[string]any `json:"claims"` // of the ID token
	Rotated bool           `json:"rotated"`
	Access  string         `json:"access_token"`
	Refresh string         `json:"refresh_token"`
	ID      string         `json:"id_token"`
	acknowledged
}

// startStepwise starts a relying party. resource introspects, where it is not the client itself.
func startStepwise(t *testing.T, issuer string, c *client, resource map[string]string) *stepwise {
	t.Helper()
	needs(t, "node", "e2e/node/node_modules/openid-client")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	conf := map[string]any{"issuer": issuer, "client_id": c.ID, "client_secret": c.Secret, "redirect_uri": c.RedirectURIs[0],
		"scope": "openid profile email offline_access", "resource_server": resource}
	cmd := exec.CommandContext(ctx, "node", "stepwise.js", string(mustJSON(conf)))
	cmd.Dir = "node"
	cmd.Stderr = os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("the relying party ended:", err)
		}
		cancel()
	})
	s := &stepwise{stdin, bufio.NewScanner(stdout)}
	s.lines.Buffer(nil, 1<<20)
	return s
}

// tell has the relying party do a step; pairs are its arguments.
func (s *stepwise) tell(t *testing.T, step string, pairs ...string) {
	t.Helper()
	in := map[string]string{"step": step}
	for i := 0; i+1 < len(pairs); i += 2 {
		in[pairs[i]] = pairs[i+1]
	}
	s.send(t, in)
}

func (s *stepwise) send(t *testing.T, in any) {
	t.Helper()
	if _, err := s.stdin.Write(append(mustJSON(in), '\n')); err != nil {
		t.Fatal(err)
	}
}

// hear reads what the relying party says next.
func (s *stepwise) hear(t *testing.T, v any) {
	t.Helper()
	if !s.lines.Scan() {
		t.Fatal("the relying party ended")
	}
	if err := json.Unmarshal(s.lines.Bytes(), v); err != nil {
		t.Fatalf("the relying party said %s: %v", s.lines.Bytes(), err)
	}
}

// do has the relying party do a step, and returns what it yields.
func (s *stepwise) do(t *testing.T, step string, pairs ...string) (out outcome) {
	t.Helper()
	s.tell(t, step, pairs...)
	s.hear(t, &out)
	secret(out.Access, out.Refresh, out.ID, out.AuthReqID)
	return out
}

// must is do for a step that is not refused.
func (s *stepwise) must(t *testing.T, step string, pairs ...string) outcome {
	t.Helper()
	out := s.do(t, step, pairs...)
	if out.Error != "" {
		t.Fatalf("%s: %s", step, out.Error)
	}
	return out
}

// learn returns all that a step yields.
func (s *stepwise) learn(t *testing.T, step string) (out map[string]any) {
	t.Helper()
	s.tell(t, step)
	s.hear(t, &out)
	return out
}

// poll polls for the tokens of a backchannel authentication request; decide is called once the answer was that they are
// pending.
func (s *stepwise) poll(t *testing.T, asked outcome, decide func()) (out outcome) {
	t.Helper()
	s.send(t, map[string]any{"step": "poll", "auth_req_id": asked.AuthReqID, "expires_in": asked.ExpiresIn, "interval": asked.Interval})
	for s.hear(t, &out); out.Pending; s.hear(t, &out) {
		if out = (outcome{}); decide != nil {
			decide()
		}
		decide = nil
	}
	secret(out.Access, out.Refresh, out.ID)
	return out
}

// polledTenant creates a starter tenant with that issuer, an empty one being the server's to choose, whose clients may poll
// each second.
func (s *server) polledTenant(t *testing.T, issuer string) *tenant {
	t.Helper()
	x := &tenant{at: s}
	call(t, http.MethodPost, s.url+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]any{
		"tenant_id": fmt.Sprintf("tenant-%d", tenants.Add(1)), "template": "starter", "issuer": issuer,
		"settings": map[string]any{"ciba": map[string]any{"enabled": true, "interval": 1}, "device": map[string]any{"enabled": true, "interval": 1}}})).want(t, "201").read(t, x)
	x.mark()
	return x
}

// A relying party authenticates users in the backchannel of an issuer whose tenant is told of them and answers.
func TestBackchannelRelyingParty(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.polledTenant(t, "")
		rp := startStepwise(t, x.Issuer, x.Client, nil)
		asked := rp.must(t, "backchannel", "login_hint", x.User.Username, "binding_message", "W4SCT", "acr_values", "loa2")
		got := rp.poll(t, asked, func() { x.approve(t) })
		if got.Error != "" || got.Claims["sub"] != x.User.Subject || got.Claims["iss"] != x.Issuer || got.Claims["acr"] != "loa2" {
			t.Errorf("%s; ID token: %v", got.Error, got.Claims)
		}
		if info := rp.learn(t, "userinfo"); info["sub"] != x.User.Subject || info["email"] == nil {
			t.Errorf("UserInfo: %v", info)
		}
		if again := rp.must(t, "refresh"); !again.Rotated {
			t.Error("the refresh token was not rotated")
		}
		if i := rp.learn(t, "introspect"); i["active"] != true || i["sub"] != x.User.Subject {
			t.Errorf("introspection: %v", i)
		}
		rp.must(t, "revoke")
		if i := rp.learn(t, "introspect"); i["active"] != false {
			t.Errorf("introspection after revocation: %v", i)
		}

		asked = rp.must(t, "backchannel", "id_token_hint", got.ID)
		refused := rp.poll(t, asked, func() { x.api(t, http.MethodDelete, x.newest(t)).want(t, "204") })
		if refused.Error != "access_denied" {
			t.Errorf("a user who denies: %+v", refused)
		}
		if e := rp.do(t, "backchannel", "login_hint", "nobody").Error; e != "unknown_user_id" {
			t.Error("an unknown user:", e)
		}
	})
}

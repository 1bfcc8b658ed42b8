package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"
)

// openid-client pushes its requests, as a client that is registered for nothing else, whoever asks the user.
func TestRelyingPartyPushes(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		for _, way := range []string{"by our pages", "by the authorisation-session API"} {
			c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "require_pushed_authorization_requests": true})
			t.Run(way, func(t *testing.T) {
				asked, claims := pushingClient(t, x, c, signIns[way])
				if q := asked.Query(); len(q) != 2 || q.Get("client_id") != c.ID || q.Get("request_uri") == "" {
					t.Error("the authorization request:", asked)
				}
				if claims["sub"] != x.User.Subject || claims["iss"] != x.Issuer {
					t.Error("ID token:", claims)
				}
			})
		}
	})
}

// pushingClient signs the tenant's user in at a relying party that pushes, and returns the authorization URL and the claims
// of the ID token.
func pushingClient(t *testing.T, x *tenant, c *client, in signIn) (asked *url.URL, claims map[string]any) {
	t.Helper()
	needs(t, "node", "e2e/node/node_modules/openid-client")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "pushed.js", string(mustJSON(map[string]string{
		"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret, "redirect_uri": c.RedirectURIs[0], "scope": "openid email"})))
	cmd.Dir, cmd.Stderr = "node", os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(stdout)
	var says struct {
		URL    string         `json:"authorization_url"`
		Claims map[string]any `json:"claims"`
	}
	hear := func() {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("the relying party ended:", cmd.Wait())
		}
		if err := json.Unmarshal(lines.Bytes(), &says); err != nil {
			t.Fatalf("the relying party said %s: %v", lines.Bytes(), err)
		}
	}
	hear()
	asked, err := url.Parse(says.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stdin, in(t, x, says.URL).String()+"\n"); err != nil {
		t.Fatal(err)
	}
	hear()
	return asked, says.Claims
}

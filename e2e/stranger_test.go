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
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stranger is a program of e2e/node: a relying party on a library that is not ours, in a process of its own, with which the
// test talks in lines of JSON. e2e/node/README.md says how to write one.
type stranger struct {
	stdin io.Writer
	lines *bufio.Scanner
}

// startStranger starts a program with what it has to know. It is ended with the test at the latest.
func startStranger(t *testing.T, script string, facts any) *stranger {
	t.Helper()
	needs(t, "node", "e2e/node/"+script, "e2e/node/node_modules/openid-client", "e2e/node/node_modules/oauth4webapi")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, "node", script, string(mustJSON(facts)))
	cmd.Dir, cmd.Stderr = "node", os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	p := &stranger{stdin, bufio.NewScanner(stdout)}
	p.lines.Buffer(nil, 1<<20)
	return p
}

// say tells the program something.
func (p *stranger) say(t *testing.T, v any) {
	t.Helper()
	if _, err := p.stdin.Write(append(mustJSON(v), '\n')); err != nil {
		t.Fatal(err)
	}
}

// hear reads what the program says next. The test fails when it has ended instead; its reason is on standard error.
func (p *stranger) hear(t *testing.T, v any) {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatal("the relying party ended")
	}
	if err := json.Unmarshal(p.lines.Bytes(), v); err != nil {
		t.Fatalf("the relying party said %s: %v", p.lines.Bytes(), err)
	}
}

// signIn hears the authorization URL, brings the tenant's user through, and tells the URL that the browser came back to. It
// returns the authorization URL.
func (p *stranger) signIn(t *testing.T, x *tenant, in signIn) *url.URL {
	t.Helper()
	var asks struct {
		URL string `json:"authorization_url"`
	}
	p.hear(t, &asks)
	asked, err := url.Parse(asks.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.say(t, map[string]string{"url": in(t, x, asks.URL).String()})
	return asked
}

// oauth4webapi checks each answer of a flow against its specification: PAR, PKCE, DPoP with and without nonces, the ID
// token and its signature, UserInfo, rotation, revocation.
func TestStrictRelyingParty(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		for _, nonces := range []bool{false, true} {
			x.patch(t, map[string]any{"dpop": map[string]any{"require_nonce": nonces}})
			strict := map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"},
				"require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true, "require_pkce": true}
			for _, c := range []*client{x.register(t, strict), x.public(t, callback)} {
				p := startStranger(t, "strict.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
					"redirect_uri": callback, "scope": "openid email offline_access"})
				p.signIn(t, x, byAPI)
				var got struct {
					Claims   map[string]any
					UserInfo map[string]any
					Types    []string
					Refused  string
				}
				p.hear(t, &got)
				if got.Claims["sub"] != x.User.Subject || got.UserInfo["sub"] != x.User.Subject || got.UserInfo["email"] == nil {
					t.Errorf("nonces %v: ID token %v, UserInfo %v", nonces, got.Claims, got.UserInfo)
				}
				for i, typ := range got.Types {
					got.Types[i] = strings.ToLower(typ)
				}
				if diff := cmp.Diff([]string{"dpop", "dpop"}, got.Types); diff != "" || got.Refused != "invalid_grant" {
					t.Error("types:", diff, "after revocation:", got.Refused)
				}
			}
		}
	})
}

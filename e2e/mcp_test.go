package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startMCPServer runs the example of an MCP server as the tenant's resource tools, and returns its address.
func startMCPServer(t *testing.T, x *tenant) string {
	t.Helper()
	address := freePort()
	resource := "http://" + address + "/mcp"
	x.patch(t, map[string]any{"authorization": map[string]any{"scopes": []string{"openid", "offline_access", "tools"}}, "resources_only": true,
		"resources": map[string]any{"tools": map[string]any{"resource": resource, "resource_name": "Greeter", "scopes_supported": []string{"tools"}}}})
	c := x.register(t, map[string]any{"client_name": "Greeter", "grant_types": []string{"client_credentials"}, "redirect_uris": []string{}, "response_types": []string{},
		"audience": []string{resource}})
	server := exec.Command(built(t, "docs/examples/mcp-server"), "-listen", address, "-issuer", x.Issuer, "-name", "tools", "-client", c.ID)
	server.Env = append(os.Environ(), "CLIENT_SECRET="+c.Secret)
	var out output
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if r, err := try(direct, http.MethodPost, resource); err == nil && r.StatusCode == http.StatusUnauthorized {
			return resource
		}
		if time.Since(began) > busy.Patience(10*time.Second, began) {
			t.Fatal("the MCP server does not answer:", out.String())
		}
	}
}

// An MCP client that knows the address of a server alone finds its way to a token for that server: by its metadata document,
// and by registering itself (RFC 9728, RFC 8414, RFC 8707).
func TestMCPClient(t *testing.T) {
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			w, ca := newSite(t)
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1", "CHANCERY_EXTRA_CA="+ca) })
			x := s.newTenant(t)
			server := startMCPServer(t, x)
			x.patch(t, map[string]any{"client_documents": map[string]any{"enabled": true}, "clients": map[string]any{"open_registration": true}})
			for way, id := range map[string]string{"by its document": w.document("/agent.json", nil).ID, "registering itself": ""} {
				p := startStranger(t, "mcp.js", map[string]any{"server": server, "client_id": id, "redirect_uri": callback})
				p.signIn(t, x, signIns["by our pages"])
				var got struct {
					Refused  int
					ClientID string `json:"client_id"`
					Resource string
					Access   string `json:"access_token"`
					Tools    []string
					Greeting string
				}
				p.hear(t, &got)
				secret(got.Access)
				if got.Refused != http.StatusUnauthorized || got.Resource != server || !slices.Equal(got.Tools, []string{"greet"}) ||
					got.Greeting != "Hello, "+x.User.Subject+", who came by "+got.ClientID || id != "" && got.ClientID != id {
					t.Errorf("%s: %+v", way, got)
				}
				if _, payload := claims(t, got.Access); payload["aud"] != server || payload["client_id"] != got.ClientID || !strings.Contains(payload["scope"].(string), "tools") {
					t.Errorf("%s: access token: %v", way, payload)
				}
			}

			// A token for anybody else is none here, and there is none for what the tenant does not know.
			tokens := x.tokens(t, x.Client, "scope", "openid tools")
			r := call(t, http.MethodPost, server, bearer(tokens.Access), object(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
			if r.StatusCode != http.StatusUnauthorized || !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Error("a token without this audience:", r.StatusCode, r.Header.Get("WWW-Authenticate"))
			}
			if got := x.sees(t, x.Client.request("resource", "https://other.example/")); got != "client invalid_target" {
				t.Error("a resource that the tenant does not know:", got)
			}
		})
	}
}

// Metadata of protected resources (RFC 9728): UserInfo's, in the place that its URL leads to, and those of the settings.
func TestProtectedResources(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		at := strings.TrimPrefix(x.url(""), s.url)
		const wellKnown = "/.well-known/oauth-protected-resource"
		type document struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
			Scopes   []string `json:"scopes_supported"`
			Name     string   `json:"resource_name"`
		}
		for _, path := range []string{wellKnown + at + "/userinfo", at + wellKnown + "/userinfo"} {
			var got document
			r := call(t, http.MethodGet, s.url+path).want(t, "200")
			r.read(t, &got)
			if got.Resource != x.Issuer+"/userinfo" || !slices.Equal(got.Servers, []string{x.Issuer}) || !slices.Contains(got.Scopes, "openid") ||
				r.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %s", path, r.body)
			}
		}
		call(t, http.MethodGet, s.url+wellKnown+at+"/tools").want(t, "404 not_found")
		call(t, http.MethodGet, s.url+wellKnown+"/t/nobody/userinfo").want(t, "404 not_found")
		x.patch(t, map[string]any{"resources": map[string]any{"tools": map[string]any{"resource": "https://mcp.example/mcp", "resource_name": "Tools"}}})
		for _, path := range []string{wellKnown + at + "/tools", at + wellKnown + "/tools"} {
			var got document
			if call(t, http.MethodGet, s.url+path).want(t, "200").read(t, &got); got.Resource != "https://mcp.example/mcp" || got.Name != "Tools" {
				t.Errorf("%s: %+v", path, got)
			}
		}
		var m struct {
			Resources []string `json:"protected_resources"`
		}
		call(t, http.MethodGet, x.url("/.well-known/oauth-authorization-server")).read(t, &m)
		if !slices.Equal(m.Resources, []string{x.Issuer + "/userinfo", "https://mcp.example/mcp"}) {
			t.Error("protected_resources:", m.Resources)
		}
		// UserInfo tells where its metadata are, also one that takes proofs.
		for _, parts := range [][]part{nil, {bearer("x")}, {header("Authorization", "DPoP x")}} {
			r := call(t, http.MethodGet, x.url("/userinfo"), parts...).want(t, "401 *")
			if !strings.Contains(r.Header.Get("WWW-Authenticate"), `resource_metadata="`+x.Issuer+wellKnown+`/userinfo"`) {
				t.Error("UserInfo's challenge:", r.Header.Get("WWW-Authenticate"))
			}
		}
	})
}

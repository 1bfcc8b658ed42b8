package e2e

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// An example of a login UI, running for one tenant.
type loginUI struct {
	url      string
	password string
	err      output
}

// carol is a user of the example.
const (
	carol    = "carol"
	carolSub = "u-1001"
)

// serveExampleUI starts the example for x and makes it the tenant's login UI.
func serveExampleUI(t *testing.T, x *tenant) *loginUI {
	t.Helper()
	addr := freePort()
	ui := &loginUI{url: "http://" + addr, password: rand.Text()}
	secret(ui.password)
	cmd := exec.Command(built(t, "docs/examples/login-ui"), "-listen", addr, "-server", x.at.url, "-tenant", x.TenantID)
	cmd.Env = append(x.at.environment(), "CHANCERY_API_TOKEN="+x.APIToken, "LOGIN_UI_PASSWORD="+ui.password)
	cmd.Stderr = &ui.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the example ended: %v\n%s", err, ui.err.String())
		}
		for range secretsIn(ui.err.String()) {
			t.Error("the example wrote a secret")
		}
	})
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if r, err := try(direct, http.MethodGet, ui.url+"/style.css"); err == nil && r.StatusCode == http.StatusOK {
			break
		}
		if time.Since(began) > busy.Patience(10*time.Second, began) {
			t.Fatal("the example does not answer:", ui.err.String())
		}
	}
	x.patch(t, map[string]any{"login_url": ui.url + "/authorize"})
	return ui
}

// uiOf finds the example of a tenant, by its id.
var uiOf sync.Map

// withExampleUI creates a tenant whose users come through the example. The server has no account of them.
func (s *server) withExampleUI(t *testing.T) *tenant {
	t.Helper()
	x := s.newTenant(t)
	x.User = &user{Subject: carolSub}
	uiOf.Store(x.TenantID, serveExampleUI(t, x))
	return x
}

// byExampleUI signs in at the example, to which the authorization endpoint sends browsers.
func byExampleUI(t *testing.T, x *tenant, at string) *url.URL {
	t.Helper()
	found, _ := uiOf.Load(x.TenantID)
	ui := found.(*loginUI)
	v := newVisitor(t)
	p := v.open(t, at)
	if !strings.HasPrefix(p.at.String(), ui.url) {
		t.Fatal("the authorization endpoint leads to", p.at)
	}
	p = v.fill(t, p, "action", "login", "username", carol, "password", ui.password)
	p = v.fill(t, p, "action", "allow")
	return p.at
}

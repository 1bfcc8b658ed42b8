package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExampleRelyingParty signs people in to the example application at two issuers of one server.
func TestExampleRelyingParty(t *testing.T) {
	t.Parallel()
	s := fresh(t, sqlite, func(c *conf) { c.demo = true })
	b, _ := s.bootstrap(t)
	var out output
	app := exec.Command(built(t, "docs/examples/relying-party"), "-bootstrap", filepath.Join(s.data, "bootstrap.json"))
	app.Stderr = &out
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = app.Process.Signal(syscall.SIGTERM)
		if err := app.Wait(); err != nil {
			t.Errorf("the example ended: %v\n%s", err, out.String())
		}
	}()
	const home = "http://127.0.0.1:8765"
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if r, err := try(direct, http.MethodGet, home); err == nil && r.StatusCode == http.StatusOK {
			break
		}
		if time.Since(began) > busy.Patience(10*time.Second, began) {
			t.Fatal("the example does not answer:", out.String())
		}
	}
	for i := range b.Tenants {
		x := &b.Tenants[i]
		v := newVisitor(t)
		back := v.signIn(t, x, home+"/login/"+x.TenantID)
		r, err := try(v.http, http.MethodGet, back.String())
		if err != nil {
			t.Fatal(err)
		}
		said := page{r, back}.text()
		for _, want := range []string{x.Issuer, x.User.Subject, `"email"`} {
			if r.StatusCode != http.StatusOK || !strings.Contains(said, want) {
				t.Errorf("%s: %d, the page lacks %s: %s", x.TenantID, r.StatusCode, want, said)
			}
		}
		if r, _ := try(v.http, http.MethodGet, back.String()); r.StatusCode == http.StatusOK {
			t.Error("a callback is taken twice")
		}
		stranger := newVisitor(t)
		elsewhere := v.signIn(t, x, home+"/login/"+x.TenantID)
		if r, _ := try(stranger.http, http.MethodGet, elsewhere.String()); r.StatusCode == http.StatusOK {
			t.Error("another browser takes the callback")
		}
	}
}

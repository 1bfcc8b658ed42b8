package e2e

import (
	"debug/elf"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobodyInImage is the user of the image.
const nobodyInImage = 65532

// In a root that holds nothing but the program, the certificate authorities and one directory to write to, as a user
// without a name or rights: what the image is. The server starts, serves, calls whom those authorities vouch for, knows
// what time it is without a database of time zones, and stops.
func TestTheProgramNeedsNothingAround(t *testing.T) {
	t.Parallel()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it is not static: %v, %v", libraries, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it needs a loader")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root can change its root")
	}
	root, err := os.MkdirTemp("", "chancery-root-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 9)
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told <- r.URL.Path
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(site.Close)
	data, certs := filepath.Join(root, "data"), filepath.Join(root, "etc/ssl/certs")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})
	for _, err := range []error{os.MkdirAll(certs, 0o755), os.WriteFile(filepath.Join(certs, "ca-certificates.crt"), ca, 0o644), os.Chmod(root, 0o755), os.WriteFile(filepath.Join(root, "chancery"), b, 0o755), os.Mkdir(data, 0o700), os.Chown(data, nobodyInImage, nobodyInImage)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	at, ops := freePort(), freePort()
	cmd := exec.Command("/chancery", "serve", "--data", "/data", "--listen", at, "--ops-listen", ops, "--demo=true", "--outbound-allow", "127.0.0.0/8")
	cmd.Path, cmd.Err = "/chancery", nil // in its own root
	cmd.Dir, cmd.Env = "/", []string{"TZ=America/New_York"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobodyInImage, Gid: nobodyInImage, Groups: []uint32{}}}
	var said output
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	within(t, 20*time.Second, "it is ready", func() bool {
		r, err := try(direct, http.MethodGet, "http://"+ops+"/readyz")
		return err == nil && r.StatusCode == http.StatusOK
	})
	call(t, http.MethodGet, "http://"+at+"/t/acme/.well-known/openid-configuration").want(t, "200")
	trusted(t, at, data, site.URL+"/told", told)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if text := said.String(); strings.Contains(text, `"level":"ERROR"`) || strings.Contains(text, "panic") {
		t.Errorf("it says %s", text)
	}
}

// trusted has a webhook at that URL told something, by the server at that address with that directory.
func trusted(t *testing.T, at, data, to string, told <-chan string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "bootstrap.json"))
	var made struct {
		Token string `json:"admin_token"`
	}
	if err == nil {
		err = json.Unmarshal(b, &made)
	}
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		ID      string
		Created string `json:"created_at"`
	}
	hooks := "http://" + at + "/admin/v1/tenants/acme/webhooks"
	call(t, http.MethodPost, hooks, bearer(made.Token), object(map[string]any{"url": to, "events": []string{"user_deleted"}})).want(t, "201").read(t, &w)
	if !strings.HasSuffix(w.Created, "Z") {
		t.Errorf("it tells the time as %s", w.Created)
	}
	call(t, http.MethodPost, hooks+"/"+w.ID+"/test", bearer(made.Token)).want(t, "202", "201", "200")
	select {
	case <-told:
	case <-time.After(15 * time.Second):
		t.Error("whom the authorities of the image vouch for is not told: " +
			string(call(t, http.MethodGet, hooks+"/"+w.ID+"/messages?state=waiting", bearer(made.Token)).body))
	}
}

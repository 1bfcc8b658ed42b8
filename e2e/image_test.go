package e2e

import (
	"debug/elf"
	"net/http"
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

// In a root that holds nothing but the program and one directory to write to, as a user without a name or
// rights: what the image is. The server starts, serves, and stops.
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
	data := filepath.Join(root, "data")
	for _, err := range []error{os.Chmod(root, 0o755), os.WriteFile(filepath.Join(root, "chancery"), b, 0o755), os.Mkdir(data, 0o700), os.Chown(data, nobodyInImage, nobodyInImage)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	at, ops := freePort(), freePort()
	cmd := exec.Command("/chancery", "serve", "--data", "/data", "--listen", at, "--ops-listen", ops, "--demo=true")
	cmd.Path, cmd.Err = "/chancery", nil // in its own root
	cmd.Dir, cmd.Env = "/", []string{}
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
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if text := said.String(); strings.Contains(text, `"level":"ERROR"`) || strings.Contains(text, "panic") {
		t.Errorf("it says %s", text)
	}
}

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/chancery-id/chancery/e2e/machine"
)

// program is the path of the server's binary, and exampleUI that of the example of a tenant's own login UI. Both are
// built once per run, the server as a release is.
var program, exampleUI string

// busy is the machine on which all of this runs.
var busy = &machine.Machine{}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chancery-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, exampleUI = filepath.Join(dir, "chancery"), filepath.Join(dir, "login-ui")
	for out, pkg := range map[string]string{program: "../cmd/chancery", exampleUI: "../docs/examples/login-ui"} {
		build := exec.Command("go", "build", "-tags", "nomsgpack", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: %s: %v\n%s", pkg, err, text)
			return 1
		}
	}
	// Many tests wait more than they work. An argument of the command line still has the last word.
	if err := flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go busy.Watch(ctx)
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: FAIL:", err)
		code = max(code, 1)
	}
	return code
}

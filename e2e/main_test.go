package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/chancery-id/chancery/e2e/build"
	"github.com/chancery-id/chancery/e2e/machine"
)

// program is the path of the server's binary.
var program string

// others are the programs beside the server, each built once, into a directory of this run.
var others struct {
	sync.Mutex
	dir   string
	built map[string]func() error
}

// built returns the path of the program in a folder of the module.
func built(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(others.dir, filepath.Base(folder))
	others.Lock()
	once := others.built[folder]
	if once == nil {
		once = sync.OnceValue(func() error { return build.Program(path, folder) })
		others.built[folder] = once
	}
	others.Unlock()
	if err := once(); err != nil {
		t.Fatal(err)
	}
	return path
}

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
	others.dir, others.built = dir, map[string]func() error{}
	if program, err = build.Server(dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	// Many tests wait more than they work. An argument of the command line still has the last word.
	if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
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

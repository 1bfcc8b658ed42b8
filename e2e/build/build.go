// Package build makes the programs that tests look at from outside, all alike, so that what is compiled for one serves the others.
package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "github.com/chancery-id/chancery/"

// Server returns the path of the server as a release is built: of the one that CHANCERY_TEST_PROGRAM names, or of one that is
// built into dir.
func Server(dir string) (string, error) {
	if given := os.Getenv("CHANCERY_TEST_PROGRAM"); given != "" {
		_, err := os.Stat(given)
		return given, err
	}
	path := filepath.Join(dir, "chancery")
	return path, Program(path, "cmd/chancery")
}

// Program builds the program in a folder of the module.
func Program(path, folder string) error {
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-trimpath", "-ldflags", "-s -w", "-o", path, module+folder)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", folder, err, text)
	}
	return nil
}

//go:build !linux || !(amd64 || arm64)

package script

import (
	"errors"
	"os"
	"os/exec"
	"time"
)

// caged says whether this system can lock workers up. Where it cannot, no script runs.
const caged = false

var errCage = errors.New("script: this system cannot confine workers")

func cage(*exec.Cmd)                 {}
func yieldToServer()                 {}
func confine() error                 { return errCage }
func cpu(int) (time.Duration, error) { return 0, errCage }
func pause(*os.Process) error        { return errCage }
func resume(*os.Process) error       { return errCage }

func pipe() (r, w *os.File, err error) { return os.Pipe() }

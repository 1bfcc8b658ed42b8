package script

import (
	"os"
	"testing"
)

// The test itself is the program of the workers.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == WorkerCommand:
		os.Exit(Work())
	case len(os.Args) == 3 && os.Args[1] == "forger":
		forge(os.Args[2])
		os.Exit(0)
	case len(os.Args) == 2 && os.Args[1] == "echo":
		echo()
		os.Exit(0)
	case len(os.Args) >= 2 && os.Args[1] == "prisoner":
		os.Exit(prison(len(os.Args) > 2))
	}
	os.Exit(m.Run())
}

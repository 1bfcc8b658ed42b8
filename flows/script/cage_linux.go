//go:build linux && (amd64 || arm64)

package script

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// caged says whether this system can lock workers up.
const caged = true

// cage prepares cmd to start a worker: one that ends when the thread that starts it does, whatever happens, and gets no signal
// from a terminal. It stays in the session of the server: a kernel that gives each session its share of the processors would
// give the worker as much as the server.
func cage(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// pipe is a pipe whose readers wait in the kernel, not in Go's poller: whoever waits for a worker goes on the sooner. The
// end of the worker ends the wait.
func pipe() (r, w *os.File, err error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	return os.NewFile(uintptr(ends[0]), "|0"), os.NewFile(uintptr(ends[1]), "|1"), nil
}

// mostCPU is when the system ends a worker that nobody ended, in seconds of its processor time; the server ends it long before.
const mostCPU = 120

// confine takes from this process, for good, what a script has no business with: files, the network, other processes, and
// more memory than it needs.
func confine() error {
	warmed := make(chan struct{})
	time.AfterFunc(0, func() { close(warmed) }) // timers need what can be had no more afterwards
	<-warmed
	data, err := dataSize()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		max      uint64
	}{
		{unix.RLIMIT_DATA, data + hardMemory},
		{unix.RLIMIT_CPU, mostCPU},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_MEMLOCK, 0},
		{unix.RLIMIT_MSGQUEUE, 0},
		{unix.RLIMIT_NOFILE, 0},
	} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.max, Max: l.max}); err != nil {
			return fmt.Errorf("limit %d: %w", l.resource, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	// A kernel may be without filters of system calls. The limits hold all the same: no file can be opened and no socket made.
	if err := filter(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	return nil
}

// dataSize is how much private memory this process may write, in bytes.
func dataSize() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "\nVmData:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("script: the system does not say how much memory a process has")
	}
	kb, err := strconv.ParseUint(fields[0], 10, 64)
	return kb << 10, err
}

// yieldToServer has the processes that this thread starts run after the server itself. Where that is refused, they run beside it.
func yieldToServer() {
	const below = 5
	if now, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil { // the kernel counts it from 40 down
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, min(19, 20-now+below))
	}
}

// cpu is the processor time that the process of that number has taken.
func cpu(pid int) (time.Duration, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|2), &ts) // the kernel's number of a process' clock
	return time.Duration(ts.Nano()), err
}

// pause stops a process, and resume lets it go on.
func pause(p *os.Process) error  { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

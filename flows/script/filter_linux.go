//go:build linux && (amd64 || arm64)

package script

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// calls are the system calls that a running Go program makes for itself, and those that talk over open pipes. All others fail
// with EPERM.
var calls = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MINCORE,
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_TGKILL,
	unix.SYS_EPOLL_PWAIT, unix.SYS_GETRANDOM, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER,
	unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE, unix.SYS_SETITIMER,
}

// Where the kernel puts what a filter looks at (struct seccomp_data).
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetFlags  = 16 // low half of the first argument
)

var architectures = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// filter lets every thread of this process make those calls alone, for good. New threads may be made, new processes not.
func filter() error {
	statement := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	unless := func(k uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: k}
	}
	load := func(offset uint32) unix.SockFilter { return statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset) }
	answer := func(k uint32) unix.SockFilter { return statement(unix.BPF_RET|unix.BPF_K, k) }
	refused := func(errno unix.Errno) unix.SockFilter { return answer(unix.SECCOMP_RET_ERRNO | uint32(errno)) }

	program := []unix.SockFilter{
		load(offsetArch), unless(architectures[runtime.GOARCH], 1), statement(unix.BPF_JMP|unix.BPF_JA, 1), answer(unix.SECCOMP_RET_KILL_PROCESS),
		load(offsetNumber),
	}
	for _, number := range calls {
		program = append(program, unless(number, 1), answer(unix.SECCOMP_RET_ALLOW))
	}
	program = append(program,
		unless(unix.SYS_CLONE3, 1), refused(unix.ENOSYS), // its flags cannot be seen; clone is used instead
		unless(unix.SYS_CLONE, 3), load(offsetFlags),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: 1, K: unix.CLONE_THREAD}, answer(unix.SECCOMP_RET_ALLOW),
		refused(unix.EPERM))
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}

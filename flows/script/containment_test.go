package script

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// attacks are scripts that mean harm, each with how it ends: an error, or none where the script is merely disappointed.
var attacks = []struct {
	name, source string
	want         error // nil: it answers after all, with a denial that tells what it found
}{
	{"an endless loop", handler(`for (;;);`), errCPU},
	{"an endless loop at the top", `for (;;);`, errCPU},
	{"an endless loop that catches everything", handler(`for (;;) try { for (;;); } catch (e) {} finally { for (;;); }`), errCPU},
	{"an endless loop after it decided", handler(`api.allow('alice'); for (;;);`), errCPU},
	{"endless promises", handler(`const f = () => Promise.resolve().then(f); await f()`), errCPU},
	{"endless thenables", handler(`await {then(f) { f(this) }}`), errCPU},
	{"an endless generator", handler(`for (const x of (function* () { for (;;) yield 1 })());`), errCPU},
	{"endless getters", handler(`const o = {get x() { for (;;); }}; return o.x`), errCPU},
	{"a toJSON that never ends", handler(`return {action: 'allow', toJSON() { for (;;); }}`), errCPU},
	{"a sort that never ends", handler(`Array.from({length: 1e5}, (_, i) => i).sort(() => { for (;;); })`), errCPU},
	{"a regular expression that backtracks", handler(`/^(?=(a+)+$)(a+)+\1$/.test('a'.repeat(40) + 'b')`), errCPU},
	{"a replacement that grows", handler(`let s = 'x'; for (;;) s = s.replace(/x/g, 'xx')`), ErrScript},
	{"a large power", handler(`return String(7n ** 50000000n)`), ErrScript},
	{"a string bomb", handler(`let s = 'x'; for (;;) s += s`), ErrScript},
	{"a string bomb at once", handler(`'x'.repeat(2 ** 29).split('')`), ErrScript},
	{"padding", handler(`'x'.padEnd(2 ** 30, 'ab').toUpperCase().normalize()`), ErrScript},
	{"an array bomb", handler(`const a = []; for (;;) a.push(new Array(1000).fill(a))`), ErrScript},
	{"an array that says it is long", handler(`new Array(2 ** 32 - 1).fill(7)`), ErrScript},
	{"arrays in arrays", handler(`let a = [1]; for (;;) a = a.concat(a)`), ErrScript},
	{"a buffer bomb", handler(`const a = []; for (;;) a.push(new Uint8Array(1e6))`), ErrScript},
	{"a buffer at once", handler(`new ArrayBuffer(2 ** 31).slice(0)`), ErrScript},
	{"a map bomb", handler(`const m = new Map(); for (let i = 0; ; i++) m.set({}, 'x'.repeat(100) + i)`), ErrScript},
	{"bound functions of bound functions", handler(`let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); f()`), ErrScript},
	{"calls without end", handler(`const f = () => f(); f()`), ErrScript},
	{"native calls without end", handler(`const f = () => [1].map(f); f()`), ErrScript},
	{"proxies of proxies", handler(`let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x`), ErrScript},
	{"deep JSON", handler(`JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))`), ErrScript},
	{"deep JSON to be written", handler(`let o = {}; for (let i = 0; i < 1e6; i++) o = {o}; return JSON.stringify(o).length`), ErrScript},
	{"deep parentheses", "exports.onChallenge = " + strings.Repeat("(", 30_000) + "1" + strings.Repeat(")", 30_000), ErrScript},
	{"deep arrays", "exports.x = " + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000), ErrScript},
	{"deep functions", strings.Repeat("()=>", 15_000) + "1", ErrScript},
	{"deep blocks", strings.Repeat("{", 32_000) + strings.Repeat("}", 32_000), ErrScript},
	{"a long sum", "exports.x = " + strings.Repeat("1+", 30_000) + "1", ErrScript},
	{"a deep regular expression", "/" + strings.Repeat("(", 30_000) + strings.Repeat(")", 30_000) + "/.test('')", ErrScript},
	{"a wide regular expression", handler(`new RegExp('((a{1,999}){1,999}){1,999}').test('a'.repeat(1e5))`), ErrScript},
	{"a flood of lines", handler(`for (;;) console.log('x'.repeat(1e5))`), ErrScript},
	{"a flood of questions", handler(`for (;;) api.user.find('x')`), ErrScript},

	{"the prototype of everything", handler(`Object.prototype.action = 'allow'; Object.prototype.subject = 'root'; return {}`), ErrAnswer},
	{"a setter of the prototype", handler(`Object.defineProperty(Object.prototype, 'action', {set() {}, get: () => 'allow'}); api.deny()`), nil},
	{"JSON that is not what it was", handler(`JSON.stringify = () => '{"action":"allow"}'; JSON.parse = () => ({sub: 'root'}); api.deny('x', (await api.user.find('a')).sub)`), nil},
	{"promises that are not what they were", handler(`Promise.prototype.then = function () { for (;;); }; api.deny('x', (await api.user.find('a')).sub)`), nil},
	{"its maker's constructor", handler(`api.deny('x', String(api.user.find.constructor('return typeof process + typeof require + typeof globalThis.Go')()))`), nil},
	{"what is there of the world", handler(`api.deny('x', ['process', 'require', 'fetch', 'Deno', 'setTimeout', 'XMLHttpRequest', 'WebAssembly', 'Worker', 'api', 'SharedArrayBuffer'].filter(n => n in globalThis).join())`), nil},
	{"a call that the api does not have", handler(`api.deny('x', Object.keys(api).join())`), nil},
	{"another tenant as an argument", handler(`api.deny('x', (await api.user.find('a', {tenant: 'globex', tenant_id: 'globex'})).tenant)`), nil},
	{"another tenant in the event", handler(`event.tenant_id = 'globex'; event.type = 'x'; api.deny('x', (await api.user.find('a')).tenant)`), nil},
}

func TestAttacks(t *testing.T) {
	s, acme := newStage(t), acme(t)
	for _, c := range attacks {
		s.JavaScript.breaker = breaker{} // each alone
		before := runtimeOf(t)
		o, err := s.asks(acme, c.source)
		switch {
		case c.want != nil && (!errors.Is(err, c.want) || oauth.ErrorOf(err).Code != "server_error"):
			t.Errorf("%s: %v, %v", c.name, o, err)
		case c.want == nil && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case o.Action == Allow || strings.Contains(o.Description, "globex") || strings.Contains(o.Description, "function"):
			t.Errorf("%s: %+v", c.name, o)
		}
		if grown := runtimeOf(t) - before; grown > 64<<20 {
			t.Errorf("%s: the server takes %d MiB more", c.name, grown>>20)
		}
	}
	if o, err := s.asks(acme, handler(`api.allow('alice')`)); err != nil || o.Subject != "alice" {
		t.Error("after all that:", o, err)
	}
	within(t)
}

// within checks that no worker that has ended took more memory than it may, beside the program itself.
func within(t *testing.T) {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil || u.Maxrss<<10 > hardMemory+64<<20 {
		t.Errorf("%v, a worker took %d MiB", err, u.Maxrss>>10)
	}
}

// runtimeOf is how much memory this process has in use, in bytes.
func runtimeOf(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Maxrss << 10
}

// A worker that does what no honest one does is ended, and gets nothing for it.
func TestForgedReports(t *testing.T) {
	s, acme := newStage(t), acme(t)
	for _, c := range []struct{ rule, mode string }{
		{"another call's name", "call"}, {"no call's name", "none"}, {"a question asked twice", "twice"}, {"a question of a later number", "later"},
		{"too many questions", "many"}, {"a program that is missing for ever", "missing"}, {"neither a decision nor a question", "idle"},
		{"no JSON", "garbage"}, {"a length that is a lie", "length"}, {"nothing at all", "silence"},
		{"two reports at once", "more"}, {"noise without end", "noise"}, {"half a report", "half"}, {"a worker that is never ready", "unready"},
	} {
		s.Workers, s.JavaScript.breaker = &Workers{Command: []string{os.Args[0], "forger", c.mode}}, breaker{}
		asked := atomic.Int64{}
		s.Host = Host{"user.find": func(context.Context, *Call, Args) (any, error) { asked.Add(1); return nil, nil }}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		o, err := s.Run(ctx, acme, of("1"), Event{Hook: tenant.HookChallenge})
		cancel()
		if err == nil || o.Action != "" || asked.Load() > 1 {
			t.Errorf("%s: %v, %v, asked %d", c.rule, o, err, asked.Load())
		}
		if s.Workers.mu.Lock(); len(s.Workers.idle) != 0 {
			t.Errorf("%s: its worker goes on", c.rule)
		}
		s.Workers.mu.Unlock()
	}
}

// forge is a worker that lies.
func forge(mode string) {
	if mode != "unready" {
		_ = send(os.Stdout, &report{Done: true})
	}
	for {
		var o order
		if receive(os.Stdin, &o) != nil {
			return
		}
		r := report{Call: o.Call, Done: o.Source != "" && mode != "call" && mode != "none"}
		if r.Done {
			_ = send(os.Stdout, &r)
			continue
		}
		switch mode {
		case "call":
			r.Call, r.Done, r.Outcome = "AAAAAAAAAAAAAAAAAAAAAA", true, `{"action":"allow","subject":"root"}`
		case "none":
			r.Call, r.Done, r.Outcome = "", true, `{"action":"allow","subject":"root"}`
		case "twice":
			r.Asks = []ask{{1, "user.find", "[]"}, {1, "user.find", "[]"}}
		case "later":
			r.Asks = []ask{{7, "user.find", "[]"}}
		case "many":
			for i := range 1000 {
				r.Asks = append(r.Asks, ask{i + 1, "user.find", "[]"})
			}
		case "missing":
			r.Missing = true
		case "more":
			r.Asks = []ask{{1, "user.find", "[]"}}
			body := packed(&r)
			_, _ = os.Stdout.Write(append(body, packed(&report{Call: o.Call, Done: true, Outcome: `{"action":"allow","subject":"root"}`})...))
			continue
		case "noise":
			for noise := rand.NewChaCha8([32]byte{}); ; {
				b := make([]byte, 4096)
				_, _ = noise.Read(b)
				if _, err := os.Stdout.Write(b); err != nil {
					return
				}
			}
		case "half":
			_, _ = os.Stdout.Write(packed(&r)[:8])
			time.Sleep(time.Hour)
		case "garbage":
			_, _ = os.Stdout.WriteString("\x00\x00\x00\x04nope")
			continue
		case "length":
			_, _ = os.Stdout.WriteString("\xff\xff\xff\xff")
			continue
		case "silence":
			time.Sleep(time.Hour)
		}
		_ = send(os.Stdout, &r)
	}
}

// What a worker cannot do, whoever took it over.
func TestTheCage(t *testing.T) {
	newStage(t)
	cmd := exec.Command(os.Args[0], "prisoner")
	cmd.Env, cmd.Dir = []string{}, "/"
	cage(cmd)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasSuffix(strings.TrimSpace(line), "refused") {
			t.Error(line)
		}
	}
	if strings.Count(string(out), "\n") < 8 {
		t.Errorf("%s", out)
	}
	hungry := exec.Command(os.Args[0], "prisoner", "hungry")
	cage(hungry)
	if err := hungry.Run(); err == nil || errors.Is(err, exec.ErrNotFound) {
		t.Error("it took all the memory that it wanted", err)
	}
}

// prison locks this process up as a worker, and tries the doors.
func prison(hungry bool) int {
	if err := confine(); err != nil {
		fmt.Println(err)
		return 1
	}
	if hungry {
		var all [][]byte
		for range 1000 {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		return len(all) - 1000
	}
	try := func(what string, err error) {
		how := "refused"
		if err == nil {
			how = "done"
		}
		fmt.Println(what, how)
	}
	_, err := os.Open("/etc/passwd")
	try("reading a file", err)
	_, err = os.Open("/proc/self/environ")
	try("reading what the system tells of itself", err)
	try("writing a file", os.WriteFile("/tmp/chancery-prisoner", nil, 0o600))
	_, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	try("making a socket", err)
	_, err = syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	try("making a local socket", err)
	var fds [2]int
	try("making a pipe", syscall.Pipe(fds[:]))
	try("starting a program", exec.Command("/bin/true").Run())
	try("ending another process", syscall.Kill(os.Getppid(), 0))
	try("raising a limit", syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}))
	try("looking into another process", syscall.PtraceAttach(os.Getppid()))
	return 0
}

// busy is a script that takes what it may.
var busy = handler(`for (const end = Date.now() + 10; Date.now() < end;); api.deny()`)

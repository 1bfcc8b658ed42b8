package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a PostgreSQL cluster of our own, which may be broken.
type cluster struct {
	bin, dir string
	owner    []string // what runs a program as a user that PostgreSQL accepts
	port     int
}

// maxConnections is how many sessions the cluster takes; three of them are a superuser's.
const maxConnections = 90

// newCluster makes a cluster and starts it; it ends with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	out, err := exec.Command("../../.ci/postgres-bindir").Output()
	if err != nil {
		t.Fatal("PostgreSQL's server programs are missing: ", err)
	}
	dir, err := os.MkdirTemp("", "chancery-faults-")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{bin: strings.TrimSpace(string(out)), dir: dir, port: freePort(t)}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		name := "postgres"
		if _, err := user.Lookup(name); err != nil {
			name = "nobody"
		}
		c.owner = []string{"runuser", "-u", name, "--"}
		if out, err := exec.Command("chown", name, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	t.Cleanup(func() {
		c.kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := c.run("initdb", "--pgdata="+c.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"); err != nil {
		t.Fatal(err)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) run(program string, args ...string) error {
	line := append(append([]string{}, c.owner...), filepath.Join(c.bin, program))
	line = append(line, args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// start starts the cluster and waits until it answers; after a crash it recovers first.
func (c *cluster) start() error {
	return c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.dir, "log"), "-w", "-t", "60", "-o",
		fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=%d -c shared_buffers=32MB", c.port, maxConnections), "start")
}

// kill ends every process of the cluster at once, as if the machine had lost its power, but for what its disk has not got yet.
func (c *cluster) kill() {
	for _, pid := range c.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
	}
	for began := time.Now(); len(c.processes()) > 0 && time.Since(began) < 5*time.Second; {
		time.Sleep(5 * time.Millisecond)
	}
}

// pause stops every process of the cluster, or lets them go on.
func (c *cluster) pause(on bool) {
	s := syscall.SIGCONT
	if on {
		s = syscall.SIGSTOP
	}
	for _, pid := range c.processes() {
		_ = syscall.Kill(pid, s) // it may have ended meanwhile
	}
}

// killBackend kills one session's process, at which the server resets all sessions.
func (c *cluster) killBackend(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.dsn(c.port, ""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var pid int
	if err := conn.QueryRow(ctx, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1").Scan(&pid); err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// restart restarts the cluster in that mode of pg_ctl.
func (c *cluster) restart(mode string) error {
	if err := c.run("pg_ctl", "-D", c.data(), "-m", mode, "-w", "-t", "60", "stop"); err != nil {
		return err
	}
	return c.start()
}

// processes are the postmaster and its children.
func (c *cluster) processes() []int {
	b, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return nil
	}
	first, _, _ := strings.Cut(string(b), "\n")
	master, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return nil
	}
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name of a program may hold blanks, but no closing parenthesis follows it.
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		rest := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(rest) < 2 || rest[0] == "Z" {
			continue
		}
		if parent, _ := strconv.Atoi(rest[1]); pid == master || parent == master {
			pids = append(pids, pid)
		}
	}
	return pids
}

// dsn is the address of the cluster on port, which may be that of something in between.
func (c *cluster) dsn(port int, params string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable%s", port, params)
}

// exec runs SQL as a superuser, past whatever lies in between.
func (c *cluster) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.dsn(c.port, ""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// crowd takes every session that is left to ordinary users, and returns what gives them back.
func (c *cluster) crowd(ctx context.Context) (leave func(), err error) {
	if err := c.exec(ctx, "DO $$ BEGIN CREATE ROLE crowd LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"); err != nil {
		return nil, err
	}
	var held []*pgx.Conn
	leave = func() {
		for _, conn := range held {
			conn.Close(context.WithoutCancel(ctx))
		}
	}
	for range maxConnections {
		conn, err := pgx.Connect(ctx, strings.Replace(c.dsn(c.port, ""), "postgres@", "crowd@", 1))
		if err != nil {
			break // none is left
		}
		held = append(held, conn)
	}
	return leave, nil
}

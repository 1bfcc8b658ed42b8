package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	rounds = flag.Int("rounds", 1, "how often each fault strikes")
	long   = flag.Bool("long", false, "let faults last as long as the checklist says")
	only   = flag.String("only", "", "only faults whose name this regular expression finds")
	seed   = flag.Uint64("seed", 1, "of what is random in the load")
)

// fault is something that goes wrong, and is mended again.
type fault struct {
	name    string
	strike  func(context.Context, *deployment, *strike) error
	allowed []string      // kinds of failure that a client may see, from the strike until after after its end
	after   time.Duration // zero: none may be seen after its end
	long    bool          // strikes only where faults last long
}

// strike is one round of a fault.
type strike struct {
	rng  *rand.Rand
	long bool
}

// last is how long a state lasts.
func (s *strike) last(short, long time.Duration) time.Duration {
	if s.long {
		return long
	}
	return short
}

// recovery is how long after the end of a fault all must be well (checklist, I11).
const recovery = 10 * time.Second

// faults are all that strike, in turn. Their numbers are those of the security checklist, part C.
var faults = []fault{
	{"nothing", quiet, nil, 0, false},
	{"F1 a replica is killed", killReplica, []string{"502"}, time.Second, false},
	{"F4 replicas are restarted in turn", restartReplicas, nil, 0, false},
	// Woken, it says that it cannot know to whoever still waits for it.
	{"F5 a replica is frozen", freezeReplica, []string{"timeout", "502", "503"}, time.Second, false},
	{"F6 a replica loses its database", loseDatabase, []string{"503"}, 2 * time.Second, false},
	{"F7 PostgreSQL is killed", killDatabase, []string{"503"}, recovery, false},
	{"F8 a session of PostgreSQL is killed", killSession, []string{"503"}, recovery, true},
	{"F9 PostgreSQL is restarted", restartDatabase, []string{"503"}, recovery, true},
	{"F10 PostgreSQL is frozen", freezeDatabase, []string{"503", "429"}, recovery, true},
	{"F11 the network is cut in silence", cutInSilence, []string{"503", "429"}, recovery, true},
	{"F12 connections to PostgreSQL break", breakConnections, []string{"503"}, 2 * time.Second, false},
	{"F13 answers of PostgreSQL are lost", loseAnswers, []string{"503"}, 2 * time.Second, false},
	{"F14 PostgreSQL is slow", slowDatabase, []string{"503", "429"}, recovery, false},
	{"F15 others take the sessions of PostgreSQL", crowdDatabase, []string{"503", "429"}, recovery, false},
	{"F16 PostgreSQL cannot serialize", failToSerialize, []string{"503"}, time.Second, true},
	{"F22 keys are rotated", rotateKeys, nil, 0, false},
	{"F24 notifications are lost", loseNotifications, nil, 0, false},
	{"F25 targets hang", hangTarget, nil, 0, false},
}

// TestFaults runs the load while one fault after the other strikes, and then judges.
func TestFaults(t *testing.T) {
	named, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var d *deployment
	t.Cleanup(func() { // after what the replicas said at the end
		for i, v := range d.violations {
			if i == 30 {
				t.Errorf("and %d more", len(d.violations)-i)
				break
			}
			t.Error(v)
		}
	})
	d = deploy(ctx, t)
	workers := make([]*worker, 16)
	loaded, rest := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range workers {
		w := &worker{d: d, rng: rand.New(rand.NewPCG(*seed, uint64(i))), subject: fmt.Sprintf("subject-%d", i), notes: map[*tenant]*note{}}
		workers[i] = w
		wg.Go(func() { w.work(loaded, 60*time.Millisecond) })
	}
	time.Sleep(time.Second)
	before := d.size(t)

	var report strings.Builder
	table := tabwriter.NewWriter(&report, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "fault\trounds\trequests\tfailures\tviolations\tslowest recovery\ttook\tbusy")
	for _, f := range faults {
		if !named.MatchString(f.name) || f.long && !*long {
			continue
		}
		start, began, slowest := d.here(), time.Now(), time.Duration(0)
		for round := range *rounds {
			took, err := d.suffer(ctx, f, &strike{rng: rand.New(rand.NewPCG(*seed, uint64(round))), long: *long})
			if err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
			slowest = max(slowest, took)
		}
		requests, failures, violations := d.since(start)
		t.Logf("%s: %d requests, failures %s, %v, busy %.1f", f.name, requests, kinds(failures), time.Since(began).Round(100*time.Millisecond), d.machine.Slowest(began))
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%d\t%v\t%v\t%.1f\n", f.name, *rounds, requests, kinds(failures), len(violations), slowest.Round(10*time.Millisecond),
			time.Since(began).Round(100*time.Millisecond), d.machine.Slowest(began))
	}
	rest()
	wg.Wait()
	d.judge(ctx, workers)
	d.heard.judge(ctx, d)
	d.shrunk(t, before)
	table.Flush()
	fmt.Fprint(os.Stdout, "\n", report.String())
	if len(d.violations) > 0 {
		t.Fail()
	}
}

// suffer lets f strike once, and returns how long it took after its end until nothing failed any more.
func (d *deployment) suffer(ctx context.Context, f fault, s *strike) (time.Duration, error) {
	begun := d.here()
	began := time.Now()
	err := f.strike(ctx, d, s)
	ended := time.Now()
	time.Sleep(time.Second)
	settled := func() bool {
		_, failures, _ := d.since(begun)
		return len(failures) == 0 || time.Since(failures[len(failures)-1].at) > time.Second
	}
	for !settled() && time.Since(ended) < d.machine.Patience(2*recovery, ended) {
		time.Sleep(50 * time.Millisecond)
	}
	_, failures, _ := d.since(begun)
	var took time.Duration
	for _, l := range failures {
		took = max(took, l.at.Sub(ended))
		if l.turnedAway() && d.machine.Slowest(began) >= overloaded {
			continue
		}
		if !slices.Contains(f.allowed, l.kind) || l.at.Sub(ended) > d.machine.Patience(f.after, began) {
			d.violated("I8", "%s: %s of %s, %v after the beginning and %v after the end", f.name, l.kind, l.what, l.at.Sub(began).Round(time.Millisecond), l.at.Sub(ended).Round(time.Millisecond))
		}
	}
	if took > d.machine.Patience(recovery, began) {
		d.violated("I11", "%s: it took %v until all was well", f.name, took)
	}
	for _, r := range d.replicas {
		if rerr := r.waitReady(ctx, d.machine, recovery); rerr != nil {
			err = errors.Join(err, rerr)
		}
	}
	return took, err
}

// sizes are what must not grow (checklist, I12).
var sizes = []string{"go_goroutines", "process_open_fds"}

// size reads the sizes of every replica, by process and name.
func (d *deployment) size(t *testing.T) []float64 {
	t.Helper()
	var all []float64
	for _, r := range d.replicas {
		for _, name := range sizes {
			v, err := r.gauge(name)
			if err != nil {
				t.Error(err)
			}
			all = append(all, v)
		}
	}
	return all
}

// shrunk checks that the replicas are as small as before, soon.
func (d *deployment) shrunk(t *testing.T, before []float64) {
	t.Helper()
	visitor.CloseIdleConnections()
	d.front.to.CloseIdleConnections()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		now, grown := d.size(t), ""
		for i := range now {
			if now[i] > 1.1*before[i]+10 {
				grown += fmt.Sprintf("; %s of %s: %v, before %v", sizes[i%len(sizes)], d.replicas[i/len(sizes)].name, now[i], before[i])
			}
		}
		if grown == "" {
			return
		}
		if time.Since(began) > d.machine.Patience(20*time.Second, began) {
			d.violated("I12", "grown%s", grown)
			return
		}
	}
}

func quiet(_ context.Context, _ *deployment, s *strike) error {
	time.Sleep(s.last(time.Second, 20*time.Second))
	return nil
}

func killReplica(ctx context.Context, d *deployment, s *strike) error {
	r := d.replicas[s.rng.IntN(len(d.replicas))]
	r.kill()
	time.Sleep(s.last(500*time.Millisecond, 2*time.Second))
	if err := r.start(); err != nil {
		return err
	}
	return r.waitReady(ctx, d.machine, 5*time.Second)
}

func restartReplicas(ctx context.Context, d *deployment, _ *strike) error {
	for _, r := range d.replicas {
		took, err := r.stop()
		if err != nil {
			return err
		}
		if took > 30*time.Second {
			d.violated("F3", "%s took %v to stop", r.name, took)
		}
		if err := r.start(); err != nil {
			return err
		}
		if err := r.waitReady(ctx, d.machine, 10*time.Second); err != nil {
			return err
		}
		time.Sleep(3 * often) // until the front knows
	}
	return nil
}

// freezeReplica stops a replica for longer than changes take to be felt, revokes and changes meanwhile, and asks it at once
// when it goes on: it must not answer as it would have before.
func freezeReplica(ctx context.Context, d *deployment, s *strike) error {
	d.frozen.Store(true)
	defer func() { // what it was asked hangs until then
		time.Sleep(time.Second)
		d.frozen.Store(false)
	}()
	i := s.rng.IntN(len(d.replicas))
	r := d.replicas[i]
	c, err := d.grant(ctx)
	if err != nil {
		return err
	}
	if active, _ := c.x.active(ctx, c.x.on(r, "/token/introspect"), c.tokens.Access, true); !active {
		return errors.New("a fresh token is not active")
	}
	if err := r.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	other := d.replicas[(i+1)%len(d.replicas)]
	if a := d.call(ctx, request{method: http.MethodPost, url: c.x.on(other, "/token/revoke"), client: &c.x.Client, form: form("token", c.tokens.Refresh)}); !a.ok() {
		err = fmt.Errorf("revocation while a replica is frozen: %d %s", a.status, a.body)
	}
	time.Sleep(s.last(bound+time.Second, 30*time.Second))
	err = errors.Join(err, r.signal(syscall.SIGCONT))
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		if active, _ := c.x.active(ctx, c.x.on(r, "/token/introspect"), c.tokens.Access, true); active {
			d.violated("I4", "%s was frozen, and says %v later that a token is active which was revoked meanwhile", r.name, time.Since(began))
			break
		}
	}
	return err
}

// changing returns a tenant whose settings and keys may change. Those of the first never do.
func (d *deployment) changing(rng *rand.Rand) *tenant { return d.tenants[1+rng.IntN(len(d.tenants)-1)] }

// grant makes a grant of its own.
func (d *deployment) grant(ctx context.Context) (*chain, error) {
	c := &chain{x: d.tenants[0]}
	code := c.x.code(ctx, fmt.Sprint("witness-", d.here().requests))
	a := c.x.post(ctx, "/token", form("grant_type", "authorization_code", "code", code, "redirect_uri", c.x.Client.RedirectURIs[0], "code_verifier", verifier))
	if !a.ok() {
		return nil, fmt.Errorf("no token: %d %s", a.status, a.body)
	}
	return c, a.read(&c.tokens)
}

// killDatabase also looks whether every replica goes on serving what needs no database (checklist, I15), of a tenant that it
// has served before.
func killDatabase(ctx context.Context, d *deployment, s *strike) error {
	documents := func(serve func(r *replica, path string, a answer)) {
		for _, r := range d.replicas {
			for _, path := range []string{"/.well-known/openid-configuration", "/jwks.json"} {
				serve(r, path, d.call(ctx, request{method: "GET", url: d.tenants[0].on(r, path), quiet: true}))
			}
		}
	}
	documents(func(*replica, string, answer) {})
	d.cluster.kill()
	for range 5 {
		time.Sleep(s.last(400*time.Millisecond, time.Second))
		documents(func(r *replica, path string, a answer) {
			if !a.ok() {
				d.violated("I15", "%s did not serve %s without a database: %d %s", r.name, path, a.status, a.body)
			}
		})
	}
	return d.cluster.start()
}

func breakConnections(_ context.Context, d *deployment, s *strike) error {
	for range 5 {
		d.wire.reset()
		time.Sleep(s.last(200*time.Millisecond, time.Second))
	}
	return nil
}

func slowDatabase(_ context.Context, d *deployment, s *strike) error {
	for _, delay := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second} {
		d.wire.slow(delay)
		time.Sleep(s.last(1500*time.Millisecond, 20*time.Second))
	}
	d.wire.slow(0)
	return nil
}

// crowdDatabase breaks the replicas' connections when others have taken all that are left, and these too: three are left
// for all replicas together.
func crowdDatabase(ctx context.Context, d *deployment, s *strike) error {
	leave, err := d.cluster.crowd(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d.wire.reset()
	more, err := d.cluster.crowd(ctx)
	if err != nil {
		return err
	}
	defer more()
	var burst sync.WaitGroup
	for i := range 200 {
		burst.Go(func() {
			d.tenants[i%len(d.tenants)].post(ctx, "/token", form("grant_type", "refresh_token", "refresh_token", "none"))
		})
	}
	burst.Wait()
	time.Sleep(s.last(2*time.Second, 20*time.Second))
	return nil
}

func rotateKeys(ctx context.Context, d *deployment, s *strike) error {
	for began := time.Now(); time.Since(began) < s.last(3*time.Second, time.Minute); time.Sleep(s.last(300*time.Millisecond, 2*time.Second)) {
		for range 5 {
			x := d.changing(s.rng)
			a := d.call(ctx, request{method: "POST", url: d.front.url + "/admin/v1/tenants/" + x.ID + "/keys", token: d.adminToken, json: map[string]any{}})
			if !a.ok() {
				return fmt.Errorf("rotation: %d %s", a.status, a.body)
			}
		}
	}
	return nil
}

// loseNotifications ends the sessions that listen, changes something at once, and looks whether each replica learns of it.
func loseNotifications(ctx context.Context, d *deployment, s *strike) error {
	if err := d.cluster.exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%'"); err != nil {
		return err
	}
	x, life := d.changing(s.rng), 300+s.rng.IntN(200)
	c, err := d.grant(ctx)
	if err != nil {
		return err
	}
	a := d.call(ctx, request{method: "PATCH", url: d.front.url + "/admin/v1/tenants/" + x.ID, token: d.adminToken,
		json: map[string]any{"settings": map[string]any{"tokens": map[string]any{"access_token_lifetime": life}}}})
	b := c.x.post(ctx, "/token/revoke", form("token", c.tokens.Access))
	changed := time.Now()
	if !a.ok() || !b.ok() {
		return fmt.Errorf("the change was refused: %d %s, %d %s", a.status, a.body, b.status, b.body)
	}
	for _, r := range d.replicas {
		for {
			var out tokens
			a := d.call(ctx, request{method: "POST", url: x.on(r, "/token"), client: &x.Client, form: form("grant_type", "client_credentials"), quiet: true})
			active, _ := c.x.active(ctx, c.x.on(r, "/token/introspect"), c.tokens.Access, true)
			if a.ok() && a.read(&out) == nil && out.ExpiresIn == life && !active {
				break
			}
			if time.Since(changed) > d.machine.Patience(bound, changed) {
				d.violated("I5", "%s has not learnt of a change within %v: tokens live %d s, a revoked one is active: %v", r.name, bound, out.ExpiresIn, active)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// overloaded is how slow a machine is that cannot carry the load: then what is turned away with 503 and Retry-After is
// turned away as it should be.
const overloaded = 3

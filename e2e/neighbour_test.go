package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traps are scripts that mean harm, and the last one takes what it may and answers.
var traps = []string{
	`for (;;);`,
	`const f = () => Promise.resolve().then(f); await f()`,
	`/^(?=(a+)+$)(a+)+\1$/.test('a'.repeat(40) + 'b')`,
	`let s = 'x'; for (;;) s += s`,
	`const a = []; for (;;) a.push(new Array(1000).fill(a))`,
	`const a = []; for (;;) a.push(new Uint8Array(1e6))`,
	`JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))`,
	`for (const end = Date.now() + 10; Date.now() < end;); api.deny()`,
}

// trap has x run the traps, each where the acr of its number is asked for.
func (x *tenant) trap(t testing.TB) {
	steps := map[string]string{}
	for i, trap := range traps {
		name := fmt.Sprint("trap", i)
		source, _ := json.Marshal(map[string]string{"source": "exports.onChallenge = async (event, api) => {" + trap + "}"})
		x.administer(t, http.MethodPost, "/scripts/"+name+"/versions", string(source), http.StatusCreated)
		x.administer(t, http.MethodPost, "/scripts/"+name+"/activate", "", http.StatusOK)
		steps[name] = name
	}
	x.patch(t, map[string]any{"challenge": map[string]any{"enabled": true, "steps": steps}})
}

// While 64 callers of another tenant run scripts that mean harm, a neighbour's sign-ins with user name and password take at most
// twice as long as before: p99, in the best of some rounds, as other programs take their time too.
func TestScriptNeighbours(t *testing.T) {
	s := fresh(t, sqlite, func(c *conf) { c.faults = true })
	y := s.newTenant(t)
	mine := y.firstParty(t, nil)
	p99 := func(calls int) time.Duration {
		took := make([]time.Duration, calls)
		for i := range took {
			began := time.Now()
			y.challengeAt(t, mine, "scope", "openid", "username", y.User.Username, "password", y.User.Password).want(t, "200")
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[len(took)*99/100-1]
	}
	p99(10) // the first sign-ins are slower
	for round := 1; ; round++ {
		x := s.newTenant(t) // one whose scripts do not pause yet
		theirs := x.firstParty(t, nil)
		x.trap(t)
		quiet := p99(60)
		var over atomic.Bool
		var ended, refused atomic.Int64
		var crowd sync.WaitGroup
		for i := range 64 {
			crowd.Go(func() {
				for n := i; !over.Load(); n++ {
					r, err := try(direct, http.MethodPost, x.url("/authorize-challenge"), theirs.auth(), form("scope", "openid", "acr_values", fmt.Sprint("trap", n%len(traps))))
					switch {
					case err != nil:
						t.Error(err)
						return
					case r.StatusCode == http.StatusOK:
						t.Errorf("a trap lets its caller in: %s", r.body)
						return
					case r.StatusCode == http.StatusServiceUnavailable || r.StatusCode == http.StatusTooManyRequests:
						refused.Add(1)
						time.Sleep(50 * time.Millisecond) // far less than the server asks for
					default:
						ended.Add(1)
					}
				}
			})
		}
		loud := p99(60)
		over.Store(true)
		crowd.Wait()
		t.Logf("a neighbour's p99: %v, and %v beside 64 callers, of whose calls %d ran and %d were refused", quiet, loud, ended.Load(), refused.Load())
		if ended.Load() == 0 {
			t.Error("no trap ran")
		}
		if loud <= 2*quiet {
			return
		}
		if round == 4 {
			t.Fatalf("a neighbour's p99 is %v where it was %v", loud, quiet)
		}
	}
}

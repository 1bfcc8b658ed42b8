package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair are two replicas of one deployment: two processes on one PostgreSQL, or on one embedded database.
type pair [2]*server

func newPair(t *testing.T, e engine) pair {
	t.Helper()
	one := fresh(t, e, nil)
	again := one.conf
	again.publicURL = one.publicURL
	return pair{one, launch(t, again)}
}

// onPairs runs test on two replicas of each engine.
func onPairs(t *testing.T, test func(t *testing.T, p pair)) {
	t.Helper()
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, newPair(t, e))
		})
	}
}

// within waits until what holds; it fails the test when that takes longer than limit would be on an idle machine.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	for !holds() {
		if limit := busy.Patience(limit, began); time.Since(began) > limit {
			t.Errorf("not within %v: %s", limit, what)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("%v: %s", time.Since(began).Round(10*time.Millisecond), what)
}

// The bounds of what one replica learns of the other: about a second for changes, 5 s for security (checklist, I5).
const (
	aboutASecond = 3 * time.Second
	theBound     = 5 * time.Second
)

// A change made at one replica holds there at once, and is felt at the other.
func TestReplicas(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		here := p[0].newTenant(t)
		there := here.on(p[1])
		type rule struct {
			name  string
			limit time.Duration
			do    func() (holds func(x *tenant) bool)
		}
		admin := func(method, path string, parts ...part) reply {
			return call(t, method, p[0].url+"/admin/v1/tenants/"+here.TenantID+path, append(parts, bearer(p[0].adminToken))...)
		}
		credentials := func(x *tenant, c *client) reply { return x.token(t, c, "grant_type", "client_credentials") }
		is := func(want string, ask func(x *tenant) reply) func(x *tenant) bool {
			return func(x *tenant) bool { return ask(x).is(want) }
		}
		rules := []rule{
			{"a setting", aboutASecond, func() func(*tenant) bool {
				here.patch(t, map[string]any{"tokens": map[string]any{"access_token_lifetime": 300}})
				return func(x *tenant) bool { return issued(t, credentials(x, here.Client)).ExpiresIn == 300 }
			}},
			{"a setting back", aboutASecond, func() func(*tenant) bool {
				here.patch(t, map[string]any{"tokens": map[string]any{"access_token_lifetime": nil}})
				return func(x *tenant) bool { return issued(t, credentials(x, here.Client)).ExpiresIn == 600 }
			}},
			{"a new client", aboutASecond, func() func(*tenant) bool {
				c := here.confidential(t, callback)
				return is("200", func(x *tenant) reply { return credentials(x, c) })
			}},
			{"a client that was asked for before it was there", aboutASecond, func() func(*tenant) bool {
				early := &client{ID: "early", Secret: strings.Repeat("s", 40)}
				credentials(there, early).want(t, "401 invalid_client")
				here.register(t, map[string]any{"preferred_client_id": early.ID, "preferred_client_secret": early.Secret, "grant_types": []string{"client_credentials"}, "redirect_uris": []string{}, "response_types": []string{}})
				return is("200", func(x *tenant) reply { return credentials(x, early) })
			}},
			{"a client's change", aboutASecond, func() func(*tenant) bool {
				c := here.confidential(t, callback)
				credentials(there, c).want(t, "200")
				call(t, http.MethodPut, here.url("/clients/"+c.ID), bearer(here.APIToken), object(map[string]any{
					"client_id": c.ID, "redirect_uris": []string{callback}, "grant_types": []string{"authorization_code"}})).want(t, "200")
				return is("400 unauthorized_client", func(x *tenant) reply { return credentials(x, c) })
			}},
			{"a client's end", aboutASecond, func() func(*tenant) bool {
				c := here.confidential(t, callback)
				credentials(there, c).want(t, "200")
				call(t, http.MethodDelete, here.url("/clients/"+c.ID), bearer(here.APIToken)).want(t, "204")
				return is("401 invalid_client", func(x *tenant) reply { return credentials(x, c) })
			}},
			{"a new API token", aboutASecond, func() func(*tenant) bool {
				var k struct{ ID, Token string }
				admin(http.MethodPost, "/tokens", object(map[string]any{"label": "second", "apis": []string{"authz-sessions"}})).want(t, "201").read(t, &k)
				secret(k.Token)
				return is("404 *", func(x *tenant) reply {
					return call(t, http.MethodGet, x.at.url+sessionsV1+"/x", bearer(k.Token), header("Tenant-ID", x.TenantID))
				})
			}},
			{"an API token's end", theBound, func() func(*tenant) bool {
				var k struct {
					ID    string `json:"id"`
					Token string `json:"token"`
				}
				admin(http.MethodPost, "/tokens", object(map[string]any{"label": "third", "apis": []string{"*"}})).want(t, "201").read(t, &k)
				secret(k.Token)
				ask := func(x *tenant) reply {
					return call(t, http.MethodGet, x.at.url+sessionsV1+"/x", bearer(k.Token), header("Tenant-ID", x.TenantID))
				}
				within(t, aboutASecond, "a token to be taken away", func() bool { return ask(there).is("404 *") })
				admin(http.MethodDelete, "/tokens/"+k.ID).want(t, "204")
				return is("401 invalid_token", ask)
			}},
			{"the next signing key", aboutASecond, func() func(*tenant) bool {
				jwks := func(x *tenant) string { return string(call(t, http.MethodGet, x.url("/jwks.json")).body) }
				old := jwks(there)
				admin(http.MethodPost, "/keys").want(t, "200")
				return func(x *tenant) bool { return jwks(x) != old && jwks(x) == jwks(here) }
			}},
			{"S94 revocation of a refresh token, for its access token", theBound, func() func(*tenant) bool {
				k := here.tokens(t, here.Client)
				if !there.active(t, k.Access) {
					t.Error("a token is not active at the other replica")
				}
				here.revoke(t, here.Client, k.Refresh)
				return func(x *tenant) bool {
					return !x.active(t, k.Access) && call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).is("401 invalid_token") && x.refresh(t, x.Client, k.Refresh).is("400 invalid_grant")
				}
			}},
			{"revocation of an access token", theBound, func() func(*tenant) bool {
				k := here.tokens(t, here.Client)
				here.revoke(t, here.Client, k.Access)
				return func(x *tenant) bool { return !x.active(t, k.Access) }
			}},
			{"S52 replay of a code", theBound, func() func(*tenant) bool {
				code := here.code(t, here.Client)
				k := issued(t, here.redeem(t, here.Client, code))
				here.redeem(t, here.Client, code).want(t, "400 invalid_grant")
				return func(x *tenant) bool {
					return !x.active(t, k.Access) && x.refresh(t, x.Client, k.Refresh).is("400 invalid_grant")
				}
			}},
			{"S86 the account's end", theBound, func() func(*tenant) bool {
				k := here.tokens(t, here.Client)
				if out, err := p[0].run("user", "disable", here.TenantID, here.User.Username); err != nil {
					t.Fatal(out, err)
				}
				return func(x *tenant) bool {
					return x.refresh(t, x.Client, k.Refresh).is("400 invalid_grant") && !x.active(t, k.Access)
				}
			}},
			{"S15 the tenant's end", theBound, func() func(*tenant) bool {
				admin(http.MethodPatch, "", object(map[string]any{"enabled": false})).want(t, "200")
				return is("404 *", func(x *tenant) reply { return credentials(x, x.Client) })
			}},
		}
		for _, r := range rules {
			holds := r.do()
			if !strings.HasPrefix(r.name, "S86") && !holds(here) { // that change comes from a third process
				t.Errorf("%s does not hold where it was made", r.name)
			}
			within(t, r.limit, r.name, func() bool { return holds(there) })
		}
	})
}

// A flow may begin at one replica and go on at the other.
func TestReplicasShareFlows(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		x := p[0].newTenant(t)
		y := x.on(p[1])
		within(t, aboutASecond, "the tenant is known", func() bool { return call(t, http.MethodGet, y.url("/jwks.json")).StatusCode == http.StatusOK })
		for range 3 {
			r := x.start(t, x.Client.request("prompt", "consent"), "")
			r = y.put(t, r, map[string]any{"sub": x.User.Subject})
			v := x.response(t, x.put(t, r, grantAll))
			k := issued(t, y.redeem(t, y.Client, v.Get("code")))
			k2 := issued(t, x.refresh(t, x.Client, k.Refresh))
			if !y.active(t, k2.Access) || !x.active(t, k.Access) {
				t.Error("a token of one replica is not active at the other")
			}
			k3 := issued(t, y.refresh(t, y.Client, k2.Refresh))
			issued(t, x.refresh(t, x.Client, k3.Refresh))
		}
	})
}

// atOnce makes n calls at the same time, in turn at each replica, and returns the answers.
func (p pair) atOnce(t *testing.T, n int, x *tenant, ask func(x *tenant) reply) []reply {
	t.Helper()
	var start, done sync.WaitGroup
	start.Add(1)
	replies := make([]reply, n)
	for i := range n {
		done.Go(func() {
			start.Wait()
			replies[i] = ask(x.on(p[i%2]))
		})
	}
	start.Done()
	done.Wait()
	return replies
}

// One-time things work once, whoever asks where, and however many at once.
func TestRaces(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		x := p[0].newTenant(t)
		within(t, aboutASecond, "the tenant is known", func() bool { return call(t, http.MethodGet, x.on(p[1]).url("/jwks.json")).StatusCode == http.StatusOK })
		c := x.Client
		t.Run("S51 64 redemptions of a code", func(t *testing.T) {
			code := x.code(t, c)
			var won []tokens
			for _, r := range p.atOnce(t, 64, x, func(x *tenant) reply { return x.redeem(t, c, code) }) {
				if r.StatusCode == http.StatusOK {
					won = append(won, issued(t, r))
				} else if !r.is("400 invalid_grant") {
					t.Errorf("a loser got %s", r.outcome())
				}
			}
			if len(won) != 1 {
				t.Fatalf("%d redemptions succeeded", len(won))
			}
			within(t, theBound, "S52 what the code paid for is revoked", func() bool {
				return !x.active(t, won[0].Access) && !x.on(p[1]).active(t, won[0].Access) && x.refresh(t, c, won[0].Refresh).is("400 invalid_grant")
			})
		})
		t.Run("S82 64 uses of a refresh token", func(t *testing.T) {
			k := x.tokens(t, c)
			successors := map[string]bool{}
			for _, r := range p.atOnce(t, 64, x, func(x *tenant) reply { return x.refresh(t, c, k.Refresh) }) {
				if r.StatusCode == http.StatusOK {
					successors[issued(t, r).Refresh] = true
				} else if !r.is("400 invalid_grant") {
					t.Errorf("a loser got %s", r.outcome())
				}
			}
			if len(successors) != 1 || successors[k.Refresh] {
				t.Fatalf("%d successors", len(successors))
			}
			for next := range successors {
				issued(t, x.on(p[1]).refresh(t, c, next))
			}
		})
		t.Run("S82 a lost answer is asked for again", func(t *testing.T) {
			k := x.tokens(t, c)
			one, two := issued(t, x.refresh(t, c, k.Refresh)), issued(t, x.on(p[1]).refresh(t, c, k.Refresh))
			if one.Refresh != two.Refresh {
				t.Error("the repeat got another successor")
			}
		})
		t.Run("S81 replay of an old refresh token ends the family", func(t *testing.T) {
			for _, c := range []*client{c, x.public(t, callback)} {
				first := x.tokens(t, c)
				last := first
				for range 3 {
					last = issued(t, x.refresh(t, c, last.Refresh))
				}
				x.on(p[1]).refresh(t, c, first.Refresh).want(t, "400 invalid_grant")
				x.refresh(t, c, last.Refresh).want(t, "400 invalid_grant")
				within(t, theBound, "its access tokens end", func() bool { return !x.active(t, last.Access) && !x.on(p[1]).active(t, last.Access) })
			}
		})
		t.Run("S83 refresh against revocation", func(t *testing.T) {
			for range 20 {
				k := x.tokens(t, c)
				returned := make(chan tokens, 8)
				replies := p.atOnce(t, 8, x, func(x *tenant) reply {
					r := x.refresh(t, c, k.Refresh)
					if r.StatusCode == http.StatusOK {
						returned <- issued(t, r)
					} else if !r.is("400 invalid_grant") {
						t.Error(r.outcome())
					}
					return call(t, http.MethodPost, x.url("/token/revoke"), c.auth(), form("token", k.Refresh))
				})
				for _, r := range replies {
					r.want(t, "200")
				}
				close(returned)
				for k := range returned {
					x.refresh(t, c, k.Refresh).want(t, "400 invalid_grant")
					ends(t, func() bool { return !x.active(t, k.Access) && !x.on(p[1]).active(t, k.Access) })
				}
			}
		})
		t.Run("one answer to a prompt", func(t *testing.T) {
			var won int
			r := x.start(t, c.request("prompt", "consent"), "")
			var s prompt
			x.put(t, r, map[string]any{"sub": "racer"}).want(t, "200").read(t, &s)
			for _, r := range p.atOnce(t, 32, x, func(x *tenant) reply { return x.api(t, http.MethodPut, sessionsV1+"/"+s.SID, object(grantAll)) }) {
				if r.StatusCode == http.StatusFound {
					won++
					x.response(t, r)
				} else if !r.is("404 *", "409 *") {
					t.Errorf("a loser got %s", r.outcome())
				}
			}
			if won != 1 {
				t.Errorf("%d answers were taken", won)
			}
		})
	})
}

// ends waits up to the bound until a token is not active, without a word when it is so.
func ends(t *testing.T, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > busy.Patience(theBound, began) {
			t.Error("a token is active after its revocation was answered")
			return
		}
	}
}

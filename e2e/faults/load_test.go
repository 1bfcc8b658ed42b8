package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// worker does one thing after the other, each time at some tenant. What it holds nobody else uses, so that it knows what
// must be answered.
type worker struct {
	d       *deployment
	rng     *rand.Rand
	subject string // a prefix
	signIns int
	chains  []*chain
	revoked []*chain
	clients []registered
	notes   map[*tenant]*note
}

// chain is a grant with its line of refresh tokens.
type chain struct {
	x       *tenant
	tokens  tokens
	unknown time.Time // the first refresh whose answer was lost; zero: none
	revoked time.Time // the answer to its revocation
}

// registered is a client whose registration was acknowledged.
type registered struct {
	x  *tenant
	id string
}

// note is a setting that counts upwards: what was acknowledged last, and what was tried last.
type note struct{ acknowledged, tried int }

// The periods that the server promises, with a second for the way.
const (
	refreshGrace = 10*time.Second - time.Second // in which a lost answer can be had again
	bound        = 5*time.Second + time.Second  // after which a change is felt everywhere
)

// deeds are what a worker does, with how often.
var deeds = []struct {
	weight int
	do     func(*worker, context.Context)
}{
	{25, (*worker).clientCredentials},
	{20, (*worker).authorize},
	{20, (*worker).refresh},
	{15, (*worker).introspect},
	{5, (*worker).discover},
	{5, (*worker).revoke},
	{6, (*worker).askRevoked},
	{2, (*worker).register},
	{2, (*worker).configure},
}

// work goes on until ctx ends, with a pause between two deeds that is pace on average, and as much longer as the machine is
// slower. What is under way then ends.
func (w *worker) work(ctx context.Context, pace time.Duration) {
	sum := 0
	for _, d := range deeds {
		sum += d.weight
	}
	for ctx.Err() == nil {
		n := w.rng.IntN(sum)
		for _, d := range deeds {
			if n -= d.weight; n < 0 {
				d.do(w, context.WithoutCancel(ctx))
				break
			}
		}
		time.Sleep(time.Duration(float64(w.rng.Int64N(int64(2*pace))) * w.d.machine.Slowness()))
	}
}

func (w *worker) tenant() *tenant { return w.d.tenants[w.rng.IntN(len(w.d.tenants))] }

func (w *worker) clientCredentials(ctx context.Context) {
	x := w.tenant()
	var out tokens
	if a := x.post(ctx, "/token", form("grant_type", "client_credentials")); x.good(a, "client credentials") && a.read(&out) == nil {
		x.genuine(ctx, out.Access)
	}
}

// maxChains is how many grants a worker holds.
const maxChains = 20

func (w *worker) authorize(ctx context.Context) {
	x := w.tenant()
	w.signIns++ // of one subject all grants would end together
	code := x.code(ctx, fmt.Sprintf("%s-%d", w.subject, w.signIns))
	if code == "" {
		return
	}
	redeem := func() answer {
		return x.post(ctx, "/token", form("grant_type", "authorization_code", "code", code, "redirect_uri", x.Client.RedirectURIs[0], "code_verifier", verifier))
	}
	if w.rng.IntN(4) == 0 { // somebody has stolen it, and is as fast
		var wg sync.WaitGroup
		answers := make([]answer, 3)
		for i := range answers {
			wg.Go(func() { answers[i] = redeem() })
		}
		wg.Wait()
		won := 0
		for _, a := range answers {
			if a.ok() {
				won++
			}
		}
		if won > 1 {
			w.d.violated("I1", "a code of %s was redeemed %d times", x.ID, won)
		}
		return
	}
	a := redeem()
	if a.refused() {
		w.d.violated("I7", "a good code of %s was refused: %s", x.ID, a.body)
	}
	c := &chain{x: x}
	if !a.ok() || a.read(&c.tokens) != nil {
		return
	}
	if c.tokens.Refresh == "" {
		w.d.violated("I3", "%s issued no refresh token: %s", x.ID, a.body)
		return
	}
	if len(w.chains) < maxChains {
		w.chains = append(w.chains, c)
		return
	}
	if a := redeem(); a.ok() { // once more: its grant, which nobody holds, dies with it
		w.d.violated("I1", "a code of %s was redeemed again", x.ID)
	}
}

// some returns a chain that may be used; nil where there is none.
func (w *worker) some() *chain {
	if len(w.chains) == 0 {
		return nil
	}
	return w.chains[w.rng.IntN(len(w.chains))]
}

func (w *worker) refresh(ctx context.Context) {
	if c := w.some(); c != nil && !w.rotate(ctx, c) {
		w.drop(c)
	}
}

func (w *worker) drop(c *chain) {
	for i := range w.chains {
		if w.chains[i] == c {
			w.chains = append(w.chains[:i], w.chains[i+1:]...)
			return
		}
	}
}

// rotate refreshes c and reports whether it lives. Whose answer was lost may repeat the request, and get the same
// successor, as long as the grace lasts; later it looks like a thief.
func (w *worker) rotate(ctx context.Context, c *chain) (lives bool) {
	var out tokens
	began := time.Now()
	a := c.x.post(ctx, "/token", form("grant_type", "refresh_token", "refresh_token", c.tokens.Refresh))
	switch {
	case a.ok() && a.read(&out) == nil && out.Refresh != "":
		c.tokens, c.unknown = out, time.Time{}
		return true
	case a.refused():
		if c.unknown.IsZero() || time.Since(c.unknown) < refreshGrace {
			w.d.violated("I7", "a good refresh token of %s was refused: %d %s", c.x.ID, a.status, a.body)
		}
		return false
	case c.unknown.IsZero():
		c.unknown = began
	}
	return true
}

func (w *worker) introspect(ctx context.Context) {
	c := w.some()
	if c == nil || !c.unknown.IsZero() {
		return
	}
	if active, known := c.x.active(ctx, c.x.Issuer+"/token/introspect", c.tokens.Access, false); known && !active {
		w.d.violated("I2", "an access token of %s is gone", c.x.ID)
		w.drop(c)
	}
}

func (w *worker) discover(ctx context.Context) {
	x := w.tenant()
	var m struct {
		Issuer string `json:"issuer"`
	}
	if a := w.d.call(ctx, request{method: http.MethodGet, url: x.Issuer + "/.well-known/openid-configuration"}); x.good(a, "discovery") && (a.read(&m) != nil || m.Issuer != x.Issuer) {
		w.d.violated("I6", "the metadata of %s is that of %q", x.ID, m.Issuer)
	}
}

func (w *worker) revoke(ctx context.Context) {
	c := w.some()
	if c == nil || !c.unknown.IsZero() {
		return
	}
	w.drop(c) // whatever comes of it
	if c.x.good(c.x.post(ctx, "/token/revoke", form("token", c.tokens.Refresh)), "revocation") {
		c.revoked = time.Now()
		w.revoked = append(w.revoked, c)
	}
}

func (w *worker) askRevoked(ctx context.Context) {
	if len(w.revoked) == 0 {
		return
	}
	c := w.revoked[w.rng.IntN(len(w.revoked))]
	if time.Since(c.revoked) < w.d.machine.Patience(bound, c.revoked) {
		return
	}
	if active, _ := c.x.active(ctx, c.x.Issuer+"/token/introspect", c.tokens.Access, false); active {
		w.d.violated("I4", "a token of %s that was revoked %v ago is active", c.x.ID, time.Since(c.revoked).Round(time.Millisecond))
	}
	if a := c.x.post(ctx, "/token", form("grant_type", "refresh_token", "refresh_token", c.tokens.Refresh)); a.ok() {
		w.d.violated("I4", "a refresh token of %s that was revoked is accepted", c.x.ID)
	}
}

func (w *worker) register(ctx context.Context) {
	x := w.tenant()
	var c client
	a := w.d.call(ctx, request{method: http.MethodPost, url: x.Issuer + "/clients", token: x.APIToken,
		json: map[string]any{"redirect_uris": []string{"https://app.example/cb"}, "client_name": fmt.Sprint("of ", w.subject)}})
	if x.good(a, "registration") && a.read(&c) == nil {
		w.clients = append(w.clients, registered{x, c.ID})
	}
}

func (w *worker) configure(ctx context.Context) {
	x := w.d.changing(w.rng)
	n := w.notes[x]
	if n == nil {
		n = &note{}
		w.notes[x] = n
	}
	n.tried++
	a := w.d.call(ctx, request{method: http.MethodPatch, url: w.d.front.url + "/admin/v1/tenants/" + x.ID, token: w.d.adminToken,
		json: map[string]any{"settings": map[string]any{"attributes": map[string]any{w.subject: fmt.Sprint(n.tried)}}}})
	if x.good(a, "a settings change") {
		n.acknowledged = n.tried
	}
}

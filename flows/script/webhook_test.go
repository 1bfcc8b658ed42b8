package script

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func acme(t testing.TB) *tenant.Tenant {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Secret: secret,
		Settings: &tenant.Settings{Hooks: map[string]tenant.Hook{"password": {URL: "https://hooks.acme.example/p"}}}}
}

// receiver is what a tenant runs: it answers each call with the next of its answers, the last for ever.
type receiver struct {
	mu      sync.Mutex
	answers []func(ctx context.Context) (string, string, error)
	calls   []outbound.Content
	urls    []string
}

func (r *receiver) post(ctx context.Context, key, url string, content outbound.Content, max int64) ([]byte, string, error) {
	r.mu.Lock()
	answer := r.answers[min(len(r.calls), len(r.answers)-1)]
	r.calls, r.urls = append(r.calls, content), append(r.urls, key+" "+url+" "+fmt.Sprint(max))
	r.mu.Unlock()
	body, contentType, err := answer(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", outbound.ErrFailed, err)
	}
	return []byte(body), contentType, nil
}

func says(body string) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) { return body, "application/json", nil }
}

func fails(err error) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) { return "", "", err }
}

func hangs(ctx context.Context) (string, string, error) {
	<-ctx.Done()
	return "", "", ctx.Err()
}

var noConnection = &net.OpError{Op: "dial", Err: errors.New("refused")}

const yes = `{"action":"allow","subject":"alice"}`

func newHook(r *receiver) *Webhook {
	return &Webhook{Now: func() time.Time { return noon }, Rand: bytes.NewReader(bytes.Repeat([]byte{9}, 1<<16)), Post: r.post}
}

func TestAnEventIsPutAndSigned(t *testing.T) {
	r := &receiver{answers: []func(context.Context) (string, string, error){says(yes)}}
	w, acme := newHook(r), acme(t)
	acme.Settings.Hooks["password"] = tenant.Hook{URL: "https://hooks.acme.example/p", Secret: 3}
	client := &tenant.Client{ID: "app", Metadata: tenant.Metadata{Name: "App", Scope: "a b", Data: json.RawMessage(`{"tier":1}`)}}
	o, err := w.Run(t.Context(), acme, Event{Hook: "password", Client: client, Facts: map[string]any{"username": "alice", "password": "s3cret", "issuer": "not theirs"},
		Request: Request{Scope: oauth.Scope{"a"}, Parameters: Custom(url.Values{"x": {"1"}, "scope": {"a"}, "client_secret": {"s"}, "password": {"s3cret"}}), Address: "192.0.2.1"}})
	if err != nil || o.Subject != "alice" {
		t.Fatal(o, err)
	}
	call := r.calls[0]
	want := map[string]any{"type": "password", "timestamp": "2026-03-01T12:00:00Z", "data": map[string]any{
		"tenant_id": "acme", "issuer": "https://id.acme.example", "username": "alice", "password": "s3cret",
		"client":  map[string]any{"client_id": "app", "confidential": true, "client_name": "App", "scope": "a b", "data": map[string]any{"tier": 1.0}},
		"request": map[string]any{"scope": []any{"a"}, "resources": nil, "parameters": map[string]any{"x": []any{"1"}}, "address": "192.0.2.1"}}}
	var got map[string]any
	if err := json.Unmarshal(call.Body, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r.urls[0] != "acme https://hooks.acme.example/p 65536" || call.Type != "application/json" || call.Authorization != "" {
		t.Error(r.urls, call.Type, call.Authorization)
	}
	// As a receiver checks it, with the secret that it was given and with the one before.
	id, at := call.Header["Webhook-Id"], call.Header["Webhook-Timestamp"]
	if !strings.HasPrefix(id, "msg_") || len(id) != 26 || at != "1772366400" {
		t.Error(id, at)
	}
	signatures := strings.Split(call.Header["Webhook-Signature"], " ")
	for _, number := range []int64{3, 2} {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(Secret(tenant.HookKey(acme.Secret, "password", number)), "whsec_"))
		if err != nil || len(secret) != 32 {
			t.Fatal(secret, err)
		}
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%s.%s", id, at, call.Body)
		if !slices.Contains(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			t.Errorf("secret %d signs none of %v", number, signatures)
		}
	}
	if len(signatures) != 2 {
		t.Error(signatures)
	}
}

func TestHowACallEnds(t *testing.T) {
	type answers = []func(context.Context) (string, string, error)
	for _, c := range []struct {
		rule    string
		answers answers
		want    string // error code, or nothing
		ended   string
		calls   int
	}{
		{"allowed", answers{says(yes)}, "", "allow", 1},
		{"denied", answers{says(`{"action":"deny","error":"invalid_grant"}`)}, "", "deny", 1},
		{"nonsense", answers{says(`{"action":"maybe"}`)}, "server_error", "nonsense", 1},
		{"no JSON", answers{func(context.Context) (string, string, error) { return yes, "text/plain", nil }}, "server_error", "nonsense", 1},
		{"nothing", answers{func(context.Context) (string, string, error) { return "", "", nil }}, "server_error", "nonsense", 1},
		{"a wrong URL", answers{fails(outbound.Status(404))}, "server_error", "nonsense", 1},
		{"a redirect", answers{fails(outbound.Status(302))}, "server_error", "nonsense", 1},
		{"it failed, and may have done something", answers{fails(outbound.Status(500)), says(yes)}, "temporarily_unavailable", "unavailable", 1},
		{"a gateway gave up, and it may have done something", answers{fails(outbound.Status(502)), says(yes)}, "temporarily_unavailable", "unavailable", 1},
		{"the connection broke, and it may have done something", answers{fails(errors.New("EOF")), says(yes)}, "temporarily_unavailable", "unavailable", 1},
		{"too large an answer", answers{fails(errors.New("the answer is too large"))}, "temporarily_unavailable", "unavailable", 1},
		{"no connection, then one", answers{fails(noConnection), says(yes)}, "", "allow", 2},
		{"too busy, then not", answers{fails(outbound.Status(503)), says(yes)}, "", "allow", 2},
		{"too many calls, then not", answers{fails(outbound.Status(429)), says(yes)}, "", "allow", 2},
		{"no connection", answers{fails(noConnection)}, "temporarily_unavailable", "unavailable", 2},
		{"it hangs", answers{hangs}, "temporarily_unavailable", "unavailable", 1},
	} {
		r, acme := &receiver{answers: c.answers}, acme(t)
		acme.Settings.Hooks["password"] = tenant.Hook{URL: "https://hooks.acme.example/p", Timeout: 50}
		w, ended := newHook(r), ""
		w.Observe = func(_ context.Context, id tenant.ID, hook, how string, _ time.Duration) {
			ended = fmt.Sprint(id, " ", hook, " ", how)
		}
		o, err := w.Run(t.Context(), acme, Event{Hook: "password"})
		said := ""
		if err != nil {
			if said = oauth.ErrorOf(err).Code; !cmp.Equal(o, Outcome{}) {
				t.Errorf("%s: an error with %+v", c.rule, o)
			}
		}
		if said != c.want || len(r.calls) != c.calls || ended != "acme password "+c.ended {
			t.Errorf("%s: %q after %d calls, observed %q", c.rule, said, len(r.calls), ended)
		}
		for _, again := range r.calls[1:] {
			if again.Header["Webhook-Id"] != r.calls[0].Header["Webhook-Id"] {
				t.Errorf("%s: it is put again under another id", c.rule)
			}
		}
	}
}

// What only asks is put once more whatever failed, but for lack of time.
func TestAQuestionIsPutAgain(t *testing.T) {
	type answers = []func(context.Context) (string, string, error)
	for _, c := range []struct {
		rule    string
		answers answers
		want    string
		calls   int
	}{
		{"it failed, then not", answers{fails(outbound.Status(500)), says(yes)}, "", 2},
		{"a gateway gave up, then not", answers{fails(outbound.Status(504)), says(yes)}, "", 2},
		{"the connection broke, then not", answers{fails(io.EOF), says(yes)}, "", 2},
		{"the connection was cut, then not", answers{fails(&net.OpError{Op: "read", Err: errors.New("reset")}), says(yes)}, "", 2},
		{"no connection, then one", answers{fails(noConnection), says(yes)}, "", 2},
		{"too busy, then not", answers{fails(outbound.Status(429)), says(yes)}, "", 2},
		{"it fails", answers{fails(outbound.Status(500))}, "temporarily_unavailable", 2},
		{"too large an answer", answers{fails(errors.New("the answer is too large")), says(yes)}, "temporarily_unavailable", 1},
		{"a wrong URL", answers{fails(outbound.Status(404)), says(yes)}, "server_error", 1},
		{"nonsense", answers{says(`{}`), says(yes)}, "server_error", 1},
		{"it hangs", answers{hangs, says(yes)}, "temporarily_unavailable", 1},
	} {
		for _, name := range []string{"claims", "claims_hr", "introspection"} {
			r, acme := &receiver{answers: c.answers}, acme(t)
			acme.Settings.Hooks[name] = tenant.Hook{URL: "https://hooks.acme.example/c", Timeout: 50}
			w := newHook(r)
			observed := ""
			w.Observe = func(_ context.Context, _ tenant.ID, hook, _ string, _ time.Duration) { observed = hook }
			_, err := w.Run(t.Context(), acme, Event{Hook: name})
			said := ""
			if err != nil {
				said = oauth.ErrorOf(err).Code
			}
			if said != c.want || len(r.calls) != c.calls || observed != tenant.HookKind(name) || !strings.Contains(string(r.calls[0].Body), `"type":"`+tenant.HookKind(name)+`"`) {
				t.Errorf("%s, %s: %q after %d calls of %s", c.rule, name, said, len(r.calls), observed)
			}
		}
	}
}

func TestWhatIsNotAsked(t *testing.T) {
	r := &receiver{answers: []func(context.Context) (string, string, error){says(yes)}}
	w := newHook(r)
	if _, err := w.Run(t.Context(), acme(t), Event{Hook: "token_exchange"}); !errors.Is(err, errNoHook) || len(r.calls) > 0 {
		t.Error("a hook that there is not:", err)
	}
	if _, err := w.Run(t.Context(), acme(t), Event{Hook: "password", Facts: map[string]any{"x": strings.Repeat("x", MaxEvent)}}); oauth.ErrorOf(err).Code != "invalid_request" || len(r.calls) > 0 {
		t.Error("an event that is too large:", err)
	}
}

func TestAHookThatIsDownIsNotCalledForAWhile(t *testing.T) {
	r := &receiver{answers: []func(context.Context) (string, string, error){fails(outbound.Status(500))}}
	w, acme, now := newHook(r), acme(t), noon
	w.Now = func() time.Time { return now }
	acme.Settings.Hooks["jwt_bearer"] = tenant.Hook{URL: "https://hooks.acme.example/j"}
	globex := *acme
	globex.ID = "globex"
	moved := *acme
	elsewhere := *acme.Settings
	moved.Settings, elsewhere.Hooks = &elsewhere, map[string]tenant.Hook{"password": {URL: "https://new.acme.example/p"}}
	ask := func(of *tenant.Tenant, hook string) (called bool) {
		before := len(r.calls)
		_, err := w.Run(t.Context(), of, Event{Hook: hook})
		if err != nil && !errors.Is(err, oauth.Unavailable()) {
			t.Error(err)
		}
		return len(r.calls) > before
	}
	for i := range 5 {
		if !ask(acme, "password") {
			t.Fatal("not called after", i, "failures")
		}
	}
	for _, c := range []struct {
		rule string
		of   *tenant.Tenant
		hook string
		at   time.Duration // since it broke
		want bool
	}{
		{"at once", acme, "password", 0, false},
		{"another hook", acme, "jwt_bearer", 0, true},
		{"another tenant's", &globex, "password", 0, true},
		{"the same where the tenant has set another URL", &moved, "password", 0, true},
		{"soon after", acme, "password", 4 * time.Second, false},
		{"a trial", acme, "password", 5 * time.Second, true},
		{"after a failed trial", acme, "password", 14 * time.Second, false},
		{"the next trial", acme, "password", 15 * time.Second, true},
		{"after that", acme, "password", 34 * time.Second, false},
	} {
		if now = noon.Add(c.at); ask(c.of, c.hook) != c.want {
			t.Errorf("%s: called: %v", c.rule, !c.want)
		}
	}
	// One trial, whoever asks, and all once it went well.
	now = noon.Add(time.Hour)
	release, began := make(chan struct{}), make(chan struct{})
	r.answers = []func(context.Context) (string, string, error){func(context.Context) (string, string, error) {
		close(began)
		<-release
		return yes, "application/json", nil
	}}
	r.calls = nil
	var done sync.WaitGroup
	done.Go(func() { ask(acme, "password") })
	<-began
	for range 10 {
		if ask(acme, "password") {
			t.Error("two trials at once")
		}
	}
	close(release)
	done.Wait()
	r.answers = []func(context.Context) (string, string, error){says(yes)}
	for range 3 {
		if !ask(acme, "password") {
			t.Error("it is not called although it went well")
		}
	}
}

// Whoever leaves before there is an answer says nothing about the hook.
func TestCallersThatLeaveBreakNothing(t *testing.T) {
	r := &receiver{answers: []func(context.Context) (string, string, error){hangs}}
	w, acme := newHook(r), acme(t)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		_, _ = w.Run(ctx, acme, Event{Hook: "password"})
	}
	if len(r.calls) != 10 {
		t.Error(len(r.calls), "calls")
	}
}

func TestTheBreakerIsBounded(t *testing.T) {
	var b breaker
	for i := range remembers + 100 {
		b.leave(hook{tenant: tenant.ID(fmt.Sprint(i)), name: "password"}, noon, failed)
	}
	if len(b.known) > remembers {
		t.Error(len(b.known))
	}
	var callers atomic.Int64
	h := hook{tenant: "acme", name: "password"}
	for range tolerated {
		b.leave(h, noon, failed)
	}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if b.enter(h, noon.Add(time.Minute)) {
				callers.Add(1)
			}
		})
	}
	if all.Wait(); callers.Load() != 1 {
		t.Error(callers.Load(), "callers try a broken hook")
	}
}

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hookSite is where a tenant's own code runs. It checks each call as Standard Webhooks says, and answers it by decide.
type hookSite struct {
	*httptest.Server
	ca     string // file
	secret atomic.Pointer[[]byte]
	decide atomic.Pointer[func(event map[string]any) (status int, answer any)]
	mu     sync.Mutex
	events []map[string]any
	wrong  []string // what was not as it must be
}

// newHookSite starts a site and a server that may call it, on that engine.
func newHookSite(t *testing.T, e engine) (*hookSite, *server) {
	t.Helper()
	h := &hookSite{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() {
		h.Close()
		for _, w := range h.wrong {
			t.Error("the hook was called wrongly:", w)
		}
	})
	h.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(h.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := fresh(t, e, func(c *conf) {
		c.env, c.faults = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1", "CHANCERY_EXTRA_CA="+h.ca), true
	})
	return h, s
}

func (h *hookSite) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	var event map[string]any
	why := ""
	switch mac := hmac.New(sha256.New, *h.secret.Load()); {
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		why = r.Method + " " + r.Header.Get("Content-Type")
	case err != nil || time.Since(time.Unix(seconds, 0)).Abs() > time.Minute || !strings.HasPrefix(id, "msg_"):
		why = "id or time: " + id + " " + at
	case json.Unmarshal(body, &event) != nil:
		why = "not JSON: " + string(body)
	default:
		fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
		if !slices.Contains(strings.Split(r.Header.Get("webhook-signature"), " "), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			why = "signature " + r.Header.Get("webhook-signature")
		}
	}
	h.mu.Lock()
	if h.events = append(h.events, event); why != "" {
		h.wrong = append(h.wrong, why)
	}
	h.mu.Unlock()
	status, answer := (*h.decide.Load())(event)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// of gives x that hook, decided so, and takes over its secret from the command line.
func (h *hookSite) of(t *testing.T, x *tenant, name string, number int, decide func(event map[string]any) (int, any)) {
	t.Helper()
	h.answer(decide)
	x.patch(t, map[string]any{"hooks": map[string]any{name: map[string]any{"url": h.URL + "/" + name, "timeout": 500, "secret": number}}})
	out, err := x.at.run("tenant", "hook-secret", x.TenantID, name, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct{ Secret string }
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatal(err)
	}
	secret(shown.Secret)
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(shown.Secret, "whsec_"))
	if err != nil || len(b) != 32 {
		t.Fatal(shown.Secret, err)
	}
	h.secret.Store(&b)
}

func (h *hookSite) answer(decide func(event map[string]any) (int, any)) { h.decide.Store(&decide) }

func (h *hookSite) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// A hook that decides about client credentials: what it is told, that its calls are signed, and that whatever fails denies.
func TestHooks(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			h, s := newHookSite(t, e)
			x := s.newTenant(t)
			allow := func(map[string]any) (int, any) {
				return 200, map[string]any{"action": "allow", "scope": "a", "access_token": map[string]any{"lifetime": 60, "claims": map[string]any{"tier": "gold"}}}
			}
			h.of(t, x, "client_credentials", 0, allow)
			ask := func() reply {
				return x.token(t, x.Client, "grant_type", "client_credentials", "scope", "a b", "plan", "basic")
			}
			within(t, aboutASecond, "the hook decides", func() bool { ask(); return h.calls() > 0 })
			var got tokens
			ask().want(t, "200").read(t, &got)
			if _, told := claims(t, got.Access); told["tier"] != "gold" || told["scope"] != "a" || got.Scope != "a" || got.ExpiresIn != 60 {
				t.Errorf("got %+v, %v", got, told)
			}
			data, _ := h.events[0]["data"].(map[string]any)
			client, _ := data["client"].(map[string]any)
			request, _ := data["request"].(map[string]any)
			if h.events[0]["type"] != "client_credentials" || data["issuer"] != x.Issuer || client["client_id"] != x.Client.ID ||
				fmt.Sprint(request["scope"]) != "[a b]" || fmt.Sprint(request["parameters"]) != "map[plan:[basic]]" {
				t.Errorf("the hook was told %v", h.events[0])
			}

			// A new secret signs, and so does the one before it.
			old := h.secret.Load()
			h.of(t, x, "client_credentials", 1, allow)
			for _, secret := range []*[]byte{old, h.secret.Load()} {
				h.secret.Store(secret)
				ask().want(t, "200")
			}

			for _, c := range []struct {
				rule   string
				decide func(map[string]any) (int, any)
				want   string
			}{
				{"it refuses", func(map[string]any) (int, any) {
					return 200, map[string]any{"action": "deny", "error": "access_denied"}
				}, "400 access_denied"},
				{"it misspells a restriction", func(map[string]any) (int, any) { return 200, map[string]any{"action": "allow", "scopes": "a"} }, "500 server_error"},
				{"it says nothing", func(map[string]any) (int, any) { return 200, nil }, "500 server_error"},
				{"it is not there", func(map[string]any) (int, any) { return 404, nil }, "500 server_error"},
				{"it fails", func(map[string]any) (int, any) { return 500, nil }, "503 temporarily_unavailable"},
				{"it is slow", func(map[string]any) (int, any) { time.Sleep(time.Second); return allow(nil) }, "503 temporarily_unavailable"},
				{"it is endless", func(map[string]any) (int, any) {
					return 200, map[string]any{"action": "allow", "data": map[string]any{"x": strings.Repeat("x", 1<<20)}}
				}, "503 temporarily_unavailable"},
			} {
				h.answer(c.decide)
				if r := ask(); !r.is(c.want) {
					t.Errorf("%s: got %s, want %s", c.rule, r.outcome(), c.want)
				}
			}

			// Another tenant's requests are none of its business, nor does it harm them.
			before := h.calls()
			y := s.newTenant(t)
			y.token(t, y.Client, "grant_type", "client_credentials").want(t, "200")
			if h.calls() != before {
				t.Error("a hook was called for another tenant")
			}

			// A hook that is down is not called for a while.
			h.answer(func(map[string]any) (int, any) { return 500, nil })
			for range 20 {
				ask().want(t, "503 temporarily_unavailable")
			}
			if n := h.calls() - before; n > 5 {
				t.Errorf("a hook that is down was called %d times", n)
			}
			h.tells(t, x)
			x.patch(t, map[string]any{"hooks": nil})
			within(t, aboutASecond, "without the hook all is well", func() bool { return ask().is("200") })
		})
	}
}

// tells has hooks of x tell claims that no account holds, in an access token and at UserInfo, and more of a token.
func (h *hookSite) tells(t *testing.T, x *tenant) {
	t.Helper()
	gold := func(map[string]any) (int, any) {
		return 200, map[string]any{"action": "allow", "claims": map[string]any{"tier": "gold"}}
	}
	x.patch(t, map[string]any{"hooks": map[string]any{"claims": map[string]any{"url": h.URL + "/claims", "claims": []string{"tier"}}}})
	h.of(t, x, "claims", 0, gold)
	direct := func() reply {
		return x.api(t, http.MethodPost, "/direct-authz/rest/v2", object(map[string]any{"sub": "alice", "client_id": x.Client.ID, "scope": []string{"openid"}, "claims": []string{"tier", "access_token:tier"}}))
	}
	var got tokens
	within(t, aboutASecond, "an access token is fed a claim", func() bool {
		direct().want(t, "200").read(t, &got)
		_, told := claims(t, got.Access)
		return told["tier"] == "gold"
	})
	var info map[string]any
	call(t, http.MethodGet, x.url("/userinfo"), bearer(got.Access)).want(t, "200").read(t, &info)
	if info["tier"] != "gold" || info["sub"] != "alice" {
		t.Errorf("UserInfo: %v", info)
	}
	h.answer(func(map[string]any) (int, any) { return 404, nil })
	direct().want(t, "500 server_error")
	call(t, http.MethodGet, x.url("/userinfo"), bearer(got.Access)).want(t, "500 server_error")
	h.of(t, x, "introspection", 0, func(map[string]any) (int, any) {
		return 200, map[string]any{"action": "allow", "claims": map[string]any{"limit": 5}}
	})
	within(t, aboutASecond, "a hook tells more of a token", func() bool { return x.introspect(t, got.Access)["limit"] == 5.0 })
	if m := x.introspect(t, got.Access); m["tier"] != "gold" || m["active"] != true {
		t.Errorf("introspection: %v", m)
	}
}

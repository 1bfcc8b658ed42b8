package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// hearing is what a webhook was told once.
type hearing struct {
	ID     string
	Type   string
	Data   map[string]any
	Body   string
	Signed []string // names of the secrets that signed it
}

// webhookSite is where tenants want to be told, each at a path of its own. It checks what it gets as Standard Webhooks
// says, and answers by the path: /hangs never, /fails with 500, until well is closed.
type webhookSite struct {
	*httptest.Server
	mu      sync.Mutex
	secrets map[string][]byte
	heard   map[string][]hearing // by path
	well    chan struct{}
}

func newWebhookSite(t *testing.T) *webhookSite {
	t.Helper()
	w := &webhookSite{secrets: map[string][]byte{}, heard: map[string][]hearing{}, well: make(chan struct{})}
	gone := make(chan struct{})
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hear(t, r)
		switch {
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(rw, r, "/well", http.StatusTemporaryRedirect)
		case strings.HasPrefix(r.URL.Path, "/fails") && !w.recovered():
			rw.WriteHeader(http.StatusInternalServerError)
		case strings.HasPrefix(r.URL.Path, "/hangs") && !w.recovered():
			select {
			case <-gone:
			case <-r.Context().Done():
			}
		default:
			rw.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(func() { close(gone); w.Close() })
	return w
}

func (w *webhookSite) recovered() bool {
	select {
	case <-w.well:
		return true
	default:
		return false
	}
}

func (w *webhookSite) hear(t *testing.T, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	var event struct {
		Type      string
		Timestamp time.Time
		Data      map[string]any
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || id == "" || err != nil ||
		time.Since(time.Unix(seconds, 0)).Abs() > time.Minute || json.Unmarshal(body, &event) != nil || event.Type == "" || event.Timestamp.IsZero() {
		t.Errorf("S157: told wrongly: %s %v %s", r.Method, r.Header, body)
	}
	if found := secretsIn(string(body)); len(found) > 0 {
		t.Errorf("a webhook is told a secret: %s", body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := hearing{ID: id, Type: event.Type, Data: event.Data, Body: string(body)}
	for name, key := range w.secrets {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
		if slices.Contains(strings.Split(r.Header.Get("webhook-signature"), " "), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			h.Signed = append(h.Signed, name)
		}
	}
	slices.Sort(h.Signed)
	w.heard[r.URL.Path] = append(w.heard[r.URL.Path], h)
}

func (w *webhookSite) at(path string) []hearing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard[path])
}

// knows has w check signatures by a secret too.
func (w *webhookSite) knows(t *testing.T, name, whsec string) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(whsec, "whsec_"))
	if err != nil || len(key) != 32 || !strings.HasPrefix(whsec, "whsec_") {
		t.Fatalf("secret %s: %v", whsec, err)
	}
	secret(whsec)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[name] = key
}

// admin calls a route of the administration of x with the platform's token.
func (x *tenant) admin(t testing.TB, method, path string, parts ...part) reply {
	t.Helper()
	return call(t, method, x.at.url+"/admin/v1/tenants/"+x.TenantID+path, append(parts, bearer(x.at.adminToken))...)
}

// tell creates a webhook of x at a path of the site, and returns its path in the administration.
func (w *webhookSite) tell(t *testing.T, x *tenant, path string, events ...string) string {
	t.Helper()
	r := x.admin(t, http.MethodPost, "/webhooks", object(map[string]any{"url": w.URL + path, "events": events})).want(t, "201")
	var made struct{ ID, Secret string }
	r.read(t, &made)
	w.knows(t, path, made.Secret)
	if strings.Contains(string(x.admin(t, http.MethodGet, "/webhooks").want(t, "200").body), made.Secret) {
		t.Error("the secret is shown again")
	}
	return "/webhooks/" + made.ID
}

// user creates a user of x and returns its subject.
func (x *tenant) user(t *testing.T, name string) string {
	t.Helper()
	var u struct{ Sub string }
	x.admin(t, http.MethodPost, "/users", object(map[string]any{"username": name})).want(t, "201").read(t, &u)
	return u.Sub
}

func types(hs []hearing) (out []string) {
	for _, h := range hs {
		out = append(out, h.Type)
	}
	return out
}

// What happens at a tenant is told to its webhooks, signed, in order for each subject, and to nobody else's; the secret is
// rotated with both in use for a while; a trial is no event (S157).
func TestWebhooks(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			w := newWebhookSite(t)
			x, other := s.newTenant(t), s.newTenant(t)
			hook := w.tell(t, x, "/well", "user_created", "user_updated", "user_deleted")
			w.tell(t, other, "/other", "*")
			w.tell(t, x, "/moved", "user_created")
			sub := x.user(t, "zoe")
			for i := range 3 {
				x.admin(t, http.MethodPatch, "/users/"+sub, object(map[string]any{"claims": map[string]any{"name": fmt.Sprint("Zoe ", i)}})).want(t, "200")
			}
			x.admin(t, http.MethodDelete, "/users/"+sub).want(t, "204")
			all := []string{"user_created", "user_updated", "user_updated", "user_updated", "user_deleted"}
			within(t, theBound, "all is told", func() bool { return len(w.at("/well")) >= len(all) })
			got := w.at("/well")
			if !slices.Equal(types(got), all) {
				t.Errorf("told %v", types(got))
			}
			ids := map[string]bool{}
			for _, h := range got {
				ids[h.ID] = true
				if h.Data["sub"] != sub || h.Data["tenant_id"] != x.TenantID || !slices.Equal(h.Signed, []string{"/well"}) {
					t.Errorf("told %s, signed by %v", h.Body, h.Signed)
				}
			}
			if len(ids) != len(all) {
				t.Error("ids are used twice")
			}
			if hs := w.at("/other"); slices.ContainsFunc(hs, func(h hearing) bool { return h.Data["tenant_id"] != other.TenantID }) {
				t.Errorf("S6: another tenant's webhook is told %v", hs)
			}
			within(t, theBound, "the one that moved is told where it was", func() bool { return len(w.at("/moved")) > 0 })
			if hs := w.at("/well"); slices.ContainsFunc(hs, func(h hearing) bool { return slices.Contains(h.Signed, "/moved") }) {
				t.Error("S153: a redirection is followed")
			}

			var rotated struct{ Secret string }
			x.admin(t, http.MethodPost, hook+"/secret", object(map[string]any{"overlap": 600})).want(t, "200").read(t, &rotated)
			w.knows(t, "/well, second", rotated.Secret)
			trial := func(signed ...string) {
				t.Helper()
				before := len(w.at("/well"))
				var m struct{ ID, Kind string }
				x.admin(t, http.MethodPost, hook+"/test").want(t, "202").read(t, &m)
				within(t, theBound, "a trial is told", func() bool { return len(w.at("/well")) > before })
				if h := w.at("/well")[before]; h.ID != m.ID || h.Type != "webhook_test" || m.Kind != h.Type || !slices.Equal(h.Signed, signed) {
					t.Errorf("a trial: %+v, signed by %v", m, h.Signed)
				}
			}
			trial("/well", "/well, second")
			x.admin(t, http.MethodPost, hook+"/secret", object(map[string]any{"overlap": 0})).want(t, "200").read(t, &rotated)
			w.knows(t, "/well, third", rotated.Secret)
			trial("/well, third")
			within(t, theBound, "nothing waits", func() bool {
				var page struct{ Messages []any }
				x.admin(t, http.MethodGet, hook+"/messages").want(t, "200").read(t, &page)
				return len(page.Messages) == 0
			})
			for _, bad := range []string{"http://example.com/", "https://127.0.0.1.nip.io#x", "https://10.0.0.1/", "https://169.254.169.254/latest", "ftp://example.com/", "https://u:p@example.com/", ""} {
				x.admin(t, http.MethodPost, "/webhooks", object(map[string]any{"url": bad, "events": []string{"*"}})).want(t, "400 invalid_request")
				x.admin(t, http.MethodPatch, hook, object(map[string]any{"url": bad})).want(t, "400 invalid_request")
			}
		})
	}
}

// What is owed to a webhook survives the death of the server between the change and its delivery, and while it waits for
// an answer, under the same id (I13); one that hangs or fails holds up no other; what was given up can be replayed.
func TestWebhooksAreToldWhateverHappens(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			w := newWebhookSite(t)
			x, other := s.newTenant(t), s.newTenant(t)
			hangs, fails := w.tell(t, x, "/hangs", "user_created"), w.tell(t, x, "/fails", "user_created")
			w.tell(t, x, "/well", "user_created")
			w.tell(t, other, "/other", "user_created")
			const n = 12
			for i := range n {
				x.user(t, fmt.Sprint("zoe", i))
			}
			other.user(t, "zoe")
			// Whoever waited for the one that hangs would wait for 5 s, when it is given up.
			within(t, 3*time.Second, "one that hangs holds up no other, nor another tenant's (S154)", func() bool {
				return len(w.at("/well")) == n && len(w.at("/other")) == 1 && len(w.at("/hangs")) > 0 && len(w.at("/fails")) > 0
			})
			x.user(t, "the last") // and the server dies at once, with messages on their way
			s.kill()
			before := len(w.at("/hangs"))
			again := s.conf
			again.publicURL = s.publicURL
			s = launch(t, again)
			x, other = x.on(s), other.on(s)
			close(w.well)
			told := func(path string) (subs, ids map[any]bool) {
				subs, ids = map[any]bool{}, map[any]bool{}
				for _, h := range w.at(path) {
					subs[h.Data["sub"]], ids[h.ID] = true, true
				}
				return subs, ids
			}
			within(t, time.Minute, "all is told in the end", func() bool {
				for _, path := range []string{"/well", "/hangs", "/fails"} {
					if subs, _ := told(path); len(subs) != n+1 {
						return false
					}
				}
				return true
			})
			if _, ids := told("/hangs"); len(ids) != n+1 || len(w.at("/hangs")) <= n || before == 0 {
				t.Errorf("S157: %d ids of %d messages in %d attempts", len(ids), n+1, len(w.at("/hangs")))
			}
			waits := func() int {
				var page struct{ Messages []any }
				x.admin(t, http.MethodGet, fails+"/messages").want(t, "200").read(t, &page)
				return len(page.Messages)
			}
			within(t, 20*time.Second+theBound, "nothing waits", func() bool { return waits() == 0 }) // what was on its way was leased for 20 s
			x.admin(t, http.MethodPatch, fails, object(map[string]any{"url": "https://127.0.0.1:1/"})).want(t, "200")
			sub := x.user(t, "unlucky")
			x.admin(t, http.MethodPatch, fails, object(map[string]any{"enabled": false})).want(t, "200")
			var page struct {
				Messages []struct{ ID, Kind, Cause string }
			}
			x.admin(t, http.MethodGet, fails+"/messages?state=dead").want(t, "200").read(t, &page)
			if len(page.Messages) != 1 || page.Messages[0].Kind != "user_created" || page.Messages[0].Cause != "the webhook was disabled" {
				t.Fatalf("given up: %+v", page)
			}
			x.admin(t, http.MethodPost, fails+"/replay").want(t, "409 invalid_request")
			x.admin(t, http.MethodPatch, fails, object(map[string]any{"enabled": true, "url": w.URL + "/replayed"})).want(t, "200")
			one := fails + "/messages/" + page.Messages[0].ID + "/replay"
			other.admin(t, http.MethodPost, one).want(t, "404 not_found")
			x.admin(t, http.MethodPost, one).want(t, "200")
			within(t, theBound, "what was given up is told", func() bool {
				hs := w.at("/replayed")
				return len(hs) == 1 && hs[0].Data["sub"] == sub && hs[0].ID == page.Messages[0].ID
			})
			x.admin(t, http.MethodPost, one).want(t, "404 not_found")
			x.admin(t, http.MethodDelete, hangs).want(t, "204")
			x.admin(t, http.MethodGet, hangs).want(t, "404 not_found")
		})
	}
}

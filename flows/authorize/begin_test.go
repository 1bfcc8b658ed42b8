package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// remember makes the store hold what alice allowed a client.
func (h *house) remember(clientID string, scope oauth.Scope, claims []string, terms grant.Terms) {
	raw, _ := json.Marshal(terms)
	h.store.authorizations["alice//"+clientID] = grant.Authorization{Subject: "alice", ClientID: clientID, Scope: scope, Claims: claims, Terms: raw, UpdatedAt: h.now}
}

func TestBegin(t *testing.T) {
	email := []string{"email", "email_verified"}
	for _, tt := range []struct {
		rule, query string
		with        func(h *house) (sid string)
		want        string // refusal, or what is pending
	}{
		{"without a session", "", nil, "pending: login"},
		{"with a worthless session", "", func(*house) string { return "junk" }, "pending: login"},
		{"with a session", "", func(h *house) string { return h.session("alice", nil) }, "pending: consent"},
		{"with a session that has closed", "", func(h *house) string {
			return h.session("alice", func(n *session.Session) { n.UsedAt = noon.Add(-48 * time.Hour) })
		}, "pending: login"},
		{"with the session of a disabled account", "", func(h *house) string {
			h.store.disabled = []string{"alice"}
			return h.session("alice", nil)
		}, "pending: login"},
		{"with consent on record", "", func(h *house) string {
			h.remember("shop", oauth.Scope{"openid", "email"}, email, grant.Terms{})
			return h.session("alice", nil)
		}, "granted"},
		{"with consent on record, which a client that registered itself cannot use", "client_id=stranger", func(h *house) string {
			h.remember("stranger", oauth.Scope{"openid", "email"}, email, grant.Terms{})
			return h.session("alice", nil)
		}, "pending: consent"},
		{"silently", "prompt=none", nil, "login_required"},
		{"with what is refused", "max_age=x", nil, "invalid_request"},
		{"with what is refused, by a client that registered itself, to a known subject", "client_id=stranger&max_age=x", func(h *house) string {
			return h.session("alice", nil)
		}, "invalid_request"},
	} {
		h := open(t)
		sid := ""
		if tt.with != nil {
			sid = tt.with(h)
		}
		res := h.begin(t, tt.query, sid)
		if got := refusal(res); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if res.Client == nil {
			t.Errorf("%s: no client", tt.rule)
		}
		if res.Session != nil || res.SID != "" {
			t.Errorf("%s: a beginning changes no session", tt.rule)
		}
		if res.Pending != nil && len(h.store.interactions) != 1 || res.Pending == nil && len(h.store.interactions) != 0 {
			t.Errorf("%s: %d interactions are stored", tt.rule, len(h.store.interactions))
		}
	}
}

func TestBeginWithoutRedirect(t *testing.T) {
	for _, tt := range []struct {
		rule, query, sid string
		down             bool
		want             error
	}{
		{"an unknown client", "client_id=nobody", "", false, oauth.InvalidRequest("client_id is unknown")},
		{"a foreign redirect URI", "redirect_uri=https%3A%2F%2Fevil.example%2F", "", false, oauth.InvalidRequest("redirect_uri is not registered for this client")},
		{"a client that registered itself, to nobody we know", "client_id=stranger&max_age=x", "", false, oauth.InvalidRequest("max_age is not a whole number of seconds")},
		{"nor to whoever sends any session", "client_id=stranger&max_age=x", "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", false, oauth.InvalidRequest("max_age is not a whole number of seconds")},
		{"a store that is down", "", "", true, errDown},
		{"a store that is down, asked for a session", "client_id=stranger&max_age=x", "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", true, errDown},
	} {
		h := open(t)
		if tt.down {
			h.store.down = errDown
		}
		res, err := h.start(tt.query, tt.sid)
		if !errors.Is(err, tt.want) || res.Response != nil || res.Pending != nil {
			t.Errorf("%s: got %+v, %v", tt.rule, res, err)
		}
	}
}

func TestInteractionKeepsItsTerms(t *testing.T) {
	h := open(t)
	h.t.Settings.Authorization.InteractionLifetime = 60
	params := request.Parse("client_id=shop&response_type=code&redirect_uri=" + callback)
	res, err := h.Begin(context.Background(), h.t, Start{Params: params, Binding: "secret", Data: json.RawMessage(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	handle := res.Pending.Handle
	if len(handle) != 43 {
		t.Errorf("a handle of 256 bits: got %q", handle)
	}
	for _, i := range h.store.interactions {
		if string(i.Hash) == handle || string(i.Data) != `{"a":1}` || i.Version != 1 || i.Step != StepLogin {
			t.Errorf("stored: %+v", i)
		}
	}
	load := func(handle, binding string) error {
		_, err := h.Load(context.Background(), h.t, handle, binding)
		return err
	}
	for rule, err := range map[string]error{
		"another handle":       load(handle+"A", "secret"),
		"no handle":            load("", ""),
		"an odd handle":        load("\x00\xff", "secret"),
		"another browser":      load(handle, "other"),
		"a login UI":           load(handle, ""),
		"the hash as a handle": load(string(hashHandle(handle)), "secret"),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v", rule, err)
		}
	}
	if err := load(handle, "secret"); err != nil {
		t.Errorf("the browser itself: got %v", err)
	}
	h.now = noon.Add(time.Minute)
	if err := load(handle, "secret"); !errors.Is(err, ErrNotFound) {
		t.Errorf("when its time has passed: got %v", err)
	}
}

func TestLoadAfterTheClientIsGone(t *testing.T) {
	h := open(t)
	res := h.begin(t, "", "")
	clients := h.t.Clients.(registry)
	off := *clients["shop"]
	off.Disabled = true
	clients["shop"] = &off
	if _, err := h.Load(context.Background(), h.t, res.Pending.Handle, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("disabled: got %v", err)
	}
	delete(clients, "shop")
	if _, err := h.Load(context.Background(), h.t, res.Pending.Handle, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted: got %v", err)
	}
}

// What waits for its subject answers nobody at a redirect URI that was taken from the client meanwhile.
func TestLoadAfterTheRedirectURIIsGone(t *testing.T) {
	h := open(t)
	res := h.begin(t, "", "")
	clients := h.t.Clients.(registry)
	for _, c := range []struct {
		rule string
		uris []string
		want error
	}{
		{"another beside it", append([]string{"https://shop.example/new"}, clients["shop"].RedirectURIs...), nil},
		{"another in its place", []string{"https://shop.example/new"}, ErrNotFound},
		{"a template that it comes of", []string{tenant.RedirectTemplatePrefix + strings.TrimSuffix(res.Pending.Request.RedirectURI, "b") + "[param]"}, nil},
		{"a template that it does not come of", []string{tenant.RedirectTemplatePrefix + "https://shop.example/other/[param]"}, ErrNotFound},
		{"none", nil, ErrNotFound},
	} {
		changed := *clients["shop"]
		changed.RedirectURIs = c.uris
		clients["shop"] = &changed
		if _, err := h.Load(context.Background(), h.t, res.Pending.Handle, ""); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", c.rule, err)
		}
	}
}

func TestResume(t *testing.T) {
	h := open(t)
	sid := h.session("alice", nil)
	h.remember("shop", oauth.Scope{"openid"}, nil, grant.Terms{})
	res := h.begin(t, "prompt=consent", sid)
	p := h.pending(t, res)
	if err := h.Resume(context.Background(), h.t, p); err != nil {
		t.Fatal(err)
	}
	if p.SID != sid || p.Session.Subject != "alice" || p.Asked.NewScope.String() != "email" || p.Asked.ConsentedScope.String() != "openid" {
		t.Errorf("got %q, %+v, %+v", p.SID, p.Session, p.Asked)
	}
	h.now = noon.Add(48 * time.Hour)
	h.store.interactions[string(p.Hash)] = Interaction{}
	p.Session, p.SID = nil, ""
	if err := h.Resume(context.Background(), h.t, p); err != nil || p.Session != nil || p.SID != "" {
		t.Errorf("a session that has closed meanwhile: got %v, %+v", err, p.Session)
	}
}

func TestSessionIsTouched(t *testing.T) {
	for _, tt := range []struct {
		rule string
		idle int64
		ago  time.Duration
		want int
	}{
		{"used just now", 1440, 59 * time.Second, 0},
		{"used a minute ago", 1440, time.Minute, 1},
		{"a tenth of a short idle time ago", 5, 30 * time.Second, 1},
		{"less than that", 5, 29 * time.Second, 0},
		{"without an idle time", -1, time.Hour, 0},
	} {
		h := open(t)
		used := func(n *session.Session) { n.MaxIdle, n.UsedAt = tt.idle, noon.Add(-tt.ago) }
		h.begin(t, "", h.session("alice", used))
		if got := len(h.store.touched); got != tt.want {
			t.Errorf("%s, beginning: got %d", tt.rule, got)
		}
		h = open(t)
		h.remember("shop", oauth.Scope{"openid"}, nil, grant.Terms{})
		code(t, h.begin(t, "scope=openid", h.session("alice", used)))
		if got := len(h.store.touched); got != tt.want {
			t.Errorf("%s, completing at once: got %d", tt.rule, got)
		}
	}
}

func TestData(t *testing.T) {
	h := open(t)
	p := h.pending(t, h.begin(t, "", ""))
	if err := h.PutData(context.Background(), h.t, p, json.RawMessage(`{"b":2}`)); err != nil {
		t.Fatal(err)
	}
	if got := h.pending(t, Result{Pending: p}); string(got.Data) != `{"b":2}` || got.Version != p.Version {
		t.Errorf("got %s, version %d", got.Data, got.Version)
	}
}

func TestRefuse(t *testing.T) {
	h := open(t)
	p := h.pending(t, h.begin(t, "response_mode=fragment", ""))
	res, err := h.Refuse(context.Background(), h.t, p, oauth.AccessDenied("no"), "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Response.URI(), callback+"#error=access_denied&error_description=no&state=s&iss=https%3A%2F%2Fid.acme.example"; got != want {
		t.Errorf("got %s", got)
	}
	if e := h.store.events; len(e) != 1 || e[0].Kind != "denied" || e[0].Address != "192.0.2.1" || e[0].Detail["error"] != "access_denied" {
		t.Errorf("events: %+v", e)
	}
	if _, err := h.Refuse(context.Background(), h.t, p, oauth.AccessDenied("no"), ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: got %v", err)
	}
}

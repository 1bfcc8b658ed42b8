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
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		had         func(h *house) (sid string) // before the request
		as          string
		how         func(*Authentication)
		want        string // refusal, or what is pending
		cookie      bool   // the browser is told its session
		sessions    int    // afterwards
		events      int
	}{
		{"a subject without a session", "", nil, "alice", nil, "pending: consent", true, 1, 1},
		{"a subject that allowed it before", "", func(h *house) string {
			h.remember("shop", oauth.Scope{"openid", "email"}, []string{"email", "email_verified"}, grant.Terms{})
			return ""
		}, "alice", nil, "granted", true, 1, 1},
		{"the subject of the session again", "prompt=login", func(h *house) string { return h.session("alice", nil) }, "alice", nil, "pending: consent", true, 1, 1},
		{"another subject takes its place", "prompt=login", func(h *house) string { return h.session("bob", nil) }, "alice", nil, "pending: consent", true, 1, 1},
		{"the tenant wants no single sign-on", "", func(h *house) string {
			h.t.Settings.Authorization.AlwaysPromptForAuth = true
			return h.session("bob", nil)
		}, "alice", nil, "pending: consent", true, 1, 1},
		{"another subject than required", "id_token_hint=hint-of-bob", nil, "alice", nil, "login_required", false, 0, 1},
		{"the required subject", "id_token_hint=hint-of-alice", nil, "alice", nil, "pending: consent", true, 1, 1},
		{"a disabled account", "", func(h *house) string { h.store.disabled = []string{"alice"}; return "" }, "alice", nil, "access_denied", false, 0, 1},
		{"the essential acr missing", `claims={"id_token":{"acr":{"essential":true,"value":"2"}}}`, nil, "alice", nil, "pending: login", false, 0, 0},
		{"the essential acr", `claims={"id_token":{"acr":{"essential":true,"value":"2"}}}`, nil, "alice", func(a *Authentication) { a.ACR = "2" }, "pending: consent", true, 1, 1},
		{"an authentication that is too old", "max_age=60", nil, "alice", func(a *Authentication) { a.AuthTime = noon.Add(-time.Hour) }, "pending: login", false, 0, 0},
		{"one that does not change the session there is", "max_age=60", func(h *house) string {
			return h.session("alice", func(n *session.Session) { n.AuthTime = noon.Add(-time.Hour) })
		}, "alice", func(a *Authentication) { a.AuthTime, a.ACR = noon.Add(-2*time.Hour), "9" }, "pending: login", false, 1, 0},
		{"max_age=0, to the fraction of a second", "max_age=0", nil, "alice", func(a *Authentication) { a.AuthTime = noon.Truncate(time.Second) }, "pending: consent", true, 1, 1},
		{"long ago, where nobody minds", "", nil, "alice", func(a *Authentication) { a.AuthTime = time.Unix(12345678, 0) }, "pending: consent", true, 1, 1},
	} {
		h := open(t)
		sid := ""
		if tt.had != nil {
			sid = tt.had(h)
		}
		res := h.login(t, h.begin(t, tt.query, sid), tt.as, tt.how)
		if got := refusal(res); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
			continue
		}
		if (res.Session != nil) != tt.cookie || (res.SID != "") != tt.cookie {
			t.Errorf("%s: told %q, %+v", tt.rule, res.SID, res.Session)
		}
		if len(h.store.sessions) != tt.sessions || len(h.store.events) != tt.events {
			t.Errorf("%s: %d sessions, events %+v", tt.rule, len(h.store.sessions), h.store.events)
		}
		for _, n := range h.store.sessions {
			if tt.cookie && (n.ID != res.Session.ID || h.Sessions.Handle(h.t, &n) != res.SID || n.Subject != tt.as) {
				t.Errorf("%s: told %q of %+v", tt.rule, res.SID, n)
			}
			if n.ACR == "9" {
				t.Errorf("%s: the session has changed", tt.rule)
			}
		}
		if tt.want == "pending: login" {
			if p := h.pending(t, res); p.Version != 1 || p.Answered {
				t.Errorf("%s: the interaction has changed: %+v", tt.rule, p.Interaction)
			}
		}
	}
}

func TestLoginInvalid(t *testing.T) {
	for _, tt := range []struct {
		rule string
		how  func(*Authentication)
		want string
	}{
		{"no subject", func(a *Authentication) { a.Subject = "" }, "sub must have 1 to 255 printable ASCII characters"},
		{"the client as subject", func(a *Authentication) { a.Subject = "shop" }, "sub is the id of the client"},
		{"times in disorder", func(a *Authentication) { a.MaxLife, a.AuthLife = 10, 20 }, "max_life must not be less than auth_life, nor auth_life less than max_idle"},
		{"a session that was over", func(a *Authentication) { a.CreatedAt = noon.Add(-30 * 24 * time.Hour) }, "the session would be over already"},
		{"a claim that says what a token is", func(a *Authentication) { a.Claims = json.RawMessage(`{"iss":"x"}`) }, "claims holds a name that is not allowed"},
		{"a claim that breaks out", func(a *Authentication) { a.Claims = json.RawMessage(`{"a\"b":1}`) }, "claims holds a name that is not allowed"},
		{"more claims than other terms leave room for", func(a *Authentication) { a.Claims = json.RawMessage(`{"x":"` + strings.Repeat("x", 2<<10) + `"}`) }, "claims must not exceed 2 KiB"},
		{"claims that are none", func(a *Authentication) { a.Claims = json.RawMessage(`[]`) }, "claims must be an object"},
	} {
		h := open(t)
		p := h.pending(t, h.begin(t, "", ""))
		a := Authentication{Login: session.Login{Subject: "alice"}}
		tt.how(&a)
		if _, err := h.Login(context.Background(), h.t, p, a); !errors.Is(err, oauth.InvalidRequest(tt.want)) {
			t.Errorf("%s: got %v", tt.rule, err)
		}
		if p := h.pending(t, Result{Pending: p}); p.Step != StepLogin || p.Version != 1 || len(h.store.sessions) != 0 {
			t.Errorf("%s: something changed", tt.rule)
		}
	}
}

func TestLoginReplacesASession(t *testing.T) {
	h := open(t)
	bob := h.session("bob", nil)
	res := h.login(t, h.begin(t, "prompt=login", bob), "alice", nil)
	if len(h.store.ended) != 1 || res.SID == bob {
		t.Errorf("ended %v, told %q", h.store.ended, res.SID)
	}
	if !h.t.Revoked.Revoked(tenant.Issued{Grant: "grant of " + h.store.ended[0]}) {
		t.Error("the journal does not hold what ending the session revoked")
	}
}

func TestLoginKeepsASession(t *testing.T) {
	h := open(t)
	sid := h.session("alice", func(n *session.Session) { n.CreatedAt, n.AuthTime = noon.Add(-time.Hour), noon.Add(-time.Hour) })
	res := h.login(t, h.begin(t, "prompt=login", sid), "alice", func(a *Authentication) { a.ACR, a.AMR = "2", []string{"otp"} })
	if res.SID != sid || !res.Session.AuthTime.Equal(noon) || res.Session.ACR != "2" || !res.Session.CreatedAt.Equal(noon.Add(-time.Hour)) || len(h.store.ended) != 0 {
		t.Errorf("got %q, %+v", res.SID, res.Session)
	}
	res = h.login(t, h.begin(t, "prompt=login", sid), "alice", func(a *Authentication) { a.Turn = true })
	if res.SID == sid || res.Session.Turn != 1 {
		t.Errorf("our own pages give it a new handle: got %q", res.SID)
	}
	if got := refusal(h.begin(t, "", sid)); got != "pending: login" {
		t.Errorf("the old handle: got %s", got)
	}
}

func TestSwitch(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		to          func(h *house) (sid string) // in a browser that has a session of bob
		want        string
		moved       bool
	}{
		{"to choose an account", "prompt=select_account", func(h *house) string { return h.session("alice", nil) }, "pending: consent", true},
		{"to an account that allowed it before", "prompt=select_account", func(h *house) string {
			h.remember("shop", oauth.Scope{"openid", "email"}, []string{"email", "email_verified"}, grant.Terms{})
			return h.session("alice", nil)
		}, "granted", true},
		{"to the account there is", "prompt=select_account", func(h *house) string {
			for _, n := range h.store.sessions {
				return h.Sessions.Handle(h.t, &n)
			}
			return ""
		}, "pending: consent", false},
		{"is no authentication", "prompt=login", func(h *house) string { return h.session("alice", nil) }, "pending: login", true},
		{"counts the session's own age", "prompt=select_account&max_age=60", func(h *house) string {
			return h.session("alice", func(n *session.Session) { n.AuthTime = noon.Add(-time.Hour) })
		}, "pending: login", true},
		{"to a session that is dead", "prompt=select_account", func(h *house) string {
			return h.session("alice", func(n *session.Session) { n.UsedAt = noon.Add(-48 * time.Hour) })
		}, "pending: login", false},
		{"to a disabled account", "prompt=select_account", func(h *house) string {
			h.store.disabled = []string{"alice"}
			return h.session("alice", nil)
		}, "pending: login", false},
		{"to junk", "prompt=select_account", func(*house) string { return "junk" }, "pending: login", false},
	} {
		h := open(t)
		begun := h.begin(t, tt.query, h.session("bob", nil))
		sid := tt.to(h)
		res := h.login(t, begun, "", func(a *Authentication) { a.SID = sid })
		if got := refusal(res); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
			continue
		}
		if tt.moved != (res.SID == sid && res.Session != nil) || len(h.store.ended) != 0 {
			t.Errorf("%s: told %q, ended %v", tt.rule, res.SID, h.store.ended)
		}
		for _, e := range h.store.events {
			if e.Kind == "" || e.At.IsZero() {
				t.Errorf("%s: an event says nothing: %+v", tt.rule, e)
			}
		}
		if tt.want != "pending: login" {
			continue
		}
		// The interaction is bound to the session it was switched to: authenticating there ends no other.
		p := h.pending(t, res)
		if err := h.Resume(context.Background(), h.t, p); err != nil || tt.moved != (p.Session.Subject == "alice") {
			t.Errorf("%s: bound to %+v, %v", tt.rule, p.Session, err)
		}
		if tt.moved {
			h.login(t, res, "alice", nil)
			if len(h.store.ended) != 0 {
				t.Errorf("%s: ended %v", tt.rule, h.store.ended)
			}
		}
	}
}

func TestStepsHaveAnOrder(t *testing.T) {
	h := open(t)
	p := h.pending(t, h.begin(t, "", ""))
	if _, err := h.Complete(context.Background(), h.t, p, Consent{}); !errors.Is(err, ErrConflict) {
		t.Errorf("consent before login: got %v", err)
	}
	h.login(t, Result{Pending: p}, "alice", nil)
	if _, err := h.Login(context.Background(), h.t, p, Authentication{Login: session.Login{Subject: "bob"}}); !errors.Is(err, ErrConflict) {
		t.Errorf("a login that lost the race: got %v", err)
	}
	p = h.pending(t, Result{Pending: p})
	if _, err := h.Login(context.Background(), h.t, p, Authentication{Login: session.Login{Subject: "bob"}}); !errors.Is(err, ErrConflict) {
		t.Errorf("login after login: got %v", err)
	}
}

func TestLoginStoreDown(t *testing.T) {
	h := open(t)
	p := h.pending(t, h.begin(t, "prompt=login", h.session("alice", nil)))
	h.store.down = errDown
	for rule, a := range map[string]Authentication{
		"login":  {Login: session.Login{Subject: "alice"}},
		"switch": {SID: "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"},
	} {
		if _, err := h.Login(context.Background(), h.t, p, a); !errors.Is(err, errDown) {
			t.Errorf("%s: got %v", rule, err)
		}
	}
}

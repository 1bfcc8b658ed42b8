package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestCodeFlow(t *testing.T) {
	w := newWorld(t, true)
	b := w.browser()
	s := b.begin(acme, url.Values{"scope": {"openid email offline_access"}})
	if s.heading() != "Sign in" || !strings.HasPrefix(s.Request.URL.Path, "/t/acme/login/i/") {
		t.Fatalf("an authorization request leads to %s, %q", s.Request.URL.Path, s.heading())
	}
	s = b.signIn(s, "alice", "right")
	if s.heading() != "Allow Ledger to use your account?" || s.Request.Method != http.MethodGet {
		t.Fatalf("sign-in leads to %s %q", s.Request.Method, s.heading())
	}
	if !strings.Contains(words(s.html), "Signed in as Alice Adams alice") {
		t.Error("the consent page does not say who is signed in")
	}
	s = b.press(s, "allow", nil)
	q := s.query()
	if s.StatusCode != http.StatusSeeOther || !strings.HasPrefix(s.Header.Get("Location"), callback+"?") || q.Get("code") == "" || q.Get("state") != "s-1" || q.Get("iss") != w.tenants[acme].Issuer {
		t.Fatalf("consent is answered %d to %s", s.StatusCode, s.Header.Get("Location"))
	}
	g := w.store.grants[0]
	if got := g.Terms.Scope.String(); got != "openid email offline_access" || !g.Terms.Offline || !g.Terms.LongLived || !slices.Equal(g.Terms.Login.AMR, []string{"pwd"}) || g.Terms.Login.ACR != "" || g.Subject != "sub-alice" {
		t.Errorf("what was granted is %+v", g.Terms)
	}
	if s = b.begin(acme, nil); s.StatusCode != http.StatusSeeOther || s.query().Get("code") == "" {
		t.Errorf("with a session and remembered consent the next request is answered %d, %q", s.StatusCode, s.heading())
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		params url.Values
		act    func(b *browser, s screen) screen
		want   string // error code at the client
	}{
		{"cancelling sign-in is a denial", nil, func(b *browser, s screen) screen { return b.press(s, "cancel", nil) }, "access_denied"},
		{"denying consent is a denial", nil, func(b *browser, s screen) screen { return b.press(b.signIn(s, "alice", "right"), "deny", nil) }, "access_denied"},
		{"cancelling the change of account is a denial", nil, func(b *browser, s screen) screen {
			return b.press(b.press(b.signIn(s, "alice", "right"), "switch", nil), "cancel", nil)
		}, "access_denied"},
		{"another account than the one that is demanded is refused", url.Values{"id_token_hint": {"of:sub-bob"}}, func(b *browser, s screen) screen { return b.signIn(s, "alice", "right") }, "login_required"},
		{"an authentication class that a password does not reach is refused", url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"value":"gold"}}}`}},
			func(b *browser, s screen) screen { return b.signIn(s, "alice", "right") }, "unmet_authentication_requirements"},
	} {
		w := newWorld(t, false)
		b := w.browser()
		s := tt.act(b, b.begin(acme, tt.params))
		if got := s.query().Get("error"); s.StatusCode != http.StatusSeeOther || got != tt.want || s.query().Get("state") != "s-1" {
			t.Errorf("%s: got %d %s", tt.rule, s.StatusCode, s.Header.Get("Location"))
		}
		if len(w.store.pending[acme]) != 0 {
			t.Errorf("%s: the interaction is still there", tt.rule)
		}
	}
}

func TestSignInFails(t *testing.T) {
	page := func(username, password string) screen {
		w := newWorld(t, false)
		b := w.browser()
		s := b.signIn(b.begin(acme, nil), username, password)
		s.html = strings.ReplaceAll(strings.ReplaceAll(s.html, s.field("csrf"), ""), username, "NAME")
		if b.cookie("chy-s-acme") != "" || len(w.store.live(acme)) != 0 {
			t.Errorf("%s has a session", username)
		}
		return s
	}
	wrong, unknown := page("alice", "wrong-password"), page("mallory", "wrong-password")
	if wrong.html != unknown.html || wrong.StatusCode != unknown.StatusCode {
		t.Error("a wrong password and an unknown user name are told apart")
	}
	if wrong.StatusCode != http.StatusOK || !strings.Contains(wrong.html, `role="alert"`) || !strings.Contains(wrong.html, "The user name or the password is wrong") {
		t.Errorf("a wrong password is answered %d: %s", wrong.StatusCode, wrong.html)
	}
	if wrong.field("username") != "NAME" {
		t.Error("the user name is not kept")
	}
	if strings.Contains(wrong.html, "wrong-password") {
		t.Error("the password is echoed")
	}
	if s := page("alice", ""); !strings.Contains(s.html, "Enter your user name and your password") {
		t.Error("a missing password is not said")
	}
}

func TestSignInCannotBeDecided(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		err    error
		status int
		retry  string
		says   string
	}{
		{"too many attempts", oauth.SlowDown("Too many failed attempts").Because(oauth.Wait(90 * time.Second)), http.StatusTooManyRequests, "90", "Try again in 2 minutes."},
		{"a server that is busy", oauth.Unavailable(), http.StatusServiceUnavailable, "1", "wait a moment"},
	} {
		w := newWorld(t, false)
		b := w.browser()
		s := b.begin(acme, nil)
		w.people.fail = tt.err
		got := b.signIn(s, "alice", "right")
		if got.StatusCode != tt.status || got.Header.Get("Retry-After") != tt.retry || !strings.Contains(words(got.html), tt.says) {
			t.Errorf("%s: got %d, Retry-After %q: %s", tt.rule, got.StatusCode, got.Header.Get("Retry-After"), words(got.html))
		}
		w.people.fail = nil
		if got = b.signIn(s, "alice", "right"); got.heading() == "" || got.StatusCode != http.StatusOK {
			t.Errorf("%s: afterwards the same form is answered %d", tt.rule, got.StatusCode)
		}
	}
}

func TestPrompts(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		signed   bool
		params   url.Values
		heading  string
		says     string
		username string
	}{
		{"a stranger signs in", false, nil, "Sign in", "to continue to Ledger", ""},
		{"login_hint is filled in", false, url.Values{"login_hint": {"bob"}}, "Sign in", "", "bob"},
		{"prompt=create is sign-in with a note", false, url.Values{"prompt": {"create"}}, "Sign in", "New accounts are set up by Acme.", ""},
		{"prompt=select_account without a session is sign-in", false, url.Values{"prompt": {"select_account"}}, "Sign in", "", ""},
		{"prompt=select_account with a session offers it", true, url.Values{"prompt": {"select_account"}}, "Choose an account", "Alice Adams", ""},
		{"prompt=login asks for the password of the same account", true, url.Values{"prompt": {"login"}}, "Sign in", "You are signed in as Alice Adams. Enter your password", "alice"},
		{"both ask for the password", true, url.Values{"prompt": {"login select_account"}}, "Sign in", "You are signed in as Alice Adams.", "alice"},
		{"max_age=0 as well", true, url.Values{"max_age": {"0"}}, "Sign in", "You are signed in as Alice Adams.", "alice"},
		{"the account of an ID token is named", false, url.Values{"id_token_hint": {"of:sub-bob"}}, "Sign in", "Sign in as bob.", "bob"},
		{"an account that the client merely names is not", false, url.Values{"claims": {`{"id_token":{"sub":{"value":"sub-bob"}}}`}}, "Sign in", "The app asks for a particular account.", ""},
		{"unless it is the one that is signed in", true, url.Values{"prompt": {"login"}, "claims": {`{"id_token":{"sub":{"value":"sub-alice"}}}`}}, "Sign in", "Sign in as Alice Adams.", "alice"},
		{"a subject without an account is not named", false, url.Values{"id_token_hint": {"of:sub-nobody"}}, "Sign in", "The app asks for a particular account.", ""},
	} {
		w := newWorld(t, false)
		b := w.browser()
		if tt.signed {
			b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
		}
		s := b.begin(acme, tt.params)
		if s.heading() != tt.heading || !strings.Contains(words(s.html), tt.says) || s.field("username") != tt.username {
			t.Errorf("%s: got %q, user name %q: %s", tt.rule, s.heading(), s.field("username"), words(s.html))
		}
		if strings.Contains(s.html, "bob") && tt.username != "bob" {
			t.Errorf("%s: bob is named", tt.rule)
		}
	}
}

func TestChoiceOfAccounts(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	sid := b.cookie("chy-s-acme")
	s := b.begin(acme, url.Values{"prompt": {"select_account"}})
	if got := b.press(s, "continue", nil); got.query().Get("code") == "" {
		t.Errorf("continuing with the account is answered %d, %q", got.StatusCode, got.heading())
	}
	if b.cookie("chy-s-acme") != sid {
		t.Error("choosing the account changed the session although nobody authenticated")
	}
	s = b.press(b.begin(acme, url.Values{"prompt": {"select_account"}}), "switch", nil)
	if s.heading() != "Sign in" || s.field("username") != "" {
		t.Fatalf("another account leads to %q for %q", s.heading(), s.field("username"))
	}
	if got := b.signIn(s, "bob", "right"); !strings.Contains(words(got.html), "Signed in as bob") {
		t.Errorf("after signing in with another account: %s", words(got.html))
	}
	if got := w.store.live(acme); !slices.Equal(got, []string{"sub-bob"}) {
		t.Errorf("sessions after the change are of %v", got)
	}
}

func TestContinuingIsNoAuthentication(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	for _, params := range []url.Values{{"prompt": {"login"}}, {"max_age": {"0"}}, {"prompt": {"login select_account"}}} {
		if s := b.press(b.begin(acme, params), "continue", nil); s.StatusCode != http.StatusOK || s.heading() != "Sign in" {
			t.Errorf("%v: continuing without a password is answered %d %q", params, s.StatusCode, s.heading())
		}
	}
}

func TestAnotherAccountAtConsent(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	consent := b.signIn(b.begin(acme, nil), "alice", "right")
	s := b.press(consent, "switch", nil)
	if s.heading() != "Sign in" || !strings.Contains(words(s.html), "signs that one out") {
		t.Fatalf("another account leads to %q", s.heading())
	}
	if s = b.signIn(s, "bob", "wrong"); s.heading() != "Sign in" || !strings.Contains(s.html, "problem") {
		t.Fatalf("a wrong password leads to %q", s.heading())
	}
	if s = b.signIn(s, "bob", "right"); !strings.Contains(words(s.html), "Signed in as bob") {
		t.Fatalf("signing in with another account leads to %s", words(s.html))
	}
	// The page that still shows the other account, in another tab, grants nothing in its name.
	if got := b.press(consent, "allow", nil); got.StatusCode != http.StatusOK || !strings.Contains(words(got.html), "Signed in as bob") || len(w.store.grants) != 0 {
		t.Errorf("consent of the old page is answered %d: %s", got.StatusCode, words(got.html))
	}
	if got := b.press(s, "allow", nil); got.query().Get("code") == "" || w.store.grants[0].Subject != "sub-bob" {
		t.Errorf("consent is answered %d", got.StatusCode)
	}
}

func TestSecondTab(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	first, second := b.begin(acme, nil), b.begin(acme, nil)
	b.press(b.signIn(first, "alice", "right"), "allow", nil)
	if s := b.do(http.MethodGet, second.Request.URL.String(), ""); s.heading() != "Choose an account" {
		t.Errorf("the other tab, opened again, shows %q", s.heading())
	}
	if s := b.signIn(second, "alice", "right"); s.query().Get("code") == "" {
		t.Errorf("signing in once more is answered %d %q", s.StatusCode, s.heading())
	}
	if got := w.store.live(acme); len(got) != 1 {
		t.Errorf("two tabs of one browser leave the sessions %v", got)
	}
}

func TestDoubleClick(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	s := b.begin(acme, nil)
	b.signIn(s, "alice", "right")
	if got := b.signIn(s, "alice", "right"); got.StatusCode != http.StatusOK || got.heading() != "Allow Ledger to use your account?" {
		t.Errorf("the same form once more is answered %d %q", got.StatusCode, got.heading())
	}
	if w.people.asked != 1 {
		t.Errorf("the password was checked %d times", w.people.asked)
	}
}

func TestSessionEndsBeforeConsent(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	consent := b.signIn(b.begin(acme, nil), "alice", "right")
	b.press(b.open(acme, "/logout"), "logout", nil)
	s := b.do(http.MethodGet, consent.Request.URL.String(), "")
	if s.heading() != "Sign in" {
		t.Fatalf("consent without a session shows %q", s.heading())
	}
	if s = b.signIn(s, "alice", "right"); !strings.HasPrefix(s.heading(), "Allow ") {
		t.Errorf("signing in again leads to %q", s.heading())
	}
}

func TestFormPost(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	s := b.press(b.signIn(b.begin(acme, url.Values{"response_mode": {"form_post"}, "state": {`"><script>alert(1)</script>`}}), "alice", "right"), "allow", nil)
	if s.StatusCode != http.StatusOK || !strings.Contains(s.html, `action="`+callback+`"`) || s.field("code") == "" || s.field("iss") == "" {
		t.Fatalf("form_post is answered %d: %s", s.StatusCode, s.html)
	}
	if got := s.field("state"); got != `"><script>alert(1)</script>` {
		t.Errorf("state comes back as %q", got)
	}
	if strings.Count(s.html, "<script>") != 1 || !strings.Contains(s.html, "<script>document.forms[0].submit()</script>") || !strings.Contains(s.html, "<button") {
		t.Error("the page needs one script, and a button for who has none")
	}
	csp := s.Header.Get("Content-Security-Policy")
	for _, want := range []string{"script-src " + submitHash, "form-action 'self' https://app.example.org", "default-src 'none'"} {
		if !slices.Contains(strings.Split(csp, "; "), want) {
			t.Errorf("the policy %q lacks %q", csp, want)
		}
	}
}

package challenge

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
)

const failed = "invalid_client: Client authentication failed"

func TestWhoMayCall(t *testing.T) {
	const right = "&scope=openid&username=alice&password=ecila"
	pkce := "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	for _, tt := range []struct {
		rule, as, query string
		want            string
	}{
		{"a client with its secret", "app", "", "code"},
		{"that names itself as well", "app", "client_id=app", "code"},
		{"a public client by its name", "", "client_id=phone" + pkce, "code"},
		{"one that registered to name itself only", "", "client_id=bare", "code"},
		{"which may still show its secret", "bare", "", "code"},
		{"nobody", "", "", "unauthorized_client: client_id is missing"},
		{"a client without its secret", "", "client_id=app", failed},
		{"an unknown client looks the same", "", "client_id=nobody", failed},
		{"so does a disabled one", "", "client_id=off", failed},
		{"also if it registered to name itself only", "", "client_id=bare+off", failed},
		{"a disabled one with its secret", "off", "", failed},
		{"a wrong secret", "", "client_id=app&client_secret=x", failed},
		{"also of one that need not show it", "", "client_id=bare&client_secret=x", failed},
		{"a secret without a name", "", "client_secret=x", "invalid_client: Client authentication is required"},
		{"a name that is not that of the credentials", "app", "client_id=other", "invalid_request: client_id is not that of the client credentials"},
		{"a name that no client has", "", "client_id=" + strings.Repeat("x", 600), failed},
		{"a client that is not first-party", "third", "", request.ErrNotFirstParty.Description},
		{"a registry that is down", "", "client_id=down", "temporarily_unavailable: The service is temporarily unavailable"},
	} {
		h := open(t)
		a, err := h.as(tt.as, tt.query+right)
		if got := said(a, err); got != tt.want && !(errors.Is(err, request.ErrNotFirstParty) && strings.HasSuffix(got, tt.want)) {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if (err != nil) != (len(h.grants()) == 0) || err != nil && h.people.checks > 0 {
			t.Errorf("%s: %d grants, %d passwords checked", tt.rule, len(h.grants()), h.people.checks)
		}
	}
	h := open(t)
	h.t.Settings.Challenge.Enabled = false
	if _, err := h.as("app", right); !errors.Is(err, errOff) {
		t.Errorf("turned off: got %v", err)
	}
}

func TestTwoSteps(t *testing.T) {
	h := open(t)
	s1 := h.asks("scope=openid+email&nonce=n&use_auth_session=true", "username_required")
	s2 := h.asks("username=alice&auth_session="+s1, "password_required")
	s3 := h.asks("password=wrong&auth_session="+s2, "username_or_password_invalid")
	if s1 == s2 || s2 == s3 {
		t.Error("the handle stays the same")
	}
	for _, s := range []string{s1, s2, s3} {
		if len(s) != 43 {
			t.Errorf("%q has not 256 bits", s)
		}
	}
	a, err := h.as("app", "password=ecila&auth_session="+s3)
	if said(a, err) != "code" {
		t.Fatal(a, err)
	}
	g := h.grants()[0]
	if g.Terms.Scope.String() != "openid email" || g.Terms.Login.Nonce != "n" || g.Subject != "sub-of-alice" {
		t.Errorf("got %+v", g)
	}
	for _, s := range []string{s1, s2, s3} {
		if a, err := h.as("app", "password=ecila&auth_session="+s); !errors.Is(err, errSession) {
			t.Errorf("afterwards: got %+v, %v", a, err)
		}
	}
	if len(h.grants()) != 1 || len(h.store.interactions) != 1 { // what stays is for a step-up
		t.Errorf("%d grants, %d interactions", len(h.grants()), len(h.store.interactions))
	}
}

// A client that has only its name need not repeat it, and a former client has its own words.
func TestTheSessionNamesItsClient(t *testing.T) {
	h := open(t)
	for _, first := range []string{"client_id=bare", "client_id=phone&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"} {
		a, err := h.as("", first+"&use_device_session=true&username=alice")
		if said(a, err) != "password_required +" || !a.Former {
			t.Fatal(a, err)
		}
		a, err = h.as("", "password=wrong&device_session="+a.AuthSession)
		if said(a, err) != "username_or_password_invalid +" || !a.Former {
			t.Fatal(a, err)
		}
		a, err = h.as("", "password=ecila&auth_session="+a.AuthSession)
		if said(a, err) != "code" || a.Former || !strings.Contains(first, a.ClientID) {
			t.Fatal(a, err)
		}
	}
	if a, err := h.as("", "password=ecila&auth_session="+h.begin()); said(a, err) != failed {
		t.Errorf("a client that must authenticate: got %+v, %v", a, err)
	}
}

func TestFewGuesses(t *testing.T) {
	h := open(t)
	s := h.begin()
	for i := range maxWrong - 1 {
		s = h.asks("password=wrong"+strconv.Itoa(i)+"&auth_session="+s, "username_or_password_invalid")
	}
	if end := h.asks("password=wrong&auth_session="+s, "username_or_password_invalid"); end != "" {
		t.Error("the last wrong guess leaves an auth_session")
	}
	if a, err := h.as("app", "password=ecila&auth_session="+s); !errors.Is(err, errSession) {
		t.Errorf("after the last guess: got %+v, %v", a, err)
	}
	if n := len(h.store.interactions); n != 0 || len(h.grants()) != 0 {
		t.Errorf("%d interactions, %d grants", n, len(h.grants()))
	}
	s = h.asks("use_auth_session=true&username=alice&password=wrong", "username_or_password_invalid") // a guess without a session counts as well
	for range maxWrong - 2 {
		s = h.asks("password=wrong&auth_session="+s, "username_or_password_invalid")
	}
	if end := h.asks("password=wrong&auth_session="+s, "username_or_password_invalid"); end != "" {
		t.Error("the last wrong guess leaves an auth_session")
	}
}

// The lifetime is counted from the first call, however many there are.
func TestLifetime(t *testing.T) {
	h := open(t)
	h.t.Settings.Challenge.Lifetime = 60
	s := h.begin()
	h.now = noon.Add(59 * time.Second)
	s = h.asks("username=alice&auth_session="+s, "password_required")
	h.now = noon.Add(60 * time.Second)
	if a, err := h.as("app", "password=ecila&auth_session="+s); !errors.Is(err, errSession) {
		t.Errorf("got %+v, %v", a, err)
	}
}

// A failure tells nothing and changes nothing.
func TestFailures(t *testing.T) {
	h := open(t)
	s := h.begin()
	wait := oauth.SlowDown("Too many failed attempts, try again later").Because(oauth.Wait(time.Minute))
	h.people.err = wait
	if a, err := h.as("app", "password=ecila&auth_session="+s); !errors.Is(err, wait) || oauth.RetryAfter(err) != time.Minute || a.Error != "" {
		t.Errorf("too many guesses: got %+v, %v", a, err)
	}
	h.people.err = nil
	h.store.down = errDown
	for _, query := range []string{"password=ecila&auth_session=" + s, "username=alice&use_auth_session=true", "username=alice&password=ecila"} {
		if a, err := h.as("app", query); !errors.Is(err, errDown) || a.Code != "" {
			t.Errorf("%s: got %+v, %v", query, a, err)
		}
	}
	h.store.down, h.store.finished = nil, nil
	if a, err := h.as("app", "password=ecila&auth_session="+s); said(a, err) != "code" {
		t.Errorf("got %+v, %v", a, err)
	}
}

package challenge

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestOneStep(t *testing.T) {
	const alike, apart = false, true
	for _, tt := range []struct {
		rule, query string
		distinguish bool
		want        string
	}{
		{"user name and password make a code", "username=alice&password=ecila", alike, "code"},
		{"also from former clients", "username=alice&password=ecila&use_device_session=true", alike, "code"},
		{"no user name", "", alike, "username_required"},
		{"a login_hint is no user name", "login_hint=alice&password=ecila", alike, "username_required"},
		{"a blank user name is none", "username=+%09&password=ecila", alike, "username_required"},
		{"an empty one too", "username=&password=ecila", alike, "username_required"},
		{"no password", "username=alice", alike, "password_required"},
		{"an empty password is none", "username=alice&password=", alike, "password_required"},
		{"nothing is said of the user before", "username=nobody", apart, "password_required"},
		{"a wrong password", "username=alice&password=x", alike, "username_or_password_invalid"},
		{"an unknown user looks the same", "username=nobody&password=x", alike, "username_or_password_invalid"},
		{"so does a disabled one", "username=bob&password=bob", alike, "username_or_password_invalid"},
		{"a wrong password, told apart", "username=alice&password=x", apart, "username_or_password_invalid"},
		{"an unknown user, told apart", "username=nobody&password=x", apart, "username_invalid"},
		{"a disabled user, told apart", "username=bob&password=bob", apart, "username_inactive"},
		{"no user has so long a name", "username=" + strings.Repeat("x", 1025) + "&password=x", alike, "invalid_request: username is too long"},
		{"an auth_session comes if it is asked for", "use_auth_session=true", alike, "username_required +"},
		{"in any case of letters", "use_auth_session=TRUE", alike, "username_required +"},
		{"or by its former name", "use_device_session=true", alike, "username_required +"},
		{"also after a wrong guess", "use_auth_session=true&username=alice&password=x", alike, "username_or_password_invalid +"},
		{"not if it is declined", "use_auth_session=false&username=alice", alike, "password_required"},
		{"the present name counts", "use_auth_session=false&use_device_session=true", alike, "username_required"},
	} {
		h := open(t)
		h.t.Settings.Challenge.DistinguishUsers = tt.distinguish
		a, err := h.as("app", "scope=openid+email&"+tt.query)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if a.ClientID != "app" || a.Former != strings.Contains(tt.query, "use_device") && !strings.Contains(tt.query, "use_auth") {
			t.Errorf("%s: got %+v", tt.rule, a)
		}
		if n := len(h.grants()); n > 0 != (tt.want == "code") || n > 1 {
			t.Errorf("%s: %d grants", tt.rule, n)
		}
		if n := len(h.store.interactions); n > 0 != strings.HasSuffix(tt.want, "+") {
			t.Errorf("%s: %d interactions", tt.rule, n)
		}
	}
}

func TestWhatIsGranted(t *testing.T) {
	h := open(t)
	challenge := "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	a, err := h.as("app", "scope=openid+email+photos&nonce=n&state=s&username=alice&password=ecila&code_challenge_method=S256&resource=https://api.example/&code_challenge="+challenge)
	if said(a, err) != "code" || a.SID != "" {
		t.Fatal(a, err)
	}
	g := h.grants()[0]
	want := &grant.Grant{ID: g.ID, Subject: "sub-of-alice", ClientID: "app", CreatedAt: noon, ExpiresAt: noon.Add(time.Minute),
		Code: &grant.CodeState{Hash: grant.Hash(a.Code), ExpiresAt: noon.Add(time.Minute), Challenge: challenge},
		Terms: grant.Terms{Scope: oauth.Scope{"openid", "email"}, Claims: []string{"email", "email_verified"}, Audience: []string{"https://api.example/"}, FirstParty: true,
			IDToken: grant.IDTerms{Issue: true}, RefreshToken: grant.RefreshTerms{Issue: true},
			Login: grant.Login{AuthTime: noon.Unix(), TellAuthTime: true, ACR: "default_challenge", AMR: []string{"pwd"}, Nonce: "n"}}}
	if d := cmp.Diff(want, g); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	ev := audit.Event{At: noon, Kind: audit.LoggedIn, Subject: "sub-of-alice", ClientID: "app", Address: "192.0.2.1"}
	issued := ev
	issued.Kind, issued.Grant, issued.Detail = audit.GrantIssued, g.ID, map[string]string{"scope": "openid email"}
	if d := cmp.Diff([]audit.Event{ev, issued}, h.store.finished[0].Events); d != "" {
		t.Errorf("the record: (-want +got)\n%s", d)
	}
}

// A tenant may want a login session for each code, and another name for how its users signed in.
func TestSessionOfTheCode(t *testing.T) {
	h := open(t)
	h.t.Settings.Challenge = tenant.ChallengeSettings{Enabled: true, CreateSession: true, DefaultACR: "urn:acme:app"}
	a, err := h.as("app", "scope=openid&username=alice&password=ecila")
	if said(a, err) != "code" {
		t.Fatal(a, err)
	}
	e := h.store.finished[0]
	n := e.Session
	if n == nil || n.Subject != "sub-of-alice" || n.ACR != "urn:acme:app" || !n.AuthTime.Equal(noon) || n.ID != e.Grant.SessionID || e.ClientID != "app" || e.KeepNewest != 5 {
		t.Fatalf("got %+v, %+v", n, e)
	}
	if e.Events[0].Session != n.ID || e.Grant.Terms.Login.ACR != "urn:acme:app" || !h.Authorize.Sessions.Owns(h.t, a.SID, n) {
		t.Errorf("got %+v, %q", e, a.SID)
	}
}

package authorize

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// told is what err says; empty: none.
func told(err error) string {
	if err == nil {
		return ""
	}
	e := oauth.ErrorOf(err)
	return e.Code + ": " + e.Description
}

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		before   string // whose session the browser has
		disabled bool
		sub      string
		err      string
		ended    int
		sessions int
	}{
		{"a browser without session gets one", "", false, "alice", "", 0, 1},
		{"the same subject keeps its session", "alice", false, "alice", "", 0, 1},
		{"another ends the one before", "bob", false, "alice", "", 1, 1},
		{"not who is disabled", "bob", true, "alice", "access_denied: the account is disabled", 0, 1},
		{"not nobody", "", false, "", "invalid_request: sub must have 1 to 255 printable ASCII characters", 0, 0},
	} {
		h := open(t)
		sid := ""
		if tt.before != "" {
			sid = h.session(tt.before, func(n *session.Session) { n.AuthTime = noon.Add(-time.Hour) })
		}
		if tt.disabled {
			h.store.disabled = []string{tt.sub}
		}
		got, err := h.SignIn(context.Background(), h.t, sid, Authentication{Login: session.Login{Subject: tt.sub, AMR: []string{"pwd"}}, Address: "192.0.2.1"})
		if told(err) != tt.err || len(h.store.ended) != tt.ended || len(h.store.sessions) != tt.sessions {
			t.Errorf("%s: %v; ended are %v, sessions %d", tt.rule, err, h.store.ended, len(h.store.sessions))
		}
		if err != nil {
			continue
		}
		facts, err := h.Current(context.Background(), h.t, got, nil)
		if err != nil || facts.Session == nil || facts.Session.Subject != tt.sub || !facts.Session.AuthTime.Equal(noon) {
			t.Errorf("%s: the handle opens %+v, %v", tt.rule, facts.Session, err)
			continue
		}
		event := []audit.Event{{At: noon, Kind: audit.LoggedIn, Subject: tt.sub, Session: facts.Session.ID, Address: "192.0.2.1"}}
		if d := cmp.Diff(event, h.store.events); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.rule, d)
		}
		if old, _ := h.Current(context.Background(), h.t, sid, nil); old.Session != nil {
			t.Errorf("%s: the old handle opens a session still", tt.rule)
		}
		if tt.ended > 0 && !h.t.Revoked.Revoked(tenant.Issued{Grant: "grant of " + h.store.ended[0]}) {
			t.Errorf("%s: the journal does not hold what ending the session revoked", tt.rule)
		}
	}
	h := open(t)
	h.store.down = errDown
	if _, err := h.SignIn(context.Background(), h.t, "", Authentication{Login: session.Login{Subject: "alice"}}); err != errDown {
		t.Errorf("a store that is down: %v", err)
	}
}

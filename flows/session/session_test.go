package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// count is a source of chance that counts.
type count struct{ n byte }

func (c *count) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

// memory keeps sessions; down makes it fail.
type memory struct {
	sessions map[string]*Session
	ended    []string
	down     error
}

func (m *memory) Session(_ context.Context, t tenant.ID, id string) (*Session, error) {
	if m.down != nil {
		return nil, m.down
	}
	if n := m.sessions[string(t)+"/"+id]; n != nil {
		return n, nil
	}
	return nil, ErrNotFound
}

func (m *memory) Sessions(context.Context, tenant.ID, string) ([]Session, error) { return nil, nil }

func (m *memory) EndSession(_ context.Context, t tenant.ID, id string, _, until time.Time, ev audit.Event) ([]tenant.Revocation, error) {
	if m.sessions[string(t)+"/"+id] == nil {
		return nil, ErrNotFound
	}
	m.ended = append(m.ended, ev.Session)
	return []tenant.Revocation{{Grant: "g1", ExpiresAt: until}}, nil
}

func house(t *testing.T, id tenant.ID, fill byte) *tenant.Tenant {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: id, Settings: &tenant.Settings{}, Secret: secret, Revoked: tenant.NewJournal()}
}

func service(m *memory) *Service {
	return &Service{Now: func() time.Time { return now }, Rand: &count{}, Store: m}
}

func TestTimes(t *testing.T) {
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for _, tt := range []struct {
		rule        string
		s           Session
		open, fresh bool
	}{
		{"within all its times", Session{CreatedAt: ago(9), UsedAt: ago(1), AuthTime: ago(4), MaxLife: 10, AuthLife: 5, MaxIdle: 2}, true, true},
		{"its life ends to the second", Session{CreatedAt: ago(10), UsedAt: ago(1), AuthTime: ago(4), MaxLife: 10, AuthLife: 5, MaxIdle: 2}, false, true},
		{"so does its idle time", Session{CreatedAt: ago(9), UsedAt: ago(2), AuthTime: ago(4), MaxLife: 10, AuthLife: 5, MaxIdle: 2}, false, true},
		{"an old authentication leaves it open", Session{CreatedAt: ago(9), UsedAt: ago(1), AuthTime: ago(5), MaxLife: 10, AuthLife: 5, MaxIdle: 2}, true, false},
		{"negative times never end", Session{CreatedAt: ago(1e6), UsedAt: ago(1e6), AuthTime: ago(1e6), MaxLife: -1, AuthLife: -1, MaxIdle: -1}, true, true},
		{"nor does what no duration can hold", Session{CreatedAt: ago(1e6), UsedAt: ago(1e6), AuthTime: ago(1e6), MaxLife: math.MaxInt64, AuthLife: math.MaxInt64, MaxIdle: math.MaxInt64}, true, true},
		{"zero times have ended", Session{CreatedAt: now, UsedAt: now, AuthTime: now}, false, false},
	} {
		if open, fresh := tt.s.Open(now), tt.s.Fresh(now); open != tt.open || fresh != tt.fresh {
			t.Errorf("%s: got open %v, fresh %v", tt.rule, open, fresh)
		}
	}
}

func TestExpiresAt(t *testing.T) {
	for _, tt := range []struct {
		rule string
		s    Session
		want time.Time
	}{
		{"by its life", Session{CreatedAt: now, UsedAt: now, MaxLife: 10, MaxIdle: 20}, now.Add(10 * time.Minute)},
		{"by lying unused", Session{CreatedAt: now, UsedAt: now, MaxLife: 10, MaxIdle: 5}, now.Add(5 * time.Minute)},
		{"by one alone", Session{CreatedAt: now, UsedAt: now, MaxLife: -1, MaxIdle: 5}, now.Add(5 * time.Minute)},
		{"never", Session{CreatedAt: now, UsedAt: now, MaxLife: -1, MaxIdle: -1}, time.Time{}},
		{"the end of authentication is not its end", Session{CreatedAt: now, UsedAt: now, AuthTime: now, MaxLife: 10, AuthLife: 1, MaxIdle: -1}, now.Add(10 * time.Minute)},
	} {
		if got := tt.s.ExpiresAt(); !got.Equal(tt.want) {
			t.Errorf("%s: got %v, want %v", tt.rule, got, tt.want)
		}
	}
}

func TestLoginCheck(t *testing.T) {
	for _, tt := range []struct {
		rule string
		l    Login
		want string // description; empty: it may be
	}{
		{"the subject alone", Login{Subject: "alice"}, ""},
		{"the longest subject", Login{Subject: strings.Repeat("a", 255)}, ""},
		{"methods and a class", Login{Subject: "al ice", ACR: "urn:c2id:acr:mfa", AMR: []string{"ldap", "token"}}, ""},
		{"an authentication long ago", Login{Subject: "alice", AuthTime: time.Unix(12345678, 0), CreatedAt: time.Unix(12345678, 0)}, ""},
		{"a clock that is a little ahead", Login{Subject: "alice", AuthTime: now.Add(time.Minute)}, ""},
		{"another script", Login{Subject: "алиса"}, "sub must have 1 to 255 printable ASCII characters"},
		{"spaces alone", Login{Subject: "  "}, "sub must have 1 to 255 printable ASCII characters"},
		{"no subject", Login{}, "sub must have 1 to 255 printable ASCII characters"},
		{"too long a subject", Login{Subject: strings.Repeat("a", 256)}, "sub must have 1 to 255 printable ASCII characters"},
		{"a line break", Login{Subject: "a\nb"}, "sub must have 1 to 255 printable ASCII characters"},
		{"NUL", Login{Subject: "a\x00"}, "sub must have 1 to 255 printable ASCII characters"},
		{"what was not UTF-8", Login{Subject: "a\xff"}, "sub must have 1 to 255 printable ASCII characters"},
		{"an authentication to come", Login{Subject: "alice", AuthTime: now.Add(61 * time.Second)}, "auth_time must not lie ahead"},
		{"a creation to come", Login{Subject: "alice", CreatedAt: now.Add(61 * time.Second)}, "creation_time must not lie ahead"},
		{"a control character in acr", Login{Subject: "alice", ACR: "a\x00"}, "acr must be a short string without control characters"},
		{"a control character in amr", Login{Subject: "alice", AMR: []string{"pwd", "\x7f"}}, "amr must be at most 16 short strings without control characters"},
		{"a method without a name", Login{Subject: "alice", AMR: []string{"pwd", ""}}, "amr must be at most 16 short strings without control characters"},
		{"methods without end", Login{Subject: "alice", AMR: make([]string, 17)}, "amr must be at most 16 short strings without control characters"},
		{"too long an acr", Login{Subject: "alice", ACR: strings.Repeat("a", 256)}, "acr must be a short string without control characters"},
		{"a context of the tenant's own", Login{Subject: "alice", Context: "kiosk-2_B"}, ""},
		{"too long a context", Login{Subject: "alice", Context: strings.Repeat("a", 33)}, "ctx must have 1 to 32 letters, digits, hyphens and underscores"},
		{"a context with a space", Login{Subject: "alice", Context: "N IA"}, "ctx must have 1 to 32 letters, digits, hyphens and underscores"},
		{"times without end", Login{Subject: "alice", MaxLife: math.MaxInt64}, "max_life, auth_life and max_idle must not exceed 100 years of minutes"},
	} {
		err := tt.l.Check(now)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.rule, err)
		case tt.want != "" && !errors.Is(err, oauth.InvalidRequest(tt.want)):
			t.Errorf("%s: got %v, want %s", tt.rule, err, tt.want)
		}
	}
}

func TestNewAndAgain(t *testing.T) {
	ten, s := house(t, "acme", 1), service(&memory{})
	n := s.New(ten, Login{Subject: "alice"})
	want := &Session{ID: "AQIDBAUGBwgJCgsMDQ4PEA", Subject: "alice", AuthTime: now, CreatedAt: now, UsedAt: now, MaxLife: 20160, AuthLife: 1440, MaxIdle: 1440}
	if d := cmp.Diff(want, n); d != "" {
		t.Errorf("the tenant's defaults: (-want +got)\n%s", d)
	}
	before := now.Add(-time.Hour)
	n = s.New(ten, Login{Subject: "alice", AuthTime: before, CreatedAt: before, ACR: "2", AMR: []string{"pwd"}, MaxLife: 30, AuthLife: 20, MaxIdle: 10,
		Claims: json.RawMessage(`{"a":1}`), Data: json.RawMessage(`{"b":2}`)})
	want = &Session{ID: n.ID, Subject: "alice", AuthTime: before, CreatedAt: before, UsedAt: now, ACR: "2", AMR: []string{"pwd"}, MaxLife: 30, AuthLife: 20, MaxIdle: 10,
		Claims: json.RawMessage(`{"a":1}`), Data: json.RawMessage(`{"b":2}`)}
	if d := cmp.Diff(want, n); d != "" {
		t.Errorf("what the login says: (-want +got)\n%s", d)
	}
	n.Clients = []string{"shop"}
	again := s.Again(n, Login{Subject: "alice", ACR: "3", CreatedAt: now}, false)
	want.AuthTime, want.ACR, want.AMR, want.Clients = now, "3", nil, []string{"shop"}
	if d := cmp.Diff(want, again); d != "" {
		t.Errorf("authenticated again: (-want +got)\n%s", d)
	}
	if n.ACR != "2" {
		t.Error("the session as it was has changed")
	}
	if got := s.Again(n, Login{Subject: "alice"}, true).Turn; got != 1 {
		t.Errorf("turned: got %d", got)
	}
}

func TestFits(t *testing.T) {
	ten, s := house(t, "acme", 1), service(&memory{}) // 20160, 1440, 1440
	for _, tt := range []struct {
		rule  string
		l     Login
		want  [3]int64
		wrong bool
	}{
		{"nothing given", Login{}, [3]int64{20160, 1440, 1440}, false},
		{"all in order", Login{MaxLife: 30, AuthLife: 20, MaxIdle: 10}, [3]int64{30, 20, 10}, false},
		{"all equal", Login{MaxLife: 10, AuthLife: 10, MaxIdle: 10}, [3]int64{10, 10, 10}, false},
		{"all unlimited", Login{MaxLife: -1, AuthLife: -1, MaxIdle: -1}, [3]int64{-1, -1, -1}, false},
		{"a short life shortens the rest", Login{MaxLife: 60}, [3]int64{60, 60, 60}, false},
		{"a short authentication shortens the idle time", Login{AuthLife: 30}, [3]int64{20160, 30, 30}, false},
		{"a short idle time alone", Login{MaxIdle: 15}, [3]int64{20160, 1440, 15}, false},
		{"an unlimited life leaves the rest", Login{MaxLife: -1}, [3]int64{-1, 1440, 1440}, false},
		{"an idle time without limit leaves the others to act", Login{MaxIdle: -1}, [3]int64{20160, 1440, -1}, false},
		{"authentication outlives the session", Login{MaxLife: 10, AuthLife: 20}, [3]int64{}, true},
		{"idle time outlives authentication", Login{AuthLife: 10, MaxIdle: 20}, [3]int64{}, true},
		{"idle time outlives the session", Login{MaxLife: 10, MaxIdle: 20}, [3]int64{}, true},
		{"unlimited outlives limited", Login{MaxLife: 10, AuthLife: -1}, [3]int64{}, true},
		{"longer than the tenant's life", Login{AuthLife: 20161}, [3]int64{}, true},
		{"longer than the tenant's authentication", Login{MaxIdle: 1441}, [3]int64{}, true},
	} {
		n := s.New(ten, tt.l)
		if got := [3]int64{n.MaxLife, n.AuthLife, n.MaxIdle}; !tt.wrong && got != tt.want || n.Fits(tt.l) == tt.wrong {
			t.Errorf("%s: got %v, fits %v", tt.rule, got, n.Fits(tt.l))
		}
	}
}

func TestHandles(t *testing.T) {
	acme, globex := house(t, "acme", 1), house(t, "globex", 2)
	m := &memory{sessions: map[string]*Session{}}
	s := service(m)
	n := s.New(acme, Login{Subject: "alice"})
	m.sessions["acme/"+n.ID], m.sessions["globex/"+n.ID] = n, n // the same id in two tenants
	good := s.Handle(acme, n)
	closed := *n
	closed.ID, closed.UsedAt = "AAAAAAAAAAAAAAAAAAAAAA", now.Add(-48*time.Hour)
	m.sessions["acme/"+closed.ID] = &closed

	if got, err := s.Current(context.Background(), acme, good); err != nil || got != n {
		t.Fatalf("the handle: got %v, %v", got, err)
	}
	for rule, handle := range map[string]string{
		"none":                              "",
		"the id alone":                      n.ID,
		"an id with an empty MAC":           n.ID + ".",
		"another tenant's":                  s.Handle(globex, n),
		"a MAC cut short":                   good[:len(good)-1],
		"a MAC with more":                   good + "A",
		"a MAC in another form":             good[:23] + strings.ToUpper(good[23:]),
		"another session's MAC":             closed.ID + good[22:],
		"a closed session's":                s.Handle(acme, &closed),
		"an unknown session's":              s.Handle(acme, &Session{ID: "BBBBBBBBBBBBBBBBBBBBBA"}),
		"one of a turn to come":             s.Handle(acme, s.Again(n, Login{}, true)),
		"one that no store takes":           strings.Repeat("\x00", 22) + good[22:],
		"one that is not base64url":         "+" + good[1:],
		"one with a line break":             "\n" + good,
		"one that ends in what is not used": n.ID[:21] + "B" + good[22:],
	} {
		if got, err := s.Current(context.Background(), acme, handle); !errors.Is(err, ErrNotFound) || got != nil {
			t.Errorf("%s: got %v, %v", rule, got, err)
		}
	}
	m.down = errors.New("down")
	if _, err := s.Current(context.Background(), acme, good); !errors.Is(err, m.down) {
		t.Errorf("a store that cannot answer: got %v", err)
	}
}

func TestContexts(t *testing.T) {
	acme := house(t, "acme", 1)
	m := &memory{sessions: map[string]*Session{}}
	s := service(m)
	for _, context := range []string{Browser, NativeApp, "kiosk"} {
		n := s.New(acme, Login{Subject: "alice", Context: context})
		m.sessions["acme/"+n.ID] = n
		if n.Context != context || s.Again(n, Login{Subject: "alice", Context: "other"}, false).Context != context {
			t.Errorf("%q: the context of a session is fixed when it begins", context)
		}
		handle := s.Handle(acme, n)
		if got, err := s.Find(t.Context(), acme, handle); err != nil || got != n {
			t.Errorf("%q: whoever looks after it finds %v, %v", context, got, err)
		}
		_, err := s.Current(t.Context(), acme, handle)
		if browser := context == Browser; s.Owns(acme, handle, n) != browser || errors.Is(err, ErrNotFound) == browser {
			t.Errorf("%q: a browser's, and no other is: %v", context, err)
		}
		for _, other := range []string{Browser, NativeApp, "kiosk"} {
			moved := *n
			moved.Context = other
			if s.Opens(acme, handle, &moved) != (other == context) {
				t.Errorf("the handle of a session of %q, in %q", context, other)
			}
		}
	}
}

func TestHandleTurns(t *testing.T) {
	acme := house(t, "acme", 1)
	m := &memory{sessions: map[string]*Session{}}
	s := service(m)
	n := s.New(acme, Login{Subject: "alice"})
	old := s.Handle(acme, n)
	n = s.Again(n, Login{Subject: "alice"}, true)
	m.sessions["acme/"+n.ID] = n
	if _, err := s.Current(context.Background(), acme, old); !errors.Is(err, ErrNotFound) {
		t.Errorf("the handle of before: got %v", err)
	}
	if _, err := s.Current(context.Background(), acme, s.Handle(acme, n)); err != nil {
		t.Errorf("the new handle: got %v", err)
	}
}

func TestEnd(t *testing.T) {
	acme := house(t, "acme", 1)
	n := &Session{ID: "s1", Subject: "alice"}
	m := &memory{sessions: map[string]*Session{"acme/s1": n}}
	s := service(m)
	if err := s.End(context.Background(), acme, n, "192.0.2.1"); err != nil || len(m.ended) != 1 {
		t.Fatalf("got %v, %v", err, m.ended)
	}
	if !acme.Revoked.Revoked(tenant.Issued{Grant: "g1"}) {
		t.Error("the journal does not hold what ending the session revoked")
	}
	if err := s.End(context.Background(), acme, &Session{ID: "gone"}, ""); err != nil {
		t.Errorf("ending what is gone: got %v", err)
	}
}

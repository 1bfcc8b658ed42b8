package access

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// site is a Hooks that answers by the name of the hook, and keeps the events.
type site struct {
	mu      sync.Mutex
	answers map[string]string // "" and what is not there: it is down
	asked   map[string]script.Event
}

func (s *site) Run(_ context.Context, _ *tenant.Tenant, ev script.Event) (script.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[ev.Hook] = ev
	if s.answers[ev.Hook] == "" {
		return script.Outcome{}, oauth.Unavailable()
	}
	return script.ParseOutcome([]byte(s.answers[ev.Hook]))
}

// logins is a session.Store of one session.
type logins struct {
	session.Store
	one  *session.Session
	down error
}

func (l logins) Session(_ context.Context, _ tenant.ID, id string) (*session.Session, error) {
	switch {
	case l.down != nil:
		return nil, l.down
	case l.one == nil || l.one.ID != id:
		return nil, session.ErrNotFound
	}
	return l.one, nil
}

// sources gives w hooks of claims and introspection that answer so.
func (w *world) sources(answers map[string]string, hooks map[string]tenant.Hook) *site {
	s := &site{answers: answers, asked: map[string]script.Event{}}
	w.tenant.Settings.Hooks, w.Hooks = hooks, s
	w.Issuer.Sources = &Sources{Now: w.Now, Hooks: s, Sessions: &session.Service{Store: logins{}}}
	return s
}

func TestClaimsThatASourceTells(t *testing.T) {
	type claims = map[string]any
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	hooks := map[string]tenant.Hook{"claims": {Claims: []string{"tier", "email", "name"}}, "claims_hr": {Claims: []string{"role", "office"}, KeepNull: true, MaxAnswer: 256}}
	for _, c := range []struct {
		rule    string
		names   []string
		answers map[string]string
		preset  map[string]json.RawMessage
		want    claims
		asked   map[string][]string // by hook
		err     string
	}{
		{"what the account does not hold", []string{"email", "tier"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":"gold"}}`}, nil,
			claims{"sub": "alice", "email": raw(`"a@example.com"`), "tier": raw(`"gold"`)}, map[string][]string{"claims": {"tier"}}, ""},
		{"each of its own", []string{"tier", "role"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":1}}`, "claims_hr": `{"action":"allow","claims":{"role":"x"}}`}, nil,
			claims{"sub": "alice", "tier": raw("1"), "role": raw(`"x"`)}, map[string][]string{"claims": {"tier"}, "claims_hr": {"role"}}, ""},
		{"not what is preset", []string{"tier"}, nil, map[string]json.RawMessage{"tier": raw("2")}, claims{"sub": "alice", "tier": raw("2")}, map[string][]string{}, ""},
		{"not what is preset in a language", []string{"tier"}, nil, map[string]json.RawMessage{"tier#es": raw("2")}, claims{"sub": "alice", "tier#es": raw("2")}, map[string][]string{}, ""},
		{"not what is nobody's", []string{"shoe_size"}, nil, nil, claims{"sub": "alice"}, map[string][]string{}, ""},
		{"not what was not consented to", nil, nil, nil, claims{"sub": "alice"}, map[string][]string{}, ""},
		{"not what says what a token is", []string{"cnf"}, nil, nil, claims{"sub": "alice"}, map[string][]string{}, ""},
		{"and nothing that it was not asked", []string{"tier"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":1,"role":"x","email":"evil","name":"n"}}`}, nil,
			claims{"sub": "alice", "tier": raw("1")}, map[string][]string{"claims": {"tier"}}, ""},
		{"in languages", []string{"name"}, map[string]string{"claims": `{"action":"allow","claims":{"name":"A","name#es":"B","names#es":"C"}}`}, nil,
			claims{"sub": "alice", "name": raw(`"A"`), "name#es": raw(`"B"`)}, map[string][]string{"claims": {"name"}}, ""},
		{"in one language", []string{"name#ES"}, map[string]string{"claims": `{"action":"allow","claims":{"name":"A","name#es":"B"}}`}, nil,
			claims{"sub": "alice", "name#es": raw(`"B"`)}, map[string][]string{"claims": {"name#ES"}}, ""},
		{"nothing", []string{"tier"}, map[string]string{"claims": `{"action":"allow"}`}, nil, claims{"sub": "alice"}, map[string][]string{"claims": {"tier"}}, ""},
		{"that are null, and left out", []string{"tier"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":null}}`}, nil, claims{"sub": "alice"}, map[string][]string{"claims": {"tier"}}, ""},
		{"that are null, and kept", []string{"role"}, map[string]string{"claims_hr": `{"action":"allow","subject":"alice","claims":{"role":null}}`}, nil, claims{"sub": "alice", "role": raw("null")}, map[string][]string{"claims_hr": {"role"}}, ""},
		{"that are too large", []string{"role"}, map[string]string{"claims_hr": `{"action":"allow","claims":{"role":"` + strings.Repeat("x", 256) + `"}}`}, nil, nil, map[string][]string{"claims_hr": {"role"}}, "server_error"},
		{"for another subject", []string{"tier"}, map[string]string{"claims": `{"action":"allow","subject":"bob","claims":{"tier":1}}`}, nil, nil, map[string][]string{"claims": {"tier"}}, "server_error"},
		{"with a sub", []string{"tier"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":1,"sub":"bob"}}`}, nil, nil, map[string][]string{"claims": {"tier"}}, "server_error"},
		{"with an issuer", []string{"tier"}, map[string]string{"claims": `{"action":"allow","claims":{"iss":"x"}}`}, nil, nil, map[string][]string{"claims": {"tier"}}, "server_error"},
		{"with scope", []string{"tier"}, map[string]string{"claims": `{"action":"allow","scope":"a"}`}, nil, nil, map[string][]string{"claims": {"tier"}}, "server_error"},
		{"refused", []string{"tier"}, map[string]string{"claims": `{"action":"deny","error":"access_denied"}`}, nil, nil, map[string][]string{"claims": {"tier"}}, "server_error"},
		{"of a source that is down", []string{"email", "tier"}, nil, nil, nil, map[string][]string{"claims": {"tier"}}, "temporarily_unavailable"},
		{"of two, one of which is down", []string{"tier", "role"}, map[string]string{"claims": `{"action":"allow","claims":{"tier":1}}`}, nil, nil, map[string][]string{"claims": {"tier"}, "claims_hr": {"role"}}, "temporarily_unavailable"},
	} {
		w := newWorld(t)
		w.people.claims = map[string]map[string]json.RawMessage{"alice": {"email": raw(`"a@example.com"`)}}
		s := w.sources(c.answers, hooks)
		g := w.agree(func(g *grant.Grant) { g.Terms.Claims, g.Terms.PresetUserInfo = c.names, c.preset })
		got, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: w.mint(g, grant.SelfContained)})
		if d := cmp.Diff(c.want, claims(got)); d != "" || said(err) != c.err {
			t.Errorf("%s: %v %s", c.rule, err, d)
		}
		asked := map[string][]string{}
		for hook, ev := range s.asked {
			asked[hook], _ = ev.Facts["claims"].([]string)
		}
		if d := cmp.Diff(c.asked, asked); d != "" {
			t.Errorf("%s: asked %s", c.rule, d)
		}
	}
}

// Verified claims come with their verification, or not at all, and only those that were consented to.
func TestVerifiedClaimsThatASourceTells(t *testing.T) {
	const of = `{"verification":{"trust_framework":"x"},"claims":{"name":"A","name#es":"B","birthdate":"1976-03-11"}}`
	asked := json.RawMessage(`{"verification":{"trust_framework":null},"claims":{"name":null}}`)
	for _, c := range []struct {
		rule   string
		names  []string
		preset map[string]json.RawMessage
		told   string // verified_claims
		want   string
		err    string
	}{
		{"those that were asked", []string{"verified:name"}, nil, of, `{"verification":{"trust_framework":"x"},"claims":{"name":"A","name#es":"B"}}`, ""},
		{"of several verifications", []string{"verified:birthdate"}, nil, `[` + of + `,{"verification":{"trust_framework":"y"},"claims":{"name":"C"}}]`, `[{"verification":{"trust_framework":"x"},"claims":{"birthdate":"1976-03-11"}}]`, ""},
		{"none that was asked", []string{"verified:email"}, nil, of, "", ""},
		{"none that is nobody's", []string{"verified:address"}, nil, of, "", ""},
		{"none where none was asked", []string{"tier"}, nil, of, "", ""},
		{"nothing", []string{"verified:name"}, nil, "null", "", ""},
		{"what is preset", []string{"verified:name"}, map[string]json.RawMessage{"verified_claims": json.RawMessage(`{}`)}, of, `{}`, ""},
		{"without verification", []string{"verified:name"}, nil, `{"claims":{"name":"A"}}`, "", "server_error"},
		{"without claims", []string{"verified:name"}, nil, `{"verification":{}}`, "", "server_error"},
		{"another form", []string{"verified:name"}, nil, `"A"`, "", "server_error"},
		{"an array of others", []string{"verified:name"}, nil, `[1]`, "", "server_error"},
	} {
		w := newWorld(t)
		w.people.claims = map[string]map[string]json.RawMessage{"alice": {"verified:name": json.RawMessage(`"fake"`)}}
		s := w.sources(map[string]string{"claims": `{"action":"allow","claims":{"verified_claims":` + c.told + `}}`},
			map[string]tenant.Hook{"claims": {Claims: []string{"tier", "verified:name", "verified:birthdate", "verified:email"}}})
		g := w.agree(func(g *grant.Grant) {
			g.Terms.Claims, g.Terms.PresetUserInfo, g.Terms.Verified.UserInfo = c.names, c.preset, asked
		})
		got, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: w.mint(g, grant.SelfContained)})
		raw, _ := got["verified_claims"].(json.RawMessage)
		if string(raw) != c.want || said(err) != c.err || got["verified:name"] != nil {
			t.Errorf("%s: %v, %s", c.rule, err, got)
		}
		told := s.asked["claims"].Facts["verified_claims"]
		if verified := c.names[0] != "tier" && c.names[0] != "verified:address" && c.preset == nil; (told != nil) != verified || verified && cmp.Diff(asked, told) != "" {
			t.Errorf("%s: told %s", c.rule, told)
		}
	}
}

func FuzzVerifiedClaims(f *testing.F) {
	f.Add(`[{"verification":{"trust_framework":"x"},"claims":{"name":"A","other":1}}]`)
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			return // it was parsed before
		}
		out, err := verifiedClaims(json.RawMessage(s), []string{"verified:name"})
		if err != nil || out == nil {
			return
		}
		again, err := verifiedClaims(out, []string{"verified:name"})
		if err != nil || string(again) != string(out) {
			t.Errorf("%s became %s, and then %s, %v", s, out, again, err)
		}
	})
}

func TestWhatASourceIsTold(t *testing.T) {
	type facts = map[string]any
	n := &session.Session{ID: "s1", Subject: "alice", AuthTime: noon, CreatedAt: noon, UsedAt: noon, MaxLife: -1, MaxIdle: -1, ACR: "2", Data: json.RawMessage(`{"x":1}`)}
	for _, c := range []struct {
		rule string
		hook tenant.Hook
		held logins
		want facts // beside what all are told
		err  string
	}{
		{"nothing of the session", tenant.Hook{}, logins{one: n}, facts{}, ""},
		{"the session", tenant.Hook{Session: true}, logins{one: n}, facts{"sub_session": &subjectSession{Subject: "alice", AuthTime: noon.Unix(), CreatedAt: noon.Unix(), ACR: "2", Data: n.Data}}, ""},
		{"what opens it", tenant.Hook{Session: true, SID: true}, logins{one: n}, facts{"sub_session": &subjectSession{SID: "sid", Subject: "alice", AuthTime: noon.Unix(), CreatedAt: noon.Unix(), ACR: "2", Data: n.Data}}, ""},
		{"none that is over", tenant.Hook{Session: true}, logins{}, facts{}, ""},
		{"none that cannot be read", tenant.Hook{Session: true}, logins{down: errDown}, nil, "server_error"},
	} {
		w := newWorld(t)
		c.hook.Claims = []string{"tier"}
		s := w.sources(map[string]string{"claims": `{"action":"allow","claims":{"tier":1}}`}, map[string]tenant.Hook{"claims": c.hook})
		sessions := &session.Service{Store: c.held}
		w.Issuer.Sources = &Sources{Now: w.Now, Hooks: s, Sessions: sessions}
		g := w.agree(func(g *grant.Grant) {
			g.Actor, g.Terms.Claims, g.Terms.ClaimsLocales, g.Terms.ClaimsData = "admin", []string{"tier"}, []string{"es"}, json.RawMessage(`{"k":1}`)
		})
		if _, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: w.mint(g, grant.SelfContained)}); said(err) != c.err {
			t.Errorf("%s: %v", c.rule, err)
		}
		if c.err != "" {
			continue
		}
		want := facts{"iss": "https://id.acme.example", "sub": "alice", "claims": []string{"tier"}, "claims_transport": grant.InUserInfo, "scope": oauth.Scope{"openid", "a"},
			"claims_locales": []string{"es"}, "claims_data": json.RawMessage(`{"k":1}`), "act": &grant.Actor{Subject: "admin"}}
		for name, v := range c.want {
			if told, ok := v.(*subjectSession); ok && told.SID != "" {
				told.SID = sessions.Handle(w.tenant, n)
			}
			want[name] = v
		}
		ev := s.asked["claims"]
		if d := cmp.Diff(want, ev.Facts); d != "" || ev.Client.ID != "shop" {
			t.Errorf("%s: %v %s", c.rule, ev.Client, d)
		}
	}
}

// One tenant's sources are asked for none of another's subjects.
func TestSourcesAreTheirTenantsAlone(t *testing.T) {
	w := newWorld(t)
	s := w.sources(map[string]string{"claims": `{"action":"allow","claims":{"tier":1}}`}, map[string]tenant.Hook{"claims": {Claims: []string{"tier"}}})
	globex := w.house("globex", 2)
	g := w.agree(func(g *grant.Grant) { g.Terms.Claims = []string{"tier"} })
	w.tenant = globex
	got, _, err := w.UserInfo(t.Context(), globex, Presented{Token: w.mint(g, grant.SelfContained)})
	if err != nil || got["tier"] != nil || len(s.asked) != 0 {
		t.Error(got, err, s.asked)
	}
}

func TestWhatAHookAddsToIntrospection(t *testing.T) {
	type further = map[string]json.RawMessage
	for _, c := range []struct {
		rule, answer string
		want         further
		err          string
	}{
		{"members of its own", `{"action":"allow","claims":{"tier":"gold","gone":null}}`, further{"tier": json.RawMessage(`"gold"`)}, ""},
		{"nothing", `{"action":"allow"}`, further{}, ""},
		{"no standard ones", `{"action":"allow","claims":{"active":false}}`, nil, "server_error"},
		{"no user name", `{"action":"allow","claims":{"username":"x"}}`, nil, "server_error"},
		{"no scope", `{"action":"allow","claims":{"scope":"all"}}`, nil, "server_error"},
		{"no scope by the other way", `{"action":"allow","scope":"all"}`, nil, "server_error"},
		{"no decision", `{"action":"deny","error":"access_denied"}`, nil, "server_error"},
		{"when it is down", "", nil, "temporarily_unavailable"},
	} {
		w := newWorld(t)
		s := w.sources(map[string]string{"introspection": c.answer}, map[string]tenant.Hook{"introspection": {}})
		g := w.agree(func(g *grant.Grant) { g.Terms.Data = json.RawMessage(`{"d":1}`) })
		for kind, token := range map[string]string{"access_token": w.mint(g, grant.SelfContained, api), "refresh_token": w.newest(g)} {
			for by, ask := range map[asker]func() (*Info, error){
				{ClientID: "shop"}: func() (*Info, error) { return w.Introspect(t.Context(), w.tenant, w.clients["shop"], token) },
				{Resource: api}: func() (*Info, error) {
					i, _, err := w.Inspect(t.Context(), w.tenant, token, api)
					return i, err
				},
			} {
				i, err := ask()
				if said(err) != c.err || (i == nil) != (err != nil) || i != nil && cmp.Diff(c.want, i.Further) != "" {
					t.Errorf("%s, %s by %v: %+v, %v", c.rule, kind, by, i, err)
				}
				ev := s.asked["introspection"]
				if d, ok := ev.Facts["token"].(described); !ok || d.Kind != kind || d.Subject != "alice" || string(d.Data) != `{"d":1}` || ev.Facts["caller"] != by || ev.Client.ID != "shop" {
					t.Errorf("%s, %s by %v: told %+v", c.rule, kind, by, ev)
				}
			}
		}
	}
}

func TestAHookIsNotAskedOfTokensThatAreNobodysBusiness(t *testing.T) {
	w := newWorld(t)
	s := w.sources(nil, map[string]tenant.Hook{"introspection": {}})
	g := w.agree(nil)
	for rule, token := range map[string]string{"none": "x", "another client's refresh token": w.newest(g), "for another resource": w.mint(g, grant.SelfContained, api)} {
		if i, err := w.Introspect(t.Context(), w.tenant, w.clients["other"], token); i != nil || err != nil || len(s.asked) != 0 {
			t.Errorf("%s: %+v, %v, asked %v", rule, i, err, s.asked)
		}
	}
}

func BenchmarkUserInfo(b *testing.B) {
	w := newWorld(&testing.T{})
	w.people.claims = map[string]map[string]json.RawMessage{"alice": {"email": json.RawMessage(`"a@example.com"`)}}
	g := w.agree(func(g *grant.Grant) { g.Terms.Claims = []string{"email", "name"} })
	of := *g
	token, _, _, err := w.Issuer.MintAccess(context.Background(), w.tenant, &of, g.Terms.Scope, nil, noon)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.UserInfo(context.Background(), w.tenant, Presented{Token: token}); err != nil && !errors.Is(err, errDown) {
			b.Fatal(err)
		}
	}
}

package registration

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestInitialTokensRefused(t *testing.T) {
	for _, c := range []struct {
		rule string
		n    NewInitial
	}{
		{"a scope that is none", NewInitial{Scope: "a\"b"}},
		{"the scope that only the master token gives", NewInitial{Scope: "openid " + ChallengeScope}},
		{"a label with a line break", NewInitial{Label: "a\nb"}},
		{"a label too long", NewInitial{Label: strings.Repeat("a", 129)}},
		{"a negative number of uses", NewInitial{Uses: -1}},
		{"too many uses", NewInitial{Uses: 100_001}},
		{"an end that is now", NewInitial{ExpiresAt: noon}},
		{"an end too far off", NewInitial{ExpiresAt: noon.Add(367 * 24 * time.Hour)}},
		{"a grant type that there is not", NewInitial{GrantTypes: []string{"password"}}},
		{"a grant type twice", NewInitial{GrantTypes: []string{"client_credentials", "client_credentials"}}},
	} {
		s, acme, m := house(t)
		if _, _, err := s.Invite(t.Context(), acme, c.n, administrator); oauth.ErrorOf(err).Code != "invalid_request" || len(m.initial) > 0 {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	s, acme, m := house(t)
	for rank, by := range map[string]Authority{"anybody": Open(""), "a registration access token": Own("x", "")} {
		_, _, err1 := s.Invite(t.Context(), acme, NewInitial{}, by)
		_, err2 := s.Invitations(t.Context(), acme, by)
		if err3 := s.Disinvite(t.Context(), acme, "x", by); err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%s makes, lists or revokes initial access tokens", rank)
		}
	}
	m.initial = make([]InitialToken, maxInitial)
	if _, _, err := s.Invite(t.Context(), acme, NewInitial{}, administrator); oauth.ErrorOf(err).Code != "invalid_request" {
		t.Errorf("one too many: %v", err)
	}
}

// S137: what an initial access token lets its holder do, and no more.
func TestInitialTokens(t *testing.T) {
	s, acme, m := house(t)
	acme.Settings.Clients.OpenRegistration = false
	register := func(token, metadata string) (Response, error) {
		by, err := AuthorityOf(acme, token, "192.0.2.9", noon)
		if err != nil {
			t.Fatal(err)
		}
		return s.Register(t.Context(), acme, request(t, metadata, by))
	}
	k, token, err := s.Invite(t.Context(), acme, NewInitial{Label: "partner", Scope: "openid orders", GrantTypes: []string{"client_credentials"}, Uses: 2}, administrator)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token, InitialPrefix) || len(token) != len(InitialPrefix)+43 || strings.Contains(fmt.Sprintf("%+v", m.initial), token) || !k.ExpiresAt.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("the token %s, stored %+v", token, m.initial)
	}
	for rule, metadata := range map[string]string{
		"a scope beyond it":                    `{"redirect_uris":["https://a.example/cb"],"scope":"openid admin"}`,
		"a grant type beyond it":               `{"redirect_uris":["https://a.example/cb"],"grant_types":["authorization_code","urn:ietf:params:oauth:grant-type:token-exchange"]}`,
		"an id of its own":                     `{"redirect_uris":["https://a.example/cb"],"preferred_client_id":"mine"}`,
		"data":                                 `{"redirect_uris":["https://a.example/cb"],"data":{}}`,
		"an audience":                          `{"redirect_uris":["https://a.example/cb"],"audience":["https://api.example"]}`,
		"the scope of the challenge endpoint":  `{"redirect_uris":["https://a.example/cb"],"scope":"authorization_challenge"}`,
		"what is wrong with any authority too": `{"redirect_uris":["javascript:alert(1)"]}`,
	} {
		if _, err := register(token, metadata); err == nil {
			t.Errorf("it registers a client with %s", rule)
		}
	}
	first, err := register(token, `{"redirect_uris":["https://a.example/cb"]}`)
	if err != nil || first.Client.Scope != "openid orders" || first.Client.SelfRegistered || !first.Client.ExpiresAt.IsZero() {
		t.Fatalf("the first client: %+v, %v", first.Client, err)
	}
	if e := m.events[len(m.events)-1]; e.Kind != audit.ClientCreated || e.Actor != k.ID || e.Detail["authority"] != "initial" || e.Address != "192.0.2.9" {
		t.Errorf("the record: %+v", e)
	}
	if _, err := s.Read(t.Context(), acme, first.Client.ID, Own(token, "")); oauth.ErrorOf(err).Code != "invalid_token" {
		t.Errorf("it reads a client: %v", err)
	}
	if _, err := register(first.RegistrationToken, simple); oauth.ErrorOf(err).Code != "invalid_token" {
		t.Errorf("a registration access token registers: %v", err)
	}
	if _, err := register(token, `{"grant_types":["client_credentials"],"redirect_uris":[],"response_types":[],"scope":"orders"}`); err != nil {
		t.Errorf("the second client: %v", err)
	}
	for rule, bad := range map[string]string{"used up": token, "unknown": InitialPrefix + "x", "of another form": "x"} {
		if _, err := register(bad, simple); oauth.ErrorOf(err).Code != "invalid_token" {
			t.Errorf("one that is %s: %v", rule, err)
		}
	}
	_, late, err := s.Invite(t.Context(), acme, NewInitial{}, administrator)
	if err != nil {
		t.Fatal(err)
	}
	s.Now = func() time.Time { return noon.Add(24 * time.Hour) }
	if _, err := register(late, simple); oauth.ErrorOf(err).Code != "invalid_token" {
		t.Errorf("one that has expired: %v", err)
	}
	ks, err := s.Invitations(t.Context(), acme, administrator)
	if err != nil || len(ks) != 2 {
		t.Fatalf("listed: %+v, %v", ks, err)
	}
	if err := s.Disinvite(t.Context(), acme, ks[1].ID, administrator); err != nil || len(m.initial) != 1 {
		t.Errorf("revoked: %+v, %v", m.initial, err)
	}
	if err := s.Disinvite(t.Context(), acme, ks[1].ID, administrator); oauth.ErrorOf(err).Code != "not_found" {
		t.Errorf("revoked again: %v", err)
	}
	if len(m.clients) != 2 {
		t.Error("clients:", len(m.clients))
	}
}

// Two calls at once may both see the last use; the store gives it to one.
func TestAnInitialTokenThatIsUsedUpMeanwhile(t *testing.T) {
	s, acme, m := house(t)
	_, token, err := s.Invite(t.Context(), acme, NewInitial{}, administrator)
	if err != nil {
		t.Fatal(err)
	}
	by, err := s.invited(t.Context(), acme, Own(token, ""))
	if err != nil {
		t.Fatal(err)
	}
	m.initial[0].Uses = 0
	if _, err := s.Initial.CreateClientWith(t.Context(), acme.ID, tenant.Client{ID: "x"}, 9, by.initial.Hash, noon, audit.Event{}); oauth.ErrorOf(worded(err)).Code != "invalid_token" {
		t.Error(err)
	}
}

// S140: what registered itself and is not used has an end, and leaves room for others.
func TestOpenRegistrationIsCapped(t *testing.T) {
	for _, c := range []struct {
		rule     string
		settings tenant.ClientSettings
		open     int // clients that anybody may register
		life     time.Duration
	}{
		{"by default nine tenths, for a week", tenant.ClientSettings{Max: 20}, 18, 7 * 24 * time.Hour},
		{"of few, all but one", tenant.ClientSettings{Max: 5, UnusedLifetime: 60}, 4, time.Minute},
		{"of one, one", tenant.ClientSettings{Max: 1, UnusedLifetime: -1}, 1, 0},
		{"as the tenant says", tenant.ClientSettings{Max: 20, OpenMax: 3}, 3, 7 * 24 * time.Hour},
	} {
		s, acme, m := house(t)
		c.settings.OpenRegistration = true
		acme.Settings.Clients = c.settings
		open := 0
		var err error
		for ; err == nil && open < 30; open++ {
			_, err = s.Register(t.Context(), acme, request(t, simple, Open("")))
		}
		if open-1 != c.open || oauth.ErrorOf(err).Code != "slow_down" {
			t.Errorf("%s: %d, then %v", c.rule, open-1, err)
		}
		for client := range maps.Values(m.clients) {
			if life := client.ExpiresAt.Sub(client.CreatedAt); client.ExpiresAt.IsZero() != (c.life == 0) || c.life > 0 && life != c.life {
				t.Errorf("%s: it goes at %v", c.rule, client.ExpiresAt)
			}
		}
		made, err := s.Register(t.Context(), acme, request(t, simple, administrator))
		if c.open < c.settings.Max && (err != nil || !made.Client.ExpiresAt.IsZero()) {
			t.Errorf("%s: an administrator's: %v, until %v", c.rule, err, made.Client.ExpiresAt)
		}
	}
}

// RFC 7592 §2.2, §3: answers have the registration access token; a new one takes the place of the old.
func TestRegistrationTokensAreRepeatedAndReplaced(t *testing.T) {
	s, acme, _ := house(t)
	made, err := s.Register(t.Context(), acme, request(t, simple, Open("")))
	if err != nil {
		t.Fatal(err)
	}
	id, token := made.Client.ID, made.RegistrationToken
	update := func(body string, by Authority) Response {
		t.Helper()
		r, err := s.Update(t.Context(), acme, id, request(t, body, by))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := update(simple, Own(token, "")); r.RegistrationToken != token {
		t.Error("an update says", r.RegistrationToken)
	}
	if r := update(simple, administrator); r.RegistrationToken != "" {
		t.Error("an administrator is told", r.RegistrationToken)
	}
	const refresh = `{"redirect_uris":["https://a.example/cb"],"refresh_registration_access_token":true}`
	dry := request(t, refresh, Own(token, ""))
	dry.DryRun = true
	if r, err := s.Update(t.Context(), acme, id, dry); err != nil || r.RegistrationToken != "" {
		t.Errorf("a dry run: %q, %v", r.RegistrationToken, err)
	}
	second := update(refresh, Own(token, "")).RegistrationToken
	third := update(refresh, administrator).RegistrationToken
	for _, old := range []string{token, second} {
		if _, err := s.Read(t.Context(), acme, id, Own(old, "")); oauth.ErrorOf(err).Code != "invalid_token" {
			t.Errorf("an old token still opens: %v", err)
		}
	}
	if r, err := s.Read(t.Context(), acme, id, Own(third, "")); err != nil || r.RegistrationToken != third || third == second {
		t.Errorf("the newest token: %v", err)
	}
}

package registration

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func TestRotation(t *testing.T) {
	s, acme, m := house(t)
	ctx, now := t.Context(), noon
	s.Now = func() time.Time { return now }
	r, err := s.Register(ctx, acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	id := r.Client.ID
	update := func(body string) string {
		t.Helper()
		got, err := s.Update(ctx, acme, id, request(t, body, Own(r.RegistrationToken, "")))
		if err != nil {
			t.Fatal(err)
		}
		return got.Secret
	}
	opens := func(secret string, at time.Time) bool {
		c := m.clients[id]
		return c.CheckSecret(secret, at)
	}
	const refresh = `{"redirect_uris":["https://a.example/cb"],"refresh_client_secret":true}`
	first := r.Secret
	if update(simple) != "" || !opens(first, now.Add(365*24*time.Hour)) {
		t.Error("an update made a new secret")
	}
	now = now.Add(time.Hour)
	second := update(refresh)
	if second == "" || second == first || !opens(second, now.Add(365*24*time.Hour)) {
		t.Error("the new secret does not open")
	}
	if !opens(first, now.Add(30*time.Minute-1)) || opens(first, now.Add(30*time.Minute)) {
		t.Error("the old secret does not end with the overlap")
	}
	now = now.Add(time.Minute)
	third := update(refresh)
	if opens(first, now) || !opens(second, now) || !opens(third, now) {
		t.Error("more than one old secret lives on, or none")
	}
	if len(m.clients[id].Secrets) != 2 {
		t.Error("there are", len(m.clients[id].Secrets), "secrets")
	}
	acme.Settings.Clients.SecretOverlap = -1
	fourth := update(refresh)
	if opens(third, now) || !opens(fourth, now) {
		t.Error("without an overlap the old secret lives on")
	}
	if update(`{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}`) != "" || opens(fourth, now) {
		t.Error("a client that no longer authenticates has a secret")
	}
	if fifth := update(simple); fifth == "" || !opens(fifth, now) {
		t.Error("a client that authenticates again has no secret")
	}
	kinds := map[audit.Kind]int{}
	for _, e := range m.events {
		kinds[e.Kind]++
	}
	if kinds[audit.ClientSecretRotated] != 4 || kinds[audit.ClientUpdated] != 2 || kinds[audit.ClientCreated] != 1 {
		t.Error("recorded", kinds)
	}
}

func TestRotated(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	secret := func(name string, end time.Time) tenant.ClientSecret {
		return tenant.ClientSecret{Hash: []byte(name), ExpiresAt: end}
	}
	fresh, never := secret("new", time.Time{}), time.Time{}
	for _, c := range []struct {
		rule string
		old  []tenant.ClientSecret
		end  time.Time
		want []tenant.ClientSecret
	}{
		{"the first secret", nil, at(time.Hour), []tenant.ClientSecret{fresh}},
		{"the old one lives on for the overlap", []tenant.ClientSecret{secret("old", never)}, at(time.Hour),
			[]tenant.ClientSecret{fresh, secret("old", at(time.Hour))}},
		{"the overlap does not lengthen its life", []tenant.ClientSecret{secret("old", at(time.Minute))}, at(time.Hour),
			[]tenant.ClientSecret{fresh, secret("old", at(time.Minute))}},
		{"a dead one does not come back", []tenant.ClientSecret{secret("old", at(-time.Minute))}, at(time.Hour), []tenant.ClientSecret{fresh}},
		{"no overlap", []tenant.ClientSecret{secret("old", never)}, at(-time.Second), []tenant.ClientSecret{fresh}},
		{"the one before is dropped", []tenant.ClientSecret{secret("old", never), secret("older", at(time.Minute))}, at(time.Hour),
			[]tenant.ClientSecret{fresh, secret("old", at(time.Hour))}},
	} {
		got := rotated(fresh, c.old, noon, c.end)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", c.rule, got, c.want)
		}
	}
}

func TestUpdate(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		rule, want string
		with       func(*Request, Response)
	}{
		{"its own id and secret", "", func(r *Request, was Response) { r.ClientID, r.ClientSecret = was.Client.ID, was.Secret }},
		{"neither", "", func(*Request, Response) {}},
		{"another id", badMeta, func(r *Request, _ Response) { r.ClientID = "other" }},
		{"another secret", badMeta, func(r *Request, _ Response) { r.ClientSecret = "other" }},
		{"another id of its choice", badMeta, func(r *Request, _ Response) { r.PreferredID = "other" }},
	} {
		s, acme, m := house(t)
		was, err := s.Register(ctx, acme, request(t, `{"redirect_uris":["https://a.example/cb"],"client_name":"x","scope":"a","default_max_age":5}`, administrator))
		if err != nil {
			t.Fatal(err)
		}
		r := request(t, `{"redirect_uris":["https://a.example/2"]}`, administrator)
		c.with(&r, was)
		_, err = s.Update(ctx, acme, was.Client.ID, r)
		if said(err) != c.want {
			t.Errorf("%s: %v, want %q", c.rule, err, c.want)
		}
		now := m.clients[was.Client.ID]
		if changed := now.RedirectURIs[0] == "https://a.example/2"; changed != (c.want == "") {
			t.Errorf("%s: changed is %v", c.rule, changed)
		}
		if c.want == "" && (now.Name != "" || now.Scope != "" || now.DefaultMaxAge != nil) {
			t.Errorf("%s: what was left out stays: %+v", c.rule, now.Metadata)
		}
		if c.want == "" && (!now.UpdatedAt.After(was.Client.UpdatedAt) || !now.CreatedAt.Equal(was.Client.CreatedAt) ||
			now.Number != was.Client.Number || string(now.RegistrationToken) != string(was.Client.RegistrationToken)) {
			t.Errorf("%s: what is not metadata changed, or the mark of the change did not: %+v", c.rule, now)
		}
	}
}

func TestDryRun(t *testing.T) {
	ctx := t.Context()
	s, acme, m := house(t)
	r := request(t, simple, administrator)
	r.DryRun = true
	got, err := s.Register(ctx, acme, r)
	if err != nil || len(m.clients) != 0 || got.Secret != "" || got.RegistrationToken != "" || got.Client.GrantTypes[0] != "authorization_code" {
		t.Errorf("got %+v, %v with %d clients", got, err, len(m.clients))
	}
	if o := asObject(t, got); o["client_id"] != nil || o["redirect_uris"] == nil {
		t.Error("the answer is", o)
	}
	bad := request(t, `{"redirect_uris":["http://a.example/"]}`, administrator)
	bad.DryRun = true
	if _, err := s.Register(ctx, acme, bad); said(err) != badURI {
		t.Error("what would be refused:", err)
	}
	made, err := s.Register(ctx, acme, request(t, `{"redirect_uris":["https://a.example/cb"],"preferred_client_id":"app"}`, administrator))
	if err != nil {
		t.Fatal(err)
	}
	r.PreferredID = "app"
	if _, err := s.Register(ctx, acme, r); said(err) != badMeta {
		t.Error("an id that is taken:", err)
	}
	change := request(t, `{"redirect_uris":["https://a.example/2"],"refresh_client_secret":true}`, administrator)
	change.DryRun = true
	got, err = s.Update(ctx, acme, "app", change)
	if c := m.clients["app"]; err != nil || got.Secret != "" || got.Client.RedirectURIs[0] != "https://a.example/2" ||
		c.RedirectURIs[0] != "https://a.example/cb" || !c.CheckSecret(made.Secret, noon) || len(m.events) != 1 {
		t.Errorf("got %+v, %v; there is %+v", got, err, c)
	}
}

package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const simple = `{"redirect_uris":["https://a.example/cb"]}`

func asObject(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]any
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTheAnswerIsWhatWasStored(t *testing.T) {
	s, acme, m := house(t)
	r, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],"client_name":"Café","client_name#fr":"Le café",
		"scope":"openid  openid email","data":{"a": 1},"default_max_age":0,"foo":"bar"}`, administrator))
	if err != nil {
		t.Fatal(err)
	}
	got := asObject(t, r)
	for name, form := range map[string]string{
		"client_id": `^c_[A-Za-z0-9_-]{22}$`, "client_secret": `^[A-Za-z0-9_-]{43}$`, "registration_access_token": `^[A-Za-z0-9_-]{43}$`,
	} {
		if v, _ := got[name].(string); !regexp.MustCompile(form).MatchString(v) {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	want := map[string]any{
		"redirect_uris": []any{"https://a.example/cb"}, "client_name": "Café", "client_name#fr": "Le café",
		"scope": "openid email", "data": map[string]any{"a": 1.0}, "default_max_age": 0.0,
		"token_endpoint_auth_method": "client_secret_basic", "grant_types": []any{"authorization_code"},
		"response_types": []any{"code"}, "application_type": "web",
		"client_id_issued_at": float64(noon.Unix()), "client_secret_expires_at": 0.0,
		"registration_client_uri": "https://id.example/t/acme/clients/" + r.Client.ID,
	}
	for name := range got {
		if _, ok := want[name]; !ok && !slices.Contains([]string{"client_id", "client_secret", "registration_access_token"}, name) {
			t.Errorf("the answer has %s", name)
		}
	}
	for name, v := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(v) {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
	// Read again it is the same, without the secret, which is stored as a hash, and with the token that it was read with.
	read, err := s.Read(t.Context(), acme, r.Client.ID, Own(r.RegistrationToken, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"client_secret", "client_secret_expires_at"} {
		delete(got, secret)
	}
	if again := asObject(t, read); !maps.EqualFunc(again, got, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("read again: %v, was %v", again, got)
	}
	stored := fmt.Sprintf("%+v", m.clients[r.Client.ID])
	if strings.Contains(stored, r.Secret) || strings.Contains(stored, r.RegistrationToken) {
		t.Error("a credential is stored")
	}
	c := m.clients[r.Client.ID]
	if !c.CheckSecret(r.Secret, noon) || c.CheckSecret("", noon) || c.CheckSecret(r.RegistrationToken, noon) {
		t.Error("the secret does not open, or something else does")
	}
}

func TestPublicClients(t *testing.T) {
	s, acme, _ := house(t)
	r, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}`, Open("")))
	if err != nil {
		t.Fatal(err)
	}
	got := asObject(t, r)
	if _, there := got["client_secret"]; there || r.Secret != "" || len(r.Client.Secrets) != 0 {
		t.Error("it has a secret")
	}
	if got["require_pkce"] != true || !r.Client.RequirePKCE {
		t.Error("it need not use PKCE")
	}
	if !r.Client.SelfRegistered {
		t.Error("it is not marked as registered by anybody")
	}
}

func TestPreferred(t *testing.T) {
	s, acme, m := house(t)
	long := "0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ rule, id, secret, want string }{
		{"an id", "my-app.v2~x_y", "", ""},
		{"an id of 80 characters", strings.Repeat("a", 80), "", ""},
		{"an id of 22 characters that is no subject", "my-application-client1", "", ""},
		{"a secret of 32 characters", "with-secret", long, ""},
		{"an id that is taken", "my-app.v2~x_y", "", badMeta},
		{"an id of 81 characters", strings.Repeat("b", 81), "", badMeta},
		{"a URL", "https://a.example/client", "", badMeta},
		{"a colon", "urn:x", "", badMeta},
		{"a slash", "a/b", "", badMeta},
		{"a space", "a b", "", badMeta},
		{"only dots", "..", "", badMeta},
		{"a line break at the end", "app\n", "", badMeta},
		{"the form of a subject", "AAAAAAAAAAAAAAAAAAAAAA", "", badMeta},
		{"the form of a generated id", "c_AAAAAAAAAAAAAAAAAAAAAA", "", badMeta},
		{"a secret of 31 characters", "short-secret", long[1:], badMeta},
		{"a secret with a control character", "odd-secret", long + "\n", badMeta},
		{"an endless secret", "long-secret", strings.Repeat(long, 9), badMeta},
	} {
		r := request(t, simple, administrator)
		r.PreferredID, r.PreferredSecret = c.id, c.secret
		got, err := s.Register(t.Context(), acme, r)
		if said(err) != c.want {
			t.Errorf("%s: %v, want %q", c.rule, err, c.want)
			continue
		}
		stored := m.clients[c.id]
		if err == nil && (got.Client.ID != c.id || c.secret != "" && (got.Secret != c.secret || !stored.CheckSecret(c.secret, noon))) {
			t.Errorf("%s: got %q and %q", c.rule, got.Client.ID, got.Secret)
		}
	}
	r := request(t, `{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}`, administrator)
	r.PreferredSecret = long
	if _, err := s.Register(t.Context(), acme, r); said(err) != badMeta {
		t.Error("a secret for a client without one:", err)
	}
}

func TestAuthorities(t *testing.T) {
	s, acme, m := house(t)
	ctx := t.Context()
	mine, err := s.Register(ctx, acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Register(ctx, acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	off := m.clients[other.Client.ID]
	off.ID, off.Disabled = "off", true
	bare := tenant.Client{ID: "bare"} // it has no registration token
	m.clients["off"], m.clients["bare"] = off, bare
	acme.Settings.Clients.OpenRegistration = false
	type call struct{ register, read, update, remove, list string }
	const no, none = "invalid_token", "missing_token"
	for _, c := range []struct {
		rule   string
		bearer string
		id     string
		want   call
	}{
		{"nothing", "", mine.Client.ID, call{none, none, none, none, none}},
		{"a wrong token", "guess", mine.Client.ID, call{no, no, no, no, no}},
		{"another client's token", other.RegistrationToken, mine.Client.ID, call{no, no, no, no, no}},
		{"its token for another client", mine.RegistrationToken, other.Client.ID, call{no, no, no, no, no}},
		{"its token for a client that is not there", mine.RegistrationToken, "nobody", call{no, no, no, no, no}},
		{"its token for an id that cannot be", mine.RegistrationToken, "a\x00", call{no, no, no, no, no}},
		{"its token when it is disabled", other.RegistrationToken, "off", call{no, no, no, no, no}},
		{"a token for a client that has none", "x", "bare", call{no, no, no, no, no}},
		{"its secret", mine.Secret, mine.Client.ID, call{no, no, no, no, no}},
		{"the master token for a client that is not there", masterToken, "nobody", call{"", "not_found", "not_found", "not_found", ""}},
		{"its own token", mine.RegistrationToken, mine.Client.ID, call{no, "", "", "", no}},
		{"the master token", masterToken, other.Client.ID, call{"", "", "", "", ""}},
		{"the master token for a disabled client", masterToken, "off", call{"", "", "", "", ""}},
	} {
		by, err := AuthorityOf(acme, c.bearer, "192.0.2.1", noon)
		if err != nil {
			t.Fatal(c.rule, err)
		}
		var got call
		_, err = s.Register(ctx, acme, request(t, simple, by))
		got.register = said(err)
		_, err = s.Read(ctx, acme, c.id, by)
		got.read = said(err)
		_, err = s.Update(ctx, acme, c.id, request(t, simple, by))
		got.update = said(err)
		_, err = s.List(ctx, acme, "", 10, by)
		got.list = said(err)
		got.remove = said(s.Delete(ctx, acme, c.id, time.Hour, by))
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.rule, got, c.want)
		}
	}
	if _, err := AuthorityOf(acme, "chy_sessions", "", noon); said(err) != "insufficient_scope" {
		t.Error("an API token for another API:", err)
	}
	wrong, gone := s.Delete(ctx, acme, "bare", 0, Own("guess", "")), s.Delete(ctx, acme, "nobody", 0, Own("guess", ""))
	if wrong.Error() != gone.Error() {
		t.Errorf("a wrong token is told %q, one for nobody %q", wrong, gone)
	}
}

func TestOpenRegistrationIsLimited(t *testing.T) {
	s, acme, m := house(t)
	s.Limit = &gate{left: 2}
	for i, want := range []string{"", "", "slow_down", "slow_down"} {
		_, err := s.Register(t.Context(), acme, request(t, simple, Open("192.0.2.1")))
		if said(err) != want || want != "" && oauth.RetryAfter(err) != time.Minute {
			t.Errorf("the %d. one: %v", i+1, err)
		}
	}
	if _, err := s.Register(t.Context(), acme, request(t, simple, administrator)); err != nil {
		t.Error("an administrator is limited:", err)
	}
	acme.Settings.Clients.Max = 3
	if _, err := s.Register(t.Context(), acme, request(t, simple, administrator)); said(err) != "slow_down" || len(m.clients) != 3 {
		t.Error("beyond the tenant's number of clients:", err)
	}
}

func TestDelete(t *testing.T) {
	ctx := t.Context()
	s, acme, m := house(t)
	r, err := s.Register(ctx, acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, acme, r.Client.ID, time.Hour, Own(r.RegistrationToken, "192.0.2.1")); err != nil {
		t.Fatal(err)
	}
	want := tenant.Revocation{ClientID: r.Client.ID, At: noon, ExpiresAt: noon.Add(time.Hour)}
	if len(m.clients) != 0 || len(m.revoked) != 1 || m.revoked[0] != want {
		t.Errorf("there are %v, revoked is %v", m.clients, m.revoked)
	}
	if !acme.Revoked.Revoked(tenant.Issued{Subject: "alice", ClientID: r.Client.ID, At: noon}) {
		t.Error("its tokens live on here")
	}
	if e := m.events[1]; e.Kind != audit.ClientDeleted || e.ClientID != r.Client.ID || e.Address != "192.0.2.1" || e.Detail["authority"] != "client" {
		t.Errorf("recorded %+v", e)
	}
}

func TestList(t *testing.T) {
	s, acme, _ := house(t)
	for _, id := range []string{"b", "a", "c"} {
		r := request(t, simple, administrator)
		r.PreferredID = id
		if _, err := s.Register(t.Context(), acme, r); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for after := ""; ; {
		page, err := s.List(t.Context(), acme, after, 2, administrator)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			ids = append(ids, r.Client.ID)
			if r.Secret != "" || r.RegistrationToken != "" || !strings.HasSuffix(r.URI, "/clients/"+r.Client.ID) {
				t.Errorf("listed %+v", r)
			}
		}
		after = page[len(page)-1].Client.ID
	}
	if fmt.Sprint(ids) != "[a b c]" {
		t.Error("listed", ids)
	}
}

func TestFaults(t *testing.T) {
	ctx := t.Context()
	s, acme, m := house(t)
	r, err := s.Register(ctx, acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	m.conflict = true
	if _, err := s.Update(ctx, acme, r.Client.ID, request(t, simple, administrator)); said(err) != badBody || !errors.Is(err, ErrConflict) {
		t.Error("changed at the same time:", err)
	}
	m.broken = errors.New("the disk is full")
	own := Own(r.RegistrationToken, "")
	for what, do := range map[string]func() error{
		"Register": func() error { _, err := s.Register(ctx, acme, request(t, simple, administrator)); return err },
		"Read":     func() error { _, err := s.Read(ctx, acme, r.Client.ID, own); return err },
		"Update":   func() error { _, err := s.Update(ctx, acme, r.Client.ID, request(t, simple, own)); return err },
		"Delete":   func() error { return s.Delete(ctx, acme, r.Client.ID, time.Hour, own) },
		"List":     func() error { _, err := s.List(ctx, acme, "", 5, administrator); return err },
	} {
		if err := do(); !errors.Is(err, oauth.Unavailable()) || !errors.Is(err, m.broken) {
			t.Errorf("%s without its store: %v", what, err)
		}
	}
	if acme.Revoked.Revoked(tenant.Issued{ClientID: r.Client.ID, At: noon}) {
		t.Error("a deletion that failed revoked tokens")
	}
}

func TestNew(t *testing.T) {
	s, acme, m := house(t)
	acme.Clients, acme.Revoked = nil, nil
	c, secret, err := s.New(t.Context(), acme, tenant.Metadata{
		RedirectURIs: []string{"http://127.0.0.1:8765/cb"},
		GrantTypes:   []string{"authorization_code", "refresh_token", "client_credentials"},
	}, Master("platform", ""))
	if stored := m.clients[c.ID]; err != nil || c.Number != 1 || !stored.CheckSecret(secret, noon) || c.SelfRegistered {
		t.Errorf("got %+v, %v", c, err)
	}
}

package registration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestMembersThatNoStandardHas(t *testing.T) {
	const uris = `"redirect_uris":["https://a.example/cb"]`
	sum := sha256.Sum256([]byte("made elsewhere"))
	encoded := hex.EncodeToString(sum[:])
	template := func(uri string) string { return `"redirect_uris":["urn:c2id:redirect_uri_template:` + uri + `"]` }
	for _, c := range []struct{ rule, members, want, anybody string }{
		{"a method of PKCE", uris + `,"code_challenge_method":"S256"`, "", ""},
		{"one that proves nothing", uris + `,"code_challenge_method":"plain"`, badMeta, badMeta},
		{"kinds of hints", uris + `,"login_hint_types":["email","phone_number"]`, "", ""},
		{"a kind with a space", uris + `,"login_hint_types":["e mail"]`, badMeta, badMeta},
		{"too many kinds", uris + `,"login_hint_types":["` + strings.Repeat(`a","`, 200) + `a"]`, badMeta, badMeta},
		{"no grant at all", `"grant_types":[],"token_endpoint_auth_method":"none"`, "", ""},
		{"no grant but a response type", `"grant_types":[],"response_types":["code"]`, badMeta, badMeta},
		{"a sector with a name", uris + `,"subject_type":"pairwise","sector_identifier_uri":"urn:c2id:sector_id:partners"`, "", badMeta},
		{"a URN that is none", uris + `,"sector_identifier_uri":"urn:x"`, badMeta, badMeta},
		{"a secret that is known by its hash", uris + `,"encoded_client_secret":"` + encoded + `"`, "", badMeta},
		{"a hash that is none", uris + `,"encoded_client_secret":"` + encoded[2:] + `"`, badMeta, badMeta},
		{"a hash that is no text in hexadecimal", uris + `,"encoded_client_secret":"$2a$10$x"`, badMeta, badMeta},
		{"a hash and a secret", uris + `,"preferred_client_secret":"0123456789abcdef0123456789abcdef","encoded_client_secret":"` + encoded + `"`, badMeta, badMeta},
		{"a hash without a secret", uris + `,"token_endpoint_auth_method":"none","encoded_client_secret":"` + encoded + `"`, badMeta, badMeta},
		{"a hash for what is signed with the secret", uris + `,"token_endpoint_auth_method":"client_secret_jwt","encoded_client_secret":"` + encoded + `"`, badMeta, badMeta},
		{"a template of a path", template("https://a.example/cb/[param]"), "", badMeta},
		{"one without anything open", template("https://a.example/cb"), badURI, badMeta},
		{"one on a host of anybody", template("http://a.example/[param]"), badURI, badMeta},
		{"one of an active scheme", template("javascript://a.example/[param]"), badURI, badMeta},
		{"one that answers itself", template("https://a.example/cb?code=[param]"), badURI, badMeta},
		{"one that leaves the host open", template("https://[param].example.com/cb"), badURI, badMeta},
		{"one to come back to after a logout", uris + `,"post_logout_redirect_uris":["urn:c2id:redirect_uri_template:https://a.example/[param]"]`, badURI, badURI},
		{"any port of a native client", `"application_type":"native","redirect_uris":["http://127.0.0.1:0/cb","http://[::1]:0/cb","http://localhost:0/cb"]`, "", ""},
		{"any port of a web client", `"redirect_uris":["http://127.0.0.1:0/cb"]`, badURI, badURI},
		{"any port of a host", `"application_type":"native","redirect_uris":["https://a.example:0/cb"]`, badURI, badURI},
	} {
		for by, want := range map[*Authority]string{&administrator: c.want, {address: "192.0.2.1"}: c.anybody} {
			s, acme, m := house(t)
			_, err := s.Register(t.Context(), acme, request(t, "{"+c.members+"}", *by))
			if said(err) != want || (err == nil) != (len(m.clients) == 1) {
				t.Errorf("%s, by %s: %v, want %q", c.rule, by.name(), err, want)
			}
		}
	}
	s, acme, _ := house(t)
	acme.Settings.Clients.TemplateHosts = true
	if _, err := s.Register(t.Context(), acme, request(t, "{"+template("https://[param].example.com/cb")+"}", administrator)); err != nil {
		t.Error("a host that the tenant lets be open:", err)
	}
}

func TestWhatOnlyTheMasterGaveItsClientKeeps(t *testing.T) {
	const had = `{"redirect_uris":["urn:c2id:redirect_uri_template:https://a.example/[param]"],"subject_type":"pairwise","sector_identifier_uri":"urn:c2id:sector_id:one","code_challenge_method":"S256"}`
	for _, c := range []struct{ rule, update, want string }{
		{"the same", had, ""},
		{"no sector, which stays", `{"redirect_uris":["https://a.example/cb"]}`, ""},
		{"another sector", strings.Replace(had, ":one", ":two", 1), badMeta},
		{"a sector of its own", strings.Replace(had, "urn:c2id:sector_id:one", "https://a.example/uris", 1), badMeta},
		{"another template", strings.Replace(had, "a.example", "b.example", 1), badMeta},
	} {
		s, acme, m := house(t)
		made, err := s.Register(t.Context(), acme, request(t, had, administrator))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Update(t.Context(), acme, made.Client.ID, request(t, c.update, Own(made.RegistrationToken, "")))
		if now := m.clients[made.Client.ID]; said(err) != c.want || now.Sector() != "urn:c2id:sector_id:one" || !now.RequirePKCE {
			t.Errorf("%s: %v, want %q; it is %+v", c.rule, err, c.want, now.Metadata)
		}
	}
}

func TestAClientWithoutGrants(t *testing.T) {
	s, acme, m := house(t)
	made, err := s.Register(t.Context(), acme, request(t, `{"grant_types":[],"token_endpoint_auth_method":"none","client_name":"Tokens for developers"}`, administrator))
	if err != nil {
		t.Fatal(err)
	}
	o := asObject(t, made)
	if fmt.Sprint(o["grant_types"]) != "[]" || o["response_types"] != nil || o["no_grants"] != nil {
		t.Errorf("it is told %v", o)
	}
	if c := m.clients[made.Client.ID]; c.MayGrant("authorization_code") || c.MayRespond("code") {
		t.Error("it may ask for a code")
	}
	raw, err := MarshalMetadata(m.clients[made.Client.ID].Metadata)
	if err != nil {
		t.Fatal(err)
	}
	again, err := UnmarshalMetadata(raw)
	if err != nil || !again.NoGrants {
		t.Errorf("written and read: %s, %+v, %v", raw, again, err)
	}
	if _, err := s.Update(t.Context(), acme, made.Client.ID, request(t, simple, administrator)); err != nil || !ofClient(m, made.Client.ID).MayGrant("authorization_code") {
		t.Error("it gets no grant later:", err)
	}
}

func ofClient(m *memory, id string) *tenant.Client {
	c := m.clients[id]
	return &c
}

func TestASecretKnownByItsHash(t *testing.T) {
	s, acme, m := house(t)
	const secret, next = "a secret that was made elsewhere", "the secret that comes after it all"
	hashOf := func(s string) string { return hex.EncodeToString(hash(s)) }
	made, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],"encoded_client_secret":"`+hashOf(secret)+`"}`, administrator))
	if err != nil {
		t.Fatal(err)
	}
	if o := asObject(t, made); o["client_secret"] != nil || o["encoded_client_secret"] != nil || !ofClient(m, made.Client.ID).CheckSecret(secret, noon) {
		t.Errorf("told %v", o)
	}
	if _, err := s.Update(t.Context(), acme, made.Client.ID, request(t, `{"redirect_uris":["https://a.example/cb"],"encoded_client_secret":"`+strings.ToUpper(hashOf(next))+`"}`, administrator)); err != nil {
		t.Fatal(err)
	}
	c := ofClient(m, made.Client.ID)
	if !c.CheckSecret(next, noon) || !c.CheckSecret(secret, noon) || c.CheckSecret(secret, noon.Add(acme.Settings.SecretOverlap())) {
		t.Error("the secret before does not live on for a while, or for too long")
	}
}

func TestUpdateRequestsMayRenewCredentials(t *testing.T) {
	for _, c := range []struct {
		rule          string
		settings      tenant.ClientSettings
		secret, token bool // are new
	}{
		{"neither", tenant.ClientSettings{}, false, false},
		{"its secret", tenant.ClientSettings{NewSecretOnPut: true}, true, false},
		{"its registration access token", tenant.ClientSettings{NewTokenOnPut: true}, false, true},
	} {
		s, acme, m := house(t)
		acme.Settings.Clients = c.settings
		made, err := s.Register(t.Context(), acme, request(t, simple, administrator))
		if err != nil {
			t.Fatal(err)
		}
		dry := request(t, simple, Own(made.RegistrationToken, ""))
		dry.DryRun = true
		if got, err := s.Replace(t.Context(), acme, made.Client.ID, dry); err != nil || got.Secret != "" || got.RegistrationToken != "" || !ofClient(m, made.Client.ID).CheckSecret(made.Secret, noon) {
			t.Errorf("%s, dry: %+v, %v", c.rule, got, err)
		}
		got, err := s.Replace(t.Context(), acme, made.Client.ID, request(t, simple, Own(made.RegistrationToken, "")))
		if err != nil || (got.Secret != "") != c.secret || (got.RegistrationToken != made.RegistrationToken) != c.token {
			t.Errorf("%s: %+v, %v", c.rule, got, err)
		}
		if _, err := s.Read(t.Context(), acme, made.Client.ID, Own(made.RegistrationToken, "")); (err == nil) == c.token {
			t.Errorf("%s: the token before: %v", c.rule, err)
		}
	}
}

func TestAllClients(t *testing.T) {
	s, acme, m := house(t)
	for i := range 2*atOnce + 1 {
		id := fmt.Sprintf("c%04d", i)
		m.clients[id] = tenant.Client{ID: id}
	}
	all := func(by Authority) (n int, pages []int, err error) {
		err = s.All(t.Context(), acme, by, func(rs []Response) error {
			for _, r := range rs {
				if r.Client.ID != fmt.Sprintf("c%04d", n) {
					t.Fatalf("the %d. is %s", n, r.Client.ID)
				}
				n++
			}
			pages = append(pages, len(rs))
			return nil
		})
		return n, pages, err
	}
	if n, pages, err := all(administrator); n != 2*atOnce+1 || fmt.Sprint(pages) != fmt.Sprint([]int{atOnce, atOnce, 1}) || err != nil {
		t.Errorf("%d in pages of %v, %v", n, pages, err)
	}
	for rank, by := range map[string]Authority{"missing_token": Open(""), "invalid_token": Own("x", "")} {
		if n, _, err := all(by); n != 0 || said(err) != rank {
			t.Errorf("%s: %d, %v", rank, n, err)
		}
	}
	stop := fmt.Errorf("nobody reads")
	pages := 0
	if err := s.All(t.Context(), acme, administrator, func([]Response) error { pages++; return stop }); err != stop || pages != 1 {
		t.Errorf("after nobody reads: %d pages, %v", pages, err)
	}
	clear(m.clients)
	if err := s.All(context.Background(), acme, administrator, func([]Response) error { return stop }); err != nil {
		t.Error("none:", err)
	}
}

package registration

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// given are access tokens and their grants, and clients that they register.
type given struct {
	*memory
	tokens map[string]grant.AccessToken
	grants map[string]*grant.Grant
	down   error
}

func (g *given) Token(_ context.Context, _ *tenant.Tenant, token string) (*grant.AccessToken, error) {
	a, ok := g.tokens[token]
	if !ok {
		return nil, cmp.Or(g.down, grant.ErrNotFound)
	}
	return &a, g.down
}

func (g *given) Grant(_ context.Context, _ tenant.ID, id string) (*grant.Grant, error) {
	if x := g.grants[id]; x != nil {
		c := *x
		return &c, g.down
	}
	return nil, grant.ErrNotFound
}

func (g *given) CreateClientBy(ctx context.Context, t tenant.ID, c tenant.Client, most int, id string, now time.Time, r tenant.Revocation, ev audit.Event) (tenant.Client, error) {
	if x := g.grants[id]; x == nil || !x.Live(now) {
		return c, ErrUsedUp
	}
	c, err := g.CreateClient(ctx, t, c, most, ev)
	if err == nil {
		g.grants[id].RevokedAt, g.revoked = now, append(g.revoked, r)
	}
	return c, err
}

// granting is a house where nobody may register without a token, and an access token with that scope, changed by change.
func granting(t *testing.T, scope string, change func(*grant.AccessToken, *grant.Grant)) (*Service, *tenant.Tenant, *given) {
	s, acme, m := house(t)
	acme.Settings.Clients.OpenRegistration = false
	g := &given{memory: m, tokens: map[string]grant.AccessToken{}, grants: map[string]*grant.Grant{}}
	s.Access, s.Grants, s.Granted = g, g, g
	s.GrantTypes = append(s.GrantTypes, oauth.Password, oauth.JWTBearer)
	acme.Settings.Grants.Password.Enabled, acme.Settings.Grants.JWTBearer.Enabled = true, true
	a := grant.AccessToken{Grant: "g", Subject: "dev", ClientID: "proforma", Audience: []string{acme.Issuer}, Scope: strings.Fields(scope), ExpiresAt: noon.Add(time.Hour)}
	x := &grant.Grant{ID: "g", ClientID: "proforma", Subject: "dev", ExpiresAt: noon.Add(time.Hour), Terms: grant.Terms{Registration: true}}
	if change != nil {
		change(&a, x)
	}
	g.tokens["token"], g.grants["g"] = a, x
	return s, acme, g
}

func TestWhatAnAccessTokenLetsRegister(t *testing.T) {
	const uris = `"redirect_uris":["https://a.example/cb"]`
	for _, c := range []struct{ rule, scope, members, want, has string }{
		{"anything", "client-reg", uris, "", ""},
		{"any grant type", "client-reg", uris + `,"grant_types":["client_credentials","password","authorization_code"]`, "", ""},
		{"any scope", "client-reg", uris + `,"scope":"openid orders"`, "", "openid orders"},
		{"but that of the challenge", "client-reg", uris + `,"scope":"authorization_challenge"`, badMeta, ""},
		{"no id", "client-reg", uris + `,"preferred_client_id":"mine"`, badMeta, ""},
		{"no data", "client-reg", uris + `,"data":{}`, badMeta, ""},
		{"no template", "client-reg", `"redirect_uris":["urn:c2id:redirect_uri_template:https://a.example/[param]"]`, badMeta, ""},
		{"a sector with a name", "client-reg", uris + `,"sector_identifier_uri":"urn:c2id:sector_id:a"`, "", ""},
		{"a sector with a name, if it says so", "client-reg:grant:code client-reg:set-sector-id-urn", uris + `,"sector_identifier_uri":"urn:c2id:sector_id:a"`, "", ""},
		{"else none", "client-reg:grant:code", uris + `,"sector_identifier_uri":"urn:c2id:sector_id:a"`, badMeta, ""},
		{"the grant type that it names", "client-reg:grant:client_credentials", `"grant_types":["client_credentials"]`, "", ""},
		{"by its long name", "client-reg:grant:urn:ietf:params:oauth:grant-type:jwt-bearer", `"grant_types":["urn:ietf:params:oauth:grant-type:jwt-bearer"]`, "", ""},
		{"or its short one", "client-reg:grant:jwt-bearer client-reg:grant:password", `"grant_types":["urn:ietf:params:oauth:grant-type:jwt-bearer","password"]`, "", ""},
		{"no other", "client-reg:grant:client_credentials", uris + `,"grant_types":["authorization_code"]`, badMeta, ""},
		{"nor the one that goes without saying", "client-reg:grant:client_credentials", uris, badMeta, ""},
		{"a code with a refresh token", "client-reg:grant:code", uris + `,"grant_types":["authorization_code","refresh_token"]`, "", ""},
		{"no grant that needs more", "client-reg:scope:a", uris + `,"grant_types":["password"]`, badMeta, ""},
		{"the scope that it names", "client-reg:grant:code client-reg:scope:a client-reg:scope:b", uris + `,"scope":"b"`, "", "b"},
		{"all of it where nothing is said", "client-reg:grant:code client-reg:scope:a client-reg:scope:b", uris, "", "a b"},
		{"no other scope", "client-reg:grant:code client-reg:scope:a", uris + `,"scope":"c"`, badMeta, ""},
		{"not that of the challenge though it is named", "client-reg:scope:authorization_challenge", uris + `,"scope":"authorization_challenge"`, badMeta, ""},
		{"what is advertised where it names none", "client-reg:grant:code", uris + `,"scope":"openid email"`, "", "openid email"},
		{"nothing by a word that says nothing", "client-reg:more", uris + `,"grant_types":["password"]`, badMeta, ""},
	} {
		s, acme, g := granting(t, c.scope+" other", nil)
		got, err := s.Register(t.Context(), acme, request(t, "{"+c.members+"}", Own("token", "192.0.2.9")))
		if said(err) != c.want || (err == nil) != (len(g.clients) == 1) || c.has != "" && got.Client.Scope != c.has {
			t.Errorf("%s: %v, want %q; it has %q", c.rule, err, c.want, got.Client.Scope)
		}
		if (g.grants["g"].RevokedAt.IsZero()) != (c.want != "") {
			t.Errorf("%s: the grant was revoked at %v", c.rule, g.grants["g"].RevokedAt)
		}
	}
}

func TestAccessTokensThatRegisterNothing(t *testing.T) {
	down := errors.New("the disk is full")
	for _, c := range []struct {
		rule, scope, want string
		change            func(*grant.AccessToken, *grant.Grant)
	}{
		{"one without the scope", "openid", "insufficient_scope", nil},
		{"one with a scope that begins alike", "client-registry", "insufficient_scope", nil},
		{"one for somebody else", "client-reg", "invalid_token", func(a *grant.AccessToken, _ *grant.Grant) { a.Audience = []string{"https://api.example"} }},
		{"one for the endpoint", "client-reg", "", func(a *grant.AccessToken, _ *grant.Grant) { a.Audience = []string{"https://id.example/t/acme/clients"} }},
		{"one that a subject agreed to", "client-reg", "invalid_token", func(_ *grant.AccessToken, g *grant.Grant) { g.Terms.Registration = false }},
		{"one without a grant", "client-reg", "invalid_token", func(a *grant.AccessToken, _ *grant.Grant) { a.Grant = "" }},
		{"one whose grant is gone", "client-reg", "invalid_token", func(a *grant.AccessToken, _ *grant.Grant) { a.Grant = "other" }},
		{"one whose grant is revoked", "client-reg", "invalid_token", func(_ *grant.AccessToken, g *grant.Grant) { g.RevokedAt = noon }},
		{"one whose grant is over", "client-reg", "invalid_token", func(_ *grant.AccessToken, g *grant.Grant) { g.ExpiresAt = noon }},
		{"one that was exchanged", "client-reg", "invalid_token", func(a *grant.AccessToken, _ *grant.Grant) { a.ClientID = "other" }},
		{"one that is bound to a key", "client-reg", "invalid_token", func(a *grant.AccessToken, _ *grant.Grant) { a.Confirmation.JKT = "x" }},
	} {
		s, acme, g := granting(t, c.scope, c.change)
		if _, err := s.Register(t.Context(), acme, request(t, simple, Own("token", ""))); said(err) != c.want || (err == nil) != (len(g.clients) == 1) {
			t.Errorf("%s: %v", c.rule, err)
		}
		g.down = down
		if _, err := s.Register(t.Context(), acme, request(t, simple, Own("token", ""))); !errors.Is(err, down) || !errors.Is(err, oauth.Unavailable()) {
			t.Errorf("%s, without the store: %v", c.rule, err)
		}
	}
	s, acme, g := granting(t, "client-reg", nil)
	if _, err := s.Register(t.Context(), acme, request(t, simple, Own("guess", ""))); said(err) != "invalid_token" {
		t.Error("a guess:", err)
	}
	dry := request(t, simple, Own("token", ""))
	dry.DryRun = true
	if _, err := s.Register(t.Context(), acme, dry); err != nil || len(g.clients) != 0 || !g.grants["g"].RevokedAt.IsZero() || len(g.events) != 0 {
		t.Errorf("a dry run: %v, %v, %v", err, g.clients, g.grants["g"])
	}
	first, err := s.Register(t.Context(), acme, request(t, simple, Own("token", "192.0.2.9")))
	if err != nil || first.Client.SelfRegistered || first.Secret == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if e := g.events[0]; e.Kind != audit.ClientCreated || e.Subject != "dev" || e.Grant != "g" || e.Detail["authority"] != "initial" || e.Address != "192.0.2.9" {
		t.Errorf("the record: %+v", e)
	}
	if !acme.Revoked.Revoked(tenant.Issued{Grant: "g", At: noon}) {
		t.Error("its token lives on here")
	}
	if _, err := s.Register(t.Context(), acme, request(t, simple, Own("token", ""))); said(err) != "invalid_token" {
		t.Error("the token is used twice:", err)
	}
	for name, call := range map[string]func(Authority) error{
		"read": func(by Authority) error { _, err := s.Read(t.Context(), acme, first.Client.ID, by); return err },
		"update": func(by Authority) error {
			_, err := s.Update(t.Context(), acme, first.Client.ID, request(t, simple, by))
			return err
		},
		"list":   func(by Authority) error { _, err := s.List(t.Context(), acme, "", 9, by); return err },
		"delete": func(by Authority) error { return s.Delete(t.Context(), acme, first.Client.ID, 0, by) },
	} {
		if err := call(Own("token", "")); said(err) != "invalid_token" {
			t.Errorf("an access token to %s: %v", name, err)
		}
	}
}

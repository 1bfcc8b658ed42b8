package tenant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// profiled are settings of a profile that sign by ES256.
func profiled(profile string, change func(*tenant.Settings)) *tenant.Settings {
	s := &tenant.Settings{Profile: profile}
	s.Tokens.AccessTokenAlg, s.Tokens.IDTokenAlg, s.MTLS.Enabled = "ES256", "ES256", true
	if change != nil {
		change(s)
	}
	return s
}

func TestSettingsAreHeldToTheirProfile(t *testing.T) {
	for _, c := range []struct {
		rule, profile string
		change        func(*tenant.Settings)
		wrong         []string
	}{
		{"no profile", "", nil, nil},
		{"a profile that there is not", "fapi3", nil, []string{"/profile"}},
		{"FAPI 2.0", tenant.FAPI2Security, nil, nil},
		{"FAPI 2.0 Message Signing", tenant.FAPI2MessageSigning, nil, nil},
		{"FAPI 1.0 Advanced", tenant.FAPI1Advanced, nil, nil},
		{"OAuth 2.1", tenant.OAuth21, func(s *tenant.Settings) { s.Tokens.AccessTokenAlg, s.Tokens.IDTokenAlg, s.MTLS.Enabled = "", "", false }, nil},
		{"RS256 by default", tenant.FAPI2Security, func(s *tenant.Settings) { s.Tokens.AccessTokenAlg, s.Tokens.IDTokenAlg = "", "" }, []string{"/tokens/access_token_alg", "/tokens/id_token_alg"}},
		{"EdDSA in FAPI 2.0", tenant.FAPI2Security, func(s *tenant.Settings) { s.Tokens.IDTokenAlg = "EdDSA" }, nil},
		{"EdDSA in FAPI 1.0", tenant.FAPI1Advanced, func(s *tenant.Settings) { s.Tokens.IDTokenAlg = "EdDSA" }, []string{"/tokens/id_token_alg"}},
		{"HMAC", tenant.FAPI2Security, func(s *tenant.Settings) { s.Signing.HMAC = true }, []string{"/signing/hmac"}},
		{"unsigned ID tokens", tenant.FAPI1Advanced, func(s *tenant.Settings) { s.Signing.None = true }, []string{"/signing/none"}},
		{"long codes", tenant.FAPI2Security, func(s *tenant.Settings) { s.Authorization.CodeLifetime = 61 }, []string{"/authorization/code_lifetime"}},
		{"long codes in FAPI 1.0", tenant.FAPI1Advanced, func(s *tenant.Settings) { s.Authorization.CodeLifetime = 600 }, nil},
		{"pushed requests of 600 seconds", tenant.FAPI2Security, func(s *tenant.Settings) { s.PAR.Lifetime = 600 }, []string{"/par/lifetime"}},
		{"the front channel", tenant.FAPI2Security, func(s *tenant.Settings) { s.Authorization.ResponseTypes = []string{"code id_token"} }, []string{"/authorization/response_types"}},
		{"the front channel in FAPI 1.0", tenant.FAPI1Advanced, func(s *tenant.Settings) { s.Authorization.ResponseTypes = []string{"id_token code"} }, nil},
		{"tokens by the front channel", tenant.OAuth21, func(s *tenant.Settings) { s.Authorization.ResponseTypes = []string{"token"} }, []string{"/authorization/response_types"}},
		{"no certificates in FAPI 1.0", tenant.FAPI1Advanced, func(s *tenant.Settings) { s.MTLS.Enabled = false }, []string{"/mtls/enabled"}},
		{"passwords", tenant.OAuth21, func(s *tenant.Settings) { s.Grants.Password.Enabled = true }, []string{"/grants/password/enabled"}},
		{"no response by JWT", tenant.FAPI2MessageSigning, func(s *tenant.Settings) { s.Authorization.ResponseModes = []string{"query"} }, []string{"/authorization/response_modes"}},
	} {
		s := profiled(c.profile, c.change)
		var wrong []string
		for _, f := range s.Check() {
			wrong = append(wrong, f.Pointer)
		}
		if diff := cmp.Diff(c.wrong, wrong); diff != "" {
			t.Errorf("%s: %s", c.rule, diff)
		}
		if known := slices.Contains(tenant.ProfileNames(), c.profile); !known {
			continue
		}
		broken := 0
		for _, f := range s.Findings() {
			if f.Says == "" || f.Why == "" || len(f.Sections) == 0 {
				t.Errorf("%s: a finding does not say what, why and where: %+v", c.rule, f)
			}
			if !f.Fulfilled {
				broken++
			}
		}
		if (broken > 0) != (len(c.wrong) > 0) {
			t.Errorf("%s: %d findings, %v", c.rule, broken, c.wrong)
		}
	}
}

func TestClientsAreHeldToTheProfile(t *testing.T) {
	good := tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthPrivateJWT, RedirectURIs: []string{"https://app.example/cb"}, ResponseTypes: []string{"code"},
		GrantTypes: []string{oauth.AuthorizationCode}, ApplicationType: "web"}
	all := tenant.ProfileNames()
	fapi := []string{tenant.FAPI1Advanced, tenant.FAPI2MessageSigning, tenant.FAPI2Security}
	for _, c := range []struct {
		rule   string
		change func(*tenant.Metadata)
		broken []string // profiles
	}{
		{"private_key_jwt", func(*tenant.Metadata) {}, nil},
		{"a certificate", func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = oauth.AuthTLS }, nil},
		{"a secret", func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = oauth.AuthBasic }, fapi},
		{"a secret by default", func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = "" }, fapi},
		{"a secret that signs", func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = oauth.AuthSecretJWT }, fapi},
		{"a former secret", func(m *tenant.Metadata) { m.FormerMethod = oauth.AuthPost }, fapi},
		{"nothing", func(m *tenant.Metadata) { m.TokenEndpointAuthMethod = oauth.AuthNone }, fapi},
		{"nothing at the challenge endpoint", func(m *tenant.Metadata) { m.ChallengeAuthMethod = oauth.AuthNone }, fapi},
		{"assertions by RS256", func(m *tenant.Metadata) { m.TokenEndpointAuthAlg = "RS256" }, fapi},
		{"ID tokens by RS256", func(m *tenant.Metadata) { m.IDTokenAlg = "RS256" }, fapi},
		{"UserInfo by HS256", func(m *tenant.Metadata) { m.UserInfoAlg = "HS256" }, fapi},
		{"ID tokens by EdDSA", func(m *tenant.Metadata) { m.IDTokenAlg = "EdDSA" }, []string{tenant.FAPI1Advanced}},
		{"an ID token beside the code", func(m *tenant.Metadata) { m.ResponseTypes = []string{"code id_token"} }, []string{tenant.FAPI2MessageSigning, tenant.FAPI2Security}},
		{"an access token by the front channel", func(m *tenant.Metadata) { m.ResponseTypes = []string{"code token"} }, all},
		{"plain http on the loopback", func(m *tenant.Metadata) { m.RedirectURIs = []string{"http://127.0.0.1/cb"} }, all},
		{"a template of redirect URIs", func(m *tenant.Metadata) {
			m.RedirectURIs = []string{tenant.RedirectTemplatePrefix + "https://app.example/[param]"}
		}, all},
		{"plain http on the loopback of a native application", func(m *tenant.Metadata) {
			m.RedirectURIs, m.ApplicationType = []string{"http://127.0.0.1/cb"}, "native"
		}, nil},
		{"passwords", func(m *tenant.Metadata) { m.GrantTypes = []string{"password"} }, all},
		{"request objects by RS256", func(m *tenant.Metadata) { m.RequestAlg = "RS256" }, fapi},
		{"request objects without signature", func(m *tenant.Metadata) { m.RequestAlg = "none" }, fapi},
		{"responses by RS256", func(m *tenant.Metadata) { m.ResponseAlg = "RS256" }, fapi},
		{"pushed tokens", func(m *tenant.Metadata) { m.BackchannelMode = oauth.Push }, fapi},
	} {
		var broken []string
		for _, profile := range all {
			m := good
			c.change(&m)
			if rule, why := tenant.DemandsOf(profile).Misfit(profiled("", nil), &m); rule != nil {
				if broken = append(broken, profile); why == "" {
					t.Errorf("%s: %s does not say why", c.rule, rule.ID)
				}
			}
			s, found := profiled(profile, nil), false
			for _, f := range s.FindingsOf(&tenant.Client{ID: "app", Metadata: m}) {
				if found = found || !f.Fulfilled; f.ClientID != "app" || f.Why == "" || f.Says == "" {
					t.Errorf("%s: %+v", c.rule, f)
				}
			}
			if found != slices.Contains(c.broken, profile) {
				t.Errorf("%s: the findings of %s say %v", c.rule, profile, found)
			}
		}
		if diff := cmp.Diff(c.broken, broken); diff != "" {
			t.Errorf("%s: %s", c.rule, diff)
		}
	}
	m := good
	if rule, _ := tenant.DemandsOf(tenant.FAPI2Security).Misfit(&tenant.Settings{}, &m); rule == nil || rule.ID != "algorithms" {
		t.Error("a client of FAPI 2.0 at a tenant that signs by RS256 fits")
	}
}

func TestTwoProfilesDemandWhatEitherDoes(t *testing.T) {
	d := tenant.DemandsOf(tenant.FAPI1Advanced, "", tenant.FAPI2Security, tenant.FAPI1Advanced)
	want := &tenant.Demands{Profiles: []string{tenant.FAPI1Advanced, tenant.FAPI2Security}, PAR: true, PKCE: true, Confidential: true, AuthMethods: []string{oauth.AuthPrivateJWT, oauth.AuthTLS, oauth.AuthSelfSignedTLS},
		Algs: []keys.Alg{keys.PS256, keys.ES256}, StrictAudience: true, Bound: true, Certificate: true, SignedRequest: true, SignedResponse: true, KeepRefresh: true, NoPassword: true, Redirects: true,
		ResponseTypes: []string{"code"}, CodeLife: time.Minute, PushedLife: 599 * time.Second, RequestLife: time.Hour}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if tenant.DemandsOf() != nil || tenant.DemandsOf("", "none such") != nil {
		t.Error("no profile demands something")
	}
	var none *tenant.Demands
	if rule, _ := none.Misfit(&tenant.Settings{}, &tenant.Metadata{}); rule != nil || !none.AllowsAlg(keys.RS256) || !none.AllowsMethod("x") || !none.AllowsResponseType("token") ||
		none.WantsBound() || none.WantsIssuer() || none.WantsSigned("code") || none.CodeLifetime(time.Hour) != time.Hour {
		t.Error("nil demands something")
	}
}

// What was stored before the profile was turned on does not slip by.
func TestAProfileIsUpheldWhateverIsStored(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.put("acme", func(r *tenant.Record) {
		r.Settings.Authorization.CodeLifetime, r.Settings.Authorization.ResponseTypes, r.Settings.PAR.Lifetime = 600, []string{"token", "id_token code"}, 600
		r.Settings.Tokens.IDTokenAlg = "ES256"
	})
	d.putClient("acme", &tenant.Client{ID: "app", Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthPrivateJWT}})
	d.putClient("acme", &tenant.Client{ID: "own", Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthPrivateJWT, ProfileMetadata: tenant.ProfileMetadata{Profile: tenant.FAPI1Advanced}}})
	look := func() (*tenant.Tenant, *tenant.Client, *tenant.Client) {
		t.Helper()
		refresh(t, r)
		x := resolve(t, r, id("acme"))
		app, err1 := x.Clients.Client(t.Context(), "app")
		own, err2 := x.Clients.Client(t.Context(), "own")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return x, app, own
	}
	x, app, own := look()
	if x.Settings.PAR.Required || app.Demands != nil || app.RequirePAR || x.Settings.CodeLifetime() != 10*time.Minute {
		t.Error("without a profile something is demanded")
	}
	if own.Demands == nil || !own.CertificateBound || own.RequirePAR || !own.OnlyBound() {
		t.Errorf("a client's own profile: %+v", own.Demands)
	}
	d.put("acme", func(r *tenant.Record) { r.Settings.Profile = tenant.FAPI2Security })
	x, app, own = look()
	s := x.Settings
	if !s.PAR.Required || !s.Clients.StrictAudience || !s.Tokens.RefreshTokenKeep || s.CodeLifetime() != time.Minute || len(s.Authorization.ResponseTypes) != 0 || s.PushedLifetime() >= 10*time.Minute {
		t.Errorf("the settings: %+v", s)
	}
	if !app.RequirePAR || !app.RequirePKCE || app.CertificateBound || app.RefreshRotation == nil || *app.RefreshRotation || !app.Demands.WantsBound() || !app.OnlyBound() {
		t.Errorf("the client: %+v", app.Metadata)
	}
	if own.ResponseAlg != "ES256" || !own.RequireSignedObject || own.Demands.RequestLifetime(0) != time.Hour || app.RequireSignedObject {
		t.Errorf("signed requests and responses: %+v", own.Metadata)
	}
	if !own.RequirePAR || !own.CertificateBound || len(own.Demands.Profiles) != 2 {
		t.Errorf("the client with a profile of its own: %+v", own.Metadata)
	}
	d.put("acme", func(r *tenant.Record) { r.Settings.Profile = "" })
	if x, app, _ = look(); x.Settings.PAR.Required || app.RequirePAR || app.Demands != nil {
		t.Error("a profile that was turned off goes on")
	}
}

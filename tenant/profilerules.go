package tenant

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// A ProfileRule is one rule of a profile. What has neither check is held by the server at each request, whatever was
// stored.
type ProfileRule struct {
	ID       string
	Says     string
	sections map[string]string // by profile
	applies  func(d *Demands) bool
	settings func(d *Demands, s *Settings) []FieldError
	client   func(d *Demands, s *Settings, m *Metadata) string // why not, or empty
}

// Sections are where the profiles of d say so, in the order of their names.
func (r *ProfileRule) Sections(d *Demands) []string {
	var out []string
	for _, name := range ProfileNames() {
		if s := r.sections[name]; s != "" && slices.Contains(d.Profiles, name) {
			out = append(out, s)
		}
	}
	return out
}

// sections says where FAPI 2.0 Security Profile, which Message Signing includes, FAPI 1.0 Part 2, and OAuth 2.1 say so.
func sections(fapi2, fapi1, oauth21 string) map[string]string {
	m := map[string]string{}
	for name, s := range map[string]string{FAPI2Security: fapi2, FAPI2MessageSigning: fapi2, FAPI1Advanced: fapi1, OAuth21: oauth21} {
		if s != "" {
			m[name] = map[string]string{FAPI1Advanced: "FAPI 1.0 Part 2 ", OAuth21: "OAuth 2.1 "}[name] + s
			if name == FAPI2Security || name == FAPI2MessageSigning {
				m[name] = "FAPI 2.0 SP " + s
			}
		}
	}
	return m
}

// messages says where Message Signing and FAPI 1.0 Part 2 say so.
func messages(message, fapi1 string) map[string]string {
	return map[string]string{FAPI2MessageSigning: "FAPI 2.0 MS " + message, FAPI1Advanced: "FAPI 1.0 Part 2 " + fapi1}
}

// profileRules are all there are.
var profileRules = []ProfileRule{
	{"pushed_requests", "Authorization requests are pushed", sections("§5.3.2.2(3)", "", ""), func(d *Demands) bool { return d.PAR }, nil, nil},
	{"pushed_lifetime", "Pushed requests end within 600 seconds", sections("§5.3.2.2(12)", "", ""), func(d *Demands) bool { return d.PushedLife > 0 }, pushedLife, nil},
	{"pkce", "Requests for a code carry a code challenge by S256", sections("§5.3.2.2(5)", "", "§10"), func(d *Demands) bool { return d.PKCE }, nil, nil},
	{"response_types", "Only the response types of the profile are used", sections("§5.3.2.2", "§5.2.2(2)", "§10"), func(d *Demands) bool { return d.ResponseTypes != nil }, responseTypesFit, clientResponseTypes},
	{"redirect_uris", "Redirect URIs are https, or of the loopback for native applications", sections("§5.3.2.2", "§5.2.2", "§10"), func(d *Demands) bool { return d.Redirects }, nil, clientRedirects},
	{"code_lifetime", "Codes live for at most 60 seconds", sections("§5.3.2.1(11)", "", ""), func(d *Demands) bool { return d.CodeLife > 0 }, codeLife, nil},
	{"confidential_clients", "Clients authenticate", sections("§5.3.2.1(3-5)", "§5.2.2(16)", ""), func(d *Demands) bool { return d.Confidential }, nil, confidentialClient},
	{"client_authentication", "Clients authenticate by private_key_jwt or by certificate", sections("§5.3.2.1(6)", "§5.2.2(14)", ""), func(d *Demands) bool { return d.AuthMethods != nil }, nil, clientMethods},
	{"assertion_audience", "Assertions name the issuer as their audience", sections("§5.3.2.1(8)", "", ""), func(d *Demands) bool { return d.StrictAudience }, nil, nil},
	{"algorithms", "Nothing is signed but by the algorithms of the profile", sections("§5.4.1", "§8.6", ""), func(d *Demands) bool { return d.Algs != nil }, algsFit, clientAlgs},
	{"bound_tokens", "Access tokens are bound to a key or a certificate", sections("§5.3.2.1(3-5)", "§5.2.2(5)", ""), func(d *Demands) bool { return d.Bound && !d.Certificate }, nil, nothingPushed},
	{"certificate_bound_tokens", "Access tokens are bound to a certificate", sections("", "§5.2.2(6)", ""), func(d *Demands) bool { return d.Certificate }, certificatesFit, nothingPushed},
	{"refresh_rotation", "Refresh tokens are not rotated", sections("§5.3.2.1(9)", "", ""), func(d *Demands) bool { return d.KeepRefresh }, nil, nil},
	{"password_grant", "There is no password grant", sections("§5.3.2.1(2)", "§5.2.2", "§10"), func(d *Demands) bool { return d.NoPassword }, passwordOff, noPassword},
	{"signed_requests", "Authorization requests are signed, from nbf to exp within 60 minutes", messages("§5.3", "§5.2.2(1)"), func(d *Demands) bool { return d.SignedRequest }, nil, nil},
	{"signed_responses", "Authorization responses are signed", messages("§5.4", "§5.2.2(2)"), func(d *Demands) bool { return d.SignedResponse }, modesFit, nil},
}

func pushedLife(d *Demands, s *Settings) []FieldError {
	return unless(s.PushedLifetime() <= d.PushedLife, "/par/lifetime", "must be below 600 under the profile")
}

func codeLife(d *Demands, s *Settings) []FieldError {
	return unless(s.CodeLifetime() <= d.CodeLife, "/authorization/code_lifetime", "must be at most 60 under the profile")
}

func responseTypesFit(d *Demands, s *Settings) []FieldError {
	for _, v := range s.Authorization.ResponseTypes {
		if !d.AllowsResponseType(oauth.ResponseType(v)) {
			return unless(false, "/authorization/response_types", "holds one that the profile does not allow")
		}
	}
	return nil
}

func algsFit(d *Demands, s *Settings) (out []FieldError) {
	for _, a := range []struct {
		pointer string
		alg     keys.Alg
	}{{"/tokens/access_token_alg", s.AccessTokenAlg()}, {"/tokens/id_token_alg", s.IDTokenAlg(&Client{})}} {
		out = append(out, unless(d.AllowsAlg(a.alg), a.pointer, "must be an algorithm of the profile")...)
	}
	out = append(out, unless(!s.Signing.HMAC, "/signing/hmac", "must be off under the profile")...)
	return append(out, unless(!s.Signing.None, "/signing/none", "must be off under the profile")...)
}

func certificatesFit(_ *Demands, s *Settings) []FieldError {
	return unless(s.MTLS.Enabled, "/mtls/enabled", "must be on under the profile")
}

func modesFit(_ *Demands, s *Settings) []FieldError {
	modes := s.Authorization.ResponseModes
	fits := len(modes) == 0 || slices.ContainsFunc(modes, func(m string) bool { return m == "jwt" || strings.HasSuffix(m, ".jwt") })
	return unless(fits, "/authorization/response_modes", "must hold one by JWT under the profile")
}

func unless(ok bool, pointer, message string) []FieldError {
	if ok {
		return nil
	}
	return []FieldError{{pointer, message}}
}

func confidentialClient(_ *Demands, _ *Settings, m *Metadata) string {
	switch {
	case m.Uses(oauth.AuthNone):
		return "token_endpoint_auth_method is none"
	case m.ChallengeAuthMethod == oauth.AuthNone:
		return "authorization_challenge_endpoint_auth_method is none"
	}
	return ""
}

func clientMethods(d *Demands, _ *Settings, m *Metadata) string {
	for _, method := range m.Methods() {
		if !d.AllowsMethod(method) {
			return "token_endpoint_auth_method is " + method
		}
	}
	return ""
}

func clientResponseTypes(d *Demands, _ *Settings, m *Metadata) string {
	for _, v := range m.ResponseTypes {
		if !d.AllowsResponseType(oauth.ResponseType(v)) {
			return "response_types holds one that is not allowed"
		}
	}
	return ""
}

func clientRedirects(_ *Demands, _ *Settings, m *Metadata) string {
	for _, uri := range m.RedirectURIs {
		if strings.HasPrefix(uri, RedirectTemplatePrefix) {
			return "redirect_uris holds a template"
		}
		if !strings.HasPrefix(uri, "https://") && m.ApplicationType != "native" {
			return "redirect_uris holds one that is not https"
		}
	}
	return ""
}

// nothingPushed: by push, tokens come to whoever listens (CIBA Core §10.3).
func nothingPushed(_ *Demands, _ *Settings, m *Metadata) string {
	if m.BackchannelMode == oauth.Push {
		return "backchannel_token_delivery_mode is push"
	}
	return ""
}

func passwordOff(_ *Demands, s *Settings) []FieldError {
	return unless(!s.Grants.Password.Enabled, "/grants/password/enabled", "must be off under the profile")
}

func noPassword(_ *Demands, _ *Settings, m *Metadata) string {
	if slices.Contains(m.GrantTypes, oauth.Password) {
		return "grant_types holds password"
	}
	return ""
}

// algMembers are the members of a client that name algorithms of signatures.
var algMembers = []struct {
	name string
	of   func(*Metadata) string
}{
	{"token_endpoint_auth_signing_alg", func(m *Metadata) string { return m.TokenEndpointAuthAlg }},
	{"id_token_signed_response_alg", func(m *Metadata) string { return m.IDTokenAlg }},
	{"userinfo_signed_response_alg", func(m *Metadata) string { return m.UserInfoAlg }},
	{"introspection_signed_response_alg", func(m *Metadata) string { return m.IntrospectionAlg }},
	{"authorization_signed_response_alg", func(m *Metadata) string { return m.ResponseAlg }},
	{"request_object_signing_alg", func(m *Metadata) string { return m.RequestAlg }},
	{"backchannel_authentication_request_signing_alg", func(m *Metadata) string { return m.BackchannelRequestAlg }},
}

func clientAlgs(d *Demands, s *Settings, m *Metadata) string {
	switch {
	case !d.AllowsAlg(s.IDTokenAlg(&Client{Metadata: *m})):
		return "its ID tokens are signed by an algorithm that is not allowed: register id_token_signed_response_alg"
	case !d.AllowsAlg(s.AccessTokenAlg()):
		return "the tenant signs access tokens by an algorithm that is not allowed"
	}
	for _, a := range algMembers {
		if v := a.of(m); v != "" && !d.AllowsAlg(keys.Alg(v)) {
			return a.name + " is not an algorithm that is allowed"
		}
	}
	return ""
}

// profile checks the settings against the profile that they name.
func (c *checker) profile(s *Settings) {
	_, known := profiles[s.Profile]
	if c.that(s.Profile == "" || known, "/profile", "is no profile of ours"); !known {
		return
	}
	d := DemandsOf(s.Profile)
	for _, r := range profileRules {
		if r.settings != nil && r.applies(d) {
			c.found = append(c.found, r.settings(d, s)...)
		}
	}
}

// Misfit returns the first rule that a client of a tenant with these settings breaks, and why; nil where it breaks none.
func (d *Demands) Misfit(s *Settings, m *Metadata) (*ProfileRule, string) {
	if d == nil {
		return nil, ""
	}
	for i := range profileRules {
		r := &profileRules[i]
		if r.client == nil || !r.applies(d) {
			continue
		}
		if why := r.client(d, s, m); why != "" {
			return r, why
		}
	}
	return nil, ""
}

// Finding is one rule of a profile, and whether the tenant or one of its clients fulfils it.
type Finding struct {
	Rule      string   `json:"rule"`
	Says      string   `json:"says"`
	Sections  []string `json:"sections,omitempty"`
	ClientID  string   `json:"client_id,omitempty"` // empty: the tenant's settings
	Fulfilled bool     `json:"fulfilled"`
	Why       string   `json:"why"`
}

// Findings explains, rule by rule, whether the settings fulfil the profile that they name.
func (s *Settings) Findings() []Finding {
	d := DemandsOf(s.Profile)
	if d == nil {
		return nil
	}
	var out []Finding
	for i := range profileRules {
		r := &profileRules[i]
		if !r.applies(d) {
			continue
		}
		f := Finding{Rule: r.ID, Says: r.Says, Sections: r.Sections(d), Fulfilled: true, Why: "held at every request"}
		switch {
		case r.settings != nil:
			f.Why = "the settings fit"
			for j, wrong := range r.settings(d, s) {
				if f.Fulfilled = false; j == 0 {
					f.Why = ""
				} else {
					f.Why += "; "
				}
				f.Why += wrong.Pointer + " " + wrong.Message
			}
		case r.client != nil:
			f.Why = "held at every request; see the clients"
		}
		out = append(out, f)
	}
	return out
}

// FindingsOf explains which rules of its profile, and that of its tenant, a client breaks; where it breaks none it says so
// once.
func (s *Settings) FindingsOf(c *Client) []Finding {
	d := DemandsOf(s.Profile, c.Profile)
	if d == nil {
		return nil
	}
	var out []Finding
	for i := range profileRules {
		r := &profileRules[i]
		if !r.applies(d) || r.client == nil {
			continue
		}
		if why := r.client(d, s, &c.Metadata); why != "" {
			out = append(out, Finding{Rule: r.ID, Says: r.Says, Sections: r.Sections(d), ClientID: c.ID, Why: why})
		}
	}
	if out == nil {
		out = append(out, Finding{Rule: strings.Join(d.Profiles, " and "), Says: "The client fits the profile", ClientID: c.ID, Fulfilled: true, Why: "it breaks no rule"})
	}
	return out
}

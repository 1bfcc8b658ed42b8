package registration

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
)

// effective fills in the defaults (RFC 7591 §2, OIDC Registration §2), so that what is checked, stored and answered is
// one and the same.
func effective(m *tenant.Metadata) {
	if m.TokenEndpointAuthMethod == "" {
		m.TokenEndpointAuthMethod = oauth.AuthBasic
	}
	m.NoGrants = m.NoGrants && len(m.GrantTypes) == 0
	if len(m.GrantTypes) == 0 && !m.NoGrants {
		m.GrantTypes = []string{oauth.AuthorizationCode}
	}
	if len(m.ResponseTypes) == 0 && slices.Contains(m.GrantTypes, oauth.AuthorizationCode) {
		m.ResponseTypes = []string{"code"}
	}
	if m.BackchannelMode == "" && slices.Contains(m.GrantTypes, oauth.CIBA) {
		m.BackchannelMode = oauth.Poll
	}
	if m.ApplicationType == "" {
		m.ApplicationType = "web"
	}
	if m.TokenEndpointAuthMethod == oauth.AuthNone {
		m.RequirePKCE = true
	}
	m.RequirePKCE = m.RequirePKCE || m.CodeChallengeMethod != ""
}

// A check is one rule for what a client registers, after the defaults. What it had before is not asked for anew: it stays
// though the tenant has turned it off since, and does then what it does without an update.
type check func(s *Service, t *tenant.Tenant, m, had *tenant.Metadata, now time.Time) error

// checks run top to bottom; the first error wins.
var checks = []check{
	sizes,
	custom,
	applicationType, // OIDC Registration §2
	redirectURIs,    // RFC 6749 §3.1.2, RFC 9700 §2.1
	links,           // RFC 7591 §5
	logout,          // Back-Channel Logout §2.2, Front-Channel Logout §2
	names,           // RFC 7591 §5
	authMethod,      // RFC 7591 §2
	formerMethod,    // before what either method needs
	profile,         // turns on what it demands
	clientKeys,      // RFC 7591 §2
	certificates,    // RFC 8705 §2
	grantTypes,      // RFC 7591 §2.1
	backchannel,     // CIBA Core §4
	responseTypes,   // RFC 7591 §2.1
	scope,           // RFC 6749 §3.3
	protection,      // OIDC Registration §2, RFC 9701 §6
	subjectType,     // OIDC Core §8
	authentication,  // OIDC Registration §2
	audience,        // RFC 8707 §2
	detailsTypes,    // RFC 9396 §10
	requestObjects,  // OIDC Registration §2, RFC 9101 §10.5
	tokenPolicy,     // RFC 9700 §4.14.2
}

func sizes(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	for _, list := range [][]string{m.RedirectURIs, m.PostLogoutRedirectURIs, m.GrantTypes, m.ResponseTypes, m.Contacts,
		m.DefaultACRValues, m.Audience, m.LoginHintTypes} {
		if len(list) > maxList {
			return oauth.InvalidClientMetadata("An array has too many members")
		}
	}
	noted := 0
	for name, raw := range m.Noted {
		noted += len(name) + len(raw)
	}
	if len(m.Localized) > maxList || len(m.Data) > 1<<16 || noted > 1<<16 {
		return oauth.InvalidClientMetadata("The metadata is too large")
	}
	return nil
}

func applicationType(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	if m.ApplicationType != "web" && m.ApplicationType != "native" {
		return oauth.InvalidClientMetadata("application_type is neither web nor native")
	}
	return nil
}

func redirectURIs(_ *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	for i, uri := range slices.Concat(m.RedirectURIs, m.PostLogoutRedirectURIs) {
		if i < len(m.RedirectURIs) && strings.HasPrefix(uri, tenant.RedirectTemplatePrefix) {
			if err := redirectTemplate(t, uri, m.ApplicationType == "native", slices.Contains(had.RedirectURIs, uri)); err != nil {
				return &misplaced{"redirect_uris", i, err}
			}
			continue
		}
		if err := redirectURI(uri, m.ApplicationType == "native"); err != nil {
			if i < len(m.RedirectURIs) {
				return &misplaced{"redirect_uris", i, err}
			}
			return &misplaced{"post_logout_redirect_uris", i - len(m.RedirectURIs), err}
		}
	}
	for _, g := range []string{oauth.AuthorizationCode, oauth.Implicit} {
		if len(m.RedirectURIs) == 0 && slices.Contains(m.GrantTypes, g) {
			return oauth.InvalidRedirectURI("redirect_uris is required for the grant type " + g)
		}
	}
	return nil
}

func links(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	uris := map[string]string{"client_uri": m.URI, "logo_uri": m.LogoURI, "policy_uri": m.PolicyURI, "tos_uri": m.TOSURI}
	for member, v := range m.Localized {
		if !strings.HasPrefix(member, "client_name#") {
			uris[member] = v
		}
	}
	for _, member := range slices.Sorted(maps.Keys(uris)) {
		if uri := uris[member]; uri != "" && !page(uri) {
			return oauth.InvalidClientMetadata(member + " is not an http or https URL")
		}
	}
	if m.InitiateLoginURI != "" && !secure(m.InitiateLoginURI) {
		return oauth.InvalidClientMetadata("initiate_login_uri is not an https URL")
	}
	return nil
}

func names(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	texts := map[string]string{"client_name": m.Name, "software_id": m.SoftwareID, "software_version": m.SoftwareVersion}
	for member, v := range m.Localized {
		base, tag, tagged := strings.Cut(member, "#")
		if !tagged || !localizable[base] || !languageTag.MatchString(tag) || v == "" {
			return oauth.InvalidClientMetadata("A translation is not valid")
		}
		if base == "client_name" {
			texts[member] = v
		}
	}
	for _, member := range slices.Sorted(maps.Keys(texts)) {
		if !label(texts[member]) {
			return oauth.InvalidClientMetadata(member + " is too long or holds characters that are not allowed")
		}
	}
	if slices.ContainsFunc(m.Contacts, func(s string) bool { return !label(s) }) {
		return oauth.InvalidClientMetadata("contacts holds one that is too long or has characters that are not allowed")
	}
	if slices.Contains(m.Contacts, "") {
		return oauth.InvalidClientMetadata("contacts holds an empty string")
	}
	return nil
}

// label reports whether s may be shown as a name.
func label(s string) bool {
	return utf8.RuneCountInString(s) <= 256 && !strings.ContainsFunc(s, unseen)
}

// unseen reports whether r is not shown, or turns the direction of others. Joiners are part of some scripts.
func unseen(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.In(r, unicode.Zs, unicode.Join_Control)
}

func authMethod(_ *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	if m.TokenEndpointAuthMethod != had.TokenEndpointAuthMethod && !slices.Contains(clientauth.Methods(t), m.TokenEndpointAuthMethod) {
		return oauth.InvalidClientMetadata("token_endpoint_auth_method is not supported")
	}
	if m.ChallengeErrorStyle != "" && m.ChallengeErrorStyle != oauth.StyleJanssen && m.ChallengeErrorStyle != oauth.StyleDraft {
		return oauth.InvalidClientMetadata("authorization_challenge_error_style must be janssen or draft")
	}
	if m.ChallengeAuthMethod != "" && m.ChallengeAuthMethod != oauth.AuthNone {
		return oauth.InvalidClientMetadata("authorization_challenge_endpoint_auth_method must be none, or left out")
	}
	return nil
}

// confidential are the grant types that need a client that can authenticate (RFC 6749 §4.4; CIBA Core §4).
var confidential = []string{oauth.ClientCredentials, oauth.CIBA}

func grantTypes(s *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	implicit := slices.ContainsFunc(t.Settings.Authorization.ResponseTypes, oauth.FrontChannel)
	for _, g := range m.GrantTypes {
		asked := !slices.Contains(had.GrantTypes, g)
		if asked && !slices.Contains(s.GrantTypes, g) && (g != oauth.Implicit || !implicit) {
			return oauth.InvalidClientMetadata("grant_types holds one that is not supported")
		}
		if asked && g != oauth.Implicit && g != oauth.CIBA && g != oauth.DeviceCode && t.Settings.Serves(g) && !token.Offers(t.Settings, g) {
			return oauth.InvalidClientMetadata("grant_types holds one that is not supported")
		}
		if slices.Contains(confidential, g) && m.TokenEndpointAuthMethod == oauth.AuthNone {
			return oauth.InvalidClientMetadata("grant_types holds one that a client without authentication may not use")
		}
	}
	return nil
}

func responseTypes(s *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	byCode := slices.Contains(m.GrantTypes, oauth.AuthorizationCode)
	some := false
	for _, r := range m.ResponseTypes {
		one := oauth.ResponseType(r)
		if !slices.Contains(had.ResponseTypes, r) && (!slices.Contains(s.ResponseTypes, one) || !t.Settings.AllowsResponseType(one)) {
			return oauth.InvalidClientMetadata("response_types holds one that is not supported")
		}
		withCode := slices.Contains(strings.Fields(r), oauth.ResponseCode)
		for _, g := range oauth.GrantTypesOf(one) {
			if !slices.Contains(m.GrantTypes, g) {
				return oauth.InvalidClientMetadata("response_types holds one for which grant_types lacks " + g)
			}
		}
		some = some || withCode
	}
	if byCode && !some {
		return oauth.InvalidClientMetadata("grant_types holds authorization_code but no response type yields a code")
	}
	return nil
}

func scope(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	values, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return oauth.InvalidClientMetadata("scope is not valid").Because(err)
	}
	m.Scope = values.String() // without repeats
	return nil
}

func authentication(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	if m.DefaultMaxAge != nil && *m.DefaultMaxAge < 0 {
		return oauth.InvalidClientMetadata("default_max_age is negative")
	}
	for _, v := range m.DefaultACRValues {
		if len(v) > 255 || !oauth.ScopeValue(v) { // acr_values is a space-delimited list as scope is
			return oauth.InvalidClientMetadata("default_acr_values holds a value that is not valid")
		}
	}
	return nil
}

func audience(_ *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	for _, v := range m.Audience {
		if len(v) > maxURI || !oauth.ScopeValue(v) || strings.Contains(v, "#") {
			return oauth.InvalidClientMetadata("audience holds a value that is not valid")
		}
	}
	return nil
}

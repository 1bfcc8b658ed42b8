package tenant

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// FieldError says what is wrong with one member of a settings document.
type FieldError struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901); empty for the whole document
	Message string `json:"message"` // nothing of what was sent
}

// Error is for logs.
func (e FieldError) Error() string { return fmt.Sprintf("%q %s", e.Pointer, e.Message) }

// Bounds of a settings document.
const (
	maxLogo  = 64 << 10 // bytes, as a data: URI
	maxName  = 200      // bytes
	maxItems = 200      // of a list
	maxItem  = 255      // bytes
	maxValue = 4096     // bytes of an attribute

	day    = 24 * 60 * 60
	decade = 10 * 365 * day
)

// Decade is the longest that anything can live, in seconds.
const Decade = decade

// checker collects what is wrong.
type checker struct{ found []FieldError }

func (c *checker) that(ok bool, pointer, message string) {
	if !ok {
		c.found = append(c.found, FieldError{pointer, message})
	}
}

// Check returns what is wrong with the document as a whole, defaults included; nil when nothing is.
func (s *Settings) Check() []FieldError {
	c := &checker{}
	c.that(len(s.Name) <= maxName && utf8.ValidString(s.Name) && strings.IndexFunc(s.Name, unicode.IsControl) < 0,
		"/name", "must be at most 200 bytes without control characters")
	c.that(s.Logo == "" || picture(s.Logo), "/logo", "must be a data: URI of a PNG, JPEG or WebP picture in base64, at most 64 KiB")
	c.that(s.Color == "" || color(s.Color), "/color", "must be #rrggbb")
	c.that(s.LoginURL == "" || secureURL(s.LoginURL), "/login_url", "must be an https URL without fragment; http only for the loopback")
	c.ranges(s)
	c.ciba(&s.CIBA)
	c.device(&s.Device)
	c.challenge(&s.Challenge)
	c.authentication(&s.Authentication)
	c.documents(&s.Documents)
	c.resources(s)
	c.list("/app_origins", s.AppOrigins, webOrigin, "must be the origin of an https page as browsers write it, such as https://app.example; http only for the loopback")
	c.protection(s)
	c.hooks(s.Hooks)
	c.scripts(s.Scripts)
	c.mtls(&s.MTLS)
	c.profile(s)
	c.details(s.Authorization.DetailsTypes)
	c.grants(&s.Grants)
	c.service(&s.Service)
	c.list("/clients/auth_methods", s.Clients.AuthMethods, authMethod, "is no method of client authentication of ours")
	c.scopes(s.Authorization.ScopeDetails)
	c.noSingleSignOn(s.Authorization.NoSingleSignOn)
	c.overlay(s)
	c.words(s)
	return c.found
}

// ranges checks the numbers. Zero means the default.
func (c *checker) ranges(s *Settings) {
	a, t, ss, cl := &s.Authorization, &s.Tokens, &s.Sessions, &s.Clients
	for _, r := range []struct {
		pointer  string
		value    int64
		min, max int64
		negative bool // -1 is allowed: none, never or unlimited
	}{
		{"/authorization/interaction_lifetime", a.InteractionLifetime, 30, day, false},
		{"/authorization/code_lifetime", a.CodeLifetime, 5, 600, false},
		{"/authorization/max_state", int64(a.MaxState), 128, 8192, false},
		{"/authorization/max_nonce", int64(a.MaxNonce), 64, 4096, false},
		{"/tokens/access_token_lifetime", t.AccessTokenLifetime, 10, int64(MaxAccessToken.Seconds()), false},
		{"/tokens/id_token_lifetime", t.IDTokenLifetime, 10, 30 * day, false},
		{"/tokens/refresh_token_lifetime", t.RefreshTokenLifetime, 60, decade, false},
		{"/tokens/refresh_token_idle", t.RefreshTokenIdle, 60, decade, true},
		{"/tokens/refresh_token_grace", t.RefreshTokenGrace, 1, 300, true},
		{"/tokens/key_rotation", t.KeyRotation, 1, decade / day, true},
		{"/tokens/authorization_limit", t.AuthorizationLimit, 1, decade / day, false},
		{"/sessions/max_life", ss.MaxLife, 1, decade / 60, true},
		{"/sessions/auth_life", ss.AuthLife, 1, decade / 60, true},
		{"/sessions/max_idle", ss.MaxIdle, 1, decade / 60, true},
		{"/sessions/per_subject", int64(ss.PerSubject), 1, 25, false},
		{"/sessions/native_apps", int64(ss.NativeApps), 1, 5, false},
		{"/clients/max", int64(cl.Max), 1, 1_000_000, false},
		{"/clients/open_max", int64(cl.OpenMax), 1, 1_000_000, false},
		{"/clients/unused_lifetime", cl.UnusedLifetime, 60, decade, true},
		{"/clients/secret_overlap", cl.SecretOverlap, 1, 30 * day, true},
		{"/ciba/lifetime", s.CIBA.Lifetime, 60, day, false},
		{"/ciba/interval", s.CIBA.Interval, 1, 300, false},
		{"/device/lifetime", s.Device.Lifetime, 60, 3600, false},
		{"/device/interval", s.Device.Interval, 1, 300, false},
		{"/par/lifetime", s.PAR.Lifetime, 10, 600, false},
		{"/request_objects/lifetime", s.RequestObjects.Lifetime, 10, day, false},
		{"/challenge/lifetime", s.Challenge.Lifetime, 60, 30 * day, false},
		{"/challenge/step_up_after", s.Challenge.StepUpAfter, 60, 365 * day, false},
		{"/usage/retention", s.Usage.Retention, 31, 3650, false},
		{"/dpop/nonce_lifetime", s.DPoP.NonceLifetime, 1, day, false},
	} {
		if r.value == 0 || r.min <= r.value && r.value <= r.max || r.negative && r.value == -1 {
			continue
		}
		none := ""
		if r.negative {
			none = ", or -1 for none"
		}
		c.that(false, r.pointer, fmt.Sprintf("must be from %d to %d%s, or 0 for the default", r.min, r.max, none))
	}
}

// signed are the claims that the server itself sets; no scope value asks for them.
var signed = []string{
	"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "at_hash", "c_hash", "s_hash",
	"sid", "act", "cnf", "client_id", "scope",
}

// words checks algorithms, modes, scope values, claims and other names.
func (c *checker) words(s *Settings) {
	a := &s.Authorization
	for pointer, alg := range map[string]string{
		"/tokens/access_token_alg": s.Tokens.AccessTokenAlg, "/tokens/id_token_alg": s.Tokens.IDTokenAlg,
	} {
		_, err := keys.ParseAlg(alg)
		c.that(alg == "" || err == nil, pointer, "is no signature algorithm of ours")
	}
	modes := []string{oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost, oauth.ModeJWT, oauth.ModeQueryJWT, oauth.ModeFragmentJWT, oauth.ModeFormPostJWT}
	for _, l := range []struct {
		pointer string
		values  []string
		legal   func(string) bool
		message string
	}{
		{"/authorization/response_types", a.ResponseTypes, responseType, "is no response type of ours beside code"},
		{"/authorization/response_modes", a.ResponseModes, func(v string) bool { return slices.Contains(modes, v) }, "is no response mode of ours"},
		{"/authorization/custom_error_codes", a.CustomErrorCodes, word, "must be letters, digits, dots, hyphens and underscores"},
		{"/authorization/scopes", a.Scopes, oauth.ScopeValue, "is no scope value"},
		{"/authorization/claims", a.Claims, oauth.ClaimName, "is no claim name"},
		{"/authorization/display_values", a.DisplayValues, func(v string) bool { return slices.Contains(displays, v) }, "is none of page, popup, touch, wap"},
		{"/authorization/acr_values", a.ACRValues, oauth.ScopeValue, "is no acr value"},
		{"/authorization/request_in_auth_prompt", a.RequestInAuthPrompt, word, "is no parameter name"},
		{"/authorization/request_in_grant_prompt", a.RequestInGrantPrompt, word, "is no parameter name"},
	} {
		c.list(l.pointer, l.values, l.legal, l.message)
	}
	const byScope = "/authorization/claims_of_scope"
	c.that(len(a.ClaimsOfScope) <= maxItems, byScope, "has too many members")
	for scope, claims := range a.ClaimsOfScope {
		pointer := byScope + "/" + escape.Replace(scope)
		c.that(oauth.ScopeValue(scope) && len(scope) <= maxItem, pointer, "is no scope value")
		c.that(oauth.ScopeClaims(scope) == nil && scope != oauth.OpenID && scope != oauth.OfflineAccess, pointer,
			"is a scope value of the standard, whose claims are fixed")
		c.list(pointer, claims, func(v string) bool { return oauth.ClaimName(v) && !slices.Contains(signed, v) },
			"is no claim name, or one that only the server sets")
	}
	c.that(len(s.Attributes) <= maxItems, "/attributes", "has too many members")
	for name, v := range s.Attributes {
		c.that(word(name) && len(name) <= maxItem && len(v) <= maxValue && strings.IndexFunc(v, unicode.IsControl) < 0,
			"/attributes/"+escape.Replace(name), "must be named in letters, digits, dots, hyphens and underscores, and have at most 4096 bytes")
	}
	slices.SortFunc(c.found, func(x, y FieldError) int { return strings.Compare(x.Pointer, y.Pointer) })
}

// escape makes a member name a reference token of a JSON pointer (RFC 6901 §3).
var escape = strings.NewReplacer("~", "~0", "/", "~1")

func (c *checker) list(pointer string, values []string, legal func(string) bool, message string) {
	c.that(len(values) <= maxItems, pointer, "has too many elements")
	for i, v := range values {
		at := pointer + "/" + strconv.Itoa(i)
		c.that(len(v) <= maxItem && legal(v), at, message)
		c.that(!slices.Contains(values[:i], v), at, "is repeated")
	}
}

func word(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '-', b == '_':
		default:
			return false
		}
	}
	return s != ""
}

func color(s string) bool {
	if len(s) != 7 || s[0] != '#' {
		return false
	}
	_, err := strconv.ParseUint(s[1:], 16, 32)
	return err == nil
}

// secureURL reports whether s is an absolute https URL, or an http one of the loopback, without user and
// fragment.
func secureURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
		strings.ContainsAny(s, "#\\") || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0 {
		return false
	}
	switch u.Scheme {
	case "https":
		return true
	case "http":
		a, err := netip.ParseAddr(u.Hostname())
		return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
	}
	return false
}

// pictures are the formats of a logo, with what each begins with.
var pictures = []struct {
	prefix string
	begins func(b []byte) bool
}{
	{"data:image/png;base64,", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }},
	{"data:image/jpeg;base64,", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) }},
	{"data:image/webp;base64,", func(b []byte) bool {
		return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
	}},
}

func picture(s string) bool {
	if len(s) > maxLogo {
		return false
	}
	for _, p := range pictures {
		if data, ok := strings.CutPrefix(s, p.prefix); ok {
			b, err := base64.StdEncoding.Strict().DecodeString(data)
			return err == nil && !strings.ContainsAny(data, "\r\n") && p.begins(b)
		}
	}
	return false
}

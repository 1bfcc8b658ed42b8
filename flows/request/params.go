package request

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Longest values accepted, in bytes.
const (
	maxClientID    = 255
	maxState       = 4096
	maxNonce       = 512
	maxLoginHint   = 512
	maxLocales     = 32      // tags
	maxACR         = 32      // values
	maxResource    = 16      // values
	maxResources   = 4 << 10 // bytes of all of them, as they go into tokens
	maxHint        = 16 << 10
	maxIDTokenHint = 32 << 10 // encrypted ones are as long
)

// repeated refuses a parameter that is there twice; resource alone may be (RFC 8707 §2).
func (d *draft) repeated() error {
	for name, values := range d.params {
		if len(values) > 1 && name != "resource" {
			return oauth.InvalidRequest("a parameter is repeated")
		}
	}
	return nil
}

// texts are the parameters that we store as they are.
var texts = []string{"state", "nonce", "login_hint", "id_token_hint", "acr_values", "claims", "resource", "login_hint_token", "authorization_details",
	"binding_message", "user_code", "request_context"}

// characters refuses what could not be given back as it was sent: bytes that are not UTF-8, and NUL.
func (d *draft) characters() error {
	for _, name := range texts {
		if slices.ContainsFunc(d.params[name], notText) {
			return oauth.InvalidRequest(name + " holds characters that are not allowed")
		}
	}
	return nil
}

// notText reports whether s is not UTF-8, or holds NUL.
func notText(s string) bool { return !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 }

// unsupported refuses parameters that would change the request if they were ignored.
func (d *draft) unsupported() error {
	for _, p := range []struct {
		name string
		err  func(string) *oauth.Error
	}{
		{"request", oauth.RequestNotSupported},
		{"request_uri", oauth.RequestURINotSupported},
		{"registration", oauth.RegistrationNotSupported},
	} {
		if d.get(p.name) != "" {
			return p.err(p.name + " is not supported")
		}
	}
	return nil
}

// limit is n, or def where the tenant set none.
func limit(n, def int) int {
	if n > 0 {
		return n
	}
	return def
}

func (d *draft) state() error {
	if len(d.State) > limit(d.tenant.Settings.Authorization.MaxState, maxState) {
		d.State = ""
		return oauth.InvalidRequest("state is too long")
	}
	return nil
}

// scope cuts what is asked to what the client registered, unless the tenant lets clients ask for any.
func (d *draft) scope() error {
	asked, err := oauth.ParseScope(d.get("scope"))
	if err != nil {
		return err
	}
	omitted := d.get("scope") == ""
	if omitted {
		asked = d.tenant.Settings.DefaultScope() // RFC 6749 §3.3
	}
	d.Scope = asked
	if d.client.Scope == "" || d.tenant.Settings.Authorization.AnyScope {
		return nil
	}
	registered, err := oauth.ParseScope(d.client.Scope)
	if err != nil {
		return err
	}
	if d.Scope = asked.And(registered); omitted {
		return nil
	}
	if d.Narrowed = len(d.Scope) < len(asked); d.Narrowed && len(d.Scope) == 0 {
		return oauth.InvalidScope("the client may not ask for this scope")
	}
	return nil
}

func (d *draft) nonce() error {
	d.Nonce = d.get("nonce")
	if len(d.Nonce) > limit(d.tenant.Settings.Authorization.MaxNonce, maxNonce) {
		return oauth.InvalidRequest("nonce is too long")
	}
	return nil
}

func (d *draft) prompt() (err error) {
	d.Prompt, err = oauth.ParsePrompt(d.get("prompt"))
	return err
}

func (d *draft) maxAge() error {
	s := d.get("max_age")
	if s == "" {
		d.MaxAge = d.client.DefaultMaxAge
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || s[0] == '+' || s[0] == '-' {
		return oauth.InvalidRequest("max_age is not a whole number of seconds").Because(err)
	}
	d.MaxAge = &n
	return nil
}

// displays are the values of display (OIDC Core §3.1.2.1).
var displays = []string{"page", "popup", "touch", "wap"}

func (d *draft) display() error {
	d.Display = d.get("display")
	if d.Display != "" && !slices.Contains(displays, d.Display) {
		return oauth.InvalidRequest("display has an unknown value")
	}
	return nil
}

// locales reads the language lists. A tag that is none is dropped, as an unknown language would be.
func (d *draft) locales() error {
	d.UILocales = languageTags(d.get("ui_locales"))
	d.ClaimsLocales = languageTags(d.get("claims_locales"))
	return nil
}

func languageTags(s string) []string {
	var tags []string
	for tag := range strings.FieldsSeq(s) {
		if LanguageTag(tag) && len(tags) < maxLocales {
			tags = append(tags, tag)
		}
	}
	return tags
}

// LanguageTag reports whether tag has the shape of a BCP 47 language tag.
func LanguageTag(tag string) bool {
	for sub := range strings.SplitSeq(tag, "-") {
		if sub == "" || len(sub) > 8 {
			return false
		}
		for i := range len(sub) {
			if c := sub[i] | 0x20; (c < 'a' || c > 'z') && (sub[i] < '0' || sub[i] > '9') {
				return false
			}
		}
	}
	return true
}

func (d *draft) loginHint() error {
	d.LoginHint = d.get("login_hint")
	if len(d.LoginHint) > maxLoginHint {
		return oauth.InvalidRequest("login_hint is too long")
	}
	return nil
}

func (d *draft) acr() error {
	d.ACRValues = strings.Fields(d.get("acr_values"))
	if len(d.ACRValues) > maxACR {
		return oauth.InvalidRequest("acr_values has too many values")
	}
	if len(d.ACRValues) == 0 {
		d.ACRValues = d.client.DefaultACRValues
	}
	return nil
}

func (d *draft) claims() error {
	raw := d.get("claims")
	if raw == "" {
		return nil
	}
	c, err := oauth.ParseClaims(raw)
	if err != nil {
		return err
	}
	d.Claims, d.RawClaims = c, json.RawMessage(raw)
	if asked := c.Subject(); asked != "" {
		// A client asks by the name that it was told: whether another is right is none of its business.
		if d.RequiredSub = d.tenant.SubjectOf(d.client, asked); d.tenant.SubjectFor(d.client, d.RequiredSub) != asked {
			return oauth.LoginRequired("claims asks for a subject that the client does not know by that name")
		}
	}
	if values, essential := c.ACR(); essential {
		d.EssentialACR = values
		return d.reachable()
	} else if len(values) > 0 {
		d.ACRValues = values
	}
	return nil
}

// purpose is what the client asks for, in words for the subject.
func (d *draft) purpose() error {
	if d.Purpose = d.get("purpose"); d.Purpose != "" && !oauth.Purpose(d.Purpose) {
		return oauth.InvalidRequest("purpose must have from 3 to 300 characters")
	}
	return nil
}

// reachable refuses at once what no authentication of the tenant's can reach, where it says which classes it knows (OIDC Core
// §5.5.1.1).
func (d *draft) reachable() error {
	known := d.tenant.Settings.KnownACR()
	if len(known) == 0 || len(d.EssentialACR) == 0 || slices.ContainsFunc(d.EssentialACR, func(v string) bool {
		_, step := d.tenant.Settings.Challenge.Steps[v]
		return step || slices.Contains(known, v)
	}) {
		return nil
	}
	return oauth.UnmetAuthenticationRequirements("no authentication here reaches an acr that the request demands")
}

func (d *draft) idTokenHint() error {
	d.IDTokenHint = d.get("id_token_hint")
	if d.IDTokenHint == "" {
		return nil
	}
	if len(d.IDTokenHint) > maxIDTokenHint {
		return oauth.InvalidRequest("id_token_hint is too long")
	}
	sub, err := d.service.Hint(d.ctx, d.tenant, d.client, d.IDTokenHint)
	if err != nil {
		return oauth.InvalidRequest("id_token_hint is not an ID token of this issuer").Because(err)
	}
	if d.RequiredSub != "" && d.RequiredSub != sub {
		return oauth.InvalidRequest("id_token_hint and claims name different subjects")
	}
	d.RequiredSub = sub
	return nil
}

// resource reads the resource indicators (RFC 8707 §2): absolute URIs without fragment, of those the client
// registered if it registered any.
func (d *draft) resource() error {
	rs := d.params["resource"]
	if len(rs) > maxResource {
		return oauth.InvalidTarget("too many resource values")
	}
	for _, r := range rs {
		if r == "" {
			continue
		}
		if u, err := url.Parse(r); err != nil || !u.IsAbs() || strings.Contains(r, "#") || len(r) > 2048 {
			return oauth.InvalidTarget("resource is not an absolute URI without fragment").Because(err)
		}
		if as := d.client.Audience; len(as) > 0 && !slices.Contains(as, r) {
			return oauth.InvalidTarget("the client may not ask for this resource")
		}
		if !d.tenant.MayTarget(r) {
			return oauth.InvalidTarget("there is no such resource")
		}
		d.Resource = append(d.Resource, r)
	}
	if len(strings.Join(d.Resource, "")) > maxResources {
		return oauth.InvalidTarget("the resource values are too long")
	}
	return nil
}

// shown keeps the parameters that the tenant's prompts show, as they were sent: also those that only the client and
// the login UI understand.
func (d *draft) shown() error {
	a := &d.tenant.Settings.Authorization
	for _, names := range [][]string{a.RequestInAuthPrompt, a.RequestInGrantPrompt} {
		for _, name := range names {
			if values := d.params[name]; len(values) > 0 && !slices.ContainsFunc(values, notText) {
				if d.Shown == nil {
					d.Shown = map[string][]string{}
				}
				d.Shown[name] = values
			}
		}
	}
	return nil
}

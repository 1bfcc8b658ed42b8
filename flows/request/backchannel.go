package request

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Decoupled is what only a request to the backchannel authentication endpoint holds (CIBA Core §7.1).
type Decoupled struct {
	LoginHintToken   string          `json:"login_hint_token,omitempty"`
	BindingMessage   string          `json:"binding_message,omitempty"`
	RequestedExpiry  int64           `json:"requested_expiry,omitempty"` // seconds
	Context          json.RawMessage `json:"request_context,omitempty"`  // object
	UserCode         string          `json:"-"`                          // known to the user only: never stored
	UserCodeRequired bool            `json:"-"`

	NotificationToken string `json:"-"`                      // as sent
	Notification      string `json:"notification,omitempty"` // sealed, as it is kept
}

// Longest values accepted.
const (
	maxBindingMessage = 100 // characters
	maxUserCode       = 128 // bytes
	maxContext        = 8 << 10
)

// ValidateBackchannel runs the checks of Backchannel over the parameters of a client that has authenticated (CIBA Core
// §7.1). The error is an *oauth.Error of CIBA Core §13.
func (s *Service) ValidateBackchannel(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values) (*Request, error) {
	d := &draft{Request: Request{Face: t.Face()}, service: s, ctx: ctx, tenant: t, client: client, params: params}
	d.ClientID = client.ID
	if err := d.run(Backchannel); err != nil {
		return nil, err
	}
	return &d.Request, nil
}

// mayBackchannel demands what a client needs to have registered (CIBA Core §4, §7.2).
func (d *draft) mayBackchannel() error {
	switch {
	case d.client.Public():
		return oauth.InvalidClient("backchannel authentication requires client authentication")
	case !d.tenant.Settings.CIBA.Enabled:
		return oauth.UnauthorizedClient("backchannel authentication is turned off")
	case !d.client.MayGrant(oauth.CIBA):
		return oauth.UnauthorizedClient("the client may not use backchannel authentication")
	}
	return d.mayNotify()
}

func (d *draft) openID() error {
	switch {
	case d.get("scope") == "":
		return oauth.InvalidRequest("scope is missing")
	case !d.OpenID():
		return oauth.InvalidScope("scope must hold openid")
	}
	return nil
}

// hints are the parameters that say who is to authenticate.
var hints = []string{"login_hint", "login_hint_token", "id_token_hint"}

func (d *draft) oneHint() error {
	n := 0
	for _, name := range hints {
		if d.get(name) != "" {
			n++
		}
	}
	if n != 1 {
		return oauth.InvalidRequest("exactly one of login_hint, login_hint_token and id_token_hint is required")
	}
	return nil
}

// loginHintToken takes the token as it is: only who issued it, and the tenant's backend, can tell what it means.
func (d *draft) loginHintToken() error {
	d.Backchannel.LoginHintToken = d.get("login_hint_token")
	if len(d.Backchannel.LoginHintToken) > maxHint {
		return oauth.InvalidRequest("login_hint_token is too long")
	}
	return nil
}

// bindingMessage refuses what cannot be shown on two devices alike, and what the tenant does not want to be shown.
func (d *draft) bindingMessage() error {
	m := d.get("binding_message")
	switch pattern := d.tenant.Settings.CIBA.BindingMessage; {
	case m == "":
		return nil
	case utf8.RuneCountInString(m) > maxBindingMessage:
		return oauth.InvalidBindingMessage("binding_message is too long")
	case strings.ContainsFunc(m, notShown):
		return oauth.InvalidBindingMessage("binding_message holds characters that are not allowed")
	case pattern != "" && !Matches(pattern, m):
		return oauth.InvalidBindingMessage("binding_message has not the form that is required here")
	}
	d.Backchannel.BindingMessage = m
	return nil
}

// notShown reports whether r does not show, or could be taken for markup.
func notShown(r rune) bool {
	return r == '<' || r == '>' || r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) && r != ' '
}

// Matches reports whether the regular expression matches the whole of s. One that cannot be read matches nothing.
func Matches(pattern, s string) bool {
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	return err == nil && re.MatchString(s)
}

// userCode demands the user's code of a client that registered to send it, at a tenant that checks it. Another client's
// is not read, unless the tenant checks it.
func (d *draft) userCode() error {
	if !d.tenant.Settings.CIBA.UserCode {
		return nil
	}
	b := &d.Backchannel
	b.UserCode, b.UserCodeRequired = d.get("user_code"), d.client.BackchannelUserCode
	switch {
	case b.UserCodeRequired && b.UserCode == "":
		return oauth.MissingUserCode("user_code is missing")
	case len(b.UserCode) > maxUserCode:
		return oauth.InvalidUserCode("user_code is too long")
	}
	return nil
}

func (d *draft) requestedExpiry() error {
	s := d.get("requested_expiry")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || s[0] == '+' {
		return oauth.InvalidRequest("requested_expiry is not a positive number of seconds").Because(err)
	}
	d.Backchannel.RequestedExpiry = n
	return nil
}

func (d *draft) requestContext() error {
	s := d.get("request_context")
	if s == "" {
		return nil
	}
	if len(s) > maxContext || !json.Valid([]byte(s)) || strings.TrimLeft(s, " \t\r\n")[0] != '{' {
		return oauth.InvalidRequest("request_context is no JSON object, or too long")
	}
	d.Backchannel.Context = json.RawMessage(s)
	return nil
}

package connect2id

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// consentUpdate answers a consent prompt: what is granted, and how the tokens shall be. Lifetimes are seconds.
type consentUpdate struct {
	Scope             []string        `json:"scope"`
	Audience          []string        `json:"audience"`
	Claims            []string        `json:"claims"`
	ClaimsLocales     []string        `json:"claims_locales"`
	PresetClaims      presetClaims    `json:"preset_claims"`
	ClaimsData        json.RawMessage `json:"claims_data"`
	Details           json.RawMessage `json:"authorization_details"`
	LongLived         *bool           `json:"long_lived"`
	IssueRefreshToken *bool           `json:"issue_refresh_token"`
	RefreshToken      refreshToken    `json:"refresh_token"`
	AccessToken       accessToken     `json:"access_token"`
	IDToken           idToken         `json:"id_token"`
	ImpersonatedSub   string          `json:"impersonated_sub"`
	Data              json.RawMessage `json:"data"`
	subjectMembers
}

type presetClaims struct {
	wire.Closed
	IDToken  map[string]json.RawMessage `json:"id_token"`
	UserInfo map[string]json.RawMessage `json:"userinfo"`
}

type refreshToken struct {
	wire.Closed
	Issue    *bool `json:"issue"`
	Lifetime int64 `json:"lifetime"`
	MaxIdle  int64 `json:"max_idle"`
	Rotate   *bool `json:"rotate"`
}

type accessToken struct {
	wire.Closed
	Lifetime int64  `json:"lifetime"`
	Encoding string `json:"encoding"`
	Encrypt  bool   `json:"encrypt"`
	SubType  string `json:"sub_type"`
	JWSAlg   string `json:"jws_alg"`
}

type idToken struct {
	wire.Closed
	Lifetime        int64  `json:"lifetime"`
	AllowRefresh    bool   `json:"allow_refresh"`
	ImpersonatedSub string `json:"impersonated_sub"` // where it stood first
}

// subjectMembers belong to the authentication step.
type subjectMembers struct {
	Sub          json.RawMessage `json:"sub"`
	SubSID       json.RawMessage `json:"sub_sid"`
	AuthTime     json.RawMessage `json:"auth_time"`
	CreationTime json.RawMessage `json:"creation_time"`
	ACR          json.RawMessage `json:"acr"`
	AMR          json.RawMessage `json:"amr"`
	MaxLife      json.RawMessage `json:"max_life"`
	AuthLife     json.RawMessage `json:"auth_life"`
	MaxIdle      json.RawMessage `json:"max_idle"`
}

func (m *subjectMembers) absent() error {
	return none(" belongs to the authentication step", member{"sub", m.Sub}, member{"sub_sid", m.SubSID}, member{"auth_time", m.AuthTime},
		member{"creation_time", m.CreationTime}, member{"acr", m.ACR}, member{"amr", m.AMR}, member{"max_life", m.MaxLife},
		member{"auth_life", m.AuthLife}, member{"max_idle", m.MaxIdle})
}

// consent says it in the flow's words. noScope says that scope may be left out. By default it is remembered, and a
// refresh token goes with it; what is not remembered has none.
func (u *consentUpdate) consent(noScope bool) (out authorize.Consent, err error) {
	if err := u.absent(); err != nil {
		return out, err
	}
	if err := u.supported(); err != nil {
		return out, err
	}
	if u.Scope == nil && !noScope {
		return out, oauth.InvalidRequest("scope is missing")
	}
	issue, err := either("issue_refresh_token and refresh_token.issue contradict each other", u.IssueRefreshToken, u.RefreshToken.Issue)
	if err != nil {
		return out, err
	}
	impersonated, err := either("impersonated_sub and id_token.impersonated_sub contradict each other", some(u.ImpersonatedSub), some(u.IDToken.ImpersonatedSub))
	if err != nil {
		return out, err
	}
	details, err := detailsOf(u.Details)
	if err != nil {
		return out, err
	}
	long := orElse(u.LongLived, true)
	refresh := long && orElse(issue, true)
	return authorize.Consent{Scope: u.Scope, Details: details, Audience: u.Audience, Claims: u.Claims, ClaimsLocales: u.ClaimsLocales,
		PresetIDToken: u.PresetClaims.IDToken, PresetUserInfo: u.PresetClaims.UserInfo, LongLived: long, Offline: refresh,
		AccessToken:  grant.AccessTerms{Lifetime: u.AccessToken.Lifetime, Encoding: u.AccessToken.Encoding, Alg: keys.Alg(u.AccessToken.JWSAlg), Encrypt: u.AccessToken.Encrypt},
		IDToken:      grant.IDTerms{Lifetime: u.IDToken.Lifetime, AllowRefresh: u.IDToken.AllowRefresh},
		RefreshToken: grant.RefreshTerms{Issue: refresh, Lifetime: u.RefreshToken.Lifetime, MaxIdle: u.RefreshToken.MaxIdle, Rotate: u.RefreshToken.Rotate},
		Data:         u.Data, ClaimsData: u.ClaimsData, Impersonated: orElse(impersonated, "")}, nil
}

// detailsOf reads the authorization details that are granted in place of those asked for; nil: as asked.
func detailsOf(raw json.RawMessage) (*oauth.Details, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	d, err := oauth.ParseDetails(string(raw))
	if err != nil {
		return nil, oauth.InvalidRequest(oauth.ErrorOf(err).Description).Because(err)
	}
	return &d, nil
}

// supported refuses what would be granted otherwise than the UI means if it were ignored, and what is malformed.
func (u *consentUpdate) supported() error {
	switch u.AccessToken.SubType {
	case "", "PUBLIC":
	case "PAIRWISE":
		return oauth.InvalidRequest("access_token.sub_type PAIRWISE is not supported")
	default:
		return oauth.InvalidRequest("access_token.sub_type must be PUBLIC or PAIRWISE")
	}
	for _, tag := range u.ClaimsLocales {
		if !request.LanguageTag(tag) {
			return oauth.InvalidRequest("claims_locales holds what is not a language tag")
		}
	}
	if err := object("data", u.Data); err != nil {
		return err
	}
	return object("claims_data", u.ClaimsData)
}

// either returns the one of two places of a setting that is there, nil if none is. Where both are and differ it is an
// error.
func either[T comparable](contradiction string, a, b *T) (*T, error) {
	switch {
	case a == nil:
		return b, nil
	case b != nil && *a != *b:
		return nil, oauth.InvalidRequest(contradiction)
	}
	return a, nil
}

// some returns nil for the empty string.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// orElse returns what p points to, or def.
func orElse[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

package connect2id

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
)

// authPrompt asks the UI to authenticate the subject.
type authPrompt struct {
	Type          string          `json:"type"`
	SID           string          `json:"sid"`
	Display       string          `json:"display"`
	UILocales     []string        `json:"ui_locales,omitempty"`
	RequiredSub   string          `json:"required_sub,omitempty"`
	LoginHint     string          `json:"login_hint,omitempty"`
	ACR           *acr            `json:"acr,omitempty"`
	SelectAccount bool            `json:"select_account"`
	CreateAccount *bool           `json:"create_account,omitempty"`
	SubSession    *subSession     `json:"sub_session,omitempty"`
	Client        client          `json:"client,omitempty"`
	Data          json.RawMessage `json:"data,omitempty"`
	Request       map[string]any  `json:"request,omitempty"`
}

// acr are the authentication context classes that are asked for, by preference.
type acr struct {
	Essential []string `json:"essential,omitempty"`
	Voluntary []string `json:"voluntary,omitempty"`
}

// consentPrompt asks the UI for the subject's consent.
type consentPrompt struct {
	Type       string          `json:"type"`
	SID        string          `json:"sid"`
	Display    string          `json:"display"`
	UILocales  []string        `json:"ui_locales,omitempty"`
	SubSession *subSession     `json:"sub_session,omitempty"`
	Client     client          `json:"client"`
	Scope      scopes          `json:"scope"`
	Claims     claims          `json:"claims"`
	Purpose    string          `json:"purpose,omitempty"`
	Details    oauth.Details   `json:"authorization_details,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Request    map[string]any  `json:"request,omitempty"`
}

type scopes struct {
	New       []string `json:"new"`
	Consented []string `json:"consented"`
	Other     []string `json:"other_consented,omitempty"`
}

type claims struct {
	New        names           `json:"new"`
	Consented  names           `json:"consented"`
	Other      []string        `json:"other_consented,omitempty"`
	Locales    []string        `json:"locales,omitempty"`
	RawRequest json.RawMessage `json:"raw_request,omitempty"`

	Purposes     map[string]string `json:"purposes,omitempty"`
	Verification verification      `json:"verification,omitzero"`
}

// verification is how verified claims must have been verified: of each place the first that was asked for.
type verification struct {
	UserInfo json.RawMessage `json:"userinfo,omitempty"`
	IDToken  json.RawMessage `json:"id_token,omitempty"`
}

func verificationOf(c *oauth.Claims) (v verification) {
	if c == nil {
		return v
	}
	if len(c.VerifiedUserInfo) > 0 {
		v.UserInfo = c.VerifiedUserInfo[0].Verification
	}
	if len(c.VerifiedIDToken) > 0 {
		v.IDToken = c.VerifiedIDToken[0].Verification
	}
	return v
}

type names struct {
	Essential []string `json:"essential"`
	Voluntary []string `json:"voluntary"`
}

// subSession is a subject session. Times are Unix seconds, lives are minutes.
type subSession struct {
	SID          string          `json:"sid,omitempty"`
	Sub          string          `json:"sub"`
	AuthTime     int64           `json:"auth_time"`
	CreationTime int64           `json:"creation_time"`
	ACR          string          `json:"acr,omitempty"`
	AMR          []string        `json:"amr,omitempty"`
	MaxLife      int64           `json:"max_life"`
	AuthLife     int64           `json:"auth_life"`
	MaxIdle      int64           `json:"max_idle"`
	Ctx          string          `json:"ctx,omitempty"`
	RPs          []string        `json:"rps,omitempty"`
	Claims       json.RawMessage `json:"claims,omitempty"`
	Data         json.RawMessage `json:"data,omitempty"`
	JKT          string          `json:"jkt,omitempty"`
	FPT          string          `json:"fpt,omitempty"`
}

// prompt returns the prompt that p waits at.
func (d *Door) prompt(c *call, p *authorize.Pending) any {
	s, r := &c.tenant.Settings.Authorization, p.Request
	display := r.Display
	if display == "" {
		display = "page"
	}
	var who *subSession
	if p.Session != nil {
		who = c.subSession(p.Session, p.SID)
	}
	if p.Step == authorize.StepLogin {
		out := authPrompt{Type: "auth", SID: p.Handle, Display: display, UILocales: r.UILocales, RequiredSub: r.RequiredSub, LoginHint: r.LoginHint,
			SelectAccount: r.Prompt.Has(oauth.PromptSelectAccount), SubSession: who, Data: p.Data, Request: shown(r, s.RequestInAuthPrompt)}
		if len(r.EssentialACR) > 0 || len(r.ACRValues) > 0 {
			out.ACR = &acr{Essential: r.EssentialACR, Voluntary: r.ACRValues}
		}
		if create := r.Prompt.Has(oauth.PromptCreate); c.version.extended {
			out.CreateAccount = &create
		}
		if s.ClientInAuthPrompt {
			out.Client = c.client(p.Client)
		}
		return out
	}
	out := consentPrompt{Type: "consent", SID: p.Handle, Display: display, UILocales: r.UILocales, SubSession: who, Client: c.client(p.Client),
		Scope:   scopes{New: list(p.Asked.NewScope), Consented: list(p.Asked.ConsentedScope), Other: p.Asked.OtherScope},
		Claims:  claims{New: namesOf(p.Asked.New), Consented: namesOf(p.Asked.Consented), Other: p.Asked.OtherClaims, Locales: r.ClaimsLocales, Purposes: authorize.Purposes(r), Verification: verificationOf(r.Claims)},
		Purpose: r.Purpose, Details: r.Details, Data: p.Data, Request: shown(r, s.RequestInGrantPrompt)}
	if s.RawClaimsInPrompt {
		out.Claims.RawRequest = r.RawClaims
	}
	return out
}

func namesOf(n authorize.Names) names {
	return names{Essential: list(n.Essential), Voluntary: list(n.Voluntary)}
}

// shown returns the parameters of r that a prompt shows: a string, or an array where there are several.
func shown(r *request.Request, which []string) map[string]any {
	out := map[string]any{}
	for _, name := range which {
		switch values := r.Shown[name]; len(values) {
		case 0:
		case 1:
			out[name] = values[0]
		default:
			out[name] = values
		}
	}
	return out
}

// subSession writes session n, which sid opens.
func (c *call) subSession(n *session.Session, sid string) *subSession {
	out := &subSession{SID: sid, Sub: n.Subject, AuthTime: n.AuthTime.Unix(), CreationTime: n.CreatedAt.Unix(), ACR: n.ACR, AMR: n.AMR,
		MaxLife: n.MaxLife, AuthLife: n.AuthLife, MaxIdle: n.MaxIdle, Claims: n.Claims, Data: n.Data}
	if c.version.extended {
		out.Ctx, out.RPs, out.JKT, out.FPT = contextNamed(n.Context), n.Clients, n.JKT, n.FPT
	}
	return out
}

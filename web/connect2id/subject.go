package connect2id

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
)

// subjectUpdate answers an authentication prompt: who the subject is, or which of its sessions to go on with. Times are
// Unix seconds, lives are minutes.
type subjectUpdate struct {
	Sub          string          `json:"sub"`
	SubSID       string          `json:"sub_sid"`
	AuthTime     *int64          `json:"auth_time"`
	CreationTime *int64          `json:"creation_time"`
	ACR          string          `json:"acr"`
	AMR          []string        `json:"amr"`
	MaxLife      int64           `json:"max_life"`
	AuthLife     int64           `json:"auth_life"`
	MaxIdle      int64           `json:"max_idle"`
	Claims       json.RawMessage `json:"claims"`
	Data         json.RawMessage `json:"data"`
	bindings
	consentMembers
}

// bindings would tie a session to a key or a browser. No session of ours can be, so they are refused, not ignored.
type bindings struct {
	JKT json.RawMessage `json:"jkt"`
	FPT json.RawMessage `json:"fpt"`
}

// consentMembers belong to the consent step.
type consentMembers struct {
	Scope             json.RawMessage `json:"scope"`
	Audience          json.RawMessage `json:"audience"`
	PresetClaims      json.RawMessage `json:"preset_claims"`
	LongLived         json.RawMessage `json:"long_lived"`
	IssueRefreshToken json.RawMessage `json:"issue_refresh_token"`
	RefreshToken      json.RawMessage `json:"refresh_token"`
	AccessToken       json.RawMessage `json:"access_token"`
	IDToken           json.RawMessage `json:"id_token"`
	ImpersonatedSub   json.RawMessage `json:"impersonated_sub"`
}

// member is a member that may not be there.
type member struct {
	name  string
	value json.RawMessage
}

// none returns invalid_request for the first of members that is there, with what is wrong about it.
func none(wrong string, members ...member) error {
	for _, m := range members {
		if m.value != nil {
			return oauth.InvalidRequest(m.name + wrong)
		}
	}
	return nil
}

func (m *consentMembers) absent() error {
	return none(" belongs to the consent step", member{"scope", m.Scope}, member{"audience", m.Audience}, member{"preset_claims", m.PresetClaims},
		member{"long_lived", m.LongLived}, member{"issue_refresh_token", m.IssueRefreshToken}, member{"refresh_token", m.RefreshToken},
		member{"access_token", m.AccessToken}, member{"id_token", m.IDToken}, member{"impersonated_sub", m.ImpersonatedSub})
}

// authentication says it in the flow's words.
func (u *subjectUpdate) authentication() (a authorize.Authentication, err error) {
	if err := u.absent(); err != nil {
		return a, err
	}
	if err := none(" is not supported", member{"jkt", u.JKT}, member{"fpt", u.FPT}); err != nil {
		return a, err
	}
	switch {
	case u.Sub == "" && u.SubSID == "":
		return a, oauth.InvalidRequest("sub is missing")
	case u.Sub != "" && u.SubSID != "":
		return a, oauth.InvalidRequest("sub and sub_sid exclude each other")
	}
	for name, raw := range map[string]json.RawMessage{"claims": u.Claims, "data": u.Data} {
		if err := object(name, raw); err != nil {
			return a, err
		}
	}
	a.SID = u.SubSID
	a.Login = session.Login{Subject: u.Sub, ACR: u.ACR, AMR: u.AMR, MaxLife: u.MaxLife, AuthLife: u.AuthLife, MaxIdle: u.MaxIdle, Claims: u.Claims, Data: u.Data}
	if a.AuthTime, err = instant("auth_time", u.AuthTime); err != nil {
		return a, err
	}
	a.CreatedAt, err = instant("creation_time", u.CreationTime)
	return a, err
}

// latest is the last second of the year 9999, beyond which not every store knows a time.
const latest = 253402300799

// instant is the time that s Unix seconds stand for; zero: absent.
func instant(name string, s *int64) (time.Time, error) {
	switch {
	case s == nil:
		return time.Time{}, nil
	case *s < 0 || *s > latest:
		return time.Time{}, oauth.InvalidRequest(name + " is out of range")
	}
	return time.Unix(*s, 0).UTC(), nil
}

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

// bindings tie a session that begins to a key and a user agent.
type bindings struct {
	JKT string `json:"jkt"`
	FPT string `json:"fpt"`
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

// login is a subject's authentication as whoever authenticated it says it, below the member that prefix names.
type login struct {
	Sub          string          `json:"sub"`
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
}

// login says it in the words of sessions. prefix names the member that it stands in.
func (l *login) login(prefix string) (out session.Login, err error) {
	for _, m := range []member{{prefix + "claims", l.Claims}, {prefix + "data", l.Data}} {
		if err := object(m.name, m.value); err != nil {
			return out, err
		}
	}
	out = session.Login{Subject: l.Sub, ACR: l.ACR, AMR: l.AMR, MaxLife: l.MaxLife, AuthLife: l.AuthLife, MaxIdle: l.MaxIdle, Claims: l.Claims, Data: l.Data,
		JKT: l.JKT, FPT: l.FPT}
	if out.AuthTime, err = instant(prefix+"auth_time", l.AuthTime); err != nil {
		return out, err
	}
	out.CreatedAt, err = instant(prefix+"creation_time", l.CreationTime)
	return out, err
}

// authentication says it in the flow's words.
func (u *subjectUpdate) authentication() (a authorize.Authentication, err error) {
	if err := u.absent(); err != nil {
		return a, err
	}
	switch {
	case u.Sub == "" && u.SubSID == "":
		return a, oauth.InvalidRequest("sub is missing")
	case u.Sub != "" && u.SubSID != "":
		return a, oauth.InvalidRequest("sub and sub_sid exclude each other")
	}
	l := login{u.Sub, u.AuthTime, u.CreationTime, u.ACR, u.AMR, u.MaxLife, u.AuthLife, u.MaxIdle, u.Claims, u.Data, u.bindings}
	a.SID = u.SubSID
	a.Login, err = l.login("")
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

package authlete

import (
	"cmp"
	"encoding/base64"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenUpdateRequest names an access token, and says what becomes of it. Times are milliseconds.
type tokenUpdateRequest struct {
	AccessToken  string        `json:"accessToken"`
	AccessHash   string        `json:"accessTokenHash"`
	RefreshToken string        `json:"refreshToken"`
	RefreshHash  string        `json:"refreshTokenHash"`
	TokenID      string        `json:"tokenId"`
	AccessEnds   int64         `json:"accessTokenExpiresAt"`
	RefreshEnds  int64         `json:"refreshTokenExpiresAt"`
	Scopes       *[]string     `json:"scopes"`
	Properties   *propertyList `json:"properties"`
	AccessAnew   bool          `json:"accessTokenExpiresAtUpdatedOnScopeUpdate"`
	RefreshAnew  bool          `json:"refreshTokenExpiresAtUpdatedOnScopeUpdate"`
	Persistent   bool          `json:"accessTokenPersistent"`
	Value        bool          `json:"accessTokenValueUpdated"`
	Certificate  string        `json:"certificateThumbprint"`
	Key          string        `json:"dpopKeyThumbprint"`
	Details      authzDetails  `json:"authorizationDetails"`
	External     bool          `json:"forExternalAttachment"`
}

// tokenUpdateAnswer tells of the access token as it is now. Times are milliseconds.
type tokenUpdateAnswer struct {
	result
	AccessToken string        `json:"accessToken,omitempty"`
	TokenType   string        `json:"tokenType,omitempty"`
	TokenID     string        `json:"tokenId,omitempty"`
	AccessEnds  int64         `json:"accessTokenExpiresAt,omitempty"`
	RefreshEnds int64         `json:"refreshTokenExpiresAt,omitempty"`
	Scopes      []string      `json:"scopes,omitempty"`
	Properties  []property    `json:"properties,omitempty"`
	Details     *authzDetails `json:"authorizationDetails,omitempty"`
	External    bool          `json:"forExternalAttachment"`
}

// tokenUpdate changes an access token, and its grant.
func (d *Door) tokenUpdate(c *call) (answer, error) {
	var in tokenUpdateRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &tokenUpdateAnswer{}
	change, err := in.change()
	if err != nil {
		return c.managed(out, err)
	}
	change.Actor, change.Address = wire.TokenOf(c.Context).ID, c.address()
	n := token.Name{Access: in.AccessToken, Hash: cmp.Or(in.AccessHash, in.TokenID), Refresh: in.RefreshToken}
	if n == (token.Name{}) {
		return c.managed(out, oauth.InvalidRequest("The API call names no token: accessToken, accessTokenHash, refreshToken or tokenId."))
	}
	is, err := d.Tokens.Amend(c.Request.Context(), c.tenant, n, change)
	if errors.Is(err, grant.ErrNotFound) {
		out.result = c.outcome("202", "There is no such token.").result(notFound, "")
		return out, nil
	}
	if err != nil {
		return c.managed(out, err)
	}
	wire.EventOf(c.Context).Client(is.Client.ID)
	out.tell(is)
	out.result = c.outcome(success, "The token is as it was asked for.").result(okay, "")
	return out, nil
}

func (a *tokenUpdateAnswer) tell(is *token.Changed) {
	a.AccessToken = is.Value
	if is.Token != nil {
		a.TokenType, a.AccessEnds, a.Scopes, a.Details = is.Token.Confirmation.TokenType(), is.Token.ExpiresAt.UnixMilli(), is.Token.Scope, detailsOf(is.Token.Details)
	}
	if is.Token != nil && len(is.Token.Hash) > 0 {
		a.TokenID = base64.RawURLEncoding.EncodeToString(is.Token.Hash)
	}
	g := is.Grant
	if g == nil {
		return
	}
	if is.Token == nil {
		a.Scopes, a.Details = g.Terms.Scope, detailsOf(g.Terms.Details)
	}
	if g.Refresh != nil {
		a.RefreshEnds = g.Refresh.End().UnixMilli()
	}
	for _, p := range g.Terms.Properties {
		a.Properties = append(a.Properties, property(p))
	}
}

// change says it in the flow's words.
func (in *tokenUpdateRequest) change() (out token.Change, err error) {
	if err := unkept("", in.Persistent, in.External); err != nil {
		return out, err
	}
	if in.RefreshHash != "" && in.AccessToken == "" && in.AccessHash == "" && in.RefreshToken == "" && in.TokenID == "" {
		return out, oauth.InvalidRequest("refreshTokenHash is not supported: refresh tokens are stored in no form")
	}
	out = token.Change{Anew: token.Anew{Access: in.AccessAnew, Refresh: in.RefreshAnew}, Bound: oauth.Confirmation{JKT: in.Key, X5T: in.Certificate}, Value: in.Value}
	if in.Scopes != nil {
		scope := oauth.Scope(*in.Scopes)
		out.Scope = &scope
	}
	if in.Properties != nil {
		ps, err := propertiesOf(*in.Properties)
		if err != nil {
			return out, err
		}
		out.Properties = &ps
	}
	if out.AccessEnds, err = moment("accessTokenExpiresAt", in.AccessEnds); err == nil {
		out.RefreshEnds, err = moment("refreshTokenExpiresAt", in.RefreshEnds)
	}
	if err == nil {
		out.Details, err = in.Details.details()
	}
	return out, err
}

// moment is the time of so many milliseconds; none where they are not positive.
func moment(name string, milliseconds int64) (time.Time, error) {
	switch {
	case milliseconds <= 0:
		return time.Time{}, nil
	case milliseconds > lastSecond*1000:
		return time.Time{}, oauth.InvalidRequest(name + " is out of range")
	}
	return time.UnixMilli(milliseconds), nil
}

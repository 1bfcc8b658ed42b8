package authlete

import (
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/web/wire"
)

// idTokenReissueRequest asks for a new ID token.
type idTokenReissueRequest struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	Sub          string `json:"sub"`
	Claims       string `json:"claims"`
	HeaderParams string `json:"idtHeaderParams"`
	AudType      string `json:"idTokenAudType"`
}

// idTokenReissueAnswer has it, and the token response with it.
type idTokenReissueAnswer struct {
	result
	IDToken string `json:"idToken,omitempty"`
}

// idTokenReissue makes a new ID token for tokens that a refresh gave.
func (d *Door) idTokenReissue(c *call) (answer, error) {
	var in idTokenReissueRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	r := token.Reissue{AccessToken: in.AccessToken, RefreshToken: in.RefreshToken, Subject: in.Sub}
	header, err := objectIn("idtHeaderParams", in.HeaderParams)
	switch {
	case err != nil:
		return nil, err
	case len(header) > 0:
		return nil, oauth.InvalidRequest("idtHeaderParams are not supported")
	case in.AccessToken == "" || in.RefreshToken == "":
		return nil, oauth.InvalidRequest("accessToken and refreshToken are both needed")
	case in.Sub != "" && !authorize.TicketSubject(in.Sub):
		return nil, oauth.InvalidRequest("sub must have 1 to 100 printable ASCII characters")
	}
	if r.Claims, err = objectIn("claims", in.Claims); err != nil {
		return nil, err
	}
	if r.AudienceList, err = audienceList(c.audType(in.AudType)); err != nil {
		return nil, err
	}
	tokens, client, err := d.Tokens.Reissue(c.Request.Context(), c.tenant, r)
	if err != nil {
		return nil, err
	}
	wire.EventOf(c.Context).Client(client.ID)
	out := &idTokenReissueAnswer{IDToken: tokens.IDToken}
	out.result = c.outcome(success, "The ID token was made.").result(okay, response(&tokens, tokens.Grant.Terms.Properties))
	return out, nil
}

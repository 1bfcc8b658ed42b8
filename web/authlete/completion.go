package authlete

import (
	"cmp"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
)

// completionRequest says how a user answered on another device. Scopes tell apart none from not given.
type completionRequest struct {
	Result          string     `json:"result"`
	Subject         string     `json:"subject"`
	Sub             string     `json:"sub"`
	AuthTime        int64      `json:"authTime"`
	ACR             string     `json:"acr"`
	Claims          string     `json:"claims"`
	Properties      []property `json:"properties"`
	Scopes          *[]string  `json:"scopes"`
	ConsentedClaims []string   `json:"consentedClaims"`
	HeaderParams    string     `json:"idtHeaderParams"`
	TokenClaims     string     `json:"jwtAtClaims"`
	AccessToken     string     `json:"accessToken"`
	TokenDuration   int64      `json:"accessTokenDuration"`
	RefreshDuration int64      `json:"refreshTokenDuration"`
	AudType         string     `json:"idTokenAudType"`
	Description     string     `json:"errorDescription"`
	URI             string     `json:"errorUri"`
}

// results are how a user may have answered.
var results = map[string]decoupled.Result{
	"AUTHORIZED":         decoupled.Authorized,
	"ACCESS_DENIED":      decoupled.AccessDenied,
	"DENIED":             decoupled.AccessDenied, // as older programs call it
	"TRANSACTION_FAILED": decoupled.TransactionFailed,
}

// completionNames are the members that the flow's errors name, here.
var completionNames = words{{"authTime", "auth_time"}, {"subject", "sub"}, {"scopes", "scope"}}

// lastSecond is that of the year 9999.
const lastSecond = 253402300799

// completion says it in the flow's words.
func (in *completionRequest) completion() (decoupled.Completion, error) {
	a := decoupled.Completion{Result: results[in.Result], Description: in.Description, URI: in.URI}
	if a.Result == "" {
		return a, oauth.InvalidRequest("result is missing, or none that there is.")
	}
	if a.Result != decoupled.Authorized {
		return a, nil
	}
	for _, s := range []struct{ member, sub string }{{"subject", in.Subject}, {"sub", cmp.Or(in.Sub, in.Subject)}} {
		if !authorize.TicketSubject(s.sub) {
			return a, oauth.InvalidRequest(s.member + " must have 1 to 100 printable ASCII characters")
		}
	}
	if in.AuthTime > lastSecond {
		return a, oauth.InvalidRequest("authTime is out of range")
	}
	a.Subject, a.ACR, a.Consented, a.ID.Subject = in.Subject, in.ACR, in.ConsentedClaims, in.Sub
	a.Access.Twin = true // where tokens are pushed
	a.Access.Lifetime, a.Refresh.Lifetime = max(in.TokenDuration, 0), max(in.RefreshDuration, 0)
	if in.AuthTime > 0 {
		a.AuthTime = time.Unix(in.AuthTime, 0)
	}
	if in.Scopes != nil {
		a.Scope = append(oauth.Scope{}, *in.Scopes...)
	}
	var err error
	if a.Claims, err = objectIn("claims", in.Claims); err != nil {
		return a, err
	}
	if a.Access.Claims, err = objectIn("jwtAtClaims", in.TokenClaims); err != nil {
		return a, err
	}
	if a.Properties, err = propertiesOf(in.Properties); err != nil {
		return a, err
	}
	if a.ID.AudienceList, err = audienceList(in.AudType); err != nil {
		return a, err
	}
	header, err := objectIn("idtHeaderParams", in.HeaderParams)
	switch {
	case err != nil:
		return a, err
	case len(header) > 0:
		return a, oauth.InvalidRequest("idtHeaderParams are not supported")
	case in.AccessToken != "":
		return a, oauth.InvalidRequest("accessToken is not supported")
	}
	return a, nil
}

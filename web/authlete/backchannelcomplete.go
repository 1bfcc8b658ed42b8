package authlete

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// backchannelCompleteRequest says how the user answered. Scopes tell apart none from not given.
type backchannelCompleteRequest struct {
	Ticket          string     `json:"ticket"`
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

// backchannelCompleteAnswer says what the authorization server has to do for its client: where that polls, nothing.
type backchannelCompleteAnswer struct {
	result
	ClientName        string `json:"clientName,omitempty"`
	DeliveryMode      string `json:"deliveryMode,omitempty"`
	AuthReqID         string `json:"authReqId,omitempty"`
	ServiceAttributes []pair `json:"serviceAttributes,omitempty"`

	Endpoint string `json:"clientNotificationEndpoint,omitempty"`
	Token    string `json:"clientNotificationToken,omitempty"`
	pushedTokens
	*clientRef
}

// pushedTokens are the tokens of a client that they are pushed to. Times are in seconds.
type pushedTokens struct {
	AccessToken     string `json:"accessToken,omitempty"`
	RefreshToken    string `json:"refreshToken,omitempty"`
	IDToken         string `json:"idToken,omitempty"`
	TokenDuration   int64  `json:"accessTokenDuration,omitempty"`
	RefreshDuration int64  `json:"refreshTokenDuration,omitempty"`
}

// notify says what the authorization server sends its client.
func (a *backchannelCompleteAnswer) notify(c *call, n *decoupled.Notification, now time.Time) {
	a.Endpoint, a.Token = n.Endpoint, n.Token
	if k := n.Tokens; k != nil {
		a.pushedTokens = pushedTokens{AccessToken: k.AccessToken, RefreshToken: k.RefreshToken, IDToken: k.IDToken, TokenDuration: int64(k.ExpiresIn / time.Second)}
		if k.Refresh != nil {
			a.RefreshDuration = int64(k.Refresh.ExpiresAt.Sub(now) / time.Second)
		}
	}
	a.result = c.outcome(success, "The answer is recorded: the authorization server notifies the client.").result(notification, string(n.Body))
}

// results are how a user may have answered.
var results = map[string]decoupled.Result{
	"AUTHORIZED":         decoupled.Authorized,
	"ACCESS_DENIED":      decoupled.AccessDenied,
	"DENIED":             decoupled.AccessDenied, // as older programs call it
	"TRANSACTION_FAILED": decoupled.TransactionFailed,
}

// backchannelComplete records the user's answer.
func (d *Door) backchannelComplete(c *call) (answer, error) {
	var in backchannelCompleteRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	a, err := in.completion()
	if err != nil {
		return nil, err
	}
	if in.Ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	var n *decoupled.Notification
	p, err := d.CIBA.Load(c.Request.Context(), c.tenant, in.Ticket)
	if err == nil {
		wire.EventOf(c.Context).Client(p.ClientID)
		a.Actor, a.Address = wire.TokenOf(c.Context).ID, c.address()
		n, err = d.CIBA.Flow().Conclude(c.Request.Context(), c.tenant, p, a)
	}
	if err != nil {
		return nil, unanswered(err)
	}
	out := &backchannelCompleteAnswer{clientRef: refOf(p.Client), ClientName: p.Client.Name, DeliveryMode: strings.ToUpper(p.Client.BackchannelMode),
		AuthReqID: ciba.AuthReqID(c.tenant, &p.Authentication), ServiceAttributes: attributes(c.tenant.Settings.Attributes)}
	if n != nil {
		out.notify(c, n, d.Now())
		return out, nil
	}
	out.result = c.outcome(success, "The answer is recorded: the client asks for it.").result(noAction, "")
	return out, nil
}

// unanswered words why an answer cannot be recorded.
func unanswered(err error) error {
	for is, words := range map[error]string{
		decoupled.ErrNotFound: noTicket.text,
		decoupled.ErrConflict: "The ticket does not wait for an answer.",
		decoupled.ErrDisabled: "The account of the subject is disabled.",
	} {
		if errors.Is(err, is) {
			return oauth.InvalidRequest(words).Because(err)
		}
	}
	return completionNames.in(err)
}

// completionNames are the members that the flow's errors name, here.
var completionNames = words{{"authTime", "auth_time"}, {"subject", "sub"}, {"scopes", "scope"}}

// lastSecond is that of the year 9999.
const lastSecond = 253402300799

// completion says it in the flow's words.
func (in *backchannelCompleteRequest) completion() (decoupled.Completion, error) {
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

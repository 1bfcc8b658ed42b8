package authlete

import (
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// backchannelCompleteRequest says how the user of a ticket answered.
type backchannelCompleteRequest struct {
	Ticket string `json:"ticket"`
	completionRequest
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
	agreed
	pushedTokens
	*clientRef
}

// agreed is what was granted.
type agreed struct {
	Resources []string      `json:"resources,omitempty"`
	Details   *authzDetails `json:"authorizationDetails,omitempty"`
	GrantID   string        `json:"grantId,omitempty"`
}

// pushedTokens are the tokens of a client that they are pushed to. Times are in seconds.
type pushedTokens struct {
	AccessToken     string `json:"accessToken,omitempty"`
	JWTAccessToken  string `json:"jwtAccessToken,omitempty"`
	RefreshToken    string `json:"refreshToken,omitempty"`
	IDToken         string `json:"idToken,omitempty"`
	TokenDuration   int64  `json:"accessTokenDuration,omitempty"`
	RefreshDuration int64  `json:"refreshTokenDuration,omitempty"`
	IDTokenDuration int64  `json:"idTokenDuration,omitempty"`
}

// notify says what the authorization server sends its client.
func (a *backchannelCompleteAnswer) notify(c *call, n *decoupled.Notification, now time.Time) {
	a.Endpoint, a.Token = n.Endpoint, n.Token
	if k := n.Tokens; k != nil {
		a.pushedTokens = pushedTokens{AccessToken: k.AccessToken, RefreshToken: k.RefreshToken, IDToken: k.IDToken, TokenDuration: int64(k.ExpiresIn / time.Second)}
		if k.Twin != "" {
			a.AccessToken, a.JWTAccessToken = k.Twin, k.AccessToken
		}
		if k.Refresh != nil {
			a.RefreshDuration = int64(k.Refresh.ExpiresAt.Sub(now) / time.Second)
		}
	}
	a.result = c.outcome(success, "The answer is recorded: the authorization server notifies the client.").result(notification, string(n.Body))
}

// backchannelComplete records the user's answer.
func (d *Door) backchannelComplete(c *call) (answer, error) {
	var in backchannelCompleteRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	in.AudType = c.audType(in.AudType)
	a, err := in.completion()
	if err != nil {
		return nil, err
	}
	if in.Ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	var done *decoupled.Conclusion
	p, err := d.CIBA.Load(c.Request.Context(), c.tenant, in.Ticket)
	if err == nil {
		wire.EventOf(c.Context).Client(p.ClientID)
		a.Actor, a.Address = wire.TokenOf(c.Context).ID, c.address()
		done, err = d.CIBA.Flow().Conclude(c.Request.Context(), c.tenant, p, a)
	}
	if err != nil {
		return nil, unanswered(err)
	}
	out := &backchannelCompleteAnswer{clientRef: refOf(p.Client), ClientName: p.Client.Name, DeliveryMode: strings.ToUpper(p.Client.BackchannelMode),
		AuthReqID: ciba.AuthReqID(c.tenant, &p.Authentication), ServiceAttributes: attributes(c.tenant.Settings.Attributes)}
	if g := done.Grant; g != nil {
		out.agreed = agreed{g.Terms.Audience, detailsOf(g.Terms.Details), g.Managed}
	}
	if n := done.Notification; n != nil {
		out.notify(c, n, d.Now())
		if out.IDToken != "" {
			out.IDTokenDuration = int64(grant.IDTokenLife(c.tenant, done.Grant, p.Client, true) / time.Second)
		}
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

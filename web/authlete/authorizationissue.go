package authlete

import (
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// authorizationIssueRequest says what a subject granted. Scopes tell apart none from not given.
type authorizationIssueRequest struct {
	Ticket          string       `json:"ticket"`
	Subject         string       `json:"subject"`
	Sub             string       `json:"sub"`
	AuthTime        int64        `json:"authTime"`
	ACR             string       `json:"acr"`
	Claims          string       `json:"claims"`
	Properties      []property   `json:"properties"`
	Scopes          *[]string    `json:"scopes"`
	ConsentedClaims []string     `json:"consentedClaims"`
	HeaderParams    string       `json:"idtHeaderParams"`
	Details         authzDetails `json:"authorizationDetails"`
	TokenClaims     string       `json:"jwtAtClaims"`
	TokenDuration   int64        `json:"accessTokenDuration"`
	AudType         string       `json:"idTokenAudType"`
}

// property is an extra property of a token.
type property struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

// authorizationIssueAnswer is the client's response, and what is in it.
type authorizationIssueAnswer struct {
	result
	AccessToken    string         `json:"accessToken,omitempty"`
	ExpiresAt      int64          `json:"accessTokenExpiresAt"`
	Duration       int64          `json:"accessTokenDuration"`
	IDToken        string         `json:"idToken,omitempty"`
	Code           string         `json:"authorizationCode,omitempty"`
	JWTAccessToken string         `json:"jwtAccessToken,omitempty"`
	TicketInfo     *ticketContext `json:"ticketInfo,omitempty"`
}

// authorizationIssue ends a ticket with what its subject granted.
func (d *Door) authorizationIssue(c *call) (answer, error) {
	var in authorizationIssueRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, err := d.ticket(c, in.Ticket)
	if err != nil {
		return c.gone(err)
	}
	in.AudType = c.audType(in.AudType)
	v, err := in.verdict()
	if err != nil {
		return nil, err
	}
	v.Actor, v.Address = wire.TokenOf(c.Context).ID, c.address()
	res, err := d.Authorize.Issue(c.Request.Context(), c.tenant, p, v)
	if err != nil {
		return c.gone(err)
	}
	out := &authorizationIssueAnswer{TicketInfo: contextOf(p)}
	if e := res.Response.Err; e != nil {
		out.result = c.respond(res.Response, clients, e.Description)
		return out, nil
	}
	out.result = c.respond(res.Response, success, "The response was made.")
	out.tell(res.Issued, d.Now())
	return out, nil
}

// tell says what the response gives. An access token is told as its identifier, with the JWT that stands for the same.
func (a *authorizationIssueAnswer) tell(i authorize.Issued, now time.Time) {
	a.Code, a.IDToken, a.AccessToken = i.Code, i.IDToken, i.AccessToken
	if i.Twin != "" {
		a.AccessToken, a.JWTAccessToken = i.Twin, i.AccessToken
	}
	if i.AccessToken != "" {
		a.Duration, a.ExpiresAt = int64(i.ExpiresIn/time.Second), now.Truncate(time.Second).Add(i.ExpiresIn).UnixMilli()
	}
}

// ticket loads the interaction behind a ticket.
func (d *Door) ticket(c *call, ticket string) (*authorize.Pending, error) {
	if ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	p, err := d.Authorize.Ticket(c.Request.Context(), c.tenant, ticket)
	if err == nil {
		wire.EventOf(c.Context).Client(p.Client.ID)
	}
	return p, err
}

// gone answers for a ticket that is not there, or not any more; any other error remains one.
func (c *call) gone(err error) (answer, error) {
	if !authorize.IsGone(err) {
		return nil, err
	}
	r := c.refuse(noTicket, badRequest, refusal{err: oauth.InvalidRequest("").Because(err)})
	return &r, nil
}

// verdict says it in the flow's words.
func (in *authorizationIssueRequest) verdict() (authorize.Verdict, error) {
	v := authorize.Verdict{Subject: in.Subject, AuthTime: in.AuthTime, ACR: in.ACR, Consented: in.ConsentedClaims}
	var err error
	if v.Claims, err = objectIn("claims", in.Claims); err != nil {
		return v, err
	}
	if v.Access.Claims, err = objectIn("jwtAtClaims", in.TokenClaims); err != nil {
		return v, err
	}
	if v.Properties, err = propertiesOf(in.Properties); err != nil {
		return v, err
	}
	header, err := objectIn("idtHeaderParams", in.HeaderParams)
	switch {
	case err != nil:
		return v, err
	case len(header) > 0:
		return v, oauth.InvalidRequest("idtHeaderParams are not supported")
	}
	if v.Details, err = in.Details.details(); err != nil {
		return v, err
	}
	v.Access.Lifetime, v.Access.Twin = max(in.TokenDuration, 0), true
	v.ID.Subject = in.Sub
	if v.ID.AudienceList, err = audienceList(in.AudType); err != nil {
		return v, err
	}
	if in.Scopes != nil {
		v.Scope, v.Rescoped = *in.Scopes, true
	}
	return v, nil
}

func audienceList(audType string) (bool, error) {
	switch audType {
	case "", "string":
		return false, nil
	case "array":
		return true, nil
	}
	return false, oauth.InvalidRequest("idTokenAudType must be array or string")
}

// Most properties of a token, and longest of their parts in bytes.
const (
	maxProperties = 64
	maxProperty   = 4 << 10
)

func propertiesOf(in []property) ([]grant.Property, error) {
	if len(in) > maxProperties {
		return nil, oauth.InvalidRequest("There are too many properties")
	}
	var out []grant.Property
	for _, p := range in {
		if p.Key == "" || len(p.Key) > maxProperty || len(p.Value) > maxProperty {
			return nil, oauth.InvalidRequest("A property has no key, or is too long")
		}
		out = append(out, grant.Property(p))
	}
	return out, nil
}

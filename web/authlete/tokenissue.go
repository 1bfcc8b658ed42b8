package authlete

import (
	"slices"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenIssueRequest says whom the tokens of a ticket are for.
type tokenIssueRequest struct {
	Ticket          string       `json:"ticket"`
	Subject         string       `json:"subject"`
	Properties      propertyList `json:"properties"`
	AccessDuration  int64        `json:"accessTokenDuration"`
	RefreshDuration int64        `json:"refreshTokenDuration"`
	TokenClaims     string       `json:"jwtAtClaims"`
	AccessToken     string       `json:"accessToken"`
}

// errTokenTicket: the calls that end a ticket of the token endpoint have no action for a client's mistake.
var errTokenTicket = oauth.InvalidRequest("No entity owns the ticket.")

// tokenTicket loads the request behind a ticket of the token endpoint.
func (d *Door) tokenTicket(c *call, ticket string) (*token.Pending, error) {
	if ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	p, err := d.Tokens.Ticket(c.Request.Context(), c.tenant, ticket)
	if err == nil {
		wire.EventOf(c.Context).Client(p.Client.ID)
	}
	return p, lost(err)
}

func lost(err error) error {
	if err != nil && authorize.IsGone(err) {
		return errTokenTicket.Because(err)
	}
	return err
}

// tokenIssue ends a ticket with tokens.
func (d *Door) tokenIssue(c *call) (answer, error) {
	var in tokenIssueRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.AccessToken != "" {
		return nil, oauth.InvalidRequest("accessToken is not supported")
	}
	p, err := d.tokenTicket(c, in.Ticket)
	if err != nil {
		return nil, err
	}
	if in.Subject == "" && !p.Alone {
		return nil, oauth.InvalidRequest("The API call has no subject.")
	}
	v := token.Verdict{Subject: in.Subject, Actor: wire.TokenOf(c.Context).ID, Address: c.address(),
		Wish: token.Wish{AccessLifetime: in.AccessDuration, RefreshLifetime: in.RefreshDuration, Twin: true}}
	if v.Properties, err = propertiesOf(in.Properties); err != nil {
		return nil, err
	}
	if v.Wish.Claims, err = objectIn("jwtAtClaims", in.TokenClaims); err != nil {
		return nil, err
	}
	tokens, err := d.Tokens.Settle(c.Request.Context(), c.tenant, p, v)
	if err != nil {
		return nil, lost(err)
	}
	out := &tokenAnswer{clientRef: refOf(p.Client), GrantType: grantTypes.here(p.GrantType)}
	out.tokens(d.Now(), p.Client, &tokens, v.Properties)
	out.Subject = tokens.Grant.Subject
	out.ServiceAttributes = attributes(c.tenant.Settings.Attributes)
	out.result = c.outcome(success, "The token response was made.").result(okay, response(&tokens, v.Properties))
	return out, nil
}

// tokenFailRequest says why there are no tokens for a ticket.
type tokenFailRequest struct {
	Ticket string `json:"ticket"`
	Reason string `json:"reason"`
}

// tokenFailures are why a token request fails, with what the client is told.
var tokenFailures = []struct {
	reason string
	err    *oauth.Error
}{
	{"UNKNOWN", &oauth.Error{Code: "server_error", Description: "The request failed."}},
	{"INVALID_RESOURCE_OWNER_CREDENTIALS", oauth.InvalidRequest("The credentials of the resource owner are not valid.")},
	{"INVALID_TARGET", oauth.InvalidTarget("The requested resource is not acceptable.")},
	{"INVALID_CLIENT", oauth.InvalidClient("The client is not acceptable.")},
	{"UNAUTHORIZED_CLIENT", oauth.UnauthorizedClient("The client may not use this grant_type.")},
	{"INVALID_SCOPE", oauth.InvalidScope("The requested scope is not acceptable.")},
}

// tokenFail ends a ticket with an error.
func (d *Door) tokenFail(c *call) (answer, error) {
	var in tokenFailRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	for _, f := range tokenFailures {
		if f.reason != in.Reason {
			continue
		}
		p, err := d.tokenTicket(c, in.Ticket)
		if err == nil {
			err = lost(d.Tokens.Drop(c.Request.Context(), c.tenant, p, f.err.Code, wire.TokenOf(c.Context).ID, c.address()))
		}
		if err != nil {
			return nil, err
		}
		a, class := badRequest, clients
		if f.err.Code == "server_error" {
			a = internalServerError
		}
		r := c.refuse(c.outcome(class, f.err.Description), a, refusal{err: f.err})
		return &r, nil
	}
	return nil, oauth.InvalidRequest("reason is missing, or none that there is.")
}

// decides are the actions of requests that the tenant's backend decides, by grant type.
var decides = map[string]action{oauth.Password: "PASSWORD", oauth.TokenExchange: "TOKEN_EXCHANGE", oauth.JWTBearer: "JWT_BEARER"}

// handOver tells the backend of a request that it decides. That it was checked as far as we can is said in the ticket's
// request: it is settled by that ticket.
func (d *Door) handOver(c *call, out *tokenAnswer, p *token.Pending, params map[string][]string) (answer, error) {
	first := func(name string) string {
		if vs := params[name]; len(vs) > 0 {
			return vs[0]
		}
		return ""
	}
	out.Ticket, out.Scopes, out.Resources = p.Ticket, p.Scope, params["resource"]
	switch p.GrantType {
	case oauth.Password:
		out.Username, out.Password = first("username"), first("password")
	case oauth.TokenExchange:
		out.Subject, out.Audiences = p.Subject, slices.Clone(params["audience"])
		out.RequestedTokenType, out.SubjectToken, out.SubjectTokenType = tokenKinds.here(p.Issued), first("subject_token"), tokenKinds.here(first("subject_token_type"))
		out.ActorToken, out.ActorTokenType = first("actor_token"), tokenKinds.here(first("actor_token_type"))
		var err error
		if out.SubjectTokenInfo, err = d.tokenInfo(c, p.SubjectToken); err == nil {
			out.ActorTokenInfo, err = d.tokenInfo(c, p.ActorToken)
		}
		if err != nil {
			return nil, err
		}
	case oauth.JWTBearer:
		out.Subject, out.Assertion = p.Subject, first("assertion")
	}
	out.ServiceAttributes = attributes(c.tenant.Settings.Attributes)
	out.result = c.outcome(success, "The authorization server decides.").result(decides[p.GrantType], "")
	return out, nil
}

// tokenInfo tells of a token of ours that was presented in an exchange. expiresAt is in milliseconds.
type tokenInfo struct {
	Subject    string        `json:"subject,omitempty"`
	Scopes     []scopeObject `json:"scopes,omitempty"`
	ExpiresAt  int64         `json:"expiresAt,omitempty"`
	Properties []property    `json:"properties,omitempty"`
	Resources  []string      `json:"resources,omitempty"`
	Details    *authzDetails `json:"authorizationDetails,omitempty"`
	Number     int64         `json:"clientId,omitempty"`
	Alias      string        `json:"clientIdAlias,omitempty"`
	AliasUsed  bool          `json:"clientIdAliasUsed"`
}

// tokenInfo words what is known of a presented token, with the properties of its grant; nil is nil.
func (d *Door) tokenInfo(c *call, p *token.PresentedToken) (*tokenInfo, error) {
	if p == nil {
		return nil, nil
	}
	out := &tokenInfo{Subject: p.Subject, Scopes: scopesOf(c.tenant, p.Scope), ExpiresAt: p.ExpiresAt.UnixMilli(), Resources: p.Audience, Details: detailsOf(p.Details), Alias: p.ClientID}
	client, err := d.Access.Client(c.Request.Context(), c.tenant, p.ClientID)
	if err != nil {
		return nil, err
	}
	if client != nil {
		out.Number, out.AliasUsed = client.Number, aliased(client)
	}
	properties, err := d.Tokens.Properties(c.Request.Context(), c.tenant, p.Grant)
	for _, p := range properties {
		out.Properties = append(out.Properties, property(p))
	}
	return out, err
}

// tokenKinds are the types of token.
var tokenKinds = words{{"ACCESS_TOKEN", oauth.TypeAccessToken}, {"REFRESH_TOKEN", oauth.TypeRefreshToken}, {"ID_TOKEN", oauth.TypeIDToken}, {"JWT", oauth.TypeJWT}}

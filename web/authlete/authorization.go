package authlete

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/web/wire"
)

// authorizationRequest hands over an authorization request as it came: the query, or the form body.
type authorizationRequest struct {
	Parameters string `json:"parameters"`
	Context    string `json:"context"`
}

// authorizationAnswer says what the request asks for.
type authorizationAnswer struct {
	result
	Ticket         string        `json:"ticket,omitempty"`
	Service        *serviceView  `json:"service,omitempty"`
	Client         *clientView   `json:"client,omitempty"`
	AliasUsed      bool          `json:"clientIdAliasUsed"`
	Display        string        `json:"display,omitempty"`
	Prompts        []string      `json:"prompts,omitempty"`
	LowestPrompt   string        `json:"lowestPrompt,omitempty"`
	MaxAge         int64         `json:"maxAge"`
	ACRs           []string      `json:"acrs,omitempty"`
	ACREssential   bool          `json:"acrEssential"`
	Subject        string        `json:"subject,omitempty"`
	LoginHint      string        `json:"loginHint,omitempty"`
	Scopes         []scopeObject `json:"scopes,omitempty"`
	UILocales      []string      `json:"uiLocales,omitempty"`
	ClaimsLocales  []string      `json:"claimsLocales,omitempty"`
	Claims         []string      `json:"claims,omitempty"`
	UserInfoNames  []string      `json:"claimsAtUserInfo,omitempty"`
	IDTokenClaims  string        `json:"idTokenClaims,omitempty"`
	UserInfoClaims string        `json:"userInfoClaims,omitempty"`
	Resources      []string      `json:"resources,omitempty"`
	Details        *authzDetails `json:"authorizationDetails,omitempty"`
	Purpose        string        `json:"purpose,omitempty"`
	Object         string        `json:"requestObjectPayload,omitempty"`
	managing
}

// authorization validates an authorization request, and opens a ticket for one that the authorization server decides.
func (d *Door) authorization(c *call) (answer, error) {
	var in authorizationRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	raw := strings.TrimPrefix(in.Parameters, "?")
	switch {
	case in.Parameters == "":
		r := c.refuse(c.outcome(misuse, "The API call has no parameters."), badRequest, refusal{err: oauth.InvalidRequest("")})
		return &r, nil
	case raw == "":
		r := c.refuse(noParameters, badRequest, refusal{err: oauth.InvalidRequest("")})
		return &r, nil
	case len(raw) > request.MaxQuery:
		r := c.refuse(c.outcome(clients, "The request is too long."), badRequest, refusal{err: oauth.InvalidRequest("")})
		return &r, nil
	}
	kept, err := contextData(in.Context)
	if err != nil {
		return nil, err
	}
	params := request.Parse(raw)
	wire.EventOf(c.Context).Client(params.Get("client_id"))
	res, err := d.Authorize.Open(c.Request.Context(), c.tenant, authorize.Start{Params: params, Data: kept, Address: c.address()})
	out := &authorizationAnswer{Service: limitedService(c.tenant)}
	if res.Client != nil {
		out.Client, out.AliasUsed = limitedClient(res.Client), aliased(res.Client)
	}
	switch {
	case err != nil && wire.StatusOf(err) >= http.StatusInternalServerError:
		return nil, err
	case err != nil:
		e := oauth.ErrorOf(err)
		out.result = c.refuse(c.outcome(clients, e.Description), badRequest, refusal{err: e})
	case res.Response != nil:
		out.result = c.respond(res.Response, clients, oauth.ErrorOf(res.Response.Err).Description)
	default:
		out.open(c, res.Pending)
		if out.managing, err = d.managing(c, res.Pending.Request); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// open says all of the request that waits behind a ticket.
func (a *authorizationAnswer) open(c *call, p *authorize.Pending) {
	r := p.Request
	next := interaction
	if r.Prompt.Has(oauth.PromptNone) {
		next = noInteraction
	}
	a.result = c.outcome(success, "A ticket was issued: the authorization server decides.").result(next, "")
	a.Ticket, a.Display = p.Handle, "PAGE"
	if r.Display != "" {
		a.Display = strings.ToUpper(r.Display)
	}
	if all := saidBy[[]string](c.tenant, "supportedDisplays"); len(all) > 0 && !slices.Contains(all, a.Display) {
		a.Display = all[0]
	}
	a.Prompts = promptsOf(r.Prompt, r.MaxAge)
	a.LowestPrompt = lowest(a.Prompts)
	if r.MaxAge != nil {
		a.MaxAge = *r.MaxAge
	}
	if a.ACRs = r.EssentialACR; len(a.ACRs) > 0 {
		a.ACREssential = true
	} else {
		a.ACRs = c.supportedACRs(r.ACRValues)
	}
	a.Subject, a.LoginHint = r.RequiredSub, r.LoginHint
	a.Scopes, a.Resources = scopesOf(c.tenant, r.Scope), r.Resource
	a.UILocales, a.ClaimsLocales = c.localesOf("supportedUiLocales", r.UILocales), c.localesOf("supportedClaimLocales", r.ClaimsLocales)
	a.Details, a.Purpose, a.Object = detailsOf(r.Details), r.Purpose, string(r.Object)
	a.Claims, a.UserInfoNames = authorize.Wanted(c.tenant.Settings, r, r.Scope)
	if saidBy[bool](c.tenant, "claimShortcutRestrictive") && r.ResponseType != "id_token" {
		a.Claims, _ = authorize.Wanted(c.tenant.Settings, r, oauth.Scope{oauth.OpenID})
	}
	a.IDTokenClaims, a.UserInfoClaims = string(r.ClaimsOf("id_token")), string(r.ClaimsOf("userinfo"))
}

// localesOf are those of values that the service lists in that member, where it lists any.
func (c *call) localesOf(member string, values []string) (out []string) {
	all := saidBy[[]string](c.tenant, member)
	for _, v := range values {
		if len(all) == 0 || slices.ContainsFunc(all, func(l string) bool { return strings.EqualFold(l, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// supportedACRs are those of values that the tenant lists, where it lists any.
func (c *call) supportedACRs(values []string) []string {
	if listed := c.tenant.Settings.Authorization.ACRValues; len(listed) > 0 {
		return oauth.Scope(values).And(listed)
	}
	return values
}

// respond hands over a response for the client.
func (c *call) respond(r *authorize.Response, class, text string) result {
	if r.Err != nil {
		wire.EventOf(c.Context).Fail(r.Err)
	}
	o := c.outcome(class, text)
	for i, p := range r.Params {
		if p.Name == "error_description" {
			r.Params[i].Value = o.message()
		}
	}
	if r.Mode == oauth.ModeFormPost {
		return o.result(form, page(r))
	}
	return o.result(location, r.URI())
}

// ticketContext is what the authorization server keeps with a ticket.
type ticketContext struct {
	Context string `json:"context,omitempty"`
}

// contextData is the context of a ticket as an interaction keeps it.
func contextData(context string) (json.RawMessage, error) {
	if context == "" {
		return nil, nil
	}
	if len(context) > maxContext {
		return nil, oauth.InvalidRequest("The context is too long")
	}
	return json.Marshal(ticketContext{context})
}

// maxContext is the longest context kept, in bytes.
const maxContext = 16 << 10

// contextOf is what contextData kept, nil if nothing.
func contextOf(p *authorize.Pending) *ticketContext {
	var kept ticketContext
	if json.Unmarshal(p.Data, &kept) != nil || kept.Context == "" {
		return nil
	}
	return &kept
}

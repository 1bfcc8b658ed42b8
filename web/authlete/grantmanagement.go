package authlete

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
)

// grantActions are what becomes of a grant, and what is done with it.
var grantActions = words{{"CREATE", oauth.GrantCreate}, {"MERGE", oauth.GrantMerge}, {"REPLACE", oauth.GrantReplace}, {"QUERY", oauth.GrantQuery}, {"REVOKE", oauth.GrantRevoke}}

// grantView is what was agreed.
type grantView struct {
	Scopes  []grantScope  `json:"scopes,omitempty"`
	Claims  []string      `json:"claims,omitempty"`
	Details *authzDetails `json:"authorizationDetails,omitempty"`
}

// grantScope is scope at resources; none is every resource of the service.
type grantScope struct {
	Scope     string   `json:"scope"`
	Resources []string `json:"resource,omitempty"`
}

func scopesOfGrant(g *grant.Grant) []grantScope {
	if len(g.Terms.Scope) == 0 {
		return nil
	}
	return []grantScope{{g.Terms.Scope.String(), g.Terms.Audience}}
}

func viewOfGrant(g *grant.Grant) *grantView {
	return &grantView{scopesOfGrant(g), g.AgreedClaims(), detailsOf(g.Terms.Details)}
}

// managing is what a request says of a grant that its client manages.
type managing struct {
	GrantAction  string     `json:"gmAction,omitempty"`
	GrantID      string     `json:"grantId,omitempty"`
	Grant        *grantView `json:"grant,omitempty"`
	GrantSubject string     `json:"grantSubject,omitempty"`
}

func (d *Door) managing(c *call, r *request.Request) (out managing, err error) {
	out.GrantAction, out.GrantID = grantActions.here(r.GrantAction), r.GrantID
	if r.GrantID == "" {
		return out, nil
	}
	g, err := d.Access.ManagedGrant(c.Request.Context(), c.tenant, r.GrantID)
	if err != nil && oauth.ErrorOf(err).Code == "not_found" { // it is over meanwhile
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Grant, out.GrantSubject = viewOfGrant(g), g.Subject
	return out, nil
}

// grantManagementRequest hands over a request to the grant management endpoint.
type grantManagementRequest struct {
	Action  string `json:"gmAction"`
	GrantID string `json:"grantId"`
	Token   string `json:"accessToken"`
	dpopProof
	clientCertificate
}

// grantManagementAnswer is the client's answer.
type grantManagementAnswer struct {
	result
	dpopNonce
}

// grantContent tells a client of its grant (Grant Management for OAuth 2.0 §6.3).
type grantContent struct {
	Scopes  []grantScope  `json:"scopes,omitempty"`
	Claims  []string      `json:"claims,omitempty"`
	Details oauth.Details `json:"authorization_details,omitempty"`
}

// grantManagement tells a client of a grant that it manages, or ends it.
func (d *Door) grantManagement(c *call) (answer, error) {
	var in grantManagementRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	what, _ := grantActions.standard(in.Action)
	out := &grantManagementAnswer{dpopNonce: d.nonce(c, &in.dpopProof)}
	scope := map[string]string{oauth.GrantQuery: oauth.GrantQueryScope, oauth.GrantRevoke: oauth.GrantRevokeScope}[what]
	switch {
	case !c.tenant.Settings.GrantManagement.Enabled:
		return nil, oauth.InvalidRequest("Grant management is turned off")
	case scope == "":
		return nil, oauth.InvalidRequest("gmAction must be QUERY or REVOKE")
	case in.Token == "":
		out.result = c.refuse(c.outcome(clients, "The API call has no accessToken."), unauthorized, refusal{err: oauth.InvalidToken("")})
		return out, nil
	}
	said := presentedToken{Token: in.Token, dpopProof: in.dpopProof, clientCertificate: in.clientCertificate}
	p, err := said.presented("")
	if err != nil {
		return nil, err
	}
	ctx := c.Request.Context()
	var content string
	a := noContent
	if what == oauth.GrantRevoke {
		err = d.Access.RevokeManaged(ctx, c.tenant, p, in.GrantID, c.address())
	} else {
		var g *grant.Grant
		if g, err = d.Access.QueryGrant(ctx, c.tenant, p, in.GrantID); err == nil {
			b, err := json.Marshal(grantContent{scopesOfGrant(g), g.AgreedClaims(), g.Terms.Details})
			if err != nil {
				return nil, err
			}
			a, content = okay, string(b)
		}
	}
	switch e := oauth.ErrorOf(err); {
	case err == nil:
		out.result = c.outcome(success, "It was done.").result(a, content)
	case e.Code == "not_found":
		out.result = c.refuse(c.outcome(clients, "There is no such grant."), notFound, refusal{err: oauth.InvalidGrantID(""), dpop: p.DPoP})
	default:
		out.result, err = c.resourceRefusal(err, refusal{dpop: p.DPoP, scope: scope})
		return out, err
	}
	return out, nil
}

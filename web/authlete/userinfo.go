package authlete

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// userInfoRequest hands over the access token of a request to the UserInfo endpoint.
type userInfoRequest struct{ presentedToken }

// userInfoAnswer says whose claims to gather, and which.
type userInfoAnswer struct {
	result
	Token             string     `json:"token,omitempty"`
	Subject           string     `json:"subject,omitempty"`
	Scopes            []string   `json:"scopes,omitempty"`
	Claims            []string   `json:"claims,omitempty"`
	Properties        []property `json:"properties,omitempty"`
	UserInfoClaims    string     `json:"userInfoClaims,omitempty"`
	Consented         []string   `json:"consentedClaims,omitempty"`
	ServiceAttributes []pair     `json:"serviceAttributes,omitempty"`
	dpopNonce
	*clientRef
}

// userInfo tells whether the holder of a token may ask about its subject.
func (d *Door) userInfo(c *call) (answer, error) {
	var in userInfoRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &userInfoAnswer{}
	p, err := in.presented(c.tenant.Issuer + discovery.UserInfo)
	if err != nil {
		return nil, err
	}
	out.dpopNonce = d.nonce(c, &in.dpopProof)
	st, err := d.inquire(c, p, &out.result)
	if st == nil || err != nil {
		return out, err
	}
	out.result = c.outcome(success, "The access token presented at the userinfo endpoint is valid.").result(okay, "")
	g := st.Grant
	out.clientRef, out.ServiceAttributes = refOf(st.Client), attributes(c.tenant.Settings.Attributes)
	out.Token, out.Subject, out.Scopes, out.Claims = in.Token, st.Subject(), st.Token.Scope, g.Terms.Claims
	out.UserInfoClaims, out.Consented = string(g.Terms.UserInfoAsked), g.Terms.Consented
	for _, p := range g.Terms.Properties {
		out.Properties = append(out.Properties, property(p))
	}
	return out, nil
}

// inquire returns the standing of a token whose holder may ask about its subject, nil where r says why it may not.
func (d *Door) inquire(c *call, p access.Presented, r *result) (*access.Standing, error) {
	if p.Token == "" {
		*r = c.refuse(c.outcome(clients, "The API call has no token."), badRequest, refusal{err: oauth.InvalidRequest("")})
		return nil, nil
	}
	st, err := d.Access.Inquire(c.Request.Context(), c.tenant, p)
	if err == nil {
		return st, nil
	}
	*r, err = c.resourceRefusal(err, refusal{dpop: p.DPoP, scope: oauth.OpenID})
	return nil, err
}

// userInfoIssueRequest hands over the claims that were gathered.
type userInfoIssueRequest struct {
	Token  string `json:"token"`
	Claims string `json:"claims"`
	Sub    string `json:"sub"`
}

// userInfoIssue makes the answer of the UserInfo endpoint: the claims that were gathered, and sub (OIDC Core §5.3.2).
func (d *Door) userInfoIssue(c *call) (answer, error) {
	var in userInfoIssueRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	gathered, err := objectIn("claims", in.Claims)
	if err != nil {
		return nil, err
	}
	out := &result{}
	st, err := d.inquire(c, access.Presented{Token: in.Token, Vouched: true}, out)
	if st == nil || err != nil {
		return out, err
	}
	claims := map[string]any{}
	for name, v := range gathered {
		if grant.Presettable(name) && string(v) != "null" {
			claims[name] = v
		}
	}
	if claims["sub"] = in.Sub; in.Sub == "" {
		claims["sub"] = st.Grant.SubjectFor(c.tenant, st.Client)
	}
	jwt, err := d.Access.SealUserInfo(c.Request.Context(), c.tenant, st.Client, claims)
	if err != nil {
		*out, err = c.resourceRefusal(err, refusal{})
		return out, err
	}
	if jwt != "" {
		*out = c.outcome(success, "The content of the userinfo response was made.").result(asJWT, jwt)
		return out, nil
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	*out = c.outcome(success, "The content of the userinfo response was made.").result(asJSON, string(b))
	return out, nil
}

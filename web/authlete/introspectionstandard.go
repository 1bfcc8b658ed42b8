package authlete

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// standardRequest hands over a request of a resource server that the authorization server has authenticated (RFC 7662).
type standardRequest struct {
	Parameters    string `json:"parameters"`
	Hidden        bool   `json:"withHiddenProperties"`
	Resource      string `json:"rsUri"`
	Accept        string `json:"httpAcceptHeader"`
	SignAlg       string `json:"introspectionSignAlg"`
	EncryptionAlg string `json:"introspectionEncryptionAlg"`
	EncryptionEnc string `json:"introspectionEncryptionEnc"`
}

// introspectionJWT is the media type of answers as JWTs (RFC 9701 §4).
const introspectionJWT = "application/token-introspection+jwt"

// algorithm is that of answers as JWTs.
func (in *standardRequest) algorithm() (keys.Alg, error) {
	if in.EncryptionAlg != "" || in.EncryptionEnc != "" {
		return "", oauth.InvalidRequest("introspectionEncryptionAlg is not supported")
	}
	if in.SignAlg == "" {
		return keys.RS256, nil
	}
	v, ok := signatures.standard(in.SignAlg)
	if alg := keys.Alg(v); ok && slices.Contains(keys.SigningAlgs(), alg) {
		return alg, nil
	}
	return "", oauth.InvalidRequest("introspectionSignAlg is not supported")
}

// introspectionStandard makes the answer of the introspection endpoint (RFC 7662 §2.2, RFC 9701 §5).
func (d *Door) introspectionStandard(c *call) (answer, error) {
	var in standardRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &result{}
	params, err := wire.Parameters(in.Parameters)
	if err == nil && params.Get("token") == "" {
		err = oauth.InvalidRequest("token is missing")
	}
	if err != nil {
		return c.refused(out, err)
	}
	alg, err := in.algorithm()
	asJWTs := strings.Contains(strings.ToLower(in.Accept), introspectionJWT)
	if err == nil && asJWTs && in.Resource == "" {
		err = oauth.InvalidRequest("rsUri is needed for an answer as a JWT")
	}
	if err != nil {
		return nil, err
	}
	info, properties, err := d.Access.Inspect(c.Request.Context(), c.tenant, params.Get("token"), in.Resource)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(standing(c.tenant, info, properties, in.Hidden))
	if err != nil {
		return nil, err
	}
	content, a := string(body), okay
	if asJWTs {
		a = asJWT
		if content, err = d.Access.SignIntrospection(c.Request.Context(), c.tenant, in.Resource, alg, body); err != nil {
			return nil, err
		}
	}
	*out = c.outcome(success, "The introspection response was made.").result(a, content)
	return out, nil
}

// standing are the members of an introspection response (RFC 7662 §2.2), of which there is but one where info is nil, and
// those properties that take no other's name.
func standing(t *tenant.Tenant, info *access.Info, properties []grant.Property, hidden bool) map[string]any {
	if info == nil {
		return map[string]any{"active": false}
	}
	out := map[string]any{}
	for name, v := range info.Further {
		out[name] = v
	}
	for _, p := range properties {
		if (!p.Hidden || hidden) && !introspectionMembers[p.Key] {
			out[p.Key] = p.Value
		}
	}
	out["active"], out["iss"], out["client_id"], out["exp"], out["iat"] = true, cmp.Or(info.Issuer, t.Issuer), info.ClientID, info.ExpiresAt.Unix(), info.IssuedAt.Unix()
	for name, v := range map[string]string{"scope": info.Scope.String(), "sub": info.Subject, "jti": info.ID, "acr": info.ACR} {
		if v != "" {
			out[name] = v
		}
	}
	if len(info.Audience) > 0 {
		out["aud"] = info.Audience
	}
	if info.AuthTime > 0 {
		out["auth_time"] = info.AuthTime
	}
	if len(info.Details) > 0 {
		out["authorization_details"] = info.Details
	}
	if info.Act != nil {
		out["act"] = info.Act
	}
	if info.MayAct != nil {
		out["may_act"] = info.MayAct
	}
	if info.Kind == "access_token" {
		out["token_type"] = info.Confirmation.TokenType()
		if info.Confirmation != (oauth.Confirmation{}) {
			out["cnf"] = info.Confirmation
		}
	}
	return out
}

// introspectionMembers are the registered members of an introspection response (RFC 7662 §3.1), which say what a token is.
var introspectionMembers = map[string]bool{
	"active": true, "username": true, "client_id": true, "scope": true, "token_type": true, "exp": true, "iat": true, "nbf": true, "sub": true, "aud": true,
	"iss": true, "jti": true, "cnf": true, "act": true, "may_act": true, "acr": true, "amr": true, "auth_time": true, "authorization_details": true,
}

package oidc

import (
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// introspection is the answer about a live token (RFC 7662 §2.2).
type introspection struct {
	Active    bool            `json:"active"`
	Scope     string          `json:"scope,omitempty"`
	ClientID  string          `json:"client_id,omitempty"`
	TokenType string          `json:"token_type,omitempty"`
	ExpiresAt int64           `json:"exp,omitempty"`
	IssuedAt  int64           `json:"iat,omitempty"`
	Subject   string          `json:"sub,omitempty"`
	Audience  []string        `json:"aud,omitempty"`
	Issuer    string          `json:"iss,omitempty"`
	ID        string          `json:"jti,omitempty"`
	Act       *grant.Actor    `json:"act,omitempty"`                   // RFC 8693 §4.1
	MayAct    *grant.Actor    `json:"may_act,omitempty"`               // RFC 8693 §4.4
	Details   oauth.Details   `json:"authorization_details,omitempty"` // RFC 9396 §9.2
	Data      json.RawMessage `json:"dat,omitempty"`
	ACR       string          `json:"acr,omitempty"` // RFC 9470 §6.2
	AuthTime  int64           `json:"auth_time,omitempty"`

	Confirmation oauth.Confirmation `json:"cnf,omitzero"` // RFC 9449 §6.2
}

// introspect serves token introspection (RFC 7662 §2). Whatever the caller may not know is not active.
func (d *Door) introspect(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("introspect")
	client, params, err := d.caller(c, t)
	if err == nil && params.Get("token") == "" {
		err = oauth.InvalidRequest("token is missing")
	}
	var info *access.Info
	if err == nil {
		info, err = d.Access.Introspect(c.Request.Context(), t, client, params.Get("token"))
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	answer, err := told(t, info)
	if err == nil && !asksFor(c, introspectionJWT) {
		wire.Raw(c, http.StatusOK, "application/json", answer)
		return
	}
	jwt := ""
	if err == nil {
		jwt, err = d.Access.SealIntrospection(c.Request.Context(), t, client, answer)
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.Raw(c, http.StatusOK, introspectionJWT, []byte(jwt))
}

// introspectionJWT is the media type of answers as JWTs (RFC 9701 §4).
const introspectionJWT = "application/token-introspection+jwt"

// told is the answer about a token, of which there is nothing to tell where info is nil.
func told(t *tenant.Tenant, info *access.Info) ([]byte, error) {
	if info == nil {
		return json.Marshal(introspection{})
	}
	out := introspection{Active: true, Scope: info.Scope.String(), ClientID: info.ClientID, ExpiresAt: info.ExpiresAt.Unix(), IssuedAt: info.IssuedAt.Unix(),
		Subject: info.Subject, Audience: info.Audience, Issuer: cmp.Or(info.Issuer, t.Issuer), ID: info.ID, Act: info.Act, MayAct: info.MayAct, Details: info.Details, Data: info.Data,
		ACR: info.ACR, AuthTime: info.AuthTime}
	if info.Kind == "access_token" {
		out.TokenType, out.Confirmation = info.Confirmation.TokenType(), info.Confirmation
	}
	answer, err := json.Marshal(out)
	if err != nil || len(info.Further) == 0 {
		return answer, err
	}
	further, err := json.Marshal(info.Further)
	if err != nil {
		return nil, err
	}
	return append(append(answer[:len(answer)-1], ','), further[1:]...), nil // none of it is among the others
}

// asksFor reports whether the caller accepts that media type by name, and JSON not rather (RFC 9110 §12.5.1).
func asksFor(c *gin.Context, mediaType string) bool {
	weight := map[string]float64{}
	for _, field := range c.Request.Header.Values("Accept") {
		for part := range strings.SplitSeq(field, ",") {
			name, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			q := 1.0
			if v, there := params["q"]; there {
				if q, err = strconv.ParseFloat(v, 64); err != nil {
					q = 0
				}
			}
			weight[name] = max(weight[name], q)
		}
	}
	return weight[mediaType] > 0 && weight[mediaType] >= weight["application/json"]
}

// revoke serves token revocation (RFC 7009 §2). A token that is unknown here is as good as revoked.
func (d *Door) revoke(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("revoke")
	client, params, err := d.caller(c, t)
	if err == nil && params.Get("token") == "" {
		err = oauth.InvalidRequest("token is missing")
	}
	if err == nil {
		err = d.Access.Revoke(c.Request.Context(), t, client, params.Get("token"), wire.AddressOf(c).String())
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.NoStore(c)
	c.Status(http.StatusOK)
}

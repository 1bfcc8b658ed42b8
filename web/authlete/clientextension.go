package authlete

import (
	"encoding/json"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// extension are the settings of a client that are no metadata. Durations are in seconds.
type extension struct {
	Enabled  bool     `json:"requestableScopesEnabled"`
	Scopes   []string `json:"requestableScopes,omitempty"`
	Access   int64    `json:"accessTokenDuration,omitempty"`
	Refresh  int64    `json:"refreshTokenDuration,omitempty"`
	IDToken  int64    `json:"idTokenDuration,omitempty"`
	Exchange bool     `json:"tokenExchangePermitted,omitempty"`
}

func showExtension(c *tenant.Client) any {
	scopes := strings.Fields(c.Scope)
	return extension{Enabled: len(scopes) > 0, Scopes: scopes, Access: c.AccessLifetime, Refresh: c.RefreshLifetime, IDToken: c.IDTokenLifetime,
		Exchange: c.MayGrant(oauth.TokenExchange)}
}

func takeExtension(m *tenant.Metadata, raw json.RawMessage) error {
	var e extension
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	m.AccessLifetime, m.RefreshLifetime, m.IDTokenLifetime = e.Access, e.Refresh, e.IDToken
	switch {
	case e.Enabled && len(e.Scopes) == 0:
		return errNoScopes
	case !e.Enabled:
		return nil
	}
	for _, v := range e.Scopes {
		if !oauth.ScopeValue(v) {
			return oauth.InvalidRequest("extension.requestableScopes holds a value that is no scope value")
		}
	}
	m.Scope = strings.Join(e.Scopes, " ")
	return nil
}

var errNoScopes = contradiction("extension", "requestableScopes must not be empty where they are enabled")

package authlete

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// clientMember is a member of the client object that we keep.
type clientMember struct {
	name string
	show func(c *tenant.Client) any                          // nil or empty: absent
	take func(m *tenant.Metadata, raw json.RawMessage) error // nil: ours to set, so that what is sent is not read
}

// clientMembers are those members. Others are not read, but for those of refused.
var clientMembers = []clientMember{
	{"clientId", func(c *tenant.Client) any { return c.Number }, nil},
	{"number", func(c *tenant.Client) any { return c.Number }, nil},
	{"clientIdAlias", func(c *tenant.Client) any { return c.ID }, nil},
	{"clientIdAliasEnabled", func(*tenant.Client) any { return true }, nil},
	{"clientType", func(c *tenant.Client) any { return clientType(c) }, nil},
	{"createdAt", func(c *tenant.Client) any { return c.CreatedAt.UnixMilli() }, nil},
	{"modifiedAt", func(c *tenant.Client) any { return c.UpdatedAt.UnixMilli() }, nil},
	{"dynamicallyRegistered", func(c *tenant.Client) any { return c.SelfRegistered }, nil},
	{"locked", func(c *tenant.Client) any { return c.Disabled }, nil},
	text("clientName", func(m *tenant.Metadata) *string { return &m.Name }),
	translated("clientNames", "client_name"),
	text("logoUri", func(m *tenant.Metadata) *string { return &m.LogoURI }),
	translated("logoUris", "logo_uri"),
	text("clientUri", func(m *tenant.Metadata) *string { return &m.URI }),
	translated("clientUris", "client_uri"),
	text("policyUri", func(m *tenant.Metadata) *string { return &m.PolicyURI }),
	translated("policyUris", "policy_uri"),
	text("tosUri", func(m *tenant.Metadata) *string { return &m.TOSURI }),
	translated("tosUris", "tos_uri"),
	text("loginUri", func(m *tenant.Metadata) *string { return &m.InitiateLoginURI }),
	text("softwareId", func(m *tenant.Metadata) *string { return &m.SoftwareID }),
	text("softwareVersion", func(m *tenant.Metadata) *string { return &m.SoftwareVersion }),
	word("idTokenSignAlg", signatures, func(m *tenant.Metadata) *string { return &m.IDTokenAlg }),
	word("idTokenEncryptionAlg", encryptions, func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionAlg }),
	word("idTokenEncryptionEnc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionEnc }),
	word("userInfoSignAlg", signatures, func(m *tenant.Metadata) *string { return &m.UserInfoAlg }),
	word("userInfoEncryptionAlg", encryptions, func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionAlg }),
	word("userInfoEncryptionEnc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionEnc }),
	{"subjectType", func(c *tenant.Client) any {
		return map[bool]string{true: "PAIRWISE", false: "PUBLIC"}[c.Pairwise()]
	}, word("subjectType", subjectTypes, func(m *tenant.Metadata) *string { return &m.SubjectType }).take},
	text("sectorIdentifierUri", func(m *tenant.Metadata) *string { return &m.SectorIdentifierURI }),
	{"derivedSectorIdentifier", func(c *tenant.Client) any {
		if !c.Pairwise() {
			return ""
		}
		return c.Sector()
	}, nil},
	word("requestSignAlg", signatures, func(m *tenant.Metadata) *string { return &m.RequestAlg }),
	word("requestEncryptionAlg", encryptions, func(m *tenant.Metadata) *string { return &m.RequestEncAlg }),
	word("requestEncryptionEnc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.RequestEnc }),
	word("authorizationSignAlg", signatures, func(m *tenant.Metadata) *string { return &m.ResponseAlg }),
	word("authorizationEncryptionAlg", encryptions, func(m *tenant.Metadata) *string { return &m.ResponseEncAlg }),
	word("authorizationEncryptionEnc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.ResponseEnc }),
	word("bcRequestSignAlg", signatures, func(m *tenant.Metadata) *string { return &m.BackchannelRequestAlg }),
	list("requestUris", nil, func(m *tenant.Metadata) *[]string { return &m.RequestURIs }),
	text("tokenAuthSignAlg", func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthAlg }),
	text("jwksUri", func(m *tenant.Metadata) *string { return &m.JWKSURI }),
	{"jwks", func(c *tenant.Client) any { return string(c.JWKS) }, takeJWKS},
	word("applicationType", applicationTypes, func(m *tenant.Metadata) *string { return &m.ApplicationType }),
	word("tokenAuthMethod", authMethods, func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthMethod }),
	list("redirectUris", nil, func(m *tenant.Metadata) *[]string { return &m.RedirectURIs }),
	list("contacts", nil, func(m *tenant.Metadata) *[]string { return &m.Contacts }),
	list("defaultAcrs", nil, func(m *tenant.Metadata) *[]string { return &m.DefaultACRValues }),
	list("authorizationDetailsTypes", nil, func(m *tenant.Metadata) *[]string { return &m.DetailsTypes }),
	list("grantTypes", grantTypes, func(m *tenant.Metadata) *[]string { return &m.GrantTypes }),
	list("responseTypes", responseTypes, func(m *tenant.Metadata) *[]string { return &m.ResponseTypes }),
	flag("authTimeRequired", func(m *tenant.Metadata) *bool { return &m.RequireAuthTime }),
	word("bcDeliveryMode", deliveryModes, func(m *tenant.Metadata) *string { return &m.BackchannelMode }),
	text("bcNotificationEndpoint", func(m *tenant.Metadata) *string { return &m.NotificationEndpoint }),
	flag("bcUserCodeRequired", func(m *tenant.Metadata) *bool { return &m.BackchannelUserCode }),
	text("tlsClientAuthSubjectDn", func(m *tenant.Metadata) *string { return &m.TLSSubjectDN }),
	text("tlsClientAuthSanDns", func(m *tenant.Metadata) *string { return &m.TLSSanDNS }),
	text("tlsClientAuthSanUri", func(m *tenant.Metadata) *string { return &m.TLSSanURI }),
	text("tlsClientAuthSanIp", func(m *tenant.Metadata) *string { return &m.TLSSanIP }),
	text("tlsClientAuthSanEmail", func(m *tenant.Metadata) *string { return &m.TLSSanEmail }),
	rare("tlsClientCertificateBoundAccessTokens", func(m *tenant.Metadata) *bool { return &m.CertificateBound }),
	rare("dpopRequired", func(m *tenant.Metadata) *bool { return &m.DPoPBound }),
	flag("pkceRequired", func(m *tenant.Metadata) *bool { return &m.RequirePKCE }),
	{"defaultMaxAge", func(c *tenant.Client) any {
		if c.DefaultMaxAge == nil {
			return 0
		}
		return *c.DefaultMaxAge
	}, func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, &m.DefaultMaxAge) }},
	{"attributes", func(c *tenant.Client) any { return clientAttributes(c) }, takeAttributes},
	{"extension", showExtension, takeExtension},
}

func text(name string, of func(*tenant.Metadata) *string) clientMember {
	return clientMember{name, func(c *tenant.Client) any { return *of(&c.Metadata) },
		func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, of(m)) }}
}

func flag(name string, of func(*tenant.Metadata) *bool) clientMember {
	return clientMember{name, func(c *tenant.Client) any { return *of(&c.Metadata) },
		func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, of(m)) }}
}

// rare is a flag that is shown only where it is set.
func rare(name string, of func(*tenant.Metadata) *bool) clientMember {
	m := flag(name, of)
	m.show = func(c *tenant.Client) any {
		if !*of(&c.Metadata) {
			return ""
		}
		return true
	}
	return m
}

// word is a member whose value has a name here.
func word(name string, ws words, of func(*tenant.Metadata) *string) clientMember {
	return clientMember{name, func(c *tenant.Client) any { return ws.here(*of(&c.Metadata)) },
		func(m *tenant.Metadata, raw json.RawMessage) error {
			v, err := standardOf(name, ws, raw)
			*of(m) = v
			return err
		}}
}

// list is a member of texts, or of names of ws.
func list(name string, ws words, of func(*tenant.Metadata) *[]string) clientMember {
	return clientMember{name, func(c *tenant.Client) any {
		if ws == nil {
			return *of(&c.Metadata)
		}
		return ws.all(*of(&c.Metadata))
	}, func(m *tenant.Metadata, raw json.RawMessage) error {
		var values []json.RawMessage
		if err := json.Unmarshal(raw, &values); err != nil {
			return err
		}
		for _, raw := range values {
			v, err := standardOf(name, ws, raw)
			if err != nil {
				return err
			}
			*of(m) = append(*of(m), v)
		}
		return nil
	}}
}

// standardOf reads a text, or the name of a value of ws.
func standardOf(member string, ws words, raw json.RawMessage) (string, error) {
	var v string
	if err := json.Unmarshal(raw, &v); err != nil || ws == nil {
		return v, err
	}
	v, ok := ws.standard(v)
	if !ok {
		return "", oauth.InvalidRequest(member + " holds an unknown value")
	}
	return v, nil
}

// translated is a member that holds the translations of another.
func translated(name, metadata string) clientMember {
	return clientMember{name, func(c *tenant.Client) any { return translations(c, metadata) },
		func(m *tenant.Metadata, raw json.RawMessage) error {
			var values []tagged
			if err := json.Unmarshal(raw, &values); err != nil {
				return err
			}
			for _, v := range values {
				if m.Localized == nil {
					m.Localized = map[string]string{}
				}
				m.Localized[metadata+"#"+v.Tag] = v.Value
			}
			return nil
		}}
}

func takeAttributes(m *tenant.Metadata, raw json.RawMessage) error {
	var pairs []pair
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return err
	}
	data := map[string]string{}
	for _, p := range pairs {
		data[p.Key] = p.Value
	}
	var err error
	m.Data, err = json.Marshal(data)
	return err
}

// extension are the settings of a client that are no metadata.
type extension struct {
	Enabled bool     `json:"requestableScopesEnabled"`
	Scopes  []string `json:"requestableScopes,omitempty"`
}

// takeJWKS reads a JWK set, which here is a text. What it must hold is checked as for any client.
func takeJWKS(m *tenant.Metadata, raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || text == "" {
		return err
	}
	var sent json.RawMessage
	var set bytes.Buffer
	err := wire.DecodeJSON(text, &sent)
	if err == nil {
		err = json.Compact(&set, sent)
	}
	if err != nil {
		return oauth.InvalidRequest("jwks is not a JWK set").Because(err)
	}
	m.JWKS = set.Bytes()
	return nil
}

func showExtension(c *tenant.Client) any {
	scopes := strings.Fields(c.Scope)
	return extension{Enabled: len(scopes) > 0, Scopes: scopes}
}

func takeExtension(m *tenant.Metadata, raw json.RawMessage) error {
	var e extension
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	switch {
	case e.Enabled && len(e.Scopes) == 0:
		return oauth.InvalidRequest("extension.requestableScopes must not be empty where they are enabled")
	case e.Enabled:
		m.Scope = strings.Join(e.Scopes, " ")
	}
	return nil
}

// refused are the members that a client relies on to be honoured and that we cannot, with the values that ask for nothing.
var refused = map[string][]string{
	"parRequired":           {`false`},
	"requestObjectRequired": {`false`},
	"frontChannelRequestObjectEncryptionRequired": {`false`},
	"singleAccessTokenPerSubject":                 {`false`},
	"rsRequestSigned":                             {`false`},
	"credentialResponseEncryptionRequired":        {`false`},
	"authorizationSignAlg":                        nil,
	"authorizationEncryptionAlg":                  nil,
}

// clientIn reads a client object into a request of the registry.
func clientIn(in map[string]json.RawMessage) (registration.Request, error) {
	var r registration.Request
	for name, harmless := range refused {
		if raw := in[name]; given(raw) && !slices.Contains(harmless, string(raw)) {
			return r, oauth.InvalidRequest(name + " is not supported")
		}
	}
	m := &r.Metadata
	for _, member := range clientMembers {
		raw := in[member.name]
		if member.take == nil || !given(raw) {
			continue
		}
		if err := member.take(m, raw); err != nil {
			return r, typed(member.name, err)
		}
	}
	return r, defaults(m, in)
}

// typed words the error of a member that could not be read.
func typed(name string, err error) error {
	if e := oauth.ErrorOf(err); e.Code == "invalid_request" {
		return e
	}
	return oauth.InvalidRequest(name + " has the wrong type").Because(err)
}

// defaults completes what was not given, and has clientType and tokenAuthMethod agree. A client without redirect URIs
// that names no grant type begins with none that needs them.
func defaults(m *tenant.Metadata, in map[string]json.RawMessage) error {
	var kind string
	if raw := in["clientType"]; given(raw) {
		if err := json.Unmarshal(raw, &kind); err != nil {
			return typed("clientType", err)
		}
	}
	switch method := &m.TokenEndpointAuthMethod; {
	case kind == "PUBLIC":
		*method = oauth.AuthNone
	case kind == "CONFIDENTIAL" && *method == oauth.AuthNone:
		return oauth.InvalidRequest("tokenAuthMethod NONE is for clients of the type PUBLIC")
	case kind != "" && kind != "CONFIDENTIAL":
		return oauth.InvalidRequest("clientType holds an unknown value")
	}
	switch {
	case len(m.GrantTypes) > 0:
	case len(m.RedirectURIs) > 0:
		m.GrantTypes = []string{oauth.AuthorizationCode, oauth.RefreshToken}
	default:
		m.GrantTypes = []string{oauth.RefreshToken}
	}
	return nil
}

// clientOut writes a client whole.
func clientOut(c *tenant.Client, secret string) map[string]any {
	out := map[string]any{}
	for _, m := range clientMembers {
		if v := m.show(c); !empty(v) {
			out[m.name] = v
		}
	}
	if secret != "" {
		out["clientSecret"] = secret
	}
	return out
}

// empty reports whether v is left out: an empty text or list.
func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []pair:
		return len(v) == 0
	case []tagged:
		return len(v) == 0
	}
	return false
}

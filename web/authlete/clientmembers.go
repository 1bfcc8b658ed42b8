package authlete

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// clientMember is a member of the client object.
type clientMember struct {
	name  string
	shape shape
	fate  fate
	note  string                                              // what it makes, or why it is refused; for the documentation
	show  func(c *tenant.Client) any                          // where it is not kept; nil or empty: absent
	take  func(m *tenant.Metadata, raw json.RawMessage) error // of what is honoured
}

// clientMembers are all members of the client object, in the order in which they are read.
var clientMembers = slices.Concat([]clientMember{
	toldOf("clientId", "l", "", func(c *tenant.Client) any { return c.Number }),
	toldOf("number", "i", "the same", func(c *tenant.Client) any { return c.Number }),
	toldOf("serviceNumber", "i", "not told", nil),
	toldOf("clientIdAlias", "s", "given at creation, and fixed then; the number where left out", func(c *tenant.Client) any { return c.ID }),
	toldOf("clientIdAliasEnabled", "b", "always `true`", func(*tenant.Client) any { return true }),
	toldOf("clientSecret", "s", "in the answer that made it, and never again: only a hash is kept", nil),
	toldOf("createdAt", "l", "", func(c *tenant.Client) any { return c.CreatedAt.UnixMilli() }),
	toldOf("modifiedAt", "l", "", func(c *tenant.Client) any { return c.UpdatedAt.UnixMilli() }),
	toldOf("dynamicallyRegistered", "b", "", func(c *tenant.Client) any { return c.SelfRegistered }),
	toldOf("clientSource", "enum", "", func(c *tenant.Client) any {
		return map[bool]string{true: "DYNAMIC_REGISTRATION", false: "STATIC_REGISTRATION"}[c.SelfRegistered]
	}),
	toldOf("locked", "b", "set by `/client/lock_flag/update`; `true` for a client that is not locked is refused", func(c *tenant.Client) any { return c.Disabled }),
	toldOf("pkceS256Required", "b", "it is always so", nil),
	toldOf("registrationAccessTokenHash", "s", "not told", nil),
	toldOf("derivedSectorIdentifier", "s", "", func(c *tenant.Client) any {
		if !c.Pairwise() {
			return ""
		}
		return c.Sector()
	}),
	honour("clientType", "enum", "`token_endpoint_auth_method`: `PUBLIC` is `NONE`, whatever else is said, and `CONFIDENTIAL` anything else", func(c *tenant.Client) any { return clientType(c) },
		func(*tenant.Metadata, json.RawMessage) error { return nil }), // with tokenAuthMethod, in defaults
	text("clientName", "client_name", func(m *tenant.Metadata) *string { return &m.Name }),
	translated("clientNames", "client_name"),
	uri("logoUri", "logo_uri", func(m *tenant.Metadata) *string { return &m.LogoURI }),
	translated("logoUris", "logo_uri"),
	uri("clientUri", "client_uri", func(m *tenant.Metadata) *string { return &m.URI }),
	translated("clientUris", "client_uri"),
	uri("policyUri", "policy_uri", func(m *tenant.Metadata) *string { return &m.PolicyURI }),
	translated("policyUris", "policy_uri"),
	uri("tosUri", "tos_uri", func(m *tenant.Metadata) *string { return &m.TOSURI }),
	translated("tosUris", "tos_uri"),
	uri("loginUri", "initiate_login_uri", func(m *tenant.Metadata) *string { return &m.InitiateLoginURI }),
	text("softwareId", "software_id", func(m *tenant.Metadata) *string { return &m.SoftwareID }),
	text("softwareVersion", "software_version", func(m *tenant.Metadata) *string { return &m.SoftwareVersion }),
	word("idTokenSignAlg", "id_token_signed_response_alg", signatures, func(m *tenant.Metadata) *string { return &m.IDTokenAlg }),
	word("idTokenEncryptionAlg", "id_token_encrypted_response_alg", encryptions, func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionAlg }),
	word("idTokenEncryptionEnc", "id_token_encrypted_response_enc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionEnc }),
	word("userInfoSignAlg", "userinfo_signed_response_alg", signatures, func(m *tenant.Metadata) *string { return &m.UserInfoAlg }),
	word("userInfoEncryptionAlg", "userinfo_encrypted_response_alg", encryptions, func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionAlg }),
	word("userInfoEncryptionEnc", "userinfo_encrypted_response_enc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionEnc }),
	honour("subjectType", "enum", "`subject_type`", func(c *tenant.Client) any {
		return map[bool]string{true: "PAIRWISE", false: "PUBLIC"}[c.Pairwise()]
	}, word("subjectType", "", subjectTypes, func(m *tenant.Metadata) *string { return &m.SubjectType }).take),
	uri("sectorIdentifierUri", "sector_identifier_uri", func(m *tenant.Metadata) *string { return &m.SectorIdentifierURI }),
	word("requestSignAlg", "request_object_signing_alg", signatures, func(m *tenant.Metadata) *string { return &m.RequestAlg }),
	word("requestEncryptionAlg", "request_object_encryption_alg", encryptions, func(m *tenant.Metadata) *string { return &m.RequestEncAlg }),
	word("requestEncryptionEnc", "request_object_encryption_enc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.RequestEnc }),
	word("authorizationSignAlg", "authorization_signed_response_alg", signatures, func(m *tenant.Metadata) *string { return &m.ResponseAlg }),
	word("authorizationEncryptionAlg", "authorization_encrypted_response_alg", encryptions, func(m *tenant.Metadata) *string { return &m.ResponseEncAlg }),
	word("authorizationEncryptionEnc", "authorization_encrypted_response_enc", contentEncryptions, func(m *tenant.Metadata) *string { return &m.ResponseEnc }),
	word("bcRequestSignAlg", "backchannel_authentication_request_signing_alg", signatures, func(m *tenant.Metadata) *string { return &m.BackchannelRequestAlg }),
	list("requestUris", "request_uris", nil, func(m *tenant.Metadata) *[]string { return &m.RequestURIs }),
	text("tokenAuthSignAlg", "token_endpoint_auth_signing_alg", func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthAlg }),
	uri("jwksUri", "jwks_uri", func(m *tenant.Metadata) *string { return &m.JWKSURI }),
	honour("jwks", "s", "`jwks`, public keys alone", func(c *tenant.Client) any { return string(c.JWKS) }, takeJWKS),
	word("applicationType", "application_type", applicationTypes, func(m *tenant.Metadata) *string { return &m.ApplicationType }),
	word("tokenAuthMethod", "token_endpoint_auth_method", authMethods, func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthMethod }),
	list("redirectUris", "redirect_uris", nil, func(m *tenant.Metadata) *[]string { return &m.RedirectURIs }),
	list("contacts", "contacts", nil, func(m *tenant.Metadata) *[]string { return &m.Contacts }),
	list("defaultAcrs", "default_acr_values", nil, func(m *tenant.Metadata) *[]string { return &m.DefaultACRValues }),
	list("authorizationDetailsTypes", "authorization_details_types", nil, func(m *tenant.Metadata) *[]string { return &m.DetailsTypes }),
	list("grantTypes", "grant_types", grantTypes, func(m *tenant.Metadata) *[]string { return &m.GrantTypes }),
	list("responseTypes", "response_types", responseTypes, func(m *tenant.Metadata) *[]string { return &m.ResponseTypes }),
	flag("authTimeRequired", "require_auth_time", func(m *tenant.Metadata) *bool { return &m.RequireAuthTime }),
	word("bcDeliveryMode", "backchannel_token_delivery_mode", deliveryModes, func(m *tenant.Metadata) *string { return &m.BackchannelMode }),
	uri("bcNotificationEndpoint", "backchannel_client_notification_endpoint", func(m *tenant.Metadata) *string { return &m.NotificationEndpoint }),
	flag("bcUserCodeRequired", "backchannel_user_code_parameter", func(m *tenant.Metadata) *bool { return &m.BackchannelUserCode }),
	uri("backchannelLogoutUri", "backchannel_logout_uri", func(m *tenant.Metadata) *string { return &m.BackchannelLogoutURI }),
	rare("backchannelLogoutSessionRequired", "backchannel_logout_session_required", func(m *tenant.Metadata) *bool { return &m.BackchannelLogoutSID }),
	text("tlsClientAuthSubjectDn", "tls_client_auth_subject_dn", func(m *tenant.Metadata) *string { return &m.TLSSubjectDN }),
	text("tlsClientAuthSanDns", "tls_client_auth_san_dns", func(m *tenant.Metadata) *string { return &m.TLSSanDNS }),
	uri("tlsClientAuthSanUri", "tls_client_auth_san_uri", func(m *tenant.Metadata) *string { return &m.TLSSanURI }),
	text("tlsClientAuthSanIp", "tls_client_auth_san_ip", func(m *tenant.Metadata) *string { return &m.TLSSanIP }),
	text("tlsClientAuthSanEmail", "tls_client_auth_san_email", func(m *tenant.Metadata) *string { return &m.TLSSanEmail }),
	rare("tlsClientCertificateBoundAccessTokens", "tls_client_certificate_bound_access_tokens", func(m *tenant.Metadata) *bool { return &m.CertificateBound }),
	rare("dpopRequired", "dpop_bound_access_tokens", func(m *tenant.Metadata) *bool { return &m.DPoPBound }),
	rare("parRequired", "require_pushed_authorization_requests", func(m *tenant.Metadata) *bool { return &m.RequirePAR }),
	rare("requestObjectRequired", "require_signed_request_object", func(m *tenant.Metadata) *bool { return &m.RequireSignedObject }),
	flag("pkceRequired", "require_pkce", func(m *tenant.Metadata) *bool { return &m.RequirePKCE }),
	honour("fapiModes", "enum[]", "`profile`, as of a service", func(c *tenant.Client) any { return modes.all([]string{c.Profile}) },
		func(m *tenant.Metadata, raw json.RawMessage) (err error) {
			m.Profile, err = profileOf(raw)
			return err
		}),
	honour("defaultMaxAge", "i", "`default_max_age`", func(c *tenant.Client) any {
		if c.DefaultMaxAge == nil {
			return 0
		}
		return *c.DefaultMaxAge
	}, func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, &m.DefaultMaxAge) }),
	honour("attributes", "pair[]", "the members of `data` that are texts", func(c *tenant.Client) any { return clientAttributes(c) }, takeAttributes),
	honour("extension", "object", "`requestableScopes`, with `requestableScopesEnabled`, is `scope`; not enabled: any. The durations are `access_token_lifetime`, "+
		"`refresh_token_lifetime` and `id_token_lifetime`. `tokenExchangePermitted` is told where the client has the grant type", showExtension, takeExtension),
}, keepingOf("s", "", "description", "developer", "selfSignedCertificateKeyId", "digestAlgorithm", "rsSignedRequestKeyId", "organizationName", "haipVersion"),
	keepingOf("s", "further metadata, as a JSON text; dynamic registration keeps there what `supportedCustomClientMetadata` names", "customMetadata"),
	keepingOf("taggedValue[]", "", "descriptions"),
	keepingOf("uri", "", "signedJwksUri", "entityId", "trustAnchorId", "credentialOfferEndpoint", "spiffeId", "spiffeBundleEndpoint"),
	keepingOf("b", "", "mtlsEndpointAliasesUsed", "inScopeForTokenMigration"),
	keepingOf("b", "it is always so, where the client registered an algorithm", "requestObjectEncryptionAlgMatchRequired", "requestObjectEncryptionEncMatchRequired"),
	keepingOf("enum[]", "", "clientRegistrationTypes", "responseModes"),
	notTold("l", "trustChainExpiresAt", "trustChainUpdatedAt", "metadataDocumentExpiresAt", "metadataDocumentUpdatedAt"),
	notTold("b", "automaticallyRegistered", "explicitlyRegistered", "discoveredByMetadataDocument"),
	notTold("s[]", "trustChain"), notTold("uri", "metadataDocumentLocation"),
	refusingOf("frontChannelRequestObjectEncryptionRequired", "singleAccessTokenPerSubject", "rsRequestSigned", "credentialResponseEncryptionRequired"))

func toldOf(name string, of shape, note string, show func(c *tenant.Client) any) clientMember {
	return clientMember{name, of, ours, note, show, nil}
}

func honour(name string, of shape, note string, show func(c *tenant.Client) any, take func(*tenant.Metadata, json.RawMessage) error) clientMember {
	return clientMember{name, of, honoured, note, show, take}
}

// keepingOf are members that are kept, of one type.
func keepingOf(of shape, note string, names ...string) (out []clientMember) {
	for _, name := range names {
		out = append(out, clientMember{name: name, shape: of, fate: kept, note: note})
	}
	return out
}

// notTold are members of what there is not.
func notTold(of shape, names ...string) (out []clientMember) {
	for _, name := range names {
		out = append(out, toldOf(name, of, "not told", nil))
	}
	return out
}

// refusingOf are flags that a client would rely on in vain.
func refusingOf(names ...string) (out []clientMember) {
	for _, name := range names {
		out = append(out, clientMember{name: name, shape: "b", fate: refused, note: notSupported})
	}
	return out
}

func text(name, metadata string, of func(*tenant.Metadata) *string) clientMember {
	return honour(name, "s", "`"+metadata+"`", func(c *tenant.Client) any { return *of(&c.Metadata) },
		func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, of(m)) })
}

func uri(name, metadata string, of func(*tenant.Metadata) *string) clientMember {
	m := text(name, metadata, of)
	m.shape = "uri"
	return m
}

func flag(name, metadata string, of func(*tenant.Metadata) *bool) clientMember {
	return honour(name, "b", "`"+metadata+"`", func(c *tenant.Client) any { return *of(&c.Metadata) },
		func(m *tenant.Metadata, raw json.RawMessage) error { return json.Unmarshal(raw, of(m)) })
}

// rare is a flag that is shown only where it is set.
func rare(name, metadata string, of func(*tenant.Metadata) *bool) clientMember {
	m := flag(name, metadata, of)
	m.show = func(c *tenant.Client) any {
		if !*of(&c.Metadata) {
			return ""
		}
		return true
	}
	return m
}

// word is a member whose value has a name here.
func word(name, metadata string, ws words, of func(*tenant.Metadata) *string) clientMember {
	return honour(name, "enum", "`"+metadata+"`", func(c *tenant.Client) any { return ws.here(*of(&c.Metadata)) },
		func(m *tenant.Metadata, raw json.RawMessage) error {
			v, err := standardOf(name, ws, raw)
			*of(m) = v
			return err
		})
}

// list is a member of texts, or of names of ws.
func list(name, metadata string, ws words, of func(*tenant.Metadata) *[]string) clientMember {
	shaped := map[bool]shape{true: "s[]", false: "enum[]"}[ws == nil]
	return honour(name, shaped, "`"+metadata+"`", func(c *tenant.Client) any {
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
	})
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
	return honour(name, "taggedValue[]", "`"+metadata+"#…`", func(c *tenant.Client) any { return translations(c, metadata) },
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
		})
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

// clientIn reads a client object into a request of the registry.
func clientIn(in map[string]json.RawMessage) (registration.Request, error) {
	var r registration.Request
	m := &r.Metadata
	m.Noted = map[string]json.RawMessage{}
	for i := range clientMembers {
		member := &clientMembers[i]
		raw := in[member.name]
		switch {
		case !given(raw) || member.fate == ours:
		case !member.shape.is(raw):
			return r, oauth.InvalidRequest(member.name + " has the wrong type")
		case member.fate == refused && demanded(raw):
			return r, contradiction(member.name, member.note)
		case member.fate == kept:
			told, err := asKept(raw)
			if err == nil {
				err = known(member.name, told)
			}
			if err != nil {
				return r, typed(member.name, err)
			}
			if told != nil {
				m.Noted[member.name] = told
			}
		case member.fate == honoured:
			if err := member.take(m, raw); err != nil {
				return r, typed(member.name, err)
			}
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
	for i := range clientMembers {
		m := &clientMembers[i]
		if raw, was := c.Noted[m.name]; was && m.fate == kept {
			out[m.name] = raw
		} else if m.show != nil {
			if v := m.show(c); !empty(v) {
				out[m.name] = v
			}
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
	case nil:
		return true
	case string:
		return v == ""
	case []scopeObject:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case []pair:
		return len(v) == 0
	case []tagged:
		return len(v) == 0
	}
	return false
}

package authlete

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// The names of values that stand in the document of a service.
var (
	displays    = words{{"PAGE", "page"}, {"POPUP", "popup"}, {"TOUCH", "touch"}, {"WAP", "wap"}}
	claimTypes  = words{{"NORMAL", "normal"}, {"AGGREGATED", "aggregated"}, {"DISTRIBUTED", "distributed"}}
	promptWords = words{{"NONE", "none"}, {"LOGIN", "login"}, {"CONSENT", "consent"}, {"SELECT_ACCOUNT", "select_account"}, {"CREATE", "create"}}
)

// documentMembers are what the authorization server's own document says in the place of ours. Left out they are ours.
var documentMembers = []serviceMember{
	endpointAt("authorizationEndpoint", "authorization_endpoint", func(m *discovery.Metadata) string { return m.Authorize }),
	endpointAt("tokenEndpoint", "token_endpoint", func(m *discovery.Metadata) string { return m.Token }),
	endpointAt("revocationEndpoint", "revocation_endpoint", func(m *discovery.Metadata) string { return m.Revoke }),
	endpointAt("introspectionEndpoint", "introspection_endpoint", func(m *discovery.Metadata) string { return m.Introspect }),
	endpointAt("userInfoEndpoint", "userinfo_endpoint", func(m *discovery.Metadata) string { return m.UserInfo }),
	endpointAt("jwksUri", "jwks_uri", func(m *discovery.Metadata) string { return m.JWKS }),
	endpointAt("registrationEndpoint", "registration_endpoint", func(m *discovery.Metadata) string { return m.Registration }),
	endpointAt("pushedAuthReqEndpoint", "pushed_authorization_request_endpoint", func(m *discovery.Metadata) string { return m.PAR }),
	endpointAt("backchannelAuthenticationEndpoint", "backchannel_authentication_endpoint", func(m *discovery.Metadata) string { return m.CIBA }),
	endpointAt("deviceAuthorizationEndpoint", "device_authorization_endpoint", func(m *discovery.Metadata) string { return m.Device }),
	managingGrants(endpointAt("grantManagementEndpoint", "grant_management_endpoint", func(m *discovery.Metadata) string { return m.Grants })),
	further("endSessionEndpoint", "uri", "end_session_endpoint", func(m *discovery.Metadata) any { return m.EndSession }, nil),
	further("policyUri", "uri", "op_policy_uri", nil, nil),
	further("tosUri", "uri", "op_tos_uri", nil, nil),
	further("serviceDocumentation", "uri", "service_documentation", nil, nil),
	further("supportedUiLocales", "s[]", "ui_locales_supported", nil, nil),
	further("supportedClaimLocales", "s[]", "claims_locales_supported", nil, nil),
	further("supportedClaims", "s[]", "claims_supported", func(m *discovery.Metadata) any { return m.Claims }, nil),
	further("supportedDisplays", "enum[]", "display_values_supported", func(m *discovery.Metadata) any { return displays.all(m.Displays) }, displays),
	further("supportedClaimTypes", "enum[]", "claim_types_supported", func(m *discovery.Metadata) any { return claimTypes.all(m.ClaimTypes) }, claimTypes),
	further("supportedPromptValues", "enum[]", "prompt_values_supported", func(m *discovery.Metadata) any { return promptWords.all(m.Prompts) }, promptWords),
	further("supportedRevocationAuthMethods", "enum[]", "revocation_endpoint_auth_methods_supported", nil, authMethods),
	further("supportedIntrospectionAuthMethods", "enum[]", "introspection_endpoint_auth_methods_supported", nil, authMethods),
	further("mtlsEndpointAliases", "namedUri[]", "mtls_endpoint_aliases", nil, nil),
	{name: "registrationManagementEndpoint", shape: "uri", fate: document, note: "`registration_client_uri` of what dynamic registration answers"},
}

// endpointAt is the address of an endpoint, which stands in the document where there is one.
func endpointAt(name, member string, at func(m *discovery.Metadata) string) serviceMember {
	return serviceMember{name: name, shape: "uri", fate: document, note: "`" + member + "`, where it is on", show: func(v *viewed) any { return at(&v.meta) },
		doc: docMember{name: member, there: func(m *discovery.Metadata) bool { return at(m) != "" }}}
}

// managingGrants has a member turn grant management on, which a service that demands an action of every request has too.
func managingGrants(m serviceMember) serviceMember {
	m.note += ", and `grant_management.enabled`"
	m.take = func(s *tenant.Settings, raw json.RawMessage) error {
		s.GrantManagement.Enabled = raw != nil || s.GrantManagement.ActionRequired
		return nil
	}
	return m
}

// further is another member of the document.
func further(name string, of shape, member string, own func(m *discovery.Metadata) any, ws words) serviceMember {
	m := serviceMember{name: name, shape: of, fate: document, note: "`" + member + "`", doc: docMember{name: member, words: ws}}
	if own != nil {
		m.show = func(v *viewed) any { return own(&v.meta) }
	}
	return m
}

// value is what the document says of raw.
func (m *serviceMember) value(raw json.RawMessage) (json.RawMessage, error) {
	switch {
	case m.shape == "namedUri[]":
		var named []namedURI
		if err := json.Unmarshal(raw, &named); err != nil {
			return nil, err
		}
		out := map[string]string{}
		for _, n := range named {
			out[n.Name] = n.URI
		}
		return json.Marshal(out)
	case m.doc.words != nil:
		vs, err := allOf(m.name, m.doc.words, raw)
		if err != nil {
			return nil, err
		}
		return json.Marshal(vs)
	}
	return raw, nil
}

// check refuses what may not stand in the document.
func (m *serviceMember) check(raw json.RawMessage) error {
	if m.shape == "uri" {
		var uri string
		if json.Unmarshal(raw, &uri) != nil || !tenant.SecureURL(uri) {
			return oauth.InvalidRequest(m.name + " must be an https URL without fragment; http only for the loopback")
		}
	}
	_, err := m.value(raw)
	return err
}

// keeping are members that are kept, or sealed, of one type.
func keeping(what fate, of shape, note string, names ...string) (out []serviceMember) {
	for _, name := range names {
		out = append(out, serviceMember{name: name, shape: of, fate: what, note: note})
	}
	return out
}

// refusing are members that ask for what there is not.
func refusing(of shape, why string, names ...string) []serviceMember {
	return keeping(refused, of, why, names...)
}

// keptMembers are told again as they were given, and nothing acts on them.
var keptMembers = concat(
	keeping(kept, "s", "", "description", "organizationName", "predefinedTransformedClaims", "verifiedClaimsValidationSchemaSet", "federationSignatureKeyId",
		"oid4vciVersion", "haipVersion", "cimdMetadataPolicy", "developerAuthenticationCallbackApiKey", "authenticationCallbackApiKey"),
	keeping(kept, "s", "the newest key of the algorithm signs", "accessTokenSignatureKeyId", "idTokenSignatureKeyId", "userInfoSignatureKeyId",
		"authorizationSignatureKeyId", "introspectionSignatureKeyId", "resourceSignatureKeyId"),
	keeping(kept, "enum", "of ID tokens for which a call says nothing", "idTokenAudType"),
	keeping(sealed, "s", "", "developerAuthenticationCallbackApiSecret", "authenticationCallbackApiSecret", "federationJwks", "credentialJwks"),
	keeping(sealed, "object[]", "", "snsCredentials", "developerSnsCredentials"),
	keeping(kept, "uri", "", "tokenBatchNotificationEndpoint", "developerAuthenticationCallbackEndpoint", "authenticationCallbackEndpoint",
		"federationRegistrationEndpoint", "signedJwksUri", "credentialJwksUri", "challengeEndpoint"),
	keeping(kept, "i", "", "clientsPerDeveloper", "userPinLength"),
	keeping(kept, "i", "30 seconds, whatever it says", "allowableClockSkew"),
	keeping(kept, "l", "", "federationConfigurationDuration", "cnonceDuration", "credentialOfferDuration", "credentialTransactionDuration", "credentialDuration",
		"attestationChallengeTimeWindow"),
	keeping(kept, "l", "ten minutes, whatever it says", "authorizationResponseDuration"),
	keeping(kept, "b", "the endpoints below the issuer are served whatever it says", "directAuthorizationEndpointEnabled", "directTokenEndpointEnabled",
		"directRevocationEndpointEnabled", "directIntrospectionEndpointEnabled", "directJwksEndpointEnabled", "directUserInfoEndpointEnabled"),
	keeping(kept, "b", "", "errorDescriptionOmitted", "cimdQueryPermitted"),
	keeping(kept, "b", "`claims` of a request that comes to an access token leaves out those of scope values (OIDC Core §5.4)", "claimShortcutRestrictive"),
	keeping(kept, "b", "it is always so", "mutualTlsValidatePkiCertChain", "refreshTokenDurationKept", "requestObjectAudienceChecked", "tokenExchangeByIdentifiableClientsOnly", "tokenExchangeByPermittedClientsOnly",
		"tokenExchangeUnsignedJwtRejected", "tokenExchangeEncryptedJwtRejected", "jwtGrantByIdentifiableClientsOnly", "jwtGrantUnsignedJwtRejected",
		"jwtGrantEncryptedJwtRejected", "dcrScopeUsedAsRequestable", "requestObjectEncryptionAlgMatchRequired", "requestObjectEncryptionEncMatchRequired", "httpAliasProhibited"),
	keeping(kept, "b", "a repeat within `tokens.refresh_token_grace` gets the same successor", "refreshTokenIdempotent"),
	keeping(kept, "s[]", "", "supportedTrustFrameworks", "supportedEvidence", "supportedIdentityDocuments", "supportedVerificationMethods", "supportedVerifiedClaims",
		"supportedDigestAlgorithms", "supportedDocuments", "supportedDocumentsMethods", "supportedDocumentsValidationMethods",
		"supportedDocumentsVerificationMethods", "supportedElectronicRecords", "supportedDocumentsCheckMethods", "authorityHints", "clientAttesterRoots", "keyAttesterRoots", "cimdAllowlist"),
	keeping(kept, "s[]", "members that dynamic registration keeps in `customMetadata`", "supportedCustomClientMetadata"),
	keeping(kept, "enum[]", "", "supportedServiceProfiles", "supportedAttachments", "supportedClientRegistrationTypes", "supportedSnses", "supportedDeveloperSnses"),
	keeping(kept, "object[]", "", "trustAnchors"),
)

// refusedMembers contradict what the server holds to, or are what a caller would rely on in vain.
var refusedMembers = concat(
	refusing("b", "a public client is known by its client_id alone (RFC 6749 section 4.1.3)", "missingClientIdAllowed"),
	refusing("b", "iss protects clients from mix-up (RFC 9207)", "issSuppressed"),
	refusing("b", "a refresh token has an end that its use does not put off (RFC 9700 section 4.14.2)", "refreshTokenDurationReset"),
	refusing("b", "the profile demands nbf (FAPI 1.0 Part 2)", "nbfOptional"),
	refusing("b", "metadata of clients are fetched by https", "cimdHttpPermitted"),
	refusing("b", notSupported, "singleAccessTokenPerSubject", "scopeRequired", "tokenExpirationLinked", "backchannelBindingMessageRequiredInFapi",
		"frontChannelRequestObjectEncryptionRequired", "hsmEnabled", "accessTokenForExternalAttachmentEmbedded", "federationEnabled",
		"tokenExchangeByConfidentialClientsOnly", "dcrDuplicateSoftwareIdBlocked", "openidDroppedOnRefreshWithoutOfflineAccess",
		"rsResponseSigned", "verifiableCredentialsEnabled", "preAuthorizedGrantAnonymousAccessSupported", "nativeSsoSupported", "cimdMetadataPolicyEnabled",
		"cimdAlwaysRetrieved", "cimdAllowlistEnabled", "clientAttesterRootsEnabled", "clientAttesterRootsOnly", "keyAttesterRootsEnabled", "keyAttesterRootsOnly"),
	refusing("object[]", "keys are not in hardware here", "hsks"),
)

func concat(parts ...[]serviceMember) (out []serviceMember) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

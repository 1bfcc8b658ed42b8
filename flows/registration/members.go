package registration

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/chancery-id/chancery/tenant"
)

// members are the members of a registration request, each with what reads it; false: it is of the wrong type.
var members = map[string]func(*Request, json.RawMessage) bool{
	"redirect_uris":                   texts(func(m *tenant.Metadata) *[]string { return &m.RedirectURIs }),
	"post_logout_redirect_uris":       texts(func(m *tenant.Metadata) *[]string { return &m.PostLogoutRedirectURIs }),
	"token_endpoint_auth_method":      text(func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthMethod }),
	"token_endpoint_auth_signing_alg": text(func(m *tenant.Metadata) *string { return &m.TokenEndpointAuthAlg }),
	"jwks":                            anObject(func(m *tenant.Metadata) *json.RawMessage { return &m.JWKS }),
	"jwks_uri":                        text(func(m *tenant.Metadata) *string { return &m.JWKSURI }),
	"grant_types":                     grants,
	"response_types":                  texts(func(m *tenant.Metadata) *[]string { return &m.ResponseTypes }),
	"application_type":                text(func(m *tenant.Metadata) *string { return &m.ApplicationType }),
	"client_name":                     text(func(m *tenant.Metadata) *string { return &m.Name }),
	"client_uri":                      text(func(m *tenant.Metadata) *string { return &m.URI }),
	"logo_uri":                        text(func(m *tenant.Metadata) *string { return &m.LogoURI }),
	"policy_uri":                      text(func(m *tenant.Metadata) *string { return &m.PolicyURI }),
	"tos_uri":                         text(func(m *tenant.Metadata) *string { return &m.TOSURI }),
	"contacts":                        texts(func(m *tenant.Metadata) *[]string { return &m.Contacts }),
	"scope":                           text(func(m *tenant.Metadata) *string { return &m.Scope }),
	"id_token_signed_response_alg":    text(func(m *tenant.Metadata) *string { return &m.IDTokenAlg }),
	"default_max_age":                 number(func(m *tenant.Metadata) **int64 { return &m.DefaultMaxAge }),
	"require_auth_time":               flag(func(m *tenant.Metadata) *bool { return &m.RequireAuthTime }),
	"default_acr_values":              texts(func(m *tenant.Metadata) *[]string { return &m.DefaultACRValues }),
	"initiate_login_uri":              text(func(m *tenant.Metadata) *string { return &m.InitiateLoginURI }),
	"software_id":                     text(func(m *tenant.Metadata) *string { return &m.SoftwareID }),
	"software_version":                text(func(m *tenant.Metadata) *string { return &m.SoftwareVersion }),
	"backchannel_token_delivery_mode": text(func(m *tenant.Metadata) *string { return &m.BackchannelMode }),
	"backchannel_client_notification_endpoint": text(func(m *tenant.Metadata) *string { return &m.NotificationEndpoint }),
	"backchannel_user_code_parameter":          flag(func(m *tenant.Metadata) *bool { return &m.BackchannelUserCode }),
	"require_pkce":                             flag(func(m *tenant.Metadata) *bool { return &m.RequirePKCE }),
	"dpop_bound_access_tokens":                 flag(func(m *tenant.Metadata) *bool { return &m.DPoPBound }),
	"audience":                                 texts(func(m *tenant.Metadata) *[]string { return &m.Audience }),
	"code_challenge_method":                    text(func(m *tenant.Metadata) *string { return &m.CodeChallengeMethod }),
	"login_hint_types":                         texts(func(m *tenant.Metadata) *[]string { return &m.LoginHintTypes }),
	"data":                                     anObject(func(m *tenant.Metadata) *json.RawMessage { return &m.Data }),

	"refresh_token_lifetime": ofRequest(func(r *Request) *int64 { return &r.Metadata.RefreshLifetime }),
	"refresh_token_idle":     ofRequest(func(r *Request) *int64 { return &r.Metadata.RefreshIdle }),
	"token_exchange_rights":  texts(func(m *tenant.Metadata) *[]string { return &m.ExchangeRights }),
	"refresh_token_rotation": flagged(func(m *tenant.Metadata) **bool { return &m.RefreshRotation }),

	"id_token_encrypted_response_alg":      text(func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionAlg }),
	"id_token_encrypted_response_enc":      text(func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionEnc }),
	"userinfo_signed_response_alg":         text(func(m *tenant.Metadata) *string { return &m.UserInfoAlg }),
	"userinfo_encrypted_response_alg":      text(func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionAlg }),
	"userinfo_encrypted_response_enc":      text(func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionEnc }),
	"introspection_signed_response_alg":    text(func(m *tenant.Metadata) *string { return &m.IntrospectionAlg }),
	"introspection_encrypted_response_alg": text(func(m *tenant.Metadata) *string { return &m.IntrospectionEncryptionAlg }),
	"introspection_encrypted_response_enc": text(func(m *tenant.Metadata) *string { return &m.IntrospectionEncryptionEnc }),
	"subject_type":                         text(func(m *tenant.Metadata) *string { return &m.SubjectType }),
	"sector_identifier_uri":                text(func(m *tenant.Metadata) *string { return &m.SectorIdentifierURI }),
	"access_token_lifetime":                ofRequest(func(r *Request) *int64 { return &r.Metadata.AccessLifetime }),
	"access_token_format":                  text(func(m *tenant.Metadata) *string { return &m.AccessFormat }),
	"id_token_lifetime":                    ofRequest(func(r *Request) *int64 { return &r.Metadata.IDTokenLifetime }),

	"request_object_signing_alg":           text(func(m *tenant.Metadata) *string { return &m.RequestAlg }),
	"request_object_encryption_alg":        text(func(m *tenant.Metadata) *string { return &m.RequestEncAlg }),
	"request_object_encryption_enc":        text(func(m *tenant.Metadata) *string { return &m.RequestEnc }),
	"request_uris":                         texts(func(m *tenant.Metadata) *[]string { return &m.RequestURIs }),
	"require_signed_request_object":        flag(func(m *tenant.Metadata) *bool { return &m.RequireSignedObject }),
	"authorization_signed_response_alg":    text(func(m *tenant.Metadata) *string { return &m.ResponseAlg }),
	"authorization_encrypted_response_alg": text(func(m *tenant.Metadata) *string { return &m.ResponseEncAlg }),
	"authorization_encrypted_response_enc": text(func(m *tenant.Metadata) *string { return &m.ResponseEnc }),

	"backchannel_authentication_request_signing_alg": text(func(m *tenant.Metadata) *string { return &m.BackchannelRequestAlg }),

	"authorization_details_types":                  texts(func(m *tenant.Metadata) *[]string { return &m.DetailsTypes }),
	"require_pushed_authorization_requests":        flag(func(m *tenant.Metadata) *bool { return &m.RequirePAR }),
	"authorization_challenge_error_style":          text(func(m *tenant.Metadata) *string { return &m.ChallengeErrorStyle }),
	"authorization_challenge_endpoint_auth_method": text(func(m *tenant.Metadata) *string { return &m.ChallengeAuthMethod }),

	"tls_client_auth_subject_dn":                 text(func(m *tenant.Metadata) *string { return &m.TLSSubjectDN }),
	"tls_client_auth_san_dns":                    text(func(m *tenant.Metadata) *string { return &m.TLSSanDNS }),
	"tls_client_auth_san_uri":                    text(func(m *tenant.Metadata) *string { return &m.TLSSanURI }),
	"tls_client_auth_san_ip":                     text(func(m *tenant.Metadata) *string { return &m.TLSSanIP }),
	"tls_client_auth_san_email":                  text(func(m *tenant.Metadata) *string { return &m.TLSSanEmail }),
	"tls_client_certificate_bound_access_tokens": flag(func(m *tenant.Metadata) *bool { return &m.CertificateBound }),

	"backchannel_logout_uri":               text(func(m *tenant.Metadata) *string { return &m.BackchannelLogoutURI }),
	"backchannel_logout_session_required":  flag(func(m *tenant.Metadata) *bool { return &m.BackchannelLogoutSID }),
	"frontchannel_logout_uri":              text(func(m *tenant.Metadata) *string { return &m.FrontchannelLogoutURI }),
	"frontchannel_logout_session_required": flag(func(m *tenant.Metadata) *bool { return &m.FrontchannelLogoutSID }),

	"profile":                           text(func(m *tenant.Metadata) *string { return &m.Profile }),
	"former_token_endpoint_auth_method": text(func(m *tenant.Metadata) *string { return &m.FormerMethod }),
	"former_token_endpoint_auth_method_expires_at": ofRequest(func(r *Request) *int64 { return &r.Metadata.FormerMethodUntil }),

	"software_statement":      ofRequest(func(r *Request) *string { return &r.Statement }),
	"client_id":               ofRequest(func(r *Request) *string { return &r.ClientID }),
	"client_secret":           ofRequest(func(r *Request) *string { return &r.ClientSecret }),
	"preferred_client_id":     ofRequest(func(r *Request) *string { return &r.PreferredID }),
	"preferred_client_secret": ofRequest(func(r *Request) *string { return &r.PreferredSecret }),
	"encoded_client_secret":   ofRequest(func(r *Request) *string { return &r.SecretHash }),
	"refresh_client_secret":   ofRequest(func(r *Request) *bool { return &r.RefreshSecret }),

	"refresh_registration_access_token": ofRequest(func(r *Request) *bool { return &r.RefreshToken }),
}

// localizable are the members that may carry a language tag (RFC 7591 §2.2).
var localizable = map[string]bool{
	"client_name": true, "client_uri": true, "logo_uri": true, "policy_uri": true, "tos_uri": true,
}

// languageTag is the shape of a language tag (RFC 5646 §2.1), without its registry.
var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,8}$`)

// decode reads a value that is exactly a V, and not null.
func decode[V any](raw json.RawMessage) (V, bool) {
	var v *V
	if err := json.Unmarshal(raw, &v); err != nil || v == nil {
		return *new(V), false
	}
	return *v, true
}

func ofRequest[V any](of func(*Request) *V) func(*Request, json.RawMessage) bool {
	return func(r *Request, raw json.RawMessage) bool {
		v, ok := decode[V](raw)
		*of(r) = v
		return ok
	}
}

func text(of func(*tenant.Metadata) *string) func(*Request, json.RawMessage) bool {
	return ofRequest(func(r *Request) *string { return of(&r.Metadata) })
}

func flag(of func(*tenant.Metadata) *bool) func(*Request, json.RawMessage) bool {
	return ofRequest(func(r *Request) *bool { return of(&r.Metadata) })
}

func number(of func(*tenant.Metadata) **int64) func(*Request, json.RawMessage) bool {
	return func(r *Request, raw json.RawMessage) bool {
		v, ok := decode[int64](raw)
		*of(&r.Metadata) = &v
		return ok
	}
}

// flagged reads a flag that may also be left open.
func flagged(of func(*tenant.Metadata) **bool) func(*Request, json.RawMessage) bool {
	return func(r *Request, raw json.RawMessage) bool {
		v, ok := decode[bool](raw)
		*of(&r.Metadata) = &v
		return ok
	}
}

// texts reads an array of strings, none of them null.
func texts(of func(*tenant.Metadata) *[]string) func(*Request, json.RawMessage) bool {
	return func(r *Request, raw json.RawMessage) bool {
		vs, ok := decode[[]*string](raw)
		for _, v := range vs {
			if v == nil {
				return false
			}
			*of(&r.Metadata) = append(*of(&r.Metadata), *v)
		}
		return ok
	}
}

// grants reads grant_types. An empty array is not as good as none (RFC 7591 §2): the client uses no grant by itself.
func grants(r *Request, raw json.RawMessage) bool {
	ok := texts(func(m *tenant.Metadata) *[]string { return &m.GrantTypes })(r, raw)
	r.Metadata.NoGrants = ok && len(r.Metadata.GrantTypes) == 0
	return ok
}

func anObject(of func(*tenant.Metadata) *json.RawMessage) func(*Request, json.RawMessage) bool {
	return func(r *Request, raw json.RawMessage) bool {
		var b bytes.Buffer
		if _, ok := decode[map[string]json.RawMessage](raw); !ok || json.Compact(&b, raw) != nil {
			return false
		}
		*of(&r.Metadata) = b.Bytes()
		return true
	}
}

package authlete

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// What makes settings of the members of a service that are more than one value.

// modes are the values of fapiModes, with the profile that each stands for.
var modes = words{
	{"FAPI1_ADVANCED", tenant.FAPI1Advanced},
	{"FAPI2_SECURITY", tenant.FAPI2Security},
	{"FAPI2_MESSAGE_SIGNING_AUTH_REQ", tenant.FAPI2MessageSigning},
	{"FAPI2_MESSAGE_SIGNING_AUTH_RES", tenant.FAPI2MessageSigning},
	{"FAPI2_MESSAGE_SIGNING_INTROSPECTION_RES", tenant.FAPI2MessageSigning},
}

func showModes(v *viewed) any {
	if v.Settings.Profile == tenant.FAPI2MessageSigning {
		return []string{"FAPI2_SECURITY", "FAPI2_MESSAGE_SIGNING_AUTH_REQ", "FAPI2_MESSAGE_SIGNING_AUTH_RES"}
	}
	return modes.all([]string{v.Settings.Profile})
}

func takeModes(s *tenant.Settings, raw json.RawMessage) error {
	if s.Profile == tenant.OAuth21 && raw == nil { // the API has no name for it
		return nil
	}
	profile, err := profileOf(raw)
	if err != nil {
		return err
	}
	s.Profile = profile
	if d := tenant.DemandsOf(profile); d != nil && !d.AllowsAlg(s.IDTokenAlg(&tenant.Client{})) {
		s.Tokens.IDTokenAlg = string(keys.ES256)
	}
	return nil
}

// profileOf is the profile that modes stand for together.
func profileOf(raw json.RawMessage) (string, error) {
	var names []string
	if err := into(raw, &names); err != nil {
		return "", err
	}
	profile := ""
	for _, name := range names {
		p, ok := modes.standard(name)
		switch {
		case !ok:
			return "", contradiction("fapiModes", "it holds a mode that is not supported")
		case profile != "" && (p == tenant.FAPI1Advanced) != (profile == tenant.FAPI1Advanced):
			return "", contradiction("fapiModes", "FAPI 1 and FAPI 2 exclude each other here")
		case profile != tenant.FAPI2MessageSigning:
			profile = p
		}
	}
	return profile, nil
}

func takePushed(s *tenant.Settings, raw json.RawMessage) error {
	if raw != nil {
		return into(raw, &s.PAR.Lifetime)
	}
	if s.PAR.Lifetime = defaultPushed; tenant.DemandsOf(s.Profile) != nil {
		s.PAR.Lifetime = 0
	}
	return nil
}

// userCodeCharsets are the names of the character sets.
var userCodeCharsets = words{{"BASE20", tenant.Base20}, {"NUMERIC", tenant.Numeric}}

func showCharset(v *viewed) any {
	if v.Settings.Device.UserCodeCharset == "" {
		return "BASE20"
	}
	return userCodeCharsets.here(v.Settings.Device.UserCodeCharset)
}

func takeCharset(s *tenant.Settings, raw json.RawMessage) (err error) {
	s.Device.UserCodeCharset = ""
	if raw != nil {
		s.Device.UserCodeCharset, err = standardOf("userCodeCharset", userCodeCharsets, raw)
	}
	return err
}

func showLength(v *viewed) any {
	_, mask := v.Settings.Device.UserCode()
	return int64(strings.Count(mask, "*"))
}

// longestUserCode is more than a mask may hold.
const longestUserCode = 64

func takeLength(s *tenant.Settings, raw json.RawMessage) error {
	var n int64
	err := into(raw, &n)
	s.Device.UserCodeMask = strings.Repeat("*", int(max(0, min(n, longestUserCode))))
	_, usual := (&tenant.DeviceSettings{UserCodeCharset: s.Device.UserCodeCharset}).UserCode()
	if int(n) == strings.Count(usual, "*") { // as it is read best
		s.Device.UserCodeMask = ""
	}
	return err
}

// defaultGrantTypes are those of a service that says nothing.
var defaultGrantTypes = []string{oauth.AuthorizationCode, oauth.RefreshToken}

func takeGrantTypes(s *tenant.Settings, raw json.RawMessage) error {
	wanted, err := allOf("supportedGrantTypes", grantTypes, raw)
	if err != nil {
		return err
	}
	if raw == nil {
		wanted = defaultGrantTypes
	}
	has := func(grantType string) bool { return slices.Contains(wanted, grantType) }
	if has(preAuthorized) {
		return contradiction("supportedGrantTypes", "PRE_AUTHORIZED_CODE is not supported")
	}
	g := &s.Grants
	g.Off = nil
	for _, optional := range []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials} {
		if !has(optional) {
			g.Off = append(g.Off, optional)
		}
	}
	s.CIBA.Enabled, s.Device.Enabled = has(oauth.CIBA), has(oauth.DeviceCode)
	for _, decided := range []struct {
		grantType        string
		enabled, backend *bool
	}{
		{oauth.TokenExchange, &g.TokenExchange.Enabled, &g.TokenExchange.Backend},
		{oauth.JWTBearer, &g.JWTBearer.Enabled, &g.JWTBearer.Backend},
		{oauth.Password, &g.Password.Enabled, &g.Password.Backend},
	} {
		if on := has(decided.grantType); on != *decided.enabled {
			*decided.enabled, *decided.backend = on, on
		}
	}
	return nil
}

func takeResponseTypes(s *tenant.Settings, raw json.RawMessage) error {
	wanted, err := allOf("supportedResponseTypes", responseTypes, raw)
	s.Authorization.ResponseTypes = slices.DeleteFunc(wanted, func(v string) bool { return v == oauth.ResponseCode })
	return err
}

func takeAuthMethods(s *tenant.Settings, raw json.RawMessage) error {
	wanted, err := allOf("supportedTokenAuthMethods", authMethods, raw)
	if slices.Contains(wanted, "attest_jwt_client_auth") {
		return contradiction("supportedTokenAuthMethods", "ATTEST_JWT_CLIENT_AUTH is not supported")
	}
	s.Clients.AuthMethods = wanted
	s.MTLS.Enabled = slices.Contains(wanted, oauth.AuthTLS) || slices.Contains(wanted, oauth.AuthSelfSignedTLS)
	return err
}

// takeBound comes after takeAuthMethods, which may have turned it on.
func takeBound(s *tenant.Settings, raw json.RawMessage) error {
	var bound bool
	err := into(raw, &bound)
	s.MTLS.Enabled = s.MTLS.Enabled || bound
	return err
}

func takeTokenType(_ *tenant.Settings, raw json.RawMessage) error {
	var kind string
	err := into(raw, &kind)
	if err == nil && raw != nil && !strings.EqualFold(kind, "Bearer") {
		return contradiction("accessTokenType", "it must be Bearer")
	}
	return err
}

func showTokenAlg(v *viewed) any {
	if v.Settings.Tokens.AccessTokenOpaque {
		return ""
	}
	return signatures.here(string(v.Settings.AccessTokenAlg()))
}

func takeTokenAlg(s *tenant.Settings, raw json.RawMessage) error {
	s.Tokens.AccessTokenAlg, s.Tokens.AccessTokenOpaque = "", raw == nil
	if raw == nil {
		if d := tenant.DemandsOf(s.Profile); !d.AllowsAlg(s.AccessTokenAlg()) {
			s.Tokens.AccessTokenAlg = string(keys.ES256)
		}
		return nil
	}
	v, err := standardOf("accessTokenSignAlg", signatures, raw)
	if err != nil {
		return err
	}
	if alg := keys.Alg(v); !slices.Contains(keys.SigningAlgs(), alg) {
		return contradiction("accessTokenSignAlg", "access tokens are signed by keys of the service's own")
	}
	if s.Tokens.AccessTokenAlg = v; v != string(keys.RS256) && v != string(keys.ES256) && !slices.Contains(s.Signing.Algs, v) {
		s.Signing.Algs = append(slices.Clone(s.Signing.Algs), v) // so that there is a key
	}
	return nil
}

func takeDetailsTypes(s *tenant.Settings, raw json.RawMessage) error {
	var names []string
	err := into(raw, &names)
	had := s.Authorization.DetailsTypes
	s.Authorization.DetailsTypes = nil
	for _, name := range names {
		as := tenant.DetailsType{Type: name}
		if i := slices.IndexFunc(had, func(t tenant.DetailsType) bool { return t.Type == name }); i >= 0 {
			as = had[i]
		}
		s.Authorization.DetailsTypes = append(s.Authorization.DetailsTypes, as)
	}
	return err
}

func takeServiceAttributes(s *tenant.Settings, raw json.RawMessage) error {
	var pairs []pair
	err := into(raw, &pairs)
	s.Attributes = nil
	for _, p := range pairs {
		if s.Attributes == nil {
			s.Attributes = map[string]string{}
		}
		s.Attributes[p.Key] = p.Value
	}
	return err
}

func takeDeliveryModes(s *tenant.Settings, raw json.RawMessage) error {
	wanted, err := allOf("supportedBackchannelTokenDeliveryModes", deliveryModes, raw)
	s.CIBA.Push = slices.Contains(wanted, oauth.Push)
	return err
}

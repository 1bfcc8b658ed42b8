package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// answers are what a client may have signed and encrypted, with the members that say so (OIDC Registration §2, RFC 9701
// §6).
var answers = []struct {
	name          string // that the members begin with
	algs          func(*tenant.Tenant, time.Time) []keys.Alg
	alg, key, enc func(*tenant.Metadata) *string
}{
	{"id_token", IDTokenAlgs, func(m *tenant.Metadata) *string { return &m.IDTokenAlg },
		func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionAlg }, func(m *tenant.Metadata) *string { return &m.IDTokenEncryptionEnc }},
	{"userinfo", AnswerAlgs, func(m *tenant.Metadata) *string { return &m.UserInfoAlg },
		func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionAlg }, func(m *tenant.Metadata) *string { return &m.UserInfoEncryptionEnc }},
	{"introspection", AnswerAlgs, func(m *tenant.Metadata) *string { return &m.IntrospectionAlg },
		func(m *tenant.Metadata) *string { return &m.IntrospectionEncryptionAlg }, func(m *tenant.Metadata) *string { return &m.IntrospectionEncryptionEnc }},
	{"authorization", AnswerAlgs, func(m *tenant.Metadata) *string { return &m.ResponseAlg }, // JARM §3
		func(m *tenant.Metadata) *string { return &m.ResponseEncAlg }, func(m *tenant.Metadata) *string { return &m.ResponseEnc }},
}

// AnswerAlgs are the algorithms that clients may have answers signed with: those of the tenant's keys, and where it says
// so HMACs with the client's secret. A registration makes no key: an algorithm without one is refused.
func AnswerAlgs(t *tenant.Tenant, now time.Time) []keys.Alg {
	algs := t.Keys.Algs(now)
	if t.Settings.Signing.HMAC {
		algs = append(algs, keys.HMACAlgs()...)
	}
	d := tenant.DemandsOf(t.Settings.Profile)
	return slices.DeleteFunc(algs, func(a keys.Alg) bool { return !d.AllowsAlg(a) })
}

// IDTokenAlgs are AnswerAlgs, and none where the tenant says so.
func IDTokenAlgs(t *tenant.Tenant, now time.Time) []keys.Alg {
	algs := AnswerAlgs(t, now)
	if t.Settings.Signing.None && tenant.DemandsOf(t.Settings.Profile).AllowsAlg(keys.None) {
		algs = append(algs, keys.None)
	}
	return algs
}

// protection checks how the client has answers signed and encrypted.
func protection(_ *Service, t *tenant.Tenant, m, _ *tenant.Metadata, now time.Time) error {
	secretive := (&tenant.Client{Metadata: *m}).Secretive()
	for _, a := range answers {
		signed, alg := a.name+"_signed_response_alg", keys.Alg(*a.alg(m))
		switch {
		case alg == "":
		case !slices.Contains(a.algs(t, now), alg):
			return oauth.InvalidClientMetadata(signed + " is not supported")
		case alg.HMAC() && !secretive:
			return oauth.InvalidClientMetadata(signed + " needs a client that has a secret")
		case alg == keys.None && (slices.ContainsFunc(m.ResponseTypes, oauth.FrontChannel) || slices.Contains(m.GrantTypes, oauth.CIBA)): // OIDC Registration §2
			return oauth.InvalidClientMetadata(signed + " none goes only with the response type code")
		}
		encrypted, key, enc := a.name+"_encrypted_response_alg", keys.Alg(*a.key(m)), a.enc(m)
		switch {
		case key == "" && *enc == "":
			continue
		case key == "":
			return oauth.InvalidClientMetadata(a.name + "_encrypted_response_enc needs " + encrypted)
		case !slices.Contains(keys.EncryptionAlgs(), key):
			return oauth.InvalidClientMetadata(encrypted + " is not supported")
		case key.Shared() && !secretive:
			return oauth.InvalidClientMetadata(encrypted + " needs a client that has a secret")
		case !key.Shared() && !encryptable(m, key):
			return oauth.InvalidClientMetadata(encrypted + " needs jwks or jwks_uri with a key for it")
		}
		if *enc == "" {
			*enc = keys.A128CBCHS256
		}
		if !slices.Contains(keys.ContentEncryptions(), *enc) {
			return oauth.InvalidClientMetadata(a.name + "_encrypted_response_enc is not supported")
		}
	}
	return nil
}

// encryptable tells whether there is a key of the client's to encrypt to, or may be one where we have not looked.
func encryptable(m *tenant.Metadata, alg keys.Alg) bool {
	if m.JWKSURI != "" {
		return true
	}
	set, err := keys.ParseJWKS(m.JWKS)
	return err == nil && set.EncryptsTo(alg)
}

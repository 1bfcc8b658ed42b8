package admin

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// checkSettings returns what is wrong with s, as members of a document that holds it as settings.
func checkSettings(s *tenant.Settings) []tenant.FieldError {
	fields := s.Check()
	for i := range fields {
		fields[i].Pointer = "/settings" + fields[i].Pointer
	}
	return fields
}

// algsOf are the algorithms that s has tokens signed with.
func algsOf(s *tenant.Settings) []keys.Alg {
	return []keys.Alg{s.AccessTokenAlg(), s.IDTokenAlg(&tenant.Client{})}
}

// checkAlgs returns the members of s that name an algorithm which none of ks signs with at now.
func checkAlgs(s *tenant.Settings, ks []keys.Key, now time.Time) (fields []tenant.FieldError) {
	have := keys.NewSet(ks).Algs(now)
	for i, alg := range algsOf(s) {
		if !slices.Contains(have, alg) {
			pointer := []string{"/settings/tokens/access_token_alg", "/settings/tokens/id_token_alg"}[i]
			fields = append(fields, tenant.FieldError{Pointer: pointer, Message: "must be an algorithm that the tenant has a key for: rotate one in first"})
		}
	}
	return fields
}

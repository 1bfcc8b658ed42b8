package admin

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
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

// further are the algorithms that s wants keys for beside those: to sign with, and for clients to encrypt to.
func further(s *tenant.Settings) (algs []keys.Alg) {
	for _, alg := range slices.Concat(s.Signing.Algs, s.Encryption.Algs) {
		algs = append(algs, keys.Alg(alg))
	}
	return algs
}

// checkAlgs returns the members of s that name an algorithm which none of ks signs with at now, and which s does not ask
// for a key of.
func checkAlgs(s *tenant.Settings, ks []keys.Key, now time.Time) (fields []tenant.FieldError) {
	have := append(keys.NewSet(ks).Algs(now), further(s)...)
	for i, alg := range algsOf(s) {
		if !slices.Contains(have, alg) {
			pointer := []string{"/settings/tokens/access_token_alg", "/settings/tokens/id_token_alg"}[i]
			fields = append(fields, tenant.FieldError{Pointer: pointer, Message: "must be an algorithm that the tenant has a key for: list it in signing.algs, or rotate one in first"})
		}
	}
	return fields
}

// keyed returns the keys of r with a key for each algorithm that s wants beside, made where there is none; without those
// that clients shall encrypt to no longer; and with each that is about to retire published for as long as tokens will
// live. changed tells what it did, and is empty where it did nothing.
func (c *Console) keyed(r *tenant.Record, s *tenant.Settings, now time.Time) (ks []keys.Key, changed string, err error) {
	ks, life := slices.Clone(r.Keys), max(lifeOf(s), lifeOf(&r.Settings))
	if lifeOf(s) > lifeOf(&r.Settings) {
		for i := range ks {
			k := &ks[i]
			if end := k.RetiredAt.Add(life); k.RetiredAt.After(now) && k.GoneAt.Before(end) {
				k.GoneAt, changed = end, "prolonged"
			}
		}
	}
	held := algsHeld(ks, now)
	for _, alg := range further(s) {
		if slices.Contains(held, alg) {
			continue
		}
		k, err := c.Keys.Generate(alg, now)
		if err != nil {
			return nil, "", oauth.Unavailable().Because(err)
		}
		ks, changed = keys.Rotate(ks, k, now, lead, life), "made"
	}
	for _, alg := range keys.OpeningAlgs() {
		if slices.Contains(held, alg) && slices.Contains(r.Settings.Encryption.Algs, string(alg)) && !slices.Contains(s.Encryption.Algs, string(alg)) {
			ks, changed = keys.Retire(ks, alg, now, life), "retired"
		}
	}
	return ks, changed, nil
}

package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// lead is how long a key is published before it signs: the time for which our JWK sets may be cached, which is five
// minutes, and as much again for caches that take their time.
const lead = 10 * time.Minute

// slack is how much longer than the longest-lived token a key stays published, for clocks that disagree.
const slack = 10 * time.Minute

// lifeOf is how long a key must stay published after its last signature under s.
func lifeOf(s *tenant.Settings) time.Duration {
	return max(s.LongestAccessToken(), s.IDTokenLifetime()) + slack
}

// SigningKeys lists the signing keys of a tenant with their schedule; those gone stay listed until the next rotation.
func (c *Console) SigningKeys(ctx context.Context, id tenant.ID) ([]keys.Key, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.Keys, nil
}

// RotateKeys gives a tenant a new key of that algorithm, or of each that it has keys of where alg is empty. A new key is
// published at once and signs ten minutes later; the one before stays published until its last token has expired. With
// an algorithm that the tenant has no key of, the new one signs at once.
func (c *Console) RotateKeys(ctx context.Context, id tenant.ID, alg string, by By) ([]keys.Key, error) {
	var algs []keys.Alg
	if alg != "" {
		a, err := keys.ParseKeyAlg(alg)
		if err != nil {
			return nil, invalid("/alg", "must be an algorithm that keys sign with, or that is encrypted to them by")
		}
		algs = []keys.Alg{a}
	}
	ks, err := c.putKeys(ctx, id, func(r *tenant.Record, now time.Time) ([]keys.Key, audit.Event, error) {
		turn := algs
		if turn == nil {
			turn = algsHeld(r.Keys, now)
		}
		ks, err := c.rotated(r, turn, now)
		return ks, c.event(audit.KeysRotated, by, "algs", joined(turn)), err
	})
	return ks, err
}

// GenerateKeys gives a tenant a new key of each of algs and of each algorithm that it has keys of, as RotateKeys does. Where
// compromised is set, the keys before are out of use at once, and with them the tokens they signed; the new ones sign at once.
func (c *Console) GenerateKeys(ctx context.Context, id tenant.ID, algs []keys.Alg, compromised bool, by By) ([]keys.Key, error) {
	return c.putKeys(ctx, id, func(r *tenant.Record, now time.Time) ([]keys.Key, audit.Event, error) {
		turn, kind := algsHeld(r.Keys, now), audit.KeysRotated
		for _, alg := range algs {
			if !slices.Contains(turn, alg) {
				turn = append(turn, alg)
			}
		}
		details := []string{"algs", joined(turn)}
		if compromised {
			kind = audit.KeyRevoked
			var kids []string
			for _, k := range keys.Prune(r.Keys, now) {
				r.Keys, kids = keys.Revoke(r.Keys, k.ID, now), append(kids, k.ID)
			}
			details = append(details, "kids", strings.Join(kids, " "))
		}
		ks, err := c.rotated(r, turn, now)
		return ks, c.event(kind, by, details...), err
	})
}

// RevokeKey takes a compromised key out of use at once, and with it the tokens it signed. Where no other key of its
// algorithm is left, a new one signs at once.
func (c *Console) RevokeKey(ctx context.Context, id tenant.ID, kid string, by By) ([]keys.Key, error) {
	return c.putKeys(ctx, id, func(r *tenant.Record, now time.Time) ([]keys.Key, audit.Event, error) {
		i := slices.IndexFunc(r.Keys, func(k keys.Key) bool { return k.ID == kid })
		if i < 0 {
			return nil, audit.Event{}, oauth.NotFound("The tenant has no such key")
		}
		alg := r.Keys[i].Alg
		used := slices.Contains(algsUsed(r.Keys, now), alg)
		r.Keys = keys.Revoke(r.Keys, kid, now)
		var lost []keys.Alg
		if used && !slices.Contains(algsUsed(r.Keys, now), alg) {
			lost = append(lost, alg)
		}
		ks, err := c.rotated(r, lost, now)
		return ks, c.event(audit.KeyRevoked, by, "kid", kid), err
	})
}

// putKeys replaces a tenant's keys by what change makes of them, and tries again when another came between.
func (c *Console) putKeys(ctx context.Context, id tenant.ID, change func(*tenant.Record, time.Time) ([]keys.Key, audit.Event, error)) ([]keys.Key, error) {
	for tries := 0; ; tries++ {
		r, err := c.record(ctx, id)
		if err != nil {
			return nil, err
		}
		now := c.now()
		ks, ev, err := change(r, now)
		if err != nil {
			return nil, err
		}
		err = c.Store.PutKeys(ctx, id, r.Version, ks, now, ev)
		if errors.Is(err, tenant.ErrConflict) && tries < retries {
			continue
		}
		if err != nil {
			return nil, worded(err)
		}
		c.changed(ctx)
		return ks, nil
	}
}

// rotated returns the keys of r after a rotation of algs, without those that are gone.
func (c *Console) rotated(r *tenant.Record, algs []keys.Alg, now time.Time) (ks []keys.Key, err error) {
	ks = keys.Prune(r.Keys, now)
	for _, alg := range algs {
		k, err := c.Keys.Generate(alg, now)
		if err != nil {
			return nil, oauth.Unavailable().Because(err)
		}
		ks = keys.Rotate(ks, k, now, lead, lifeOf(&r.Settings))
	}
	return ks, nil
}

// algsHeld are the algorithms of keys that have not retired.
func algsHeld(ks []keys.Key, now time.Time) []keys.Alg {
	var algs []keys.Alg
	for _, k := range keys.Prune(ks, now) {
		if (k.RetiredAt.IsZero() || k.RetiredAt.After(now)) && !slices.Contains(algs, k.Alg) {
			algs = append(algs, k.Alg)
		}
	}
	return algs
}

// algsUsed are the algorithms that keys sign with at now, or that clients encrypt to them by.
func algsUsed(ks []keys.Key, now time.Time) []keys.Alg {
	s := keys.NewSet(ks)
	return append(s.Algs(now), s.OpeningAlgs(now)...)
}

func joined(algs []keys.Alg) string {
	s := ""
	for i, a := range algs {
		if i > 0 {
			s += " "
		}
		s += string(a)
	}
	return s
}

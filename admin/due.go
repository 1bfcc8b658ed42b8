package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

const day = 24 * time.Hour

// usual is how often keys are rotated where a tenant does not say otherwise.
const usual = 90 * day

// keyRotation is how often the keys of a tenant are rotated; ok is false where it is never.
func keyRotation(s *tenant.Settings) (every time.Duration, ok bool) {
	switch d := s.Tokens.KeyRotation; {
	case d < 0:
		return 0, false
	case d == 0:
		return usual, true
	default:
		return time.Duration(d) * day, true
	}
}

// RotateDue rotates the keys of tenants whose turn it is. It looks at up to n tenants after that id and returns the last
// of them, to go on from, or the empty id at the end of the round. A tenant that fails is passed over until the next
// round, and is in the error. Any number of instances may do this at once.
func (c *Console) RotateDue(ctx context.Context, after tenant.ID, n int) (tenant.ID, error) {
	now := c.now()
	page, err := c.Store.Tenants(ctx, after, n)
	if err != nil {
		return after, worded(err)
	}
	old, err := c.Store.KeysDue(ctx, now.Add(day-usual), after, n)
	if err != nil {
		return after, worded(err)
	}
	var errs []error
	for i := range page {
		r := &page[i]
		after = r.ID
		// Keys are read only of tenants whose keys are old, give or take a day, or that rotate more often than is usual.
		if every, ok := keyRotation(&r.Settings); !ok || every >= usual && !slices.Contains(old, r.ID) {
			continue
		}
		if err := c.rotateDue(ctx, r.ID, now); err != nil && !errors.Is(err, tenant.ErrConflict) && !errors.Is(err, tenant.ErrUnknown) {
			errs = append(errs, err)
		}
	}
	if len(page) < n {
		after = ""
	}
	return after, errors.Join(errs...)
}

func (c *Console) rotateDue(ctx context.Context, id tenant.ID, now time.Time) error {
	r, err := c.record(ctx, id)
	if err != nil {
		return err
	}
	every, ok := keyRotation(&r.Settings)
	if !ok {
		return nil
	}
	var due []keys.Alg
	for _, alg := range algsHeld(r.Keys, now) {
		if newest := newestActive(r.Keys, alg); !newest.IsZero() && !now.Before(newest.Add(every)) {
			due = append(due, alg)
		}
	}
	if len(due) == 0 {
		return nil
	}
	ks, err := c.rotated(r, due, now)
	if err != nil {
		return err
	}
	if err := c.Store.PutKeys(ctx, id, r.Version, ks, now, c.event(audit.KeysRotated, By{Actor: System}, "algs", joined(due))); err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

// newestActive is when the newest key of alg became active, or will.
func newestActive(ks []keys.Key, alg keys.Alg) (at time.Time) {
	for _, k := range ks {
		if k.Alg == alg && k.ActiveAt.After(at) {
			at = k.ActiveAt
		}
	}
	return at
}

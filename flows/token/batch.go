package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// MaxBatch is how many tokens can be asked for at once.
const MaxBatch = 100

// batchLifetime is for how long it can be asked what became of a batch.
const batchLifetime = 24 * time.Hour

// CreateAll makes the tokens that all of cs ask for, or none, and records what became of them. Where one cannot be granted
// the batch has failed, which is no error of the call. If dry is set nothing is made.
func (s *Service) CreateAll(ctx context.Context, t *tenant.Tenant, cs []*Creation, dry bool) (*grant.Batch, error) {
	now := s.Now()
	b := grant.Batch{ID: s.Issuer.NewID(), CreatedAt: now, ExpiresAt: now.Add(batchLifetime)}
	values := map[string]bool{}
	var ds []grant.Derivation
	for i, c := range cs {
		_, d, err := s.created(ctx, t, c)
		if err == nil && c.Value != "" && values[c.Value] {
			err = errTaken
		}
		values[c.Value] = true
		if code := oauth.ErrorOf(err).Code; err != nil && (code == "server_error" || code == "temporarily_unavailable") {
			return nil, err
		}
		if err != nil {
			return s.failed(ctx, t, b, i, err)
		}
		ds = append(ds, d)
	}
	b.Tokens = len(ds)
	if dry {
		ds = nil
	}
	err := s.Records.DeriveAll(ctx, t.ID, now, b, ds)
	switch {
	case errors.Is(err, grant.ErrNotFound):
		return s.failed(ctx, t, b, -1, errBarred)
	case errors.Is(err, grant.ErrTaken):
		return s.failed(ctx, t, b, -1, errTaken)
	case err != nil:
		return nil, err
	}
	return &b, nil
}

// failed records that b failed, for the i-th of what it asked for, or for one that is not known where i is negative.
func (s *Service) failed(ctx context.Context, t *tenant.Tenant, b grant.Batch, i int, why error) (*grant.Batch, error) {
	e := oauth.ErrorOf(why)
	b.Tokens, b.Code, b.Description = 0, e.Code, e.Description
	if i >= 0 {
		b.Description = fmt.Sprintf("number %d: %s", i+1, e.Description)
	}
	if err := s.Records.DeriveAll(ctx, t.ID, b.CreatedAt, b, nil); err != nil {
		return nil, err
	}
	return &b, nil
}

// Batch returns what became of a batch, or grant.ErrNotFound.
func (s *Service) Batch(ctx context.Context, t *tenant.Tenant, id string) (*grant.Batch, error) {
	return s.Records.Batch(ctx, t.ID, s.Now(), id)
}

// List lists what was issued and lives, but for the first start of it, at most n, and tells how much there is.
func (s *Service) List(ctx context.Context, t *tenant.Tenant, w grant.Whose, start, n int) ([]grant.Record, int, error) {
	return s.Records.ListRecords(ctx, t.ID, s.Now(), w, start, n)
}

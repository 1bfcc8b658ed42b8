package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Use is that an API token was used.
type Use struct {
	Tenant tenant.ID
	Token  string // id
	At     time.Time
}

// Uses keeps when API tokens were last used.
type Uses interface {
	// PutUses records uses of tokens of any tenants, each token once. What is not UseEvery later than what is recorded
	// changes nothing, and so does a token that is not there. Nobody is told, and no version is raised.
	PutUses(ctx context.Context, uses []Use) error
}

// UseEvery is how often at most the use of one token is recorded.
const UseEvery = time.Minute

// usesAtOnce is how many uses one statement records.
const usesAtOnce = 500

// maxUses is how many tokens are remembered at most. A use of a further one is not recorded.
const maxUses = 50_000

// LastUses collects when API tokens are used, to be recorded in batches. It takes no request's time but that of a look
// into memory, and fails none.
type LastUses struct {
	Store Uses

	mu   sync.Mutex
	last map[useOf]time.Time // that is recorded, or waits for it
	wait map[useOf]time.Time // to be recorded
}

type useOf struct {
	tenant tenant.ID
	token  string
}

// Used tells that a token of a tenant was used.
func (l *LastUses) Used(t tenant.ID, token string, at time.Time) {
	k := useOf{t, token}
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.last[k]
	if known && at.Sub(last) < UseEvery || !known && len(l.last) >= maxUses {
		return
	}
	if l.last == nil {
		l.last = map[useOf]time.Time{}
	}
	if l.wait == nil {
		l.wait = map[useOf]time.Time{}
	}
	l.last[k], l.wait[k] = at, at
}

// Write records what has been collected. What cannot be recorded waits for the next time.
func (l *LastUses) Write(ctx context.Context, now time.Time) error {
	var errs []error
	for batch := range slices.Chunk(l.taken(now), usesAtOnce) {
		if err := l.Store.PutUses(ctx, batch); err != nil {
			errs = append(errs, err)
			l.putBack(batch)
		}
	}
	return errors.Join(errs...)
}

// taken returns what waits, by tenant and token, and forgets what is too old to matter.
func (l *LastUses) taken(now time.Time) []Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	uses := make([]Use, 0, len(l.wait))
	for k, at := range l.wait {
		uses = append(uses, Use{k.tenant, k.token, at})
	}
	l.wait = nil
	for k, at := range l.last {
		if now.Sub(at) >= UseEvery {
			delete(l.last, k)
		}
	}
	slices.SortFunc(uses, func(a, b Use) int { return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Token, b.Token)) })
	return uses
}

func (l *LastUses) putBack(uses []Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range uses {
		k := useOf{u.Tenant, u.Token}
		if _, newer := l.wait[k]; newer || len(l.wait) >= maxUses {
			continue
		}
		if l.wait == nil {
			l.wait = map[useOf]time.Time{}
		}
		l.wait[k] = u.At
	}
}

package account

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Hasher computes password hashes, a bounded number at once: each takes a processor for some 20 ms and 19 MiB.
// Callers beyond that wait in a line where tenants take turns, so that one tenant's sign-ins do not keep another's
// waiting. Its fields are not changed once it is in use; the zero value of each is its default.
type Hasher struct {
	Rand      io.Reader
	Parallel  int           // computed at once: GOMAXPROCS
	Wait      time.Duration // the longest wait: 3 s
	PerTenant int           // callers of one tenant that may wait: 128
	Most      int           // callers that may wait: 4096

	line line
}

// Hash returns the PHC string of password with our parameters and a new salt. It is temporarily_unavailable when
// its turn does not come in time.
func (h *Hasher) Hash(ctx context.Context, t tenant.ID, password string) (string, error) {
	var salt [16]byte
	if _, err := io.ReadFull(h.Rand, salt[:]); err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	var phc string
	err := h.turn(ctx, t, func() error {
		phc = ours.hash(password, salt[:]).String()
		return nil
	})
	return phc, err
}

// turn runs f when its turn comes and returns what f returned, or temporarily_unavailable when the line is too
// long, it took too long, or ctx ended.
func (h *Hasher) turn(ctx context.Context, t tenant.ID, f func() error) error {
	b := bounds{
		turns:     cmp.Or(h.Parallel, runtime.GOMAXPROCS(0)),
		perTenant: cmp.Or(h.PerTenant, 128),
		most:      cmp.Or(h.Most, 4096),
	}
	ctx, stop := context.WithTimeout(ctx, cmp.Or(h.Wait, 3*time.Second))
	defer stop()
	if err := h.line.enter(ctx, t, b); err != nil {
		return oauth.Unavailable().Because(err)
	}
	defer h.line.leave()
	return f()
}

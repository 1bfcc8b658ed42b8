package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Answer is what a call was answered with.
type Answer struct {
	Status   int       `json:"status"`
	Location string    `json:"location,omitempty"`
	Body     []byte    `json:"body"`
	Request  []byte    `json:"-"` // hash of the call
	Until    time.Time `json:"-"`
}

// Answers keeps what calls with an idempotency key were answered with. The key itself is recorded by the effect of the
// call, with its event.
type Answers interface {
	// Answered returns what is recorded under a key at now, or nil. Status is zero where the effect was made and the answer
	// is not recorded.
	Answered(ctx context.Context, id tenant.ID, key []byte, now time.Time) (*Answer, error)
	// PutAnswer records the answer under a key that an effect has recorded. It is stored sealed.
	PutAnswer(ctx context.Context, id tenant.ID, key []byte, a Answer) error
}

// onceLife is for how long a key is remembered.
const onceLife = 24 * time.Hour

var (
	errReused  = oauth.InvalidRequest("The idempotency key was used for another request").Because(ErrReused)
	errPending = oauth.InvalidRequest("The request of this idempotency key was carried out, and its answer is not to be had").Because(tenant.ErrConflict)
)

// ErrReused is the cause of what is refused because its idempotency key stands for another request.
var ErrReused = errors.New("admin: the idempotency key was used for another request")

// Once carries a call out once for its caller's idempotency key: the first time by do, whose effect records the key, and
// later by repeating the answer. replayed tells which. request is what the call must be the same in.
func (c *Console) Once(ctx context.Context, id tenant.ID, key string, request []byte, by By, do func(By) (Answer, error)) (a Answer, replayed bool, err error) {
	if _, err := tenant.ParseID(string(id)); err != nil || by.Caller == nil {
		a, err := do(by)
		return a, false, err
	}
	k, r := sha256.Sum256([]byte(string(by.Caller.Home.ID)+"\x00"+by.Caller.Principal+"\x00"+key)), sha256.Sum256(request)
	if a, err := c.awaited(ctx, id, k[:], r[:]); a != nil || err != nil {
		return *orNone(a), a != nil, err
	}
	by.Once = &audit.Once{Key: k[:], Request: r[:], ExpiresAt: c.now().Add(onceLife)}
	if a, err = do(by); err != nil {
		// Another call of the same key may have been first: then its answer counts.
		won, other := c.awaited(ctx, id, k[:], r[:])
		switch {
		case won != nil:
			return *won, true, nil
		case errors.Is(other, ErrReused), errors.Is(other, tenant.ErrConflict):
			return a, false, other
		}
		return a, false, err // nothing has happened under this key
	}
	if err := c.Answers.PutAnswer(context.WithoutCancel(ctx), id, k[:], a); err != nil {
		return a, false, nil // the effect is made, and this answer is right; a repetition will be told that there is none
	}
	return a, false, nil
}

// awaited is answered, but waits a while for an answer that is about to be recorded, as it is right after its effect.
func (c *Console) awaited(ctx context.Context, id tenant.ID, key, request []byte) (a *Answer, err error) {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		a, err = c.answered(ctx, id, key, request)
		if !errors.Is(err, tenant.ErrConflict) || wait > time.Second {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, err
		case <-time.After(wait):
		}
	}
}

// answered returns the answer under a key, or nil where nothing has happened under it.
func (c *Console) answered(ctx context.Context, id tenant.ID, key, request []byte) (*Answer, error) {
	a, err := c.Answers.Answered(ctx, id, key, c.now())
	switch {
	case err != nil:
		return nil, worded(err)
	case a == nil:
		return nil, nil
	case subtle.ConstantTimeCompare(a.Request, request) == 0:
		return nil, errReused
	case a.Status == 0:
		return nil, errPending
	}
	return a, nil
}

func orNone(a *Answer) *Answer {
	if a == nil {
		return &Answer{}
	}
	return a
}

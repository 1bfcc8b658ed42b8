package admin

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// recorded is an Answers of one key.
type recorded struct {
	answer *Answer
	asked  int
	after  int // how often it is asked until the answer is there
}

func (r *recorded) Answered(context.Context, tenant.ID, []byte, time.Time) (*Answer, error) {
	if r.asked++; r.answer == nil {
		return nil, nil
	}
	a := *r.answer
	if r.asked <= r.after {
		a.Status = 0
	}
	return &a, nil
}

func (r *recorded) PutAnswer(_ context.Context, _ tenant.ID, _ []byte, a Answer) error {
	a.Request = r.answer.Request
	r.answer = &a
	return nil
}

func TestOnce(t *testing.T) {
	b := administered(t)
	r := &recorded{}
	b.Answers = r
	call := func(request string, do func(By) (Answer, error)) (Answer, bool, error) {
		return b.Once(t.Context(), "acme", "key", []byte(request), b.as(t, "acme", "service:owner"), do)
	}
	made := 0
	do := func(by By) (Answer, error) {
		made++
		r.answer = &Answer{Request: by.Once.Request} // as the effect does
		return Answer{Status: 201, Body: []byte("a")}, nil
	}
	refused := oauth.InvalidRequest("no")
	if _, replayed, err := call("x", func(By) (Answer, error) { return Answer{}, refused }); replayed || !errors.Is(err, refused) {
		t.Errorf("a refusal: %v, %v", replayed, err)
	}
	if a, replayed, err := call("x", do); a.Status != 201 || replayed || err != nil {
		t.Errorf("the first call: %+v, %v, %v", a, replayed, err)
	}
	if a, replayed, err := call("x", do); a.Status != 201 || !replayed || err != nil {
		t.Errorf("the second call: %+v, %v, %v", a, replayed, err)
	}
	if _, _, err := call("y", do); !errors.Is(err, ErrReused) {
		t.Errorf("another request: %v", err)
	}
	r.asked, r.after = 0, 3
	if a, replayed, err := call("x", do); a.Status != 201 || !replayed || err != nil {
		t.Errorf("while the answer is on its way: %+v, %v, %v", a, replayed, err)
	}
	r.asked, r.after = 0, 1000
	if _, _, err := call("x", do); !errors.Is(err, tenant.ErrConflict) {
		t.Errorf("when the answer never came: %v", err)
	}
	if made != 1 {
		t.Errorf("it was carried out %d times", made)
	}
}

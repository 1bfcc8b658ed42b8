package ciba

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

func TestPoll(t *testing.T) {
	answer := func(c decoupled.Completion) func(*world) {
		return func(w *world) {
			if err := w.complete(c); err != nil {
				w.Fatal(err)
			}
		}
	}
	yes := decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}
	const invalid = "invalid_grant: auth_req_id is invalid or already used"
	for _, tt := range []struct {
		rule string
		do   func(*world)
		err  string
	}{
		{"the user has not answered", nil, "authorization_pending: the user has not answered yet"},
		{"the user has agreed", answer(yes), ""},
		{"the user has denied", answer(decoupled.Completion{Result: decoupled.AccessDenied}), "access_denied: the user denied the request"},
		{"in the backend's words", answer(decoupled.Completion{Result: decoupled.AccessDenied, Description: "Too late at night."}), "access_denied: Too late at night."},
		{"the user could not be asked", answer(decoupled.Completion{Result: decoupled.TransactionFailed}), "expired_token: the user could not be asked"},
		{"the time is over", func(w *world) { w.now = noon.Add(10 * time.Minute) }, "expired_token: auth_req_id has expired"},
		{"the time of an agreement too", func(w *world) { answer(yes)(w); w.now = noon.Add(10 * time.Minute) }, "expired_token: auth_req_id has expired"},
		{"and of a denial", func(w *world) {
			answer(decoupled.Completion{Result: decoupled.AccessDenied})(w)
			w.now = noon.Add(10 * time.Minute)
		}, "expired_token: auth_req_id has expired"},
		{"another client's", func(w *world) { w.bank = &tenant.Client{ID: "thief", Metadata: w.bank.Metadata} }, invalid},
		{"what is swept away", func(w *world) { clear(w.store.rows) }, invalid},
		{"a store may be out of order", func(w *world) { w.store.down = errDown }, errDown.Error()},
	} {
		w := newWorld(t)
		ack := w.authenticate("")
		if tt.do != nil {
			tt.do(w)
		}
		id, err := w.Poll(context.Background(), w.tenant, w.bank, ack.AuthReqID)
		w.says(tt.rule, err, tt.err)
		if (err == nil) != (w.store.grants[id] != nil) {
			t.Errorf("%s: a grant %q", tt.rule, id)
		}
	}
}

func TestPollsArePaced(t *testing.T) {
	w := newWorld(t)
	ack := w.authenticate("")
	const pending, slow = "authorization_pending: the user has not answered yet", "slow_down: the interval between two polls has not passed, and is longer from now on"
	for _, tt := range []struct {
		after time.Duration
		says  string
	}{
		{0, pending}, {5 * time.Second, pending}, {4500 * time.Millisecond, pending}, // which was fast on its way
		{4 * time.Second, slow}, {5 * time.Second, slow}, {10 * time.Second, slow}, {15 * time.Second, slow}, {25 * time.Second, pending}, {24 * time.Second, slow},
	} {
		w.now = w.now.Add(tt.after)
		_, err := w.Poll(context.Background(), w.tenant, w.bank, ack.AuthReqID)
		w.says("after "+tt.after.String(), err, tt.says)
		if (tt.says == slow) != errors.Is(err, decoupled.ErrSlowDown) {
			t.Error("a door cannot tell slow_down")
		}
	}
	if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Poll(context.Background(), w.tenant, w.bank, ack.AuthReqID)
	w.says("what is there need not be waited for", err, "")
}

func TestRedeemOnce(t *testing.T) {
	w := newWorld(t)
	w.authenticate("")
	if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}); err != nil {
		t.Fatal(err)
	}
	id := w.only().ID
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() { errs[i] = w.Redeem(context.Background(), w.tenant, grant.Redemption{Grant: id}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			w.says("a loser", err, "invalid_grant: auth_req_id is invalid or already used")
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestRedeemAfterTheAccountIsDisabled(t *testing.T) {
	w := newWorld(t)
	w.authenticate("")
	if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}); err != nil {
		t.Fatal(err)
	}
	w.store.disabled = []string{"sub-alice"}
	r := grant.Redemption{Grant: w.only().ID}
	w.says("it is refused", w.Redeem(context.Background(), w.tenant, r), "invalid_grant: auth_req_id is invalid or already used")
	w.store.down = errDown
	w.says("a store may be out of order", w.Redeem(context.Background(), w.tenant, r), errDown.Error())
}

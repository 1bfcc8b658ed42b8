package challenge

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"
)

// An answer that was lost is given again, to the same call, for a while; nothing is decided twice.
func TestARepeatedCall(t *testing.T) {
	h := open(t)
	s := h.begin()
	next := h.asks("password=wrong&auth_session="+s, "username_or_password_invalid")
	for _, tt := range []struct {
		rule, query string
		after       time.Duration
		want        string
	}{
		{"the same call", "password=wrong&auth_session=" + s, 0, "username_or_password_invalid +"},
		{"the same in another order", "auth_session=" + s + "&password=wrong", 9 * time.Second, "username_or_password_invalid +"},
		{"another password", "password=ecila&auth_session=" + s, 0, said(Answer{}, errSession)},
		{"one more parameter", "password=wrong&x=1&auth_session=" + s, 0, said(Answer{}, errSession)},
		{"too late", "password=wrong&auth_session=" + s, 10 * time.Second, said(Answer{}, errSession)},
	} {
		h.now = noon.Add(tt.after)
		a, err := h.as("app", tt.query)
		if got := said(a, err); got != tt.want || err == nil && a.AuthSession != next {
			t.Errorf("%s: got %s", tt.rule, got)
		}
	}
	if h.people.checks != 1 {
		t.Errorf("%d passwords checked", h.people.checks)
	}
	if a, err := h.as("app", "password=ecila&auth_session="+next); said(a, err) != "code" {
		t.Errorf("going on: got %+v, %v", a, err)
	}
}

// crowd calls from many at once as app, who have all decided before any goes on.
func (h *house) crowd(query func(i int) string) ([]Answer, []error) {
	const callers = 64
	var decided, done sync.WaitGroup
	decided.Add(callers)
	password := h.Decider
	h.Decider = step(func(in Input) (Verdict, error) {
		v, err := password.Decide(context.Background(), h.t, in)
		decided.Done()
		decided.Wait()
		return v, err
	})
	answers, errs := make([]Answer, callers), make([]error, callers)
	for i := range callers {
		done.Go(func() { answers[i], errs[i] = h.as("app", query(i)) })
	}
	done.Wait()
	return answers, errs
}

func TestOneWins(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		query func(i int) string
		codes int
	}{
		{"of many that are right, one gets a code", func(int) string { return "password=ecila" }, 1},
		{"of many guesses, one is told whether it is right", func(i int) string { return "password=" + strconv.Itoa(i) }, 0},
	} {
		h := open(t)
		s := h.begin()
		answers, errs := h.crowd(func(i int) string { return tt.query(i) + "&auth_session=" + s })
		codes, told := 0, 0
		for i, a := range answers {
			switch {
			case errors.Is(errs[i], errSession):
			case errs[i] == nil && a.Code != "":
				codes++
			case errs[i] == nil && a.Error == "username_or_password_invalid" && a.AuthSession != "":
				told++
			default:
				t.Errorf("%s: got %+v, %v", tt.rule, a, errs[i])
			}
		}
		if codes != tt.codes || told != 1-tt.codes || len(h.grants()) != tt.codes {
			t.Errorf("%s: %d codes, %d told, %d grants", tt.rule, codes, told, len(h.grants()))
		}
	}
}

// Many that send the same get the same: one is served, the others outrun.
func TestTheSameCallAtOnce(t *testing.T) {
	h := open(t)
	s := h.begin()
	answers, errs := h.crowd(func(int) string { return "password=wrong&auth_session=" + s })
	for i, a := range answers {
		if said(a, errs[i]) != "username_or_password_invalid +" || !reflect.DeepEqual(a, answers[0]) {
			t.Errorf("got %+v, %v", a, errs[i])
		}
	}
}

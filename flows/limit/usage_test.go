package limit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

// ledger is a UsageStore in memory.
type ledger struct {
	fails  error
	calls  int
	tokens map[string]int64
	days   map[string]uint32
	during func() // called by each call
}

func (l *ledger) PutUsage(_ context.Context, issued []Issued, active []Active) error {
	l.calls++
	if l.during != nil {
		l.during()
	}
	if l.fails != nil {
		return l.fails
	}
	if l.tokens == nil {
		l.tokens, l.days = map[string]int64{}, map[string]uint32{}
	}
	for _, i := range issued {
		l.tokens[fmt.Sprint(i.Tenant, " ", i.Day, " ", i.ClientID, " ", i.Kind)] += i.Tokens
	}
	for _, a := range active {
		l.days[fmt.Sprintf("%s %d %x", a.Tenant, a.Month, a.Subject[:2])] |= a.Days
	}
	return nil
}

func newUsage() (*Usage, *ledger, *time.Time) {
	now := time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC)
	l := &ledger{}
	return &Usage{Now: func() time.Time { return now }, Store: l}, l, &now
}

func metered(id tenant.ID) *tenant.Tenant {
	return &tenant.Tenant{ID: id, Settings: &tenant.Settings{}}
}

func TestUsageOfAnInstanceThatWasIdleAtFirst(t *testing.T) {
	for batches := range 4 {
		u, l, _ := newUsage()
		for range batches {
			if err := u.Write(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		u.Count(metered("acme"), "app", "access_token", "alice")
		if err := u.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(l.tokens) != 1 || len(l.days) != 1 {
			t.Errorf("after %d empty batches: %v, %v", batches, l.tokens, l.days)
		}
	}
}

func TestUsage(t *testing.T) {
	u, l, now := newUsage()
	acme, globex := metered("acme"), metered("globex")
	write := func() {
		t.Helper()
		if err := u.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if l.calls != 0 {
		t.Error("nothing is recorded")
	}
	for range 3 {
		u.Count(acme, "app", "access_token", "alice")
	}
	u.Count(acme, "app", "id_token", "alice")
	u.Count(acme, "app", "access_token", "")
	u.Count(globex, "app", "access_token", "alice")
	write()
	*now = now.Add(time.Minute) // the next day
	u.Count(acme, "app", "access_token", "alice")
	u.Count(acme, "app", "access_token", "alice")
	write()
	if d := cmp.Diff(map[string]int64{"acme 20777 app access_token": 4, "acme 20777 app id_token": 1, "globex 20777 app access_token": 1, "acme 20778 app access_token": 2}, l.tokens); d != "" {
		t.Error(d)
	}
	found := 0
	for _, days := range l.days {
		if days == 1<<19|1<<20 || days == 1<<19 {
			found++
		}
	}
	if len(l.days) != 2 || found != 2 { // the same subject of two tenants is two
		t.Errorf("active: %v", l.days)
	}
	calls := l.calls
	write()
	if l.calls != calls {
		t.Error("what is recorded is recorded again")
	}
}

func TestUsageThatCannotBeRecordedWaits(t *testing.T) {
	u, l, now := newUsage()
	acme := metered("acme")
	u.Count(acme, "app", "access_token", "alice")
	l.fails = errors.New("down")
	l.during = func() { u.Count(acme, "app", "access_token", "alice") }
	if err := u.Write(t.Context()); !errors.Is(err, l.fails) {
		t.Error(err)
	}
	l.fails = nil
	l.during = func() { *now = now.Add(24 * time.Hour); u.Count(acme, "app", "access_token", "alice"); l.during = nil }
	for range 2 {
		if err := u.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(map[string]int64{"acme 20777 app access_token": 2, "acme 20778 app access_token": 1}, l.tokens); d != "" {
		t.Error(d)
	}
	for _, days := range l.days {
		if days != 1<<19|1<<20 {
			t.Errorf("a day that began while another was recorded: %b", days)
		}
	}
}

func TestUsageIsBounded(t *testing.T) {
	u, l, _ := newUsage()
	acme := metered("acme")
	for i := range maxActive + 5 {
		u.Count(acme, fmt.Sprint("app", i%(maxIssued+5)), "access_token", fmt.Sprint("user", i))
	}
	if len(u.issued) > maxIssued || len(u.active) > maxActive {
		t.Errorf("%d and %d are remembered", len(u.issued), len(u.active))
	}
	if err := u.Write(t.Context()); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	if len(u.active) > maxActive/2 || len(l.tokens) != maxIssued {
		t.Errorf("%d are remembered, %d recorded", len(u.active), len(l.tokens))
	}
	u.Count(acme, "app", "access_token", "alice")
	if err := u.Write(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUsageByManyAtOnce(t *testing.T) {
	u, l, _ := newUsage()
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for n := range 1000 {
				u.Count(metered("acme"), "app", "access_token", fmt.Sprint(i, n%10))
				if n%100 == 0 {
					_ = u.Write(context.Background())
				}
			}
		})
	}
	work.Wait()
	_ = u.Write(t.Context())
	if l.tokens["acme 20777 app access_token"] != 8000 {
		t.Errorf("counted %v", l.tokens)
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	u, _, _ := newUsage()
	acme := metered("acme")
	u.Count(acme, "app", "access_token", "alice")
	if n := testing.AllocsPerRun(1000, func() { u.Count(acme, "app", "access_token", "alice") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCount(b *testing.B) {
	u, _, _ := newUsage()
	acme := metered("acme")
	b.ReportAllocs()
	for b.Loop() {
		u.Count(acme, "app", "access_token", "alice")
	}
}

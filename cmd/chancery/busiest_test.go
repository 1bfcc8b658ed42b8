package main

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestTheBusiestTenantsHaveNames(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	rng := rand.New(rand.NewPCG(1, 2))
	b := newBusiest[ending](10, func() time.Time { return now }, rng.Uint32)
	fine := ending{"ok", 200}
	minute := func(busy string) {
		for range 20_000 {
			if rng.IntN(2) == 0 {
				b.count(tenant.ID(fmt.Sprintf("%s-%d", busy, rng.IntN(10))), fine)
			} else {
				b.count(tenant.ID(fmt.Sprintf("seldom-%d", rng.IntN(100_000))), fine)
			}
		}
		now = now.Add(time.Minute)
	}
	names := func() (n map[string]int64, sum int64) {
		n = map[string]int64{}
		b.each(func(tenant string, _ ending, k int64) { n[tenant] += k; sum += k })
		return n, sum
	}
	for range 3 {
		minute("busy")
	}
	b.count("busy-0", ending{"refused", 429})
	n, sum := names()
	if len(n) != 11 || n["other"] == 0 {
		t.Errorf("%d names, %d calls of others", len(n), n["other"])
	}
	for i := range 10 {
		if n[fmt.Sprintf("busy-%d", i)] < 1000 {
			t.Errorf("busy-%d has %d calls", i, n[fmt.Sprintf("busy-%d", i)])
		}
	}
	if sum == 0 || sum > 60_001 {
		t.Errorf("%d calls are counted, of 60,001", sum)
	}
	for range 6 {
		minute("new")
	}
	if n, _ := names(); len(n) != 11 || n["new-3"] == 0 || n["busy-3"] != 0 {
		t.Errorf("those who were busy keep their names: %v", n)
	}
	if len(b.watched) > 40 {
		t.Errorf("%d tenants are watched", len(b.watched))
	}
}

func TestTenantsWithNamesKeepThemWhileNobodyIsClearlyBusier(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b := newBusiest[ending](2, func() time.Time { return now }, func() uint32 { return 0 })
	for minute := range 10 {
		for i := range 4 {
			for range 100 + 10*((minute+i)%4) {
				b.count(tenant.ID(fmt.Sprintf("tenant-%d", i)), ending{"ok", 200})
			}
		}
		now = now.Add(time.Minute)
	}
	n := map[string]bool{}
	b.each(func(tenant string, _ ending, _ int64) { n[tenant] = true })
	if !n["tenant-0"] || !n["tenant-1"] || n["tenant-2"] || n["tenant-3"] {
		t.Errorf("names changed although all are alike: %v", n)
	}
}

func BenchmarkBusiest(b *testing.B) {
	x := newBusiest[ending](100, time.Now, rand.Uint32)
	ids := make([]tenant.ID, 100_000)
	for i := range ids {
		ids[i] = tenant.ID(fmt.Sprintf("tenant-%d", i))
	}
	for i := 0; b.Loop(); i++ {
		x.count(ids[i%len(ids)], ending{"ok", 200})
	}
}

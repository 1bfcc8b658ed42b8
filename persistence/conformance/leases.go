package conformance

import (
	"errors"
	"strconv"
	"time"
)

// takes reports whether holder gets the lease on a work for a minute. The work's name is made the kit's own.
func (k *kit) takes(work, holder string, now time.Time) bool {
	k.Helper()
	got, err := k.db.TakeLease(k.ctx, string(k.t)+" "+work, holder, now, now.Add(time.Minute))
	k.must(err)
	return got
}

var errElsewhere = errors.New("another has it")

var leases = []promise{
	{"of several one has a lease, until its time is over to the microsecond", func(k *kit) {
		k.same(k.takes("sweep", "a", k.now), true)
		k.same(k.takes("sweep", "b", k.at(time.Minute-time.Microsecond)), false)
		k.same(k.takes("rotate", "b", k.now), true)
		k.same(k.takes("sweep", "b", k.at(time.Minute)), true)
		k.same(k.takes("sweep", "a", k.at(time.Minute)), false)
	}},
	{"who has it renews it", func(k *kit) {
		k.same(k.takes("sweep", "a", k.now), true)
		k.same(k.takes("sweep", "a", k.at(30*time.Second)), true)
		k.same(k.takes("sweep", "b", k.at(time.Minute)), false)
	}},
	{"who stops leaves it to others at once", func(k *kit) {
		a, b := string(k.t)+" a", string(k.t)+" b"
		k.same(k.takes("sweep", a, k.now), true)
		k.same(k.takes("rotate", b, k.now), true)
		k.must(k.db.EndLeases(k.ctx, a))
		k.same(k.takes("sweep", "c", k.now), true)
		k.same(k.takes("rotate", "c", k.now), false)
	}},
	{"of many who want a lease at once one gets it", func(k *kit) {
		for round := range 3 { // free, over, and over again
			now := k.at(time.Duration(round) * time.Minute)
			k.oneWins(crowd(func(i int) error {
				got, err := k.db.TakeLease(k.ctx, string(k.t)+" race", strconv.Itoa(round)+" "+strconv.Itoa(i), now, now.Add(time.Minute))
				if err == nil && !got {
					err = errElsewhere
				}
				return err
			}), errElsewhere)
		}
	}},
}

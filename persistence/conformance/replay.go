package conformance

import (
	"errors"
	"time"
)

var errUsed = errors.New("used before")

// use uses once, as an error.
func (k *kit) use(kind, name string, expires time.Time) error {
	first, err := k.db.UseOnce(k.ctx, k.t, kind, hash(name), expires)
	if err == nil && !first {
		err = errUsed
	}
	return err
}

var replays = []promise{
	{"what was used is not used again, also later and with another end", func(k *kit) {
		k.must(k.use("assertion", "a", k.at(time.Minute)))
		k.is(k.use("assertion", "a", k.at(time.Minute)), errUsed)
		k.is(k.use("assertion", "a", k.at(time.Hour)), errUsed)
	}},
	{"uses of another name or another kind are apart", func(k *kit) {
		k.must(k.use("assertion", "b", k.at(time.Minute)))
		k.is(k.use("assertion", "c", k.at(time.Minute)), nil)
		k.is(k.use("proof", "b", k.at(time.Minute)), nil)
	}},
	{"a use is forgotten once it is over and swept, and not before", func(k *kit) {
		k.must(k.use("assertion", "d", k.at(time.Minute)))
		k.swept(k.at(59 * time.Second))
		k.is(k.use("assertion", "d", k.at(time.Minute)), errUsed)
		k.swept(k.at(time.Minute))
		k.is(k.use("assertion", "d", k.at(time.Minute)), nil)
	}},
}

// raceToUse has one winner.
func raceToUse(k *kit) {
	k.oneWins(crowd(func(i int) error { return k.use("assertion", "a", k.at(time.Minute)) }), errUsed)
}

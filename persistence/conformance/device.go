package conformance

import (
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
)

// device begins an authentication that waits for whoever enters the code, beside most others.
func (k *kit) device(id, code string, most int) error {
	a := k.authentication(id, decoupled.Waiting)
	a.Subject, a.Request.RequiredSub = "", ""
	return k.db.BeginDevice(k.ctx, k.t, a, hash(code), most)
}

const many = 1000

var devices = []promise{
	{"a device is found by its user code, as it was begun", func(k *kit) {
		k.must(k.device("a", "code", many))
		a := k.authentication("a", decoupled.Waiting)
		a.Subject, a.Request.RequiredSub = "", ""
		got, err := k.db.Device(k.ctx, k.t, hash("code"))
		k.must(err)
		k.same(*got, a)
		got, err = k.db.Authentication(k.ctx, k.t, k.now, "a")
		k.must(err)
		k.same(*got, a)
	}},
	{"another code finds nothing, nor does none", func(k *kit) {
		k.waiting("without code")
		k.must(k.device("a", "code", many))
		for _, code := range [][]byte{hash("other"), {}, nil} {
			_, err := k.db.Device(k.ctx, k.t, code)
			k.is(err, decoupled.ErrNotFound)
		}
	}},
	{"a code is found in any state, and after its end, until it is swept", func(k *kit) {
		k.must(k.device("a", "code", many))
		k.must(k.granting("a"))
		got, err := k.db.Device(k.ctx, k.t, hash("code"))
		k.must(err)
		k.same(got.State, decoupled.Granted)
		k.now = k.at(10 * time.Minute)
		_, err = k.db.Device(k.ctx, k.t, hash("code"))
		k.is(err, nil)
		k.swept(k.at(time.Hour))
		_, err = k.db.Device(k.ctx, k.t, hash("code"))
		k.is(err, decoupled.ErrNotFound)
	}},
	{"a code that another has is ErrTaken, also when that is over, and free when it is gone", func(k *kit) {
		k.must(k.device("a", "code", many))
		k.is(k.device("b", "code", many), device.ErrTaken)
		k.must(k.granting("a"))
		k.is(k.device("b", "code", many), device.ErrTaken)
		k.must(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(k.grant("a"))))
		k.is(k.device("b", "code", many), nil)
	}},
	{"no more wait than may, not counting what was answered, has ended, or has no code", func(k *kit) {
		k.waiting("without code")
		k.must(k.device("a", "1", 2))
		k.must(k.device("b", "2", 2))
		k.is(k.device("c", "3", 2), device.ErrFull)
		_, err := k.db.Device(k.ctx, k.t, hash("3"))
		k.is(err, decoupled.ErrNotFound)
		k.must(k.granting("a"))
		k.must(k.device("c", "3", 2))
		k.is(k.device("d", "4", 2), device.ErrFull)
		k.now = k.at(10 * time.Minute)
		k.must(k.device("d", "4", 2))
	}},
}

// raceDevice: one user code is for one device.
func raceDevice(k *kit) {
	k.oneWins(crowd(func(int) error { return k.device(newID(), "code", many) }), device.ErrTaken)
}

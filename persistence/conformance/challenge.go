package conformance

import (
	"encoding/json"
	"strconv"

	"github.com/chancery-id/chancery/flows/authorize"
)

// advanced is the interaction of that handle with another request and other data.
func (k *kit) advanced(handle string) authorize.Interaction {
	i := k.interaction(handle)
	i.Request.Nonce, i.Data = "later", json.RawMessage(`{"z": "\u0000"}`)
	return i
}

var challenges = []promise{
	{"advancing replaces request and data, and raises the version", func(k *kit) {
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), nil))
		i := k.advanced("h")
		k.must(k.db.Advance(k.ctx, k.t, k.now, i))
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		i.Version++
		k.same(*got, i)
	}},
	{"advancing changes nothing else", func(k *kit) {
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), nil))
		want, i := k.advanced("h"), k.advanced("h")
		i.Step, i.SessionID, i.Answered, i.Binding, i.ExpiresAt = authorize.StepConsent, "s", true, nil, k.now
		k.must(k.db.Advance(k.ctx, k.t, k.now, i))
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		want.Version++
		k.same(*got, want)
	}},
	{"what stays of an interaction that is finished has another request and other data, and a grant beside it", func(k *kit) {
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), nil))
		kept, g := k.advanced("h"), k.grant("g")
		e := authorize.FinishEffect{Hash: hash("h"), Version: 1, Kept: &kept, Grant: &g}
		_, err := k.db.Finish(k.ctx, k.t, k.now, e)
		k.must(err)
		_, err = k.db.Finish(k.ctx, k.t, k.now, e)
		k.is(err, authorize.ErrConflict)
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		kept.Version++
		k.same(*got, kept)
		k.must(k.redeem(g))
	}},
	{"what stays of one that was never stored is stored with its grant", func(k *kit) {
		kept, g := k.interaction("h"), k.grant("g")
		_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Kept: &kept, Grant: &g})
		k.must(err)
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		k.same(*got, kept)
		k.must(k.redeem(g))
	}},
	{"an interaction that has moved on, is unknown or has expired is not advanced", func(k *kit) {
		i := k.advanced("h")
		k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), nil))
		k.is(k.db.Advance(k.ctx, k.t, i.ExpiresAt, i), authorize.ErrNotFound)
		k.is(k.db.Advance(k.ctx, k.t, k.now, k.advanced("none")), authorize.ErrNotFound)
		i.Version = 7
		k.is(k.db.Advance(k.ctx, k.t, k.now, i), authorize.ErrConflict)
		got, err := k.db.Load(k.ctx, k.t, k.now, hash("h"))
		k.must(err)
		k.same(*got, k.interaction("h"))
		_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: hash("h"), Version: 1})
		k.must(err)
		k.is(k.db.Advance(k.ctx, k.t, k.now, k.advanced("h")), authorize.ErrNotFound)
	}},
}

// raceToAdvance: many go on with one interaction in one version, half of them by ending it.
func raceToAdvance(k *kit) {
	k.must(k.db.Begin(k.ctx, k.t, k.interaction("h"), nil))
	k.oneWins(crowd(func(i int) error {
		if i%2 == 0 {
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: hash("h"), Version: 1})
			return err
		}
		a := k.advanced("h")
		a.Request.Nonce = strconv.Itoa(i)
		return k.db.Advance(k.ctx, k.t, k.now, a)
	}), authorize.ErrConflict, authorize.ErrNotFound)
}

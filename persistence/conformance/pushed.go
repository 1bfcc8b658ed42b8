package conformance

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/request"
)

// pushedRequest returns one that was pushed, to be used within a minute.
func (k *kit) pushedRequest(uri string) request.PushedRequest {
	return request.PushedRequest{Hash: hash(uri), ClientID: "app", EndsAt: k.at(time.Minute),
		Params: url.Values{"client_id": {"app"}, "state": {mark(k.t)}, "resource": {"b", "a"}, "x&=\x00": {"\xff", ""}}}
}

// push records a pushed request.
func (k *kit) push(uri string) {
	k.Helper()
	k.must(k.db.Push(k.ctx, k.t, k.pushedRequest(uri)))
}

// beginPushed begins an interaction with a pushed request.
func (k *kit) beginPushed(handle, uri string) error {
	i := k.interaction(handle)
	i.Request.Pushed = hash(uri)
	return k.db.Begin(k.ctx, k.t, i, nil)
}

// finishPushed ends an interaction in its first version, or with no handle one that was never stored, by a grant.
func (k *kit) finishPushed(handle, uri, grantID string) error {
	f := authorize.FinishEffect{Version: 1, Pushed: hash(uri), Events: []audit.Event{k.event(audit.GrantIssued)}}
	if g := k.grant(grantID); grantID != "" {
		f.Grant = &g
	}
	if handle != "" {
		f.Hash = hash(handle)
	}
	_, err := k.db.Finish(k.ctx, k.t, k.now, f)
	return err
}

var pushes = []promise{
	{"a pushed request is read as it was pushed, as often as one likes", func(k *kit) {
		k.push("u")
		for range 2 {
			got, err := k.db.Pushed(k.ctx, k.t, k.now, hash("u"))
			k.must(err)
			k.same(*got, k.pushedRequest("u"))
		}
	}},
	{"one that is unknown, or has ended to the microsecond, is ErrNotFound", func(k *kit) {
		k.push("u")
		end := k.at(time.Minute)
		_, err := k.db.Pushed(k.ctx, k.t, end.Add(-time.Microsecond), hash("u"))
		k.is(err, nil)
		_, err = k.db.Pushed(k.ctx, k.t, end, hash("u"))
		k.is(err, request.ErrNotFound)
		_, err = k.db.Pushed(k.ctx, k.t, k.now, hash("other"))
		k.is(err, request.ErrNotFound)
		_, err = k.db.Pushed(k.ctx, k.t, k.now, nil)
		k.is(err, request.ErrNotFound)
	}},
	{"an authorization uses it up with its end, whether it was stored or not", func(k *kit) {
		for _, handle := range []string{"h", ""} {
			k.push("u")
			if handle != "" {
				k.must(k.beginPushed(handle, "u"))
				_, err := k.db.Pushed(k.ctx, k.t, k.now, hash("u"))
				k.is(err, nil)
			}
			k.must(k.finishPushed(handle, "u", "grant "+handle))
			_, err := k.db.Pushed(k.ctx, k.t, k.now, hash("u"))
			k.is(err, request.ErrNotFound)
			_, err = k.db.Grant(k.ctx, k.t, "grant "+handle)
			k.is(err, nil)
		}
	}},
	{"a refusal is an end too", func(k *kit) {
		k.push("u")
		k.must(k.beginPushed("h", "u"))
		k.must(k.finishPushed("h", "u", ""))
		k.is(k.beginPushed("i", "u"), authorize.ErrNotFound)
	}},
	{"what was used up begins and ends nothing more, and writes nothing", func(k *kit) {
		k.push("u")
		k.must(k.beginPushed("first", "u"))
		k.must(k.beginPushed("second", "u"))
		k.must(k.finishPushed("first", "u", "first"))
		before := len(k.events())
		for _, handle := range []string{"second", ""} {
			k.is(k.finishPushed(handle, "u", "more"), authorize.ErrNotFound)
		}
		k.is(k.beginPushed("third", "u"), authorize.ErrNotFound)
		_, err := k.db.Load(k.ctx, k.t, k.now, hash("third"))
		k.is(err, authorize.ErrNotFound)
		_, err = k.db.Grant(k.ctx, k.t, "more")
		k.is(err, grant.ErrNotFound)
		k.same(len(k.events()), before)
	}},
	{"an interaction that has moved on does not use it up", func(k *kit) {
		k.push("u")
		k.must(k.beginPushed("h", "u"))
		k.must(k.db.Advance(k.ctx, k.t, k.now, k.interaction("h")))
		k.is(k.finishPushed("h", "u", "g"), authorize.ErrConflict)
		_, err := k.db.Pushed(k.ctx, k.t, k.now, hash("u"))
		k.is(err, nil)
	}},
	{"it is swept once it has ended, but not before the interactions that began with it", func(k *kit) {
		k.push("unused")
		k.push("used")
		k.must(k.beginPushed("h", "used")) // for 15 minutes
		i := k.interaction("short")
		i.Request.Pushed, i.ExpiresAt = hash("used"), k.at(5*time.Minute)
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		k.swept(k.at(14 * time.Minute))
		_, err := k.db.Pushed(k.ctx, k.t, k.now, hash("unused"))
		k.is(err, request.ErrNotFound)
		_, err = k.db.Pushed(k.ctx, k.t, k.now, hash("used"))
		k.is(err, nil)
		k.swept(k.at(15 * time.Minute))
		_, err = k.db.Pushed(k.ctx, k.t, k.now, hash("used"))
		k.is(err, request.ErrNotFound)
	}},
	{"of many interactions that began with it one ends, while others begin", func(k *kit) {
		k.push("u")
		for n := range callers {
			k.must(k.beginPushed(strconv.Itoa(n), "u"))
		}
		errs := crowd(func(n int) error {
			switch n % 4 {
			case 0:
				return k.finishPushed("", "u", "g"+strconv.Itoa(n))
			case 1:
				if err := k.beginPushed("late "+strconv.Itoa(n), "u"); err != nil && !errors.Is(err, authorize.ErrNotFound) {
					return err
				}
				return authorize.ErrNotFound
			}
			return k.finishPushed(strconv.Itoa(n), "u", "g"+strconv.Itoa(n))
		})
		k.oneWins(errs, authorize.ErrNotFound)
		granted := 0
		for n := range callers {
			if _, err := k.db.Grant(k.ctx, k.t, "g"+strconv.Itoa(n)); err == nil {
				granted++
			}
		}
		k.same(granted, 1)
		k.same(len(k.events()), 1)
	}},
}

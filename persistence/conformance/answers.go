package conformance

import (
	"errors"
	"fmt"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// eventOnce is an event of a change that has an idempotency key.
func (k *kit) eventOnce(key, request string) audit.Event {
	ev := k.event(audit.RolesGranted)
	ev.Once = &audit.Once{Key: hash(key), Request: hash(request), ExpiresAt: k.at(time.Hour)}
	return ev
}

// once makes a change under an idempotency key.
func (k *kit) once(key, request string) {
	k.Helper()
	k.must(k.db.PutGrants(k.ctx, k.t, k.access().Version, "user:"+key, []string{"auditor"}, k.eventOnce(key, request)))
}

func (k *kit) answered(key string, now time.Time) *admin.Answer {
	k.Helper()
	a, err := k.db.Answered(k.ctx, k.t, hash(key), now)
	k.must(err)
	return a
}

var answers = []promise{
	{"a key is recorded with its change, and the answer after it", func(k *kit) {
		if a := k.answered("a", k.now); a != nil {
			k.Errorf("there is an answer before: %+v", a)
		}
		k.once("a", "request")
		k.same(k.answered("a", k.now), &admin.Answer{Request: hash("request"), Until: k.at(time.Hour)})
		want := admin.Answer{Status: 201, Location: "/x", Body: []byte(`{"token":"secret"}`)}
		k.must(k.db.PutAnswer(k.ctx, k.t, hash("a"), want))
		want.Request, want.Until = hash("request"), k.at(time.Hour)
		k.same(k.answered("a", k.now), &want)
	}},
	{"a change under a key that was used is not made, whatever the change", func(k *kit) {
		k.once("a", "request")
		before := k.access()
		if err := k.db.PutGrants(k.ctx, k.t, before.Version, "user:b", []string{"owner"}, k.eventOnce("a", "other")); err == nil {
			k.Error("roles were given")
		}
		if _, err := k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, k.eventOnce("a", "other")); err == nil {
			k.Error("a client was made")
		}
		if err := k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.eventOnce("a", "other")); err == nil {
			k.Error("an account was made")
		}
		k.same(k.access(), before)
		cs, err := k.db.Clients(k.ctx, k.t, "", 9)
		k.must(err)
		k.same(len(cs), 0)
	}},
	{"of many changes under one key one is made", func(k *kit) {
		k.win(crowd(func(i int) error {
			err := k.db.CreateAccount(k.ctx, k.t, k.account(fmt.Sprintf("u%d", i)), k.eventOnce("a", "request"))
			if err != nil {
				err = errors.Join(err, tenant.ErrConflict)
			}
			return err
		}), 1, tenant.ErrConflict)
		as, err := k.db.Accounts(k.ctx, k.t, "", 99)
		k.must(err)
		k.same(len(as), 1)
	}},
	{"a tenant may be created under a key", func(k *kit) {
		id := tenant.ID(newLabel())
		_, err := k.db.CreateTenant(k.ctx, k.record(id), k.eventOnce("a", "request"))
		k.must(err)
		a, err := k.db.Answered(k.ctx, id, hash("a"), k.now)
		k.must(err)
		k.same(a.Request, hash("request"))
	}},
	{"after its time a key may be used anew", func(k *kit) {
		k.once("a", "request")
		if a := k.answered("a", k.at(time.Hour)); a != nil {
			k.Errorf("after its time there is %+v", a)
		}
		k.once("a", "another")
		k.same(k.answered("a", k.now).Request, hash("another"))
	}},
}

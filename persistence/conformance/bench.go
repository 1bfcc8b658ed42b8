package conformance

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
)

// Benchmark measures what the hot paths ask of the store, with 8 callers for each processor. around, which may be nil,
// gets the measured part to run.
func Benchmark(b *testing.B, db *persistence.DB, around func(b *testing.B, run func())) {
	for _, c := range []struct {
		name    string
		prepare func(k *kit, id string) // what one run needs, not measured; may be nil
		run     func(k *kit, id string) error
	}{
		{"Begin", nil, (*kit).benchBegin},
		{"Load", begun, func(k *kit, id string) error { _, err := k.db.Load(k.ctx, k.t, k.now, hash(id)); return err }},
		{"Login", begun, (*kit).benchLogin},
		{"Finish", func(k *kit, id string) { begun(k, id); k.must(k.benchLogin(id)) }, (*kit).benchFinish},
		{"RedeemCode", func(k *kit, id string) { begun(k, id); k.must(k.benchLogin(id)); k.must(k.benchFinish(id)) }, (*kit).benchRedeem},
		{"Grant", put, func(k *kit, id string) error { _, err := k.db.Grant(k.ctx, k.t, id); return err }},
		{"RotateRefresh", put, (*kit).benchRotate},
		{"PutAccessToken", nil, func(k *kit, id string) error { return k.db.PutAccessToken(k.ctx, k.t, k.token(id, "")) }},
		{"code flow", nil, (*kit).benchFlow},
		{"code flow, each of another tenant", nil, func(k *kit, id string) error {
			other := *k
			other.t += tenant.ID(id[:2])
			return other.benchFlow(id)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			k, ids, next := newKit(b, db), make([]string, b.N), atomic.Int64{}
			for i := range ids {
				if ids[i] = newID(); c.prepare != nil {
					c.prepare(k, ids[i])
				}
			}
			run := func() {
				b.SetParallelism(8)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := c.run(k, ids[next.Add(1)-1]); err != nil {
							b.Error(err)
						}
					}
				})
				b.StopTimer()
			}
			if around == nil {
				run()
			} else {
				around(b, run)
			}
		})
	}
}

func begun(k *kit, id string) { k.must(k.benchBegin(id)) }

func put(k *kit, id string) {
	k.must(k.db.PutGrant(k.ctx, k.t, k.refreshable(id), nil, audit.Event{}))
}

func (k *kit) benchBegin(id string) error {
	return k.db.Begin(k.ctx, k.t, k.interaction(id), nil)
}

func (k *kit) benchLogin(id string) error {
	i, s := k.interaction(id), k.session(id)
	s.Subject, s.CreatedAt, s.UsedAt, s.Clients, i.Step, i.SessionID, i.Answered = id, k.now, k.now, nil, authorize.StepConsent, id, true
	_, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i, Session: &s, KeepNewest: 5, TokensUntil: k.now, Event: k.event(audit.LoggedIn)})
	return err
}

func (k *kit) benchFinish(id string) error {
	g, z := k.grant(id), k.authorization("app")
	g.Subject, g.SessionID, z.Subject = id, id, id
	_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: hash(id), Version: 2, Grant: &g, Authorization: &z, ClientID: "app",
		Events: []audit.Event{k.event(audit.Consented)}})
	return err
}

func (k *kit) benchRedeem(id string) error {
	g, r := k.grant(id), k.line(1)
	return k.db.RedeemCode(k.ctx, k.t, k.now, grant.Redemption{Grant: id, CodeHash: g.Code.Hash, Refresh: &r, ExpiresAt: k.at(24 * time.Hour)},
		k.revocation(id), k.event(audit.CodeReplayed))
}

func (k *kit) benchRotate(id string) error {
	_, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(2)}, grace, k.revocation(id), audit.Event{})
	return err
}

// benchFlow is what a whole code flow asks of the store.
func (k *kit) benchFlow(id string) error {
	for _, step := range []func() error{
		func() error { return k.benchBegin(id) },
		func() error { _, err := k.db.Load(k.ctx, k.t, k.now, hash(id)); return err },
		func() error { _, err := k.db.SubjectOf(k.ctx, k.t, id, "app"); return err },
		func() error { return k.benchLogin(id) },
		func() error { _, err := k.db.Load(k.ctx, k.t, k.now, hash(id)); return err },
		func() error { _, err := k.db.Subject(k.ctx, k.t, id, "app"); return err },
		func() error { return k.benchFinish(id) },
		func() error { _, err := k.db.Grant(k.ctx, k.t, id); return err },
		func() error { return k.benchRedeem(id) },
		func() error { _, err := k.db.Grant(k.ctx, k.t, id); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

var flowRaces = map[string]raced{
	"authorize.Store.Subject":   {why: onlyReads},
	"authorize.Store.SubjectOf": {why: onlyReads},
	"authorize.Store.Load":      {why: onlyReads},
	"authorize.Store.Begin": {race: func(k *kit) { // each has a key of its own, but they touch one session
		k.begin(k.session("s"))
		k.win(crowd(func(i int) error {
			s := k.session("s")
			s.UsedAt = k.at(time.Duration(i) * time.Second)
			return k.db.Begin(k.ctx, k.t, k.interaction(strconv.Itoa(i)), &s)
		}), callers)
		s, err := k.db.Session(k.ctx, k.t, "s")
		k.must(err)
		k.same(s.UsedAt, k.at((callers-1)*time.Second))
	}},
	"challenge.Store.Advance": {race: raceToAdvance},

	"clientauth.Replay.UseOnce": {race: raceToUse},
	"authorize.Store.Login": {race: func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		k.oneWins(crowd(func(n int) error {
			s, next := k.session("s"+strconv.Itoa(n)), i
			next.SessionID = s.ID
			_, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: next, Session: &s, KeepNewest: 5, TokensUntil: k.now, Event: k.event(audit.LoggedIn)})
			return err
		}), authorize.ErrConflict)
		got, err := k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.must(err)
		k.same(k.open("alice"), []string{got.SessionID})
		k.same(len(k.events()), 1)
	}},
	"authorize.Store.PutData": {race: func(k *kit) { // the last one stays, whole
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		k.win(crowd(func(n int) error {
			return k.db.PutData(k.ctx, k.t, k.now, i.Hash, json.RawMessage(fmt.Sprintf(`{"a":%d,"b":%d}`, n, n)))
		}), callers)
		got, err := k.db.Load(k.ctx, k.t, k.now, i.Hash)
		k.must(err)
		var v struct{ A, B int }
		k.must(json.Unmarshal(got.Data, &v))
		k.same(v.A, v.B)
	}},
	"authorize.Store.Finish": {race: func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		var winner atomic.Value
		k.oneWins(crowd(func(n int) error {
			g, z := k.grant("g"+strconv.Itoa(n)), k.authorization("app")
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1, Grant: &g, Authorization: &z, Events: []audit.Event{k.event(audit.Consented)}})
			if err == nil {
				winner.Store(g.ID)
			}
			return err
		}), authorize.ErrNotFound)
		k.same(len(k.events()), 1)
		for n := range callers {
			id := "g" + strconv.Itoa(n)
			if _, err := k.db.Grant(k.ctx, k.t, id); (err == nil) != (id == winner.Load()) {
				k.Errorf("%s: %v, but the winner is %v", id, err, winner.Load())
			}
		}
	}},

	"grant.Store.Grant":          {why: onlyReads},
	"grant.Store.AccessToken":    {why: onlyReads},
	"grant.Store.Authorizations": {why: onlyReads},
	"grant.Store.PutAccessToken": {why: newKey},
	"grant.Store.PutGrant":       {why: newKey},
	"grant.Store.Derive":         {race: raceDerive},
	"grant.Store.RedeemCode": {race: func(k *kit) {
		g := k.grant("g")
		k.finish(nil, &g)
		k.oneWins(crowd(func(n int) error {
			r, a := k.redemption(g), k.token("token "+strconv.Itoa(n), "g")
			r.AccessToken = &a
			return k.db.RedeemCode(k.ctx, k.t, k.now, r, k.revocation("g"), k.event(audit.CodeReplayed))
		}), grant.ErrReplayed)
		for n := range callers {
			_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("token "+strconv.Itoa(n)))
			k.is(err, grant.ErrNotFound) // they have revoked what the winner got
		}
		k.same(k.journal(), []tenant.Revocation{k.revocation("g")})
		k.same(k.events(), []audit.Kind{audit.CodeReplayed})
	}},
	"grant.Store.RotateRefresh": {race: func(k *kit) {
		id, rotations := k.refreshing(nil), atomic.Int64{}
		k.win(crowd(func(int) error {
			retry, err := k.rotate(id, 1, 2)
			if !retry && err == nil {
				rotations.Add(1)
			}
			return err
		}), callers)
		k.same(rotations.Load(), int64(1)) // and the others get the same successor
		g, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		k.same(g.Refresh.Generation, int64(2))

		id = k.refreshing(nil)
		k.oneWins(crowd(func(int) error {
			_, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(2)}, 0, k.revocation(id), k.event(audit.RefreshReplayed))
			return err
		}), grant.ErrReplayed, grant.ErrNotFound)
		k.revoked(id)
	}},
	"grant.Store.RevokeGrant": {race: func(k *kit) {
		id := k.refreshing(nil)
		k.win(crowd(func(int) error {
			return k.db.RevokeGrant(k.ctx, k.t, id, k.now, k.revocation(id), k.event(audit.GrantRevoked))
		}), callers)
		k.same(k.events(), []audit.Kind{audit.GrantRevoked})
		k.revoked(id)
	}},
	"grant.Store.RevokeToken": {race: func(k *kit) {
		a := k.token("a", "")
		k.must(k.db.PutAccessToken(k.ctx, k.t, a))
		r := tenant.Revocation{Token: a.ID, At: k.now, ExpiresAt: k.at(time.Hour)}
		k.win(crowd(func(int) error { return k.db.RevokeToken(k.ctx, k.t, a.Hash, k.now, r, audit.Event{}) }), callers)
		k.same(k.journal(), []tenant.Revocation{r})
	}},
	"grant.Store.Withdraw": {race: func(k *kit) {
		k.consented()
		var forgotten atomic.Int64
		k.win(crowd(func(int) error {
			n, err := k.db.Withdraw(k.ctx, k.t, "alice", "", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, audit.Event{})
			forgotten.Add(int64(n))
			return err
		}), callers)
		k.same(forgotten.Load(), int64(3))
	}},

	"request.Store.Push":   {why: newKey},
	"request.Store.Pushed": {why: onlyReads},

	"ciba.Register.Queue":      {why: onlyReads},
	"ciba.Register.Redeemable": {why: onlyReads},

	"decoupled.Store.Authentication":       {why: onlyReads},
	"decoupled.Store.Authentications":      {why: onlyReads},
	"decoupled.Store.BeginAuthentication":  {why: newKey},
	"decoupled.Store.Acknowledge":          {race: raceAcknowledge},
	"decoupled.Store.Settle":               {race: raceSettle},
	"decoupled.Store.DropAuthentication":   {race: raceDrop},
	"decoupled.Store.Poll":                 {race: racePoll},
	"decoupled.Store.RedeemAuthentication": {race: raceRedeemAuthentication},

	"grant.Register.ListGrants":          {why: onlyReads},
	"grant.Managed.ManagedGrants":        {why: onlyReads},
	"grant.Managed.RevokeManaged":        {race: raceRevokeManaged},
	"grant.Records.ListRecords":          {why: onlyReads},
	"grant.Records.NewestToken":          {why: onlyReads},
	"grant.Records.Batch":                {why: onlyReads},
	"grant.Records.Amend":                {race: raceAmend},
	"grant.Records.DeriveAll":            {race: raceDeriveAll},
	"grant.Ledger.GrantedScopes":         {why: onlyReads},
	"grant.Ledger.RevokeGrants":          {race: raceRevokeGrants},
	"grant.Ledger.ForgetScopes":          {race: raceForgetScopes},
	"grant.Register.ListAuthorizations":  {why: onlyReads},
	"grant.Register.CountAuthorizations": {why: onlyReads},
	"grant.Register.ListConsenting":      {why: onlyReads},
	"grant.Register.ListConsented":       {why: onlyReads},
	"grant.Register.PutAuthorization":    {race: racePutAuthorization},
	"grant.Register.Renounce":            {race: raceRenounce},

	"outbox.Store.Owe":                {why: newKey},
	"outbox.Store.Owing":              {why: onlyReads},
	"outbox.Store.Backlog":            {why: onlyReads},
	"outbox.Store.Messages":           {why: onlyReads},
	"outbox.Store.Lease":              {race: raceLease},
	"outbox.Store.Delivered":          {race: raceDelivered},
	"outbox.Store.PutOff":             {race: racePutOff},
	"outbox.Store.Bury":               {race: raceBury},
	"outbox.Store.Replay":             {race: raceReplay},
	"outbox.Store.Drop":               {race: raceDropping},
	"outbox.Webhooks.Webhooks":        {why: onlyReads},
	"outbox.Webhooks.Webhook":         {why: onlyReads},
	"outbox.Webhooks.WebhookMessages": {why: onlyReads},
	"outbox.Webhooks.PutWebhook": {race: func(k *kit) {
		k.win(crowd(func(i int) error {
			return k.db.PutWebhook(k.ctx, k.t, k.webhook("w"+strconv.Itoa(i)), 5, k.event(audit.WebhookCreated))
		}), 5, outbox.ErrFull)
		ws, err := k.db.Webhooks(k.ctx, k.t)
		k.must(err)
		k.same([]int{len(ws), len(k.events())}, []int{5, 5})
	}},
	"outbox.Webhooks.UpdateWebhook": {race: func(k *kit) {
		k.subscribe("w")
		k.oneWins(crowd(func(i int) error {
			w := k.webhook("w")
			w.Version, w.URL = 2, "https://told.example/"+strconv.Itoa(i)
			return k.db.UpdateWebhook(k.ctx, k.t, w, k.event(audit.WebhookUpdated))
		}), outbox.ErrConflict)
		k.same(k.events(), []audit.Kind{audit.WebhookUpdated})
	}},
	"outbox.Webhooks.DeleteWebhook": {race: func(k *kit) {
		k.subscribe("w")
		k.oneWins(crowd(func(int) error { return k.db.DeleteWebhook(k.ctx, k.t, "w", k.event(audit.WebhookDeleted)) }), outbox.ErrNoWebhook)
	}},
	"outbox.Webhooks.ReplayWebhook": {race: func(k *kit) {
		k.subscribe("w")
		k.giveUp("w", 20)
		var total atomic.Int64
		k.win(crowd(func(int) error {
			n, err := k.db.ReplayWebhook(k.ctx, k.t, "w", "", k.now)
			total.Add(int64(n))
			return err
		}), callers)
		k.same(total.Load(), int64(20))
	}},
	"outbox.Webhooks.DropDeadLetters": {race: func(k *kit) {
		k.subscribe("w")
		k.giveUp("w", 20)
		var total atomic.Int64
		k.win(crowd(func(int) error {
			n, err := k.db.DropDeadLetters(k.ctx, k.t, "w")
			total.Add(int64(n))
			return err
		}), callers)
		k.same(total.Load(), int64(20))
	}},
	"outbox.Webhooks.SuspendWebhooks": {race: func(k *kit) {
		k.subscribe("w")
		k.giveUp("w", 100)
		k.win(crowd(func(int) error {
			_, err := k.db.SuspendWebhooks(k.ctx, k.now, 100, audit.WebhookSuspended)
			return err
		}), callers)
		k.same(k.events(), []audit.Kind{audit.WebhookSuspended})
	}},

	"device.Store.BeginDevice": {race: raceDevice},
	"device.Store.Device":      {why: onlyReads},
}

package conformance

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

var flowIsolations = map[string]kept{
	"authorize.Store.Subject":   {call: func(k *kit) (any, error) { return k.db.Subject(k.ctx, k.t, "session", "app") }},
	"authorize.Store.SubjectOf": {call: func(k *kit) (any, error) { return k.db.SubjectOf(k.ctx, k.t, "alice", "app") }},
	"authorize.Store.Load":      {call: func(k *kit) (any, error) { return k.db.Load(k.ctx, k.t, k.now, hash("interaction")) }},
	"authorize.Store.PutData": {call: func(k *kit) (any, error) {
		return none(k.db.PutData(k.ctx, k.t, k.now, hash("interaction"), json.RawMessage(`{}`)))
	}},
	"authorize.Store.Begin": {call: func(k *kit) (any, error) {
		s := k.session("session")
		s.UsedAt = k.at(time.Minute)
		return none(k.db.Begin(k.ctx, k.t, k.interaction("another"), &s))
	}},
	"authorize.Store.Login": {call: func(k *kit) (any, error) {
		s := k.session("new")
		return k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: k.interaction("interaction"), Session: &s, Ended: "session",
			KeepNewest: 1, TokensUntil: k.at(time.Hour), Event: k.event(audit.LoggedIn)})
	}},
	"authorize.Store.Finish": {call: func(k *kit) (any, error) {
		s, z, g := k.session("new"), k.authorization("app"), k.grant("new")
		z.Scope, g.SessionID = nil, "new"
		return k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: hash("interaction"), Version: 1, Authorization: &z, Grant: &g, Session: &s,
			Ended: "session", KeepNewest: 1, KeepAlike: 1, TokensUntil: k.at(time.Hour), ClientID: "app", Events: []audit.Event{k.event(audit.Consented)}})
	}},

	"challenge.Store.Advance": {call: func(k *kit) (any, error) { return none(k.db.Advance(k.ctx, k.t, k.now, k.advanced("interaction"))) }},

	"clientauth.Replay.UseOnce": {call: func(k *kit) (any, error) { return none(k.use("assertion", "another", k.at(time.Hour))) }},

	"grant.Store.Grant":          {call: func(k *kit) (any, error) { return k.db.Grant(k.ctx, k.t, "grant") }},
	"grant.Store.AccessToken":    {call: func(k *kit) (any, error) { return k.db.AccessToken(k.ctx, k.t, k.now, hash("token")) }},
	"grant.Store.Authorizations": {call: func(k *kit) (any, error) { return k.db.Authorizations(k.ctx, k.t, "alice") }},
	"grant.Store.PutAccessToken": {call: func(k *kit) (any, error) { return none(k.db.PutAccessToken(k.ctx, k.t, k.token("third", ""))) }},
	"grant.Store.PutGrant": {call: func(k *kit) (any, error) {
		return none(k.db.PutGrant(k.ctx, k.t, k.grant("third"), nil, k.event(audit.GrantIssued)))
	}},
	"grant.Store.Derive":     {call: func(k *kit) (any, error) { return none(k.derive("derived", "grant")) }},
	"grant.Store.RedeemCode": {call: func(k *kit) (any, error) { return none(k.redeem(k.grant("coded"))) }},
	"grant.Store.RotateRefresh": {call: func(k *kit) (any, error) {
		return k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: "grant", Presented: 1, Next: k.line(2)}, grace, k.revocation("grant"), audit.Event{})
	}},
	"grant.Store.RevokeGrant": {call: func(k *kit) (any, error) {
		return none(k.db.RevokeGrant(k.ctx, k.t, "grant", k.now, k.revocation("grant"), k.event(audit.GrantRevoked)))
	}},
	"grant.Store.RevokeToken": {call: func(k *kit) (any, error) {
		return none(k.db.RevokeToken(k.ctx, k.t, hash("alone"), k.now, tenant.Revocation{Token: "x", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked)))
	}},
	"grant.Store.Withdraw": {call: func(k *kit) (any, error) {
		return k.db.Withdraw(k.ctx, k.t, "alice", "", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked))
	}},

	"request.Store.Push":   {call: func(k *kit) (any, error) { return none(k.db.Push(k.ctx, k.t, k.pushedRequest("new"))) }},
	"request.Store.Pushed": {call: func(k *kit) (any, error) { return k.db.Pushed(k.ctx, k.t, k.now, hash("pushed")) }},

	"ciba.Register.Queue":      {call: func(k *kit) (any, error) { return k.db.Queue(k.ctx, k.t, k.now, "session", "", 1000) }},
	"ciba.Register.Redeemable": {call: func(k *kit) (any, error) { return k.db.Redeemable(k.ctx, k.t, k.now, "", 1000) }},

	"decoupled.Store.Authentication": {call: func(k *kit) (any, error) { return k.db.Authentication(k.ctx, k.t, k.now, "waiting") }},
	"decoupled.Store.Authentications": {call: func(k *kit) (any, error) {
		return k.db.Authentications(k.ctx, k.t, k.now, "alice", 1000)
	}},
	"decoupled.Store.BeginAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("another", decoupled.Waiting)))
	}},
	"decoupled.Store.Acknowledge": {call: func(k *kit) (any, error) {
		return none(k.db.Acknowledge(k.ctx, k.t, k.now, "identifying", time.Second, k.at(time.Hour)))
	}},
	"decoupled.Store.Settle": {call: func(k *kit) (any, error) { return none(k.granting("waiting")) }},
	"decoupled.Store.DropAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.DropAuthentication(k.ctx, k.t, "waiting", k.event(audit.Denied)))
	}},
	"decoupled.Store.Poll": {call: func(k *kit) (any, error) { return k.poll("waiting") }},
	"decoupled.Store.RedeemAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(k.grant("approved"))))
	}},

	"grant.Register.CountAuthorizations": {call: func(k *kit) (any, error) { return k.db.CountAuthorizations(k.ctx, k.t, "", "app", "") }},
	"grant.Register.ListConsenting":      {call: func(k *kit) (any, error) { return k.db.ListConsenting(k.ctx, k.t, "", 1000) }},
	"grant.Register.ListConsented":       {call: func(k *kit) (any, error) { return k.db.ListConsented(k.ctx, k.t, "", 1000) }},
	"grant.Register.PutAuthorization": {call: func(k *kit) (any, error) {
		return none(k.db.PutAuthorization(k.ctx, k.t, grant.Authorization{Subject: "alice", ClientID: "app", UpdatedAt: k.now}, k.event(audit.Consented)))
	}},
	"grant.Register.Renounce":           {call: func(k *kit) (any, error) { return k.renounce("alice", "", "") }},
	"grant.Register.ListAuthorizations": {call: func(k *kit) (any, error) { return k.db.ListAuthorizations(k.ctx, k.t, "", "app", "", 1000) }},
	"grant.Records.ListRecords": {call: func(k *kit) (any, error) {
		rs, total, err := k.db.ListRecords(k.ctx, k.t, k.now, grant.Whose{}, 0, 1000)
		return []any{rs, total}, err
	}},
	"grant.Managed.ManagedGrants": {call: func(k *kit) (any, error) { return k.db.ManagedGrants(k.ctx, k.t, k.now, "managed") }},
	"grant.Managed.RevokeManaged": {call: func(k *kit) (any, error) { return k.revokeManaged("managed", "app") }},
	"grant.Records.NewestToken":   {call: func(k *kit) (any, error) { return k.db.NewestToken(k.ctx, k.t, k.now, "grant") }},
	"grant.Records.Batch":         {call: func(k *kit) (any, error) { return k.db.Batch(k.ctx, k.t, k.now, "batch") }},
	"grant.Records.Amend": {call: func(k *kit) (any, error) {
		g, a := k.refreshable("grant"), k.token("another", "grant")
		return none(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, hash("token"), &a)))
	}},
	"grant.Records.DeriveAll": {call: func(k *kit) (any, error) {
		b := k.token("b", "")
		return none(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("second"), []grant.Derivation{{AccessToken: &b}}))
	}},
	"grant.Ledger.GrantedScopes": {call: func(k *kit) (any, error) { return k.db.GrantedScopes(k.ctx, k.t, "alice", "app") }},
	"grant.Ledger.RevokeGrants": {call: func(k *kit) (any, error) {
		return k.db.RevokeGrants(k.ctx, k.t, "alice", "app", k.now, tenant.Revocation{Subject: "alice", ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked))
	}},
	"grant.Ledger.ForgetScopes": {call: func(k *kit) (any, error) {
		return k.db.ForgetScopes(k.ctx, k.t, "alice", "app", k.event(audit.ConsentForgotten))
	}},
	"grant.Register.ListGrants": {call: func(k *kit) (any, error) { return k.db.ListGrants(k.ctx, k.t, k.now, "alice", "", "", 1000) }},

	"outbox.Store.Owing":   {why: everyTenant},
	"outbox.Store.Backlog": {why: everyTenant},
	"outbox.Store.Owe":     {call: func(k *kit) (any, error) { return none(k.db.Owe(k.ctx, k.t, k.message("new", "alice"))) }},
	"outbox.Store.Messages": {call: func(k *kit) (any, error) {
		waiting, err := k.db.Messages(k.ctx, k.t, false, "", 1000)
		k.must(err)
		dead, err := k.db.Messages(k.ctx, k.t, true, "", 1000)
		return append(waiting, dead...), err
	}},
	"outbox.Store.Lease":     {call: func(k *kit) (any, error) { return k.db.Lease(k.ctx, k.t, k.now, k.at(time.Minute), 1000, nil) }},
	"outbox.Store.Delivered": {call: func(k *kit) (any, error) { return none(k.db.Delivered(k.ctx, k.t, "owed", 0)) }},
	"outbox.Store.PutOff": {call: func(k *kit) (any, error) {
		return none(k.db.PutOff(k.ctx, k.t, "owed", 0, k.at(time.Hour), "refused"))
	}},
	"outbox.Store.Bury":               {call: func(k *kit) (any, error) { return none(k.db.Bury(k.ctx, k.t, "owed", 0, k.now, "refused")) }},
	"outbox.Store.Replay":             {call: func(k *kit) (any, error) { return none(k.replay("lost", k.now)) }},
	"outbox.Store.Drop":               {call: func(k *kit) (any, error) { return k.drop(outbox.Letters{}, 10) }},
	"outbox.Webhooks.SuspendWebhooks": {why: everyTenant},
	"outbox.Webhooks.PutWebhook": {call: func(k *kit) (any, error) {
		return none(k.db.PutWebhook(k.ctx, k.t, k.webhook("another", outbox.EveryEvent), many, k.event(audit.WebhookCreated)))
	}},
	"outbox.Webhooks.Webhooks": {call: func(k *kit) (any, error) { return k.db.Webhooks(k.ctx, k.t) }},
	"outbox.Webhooks.Webhook":  {call: func(k *kit) (any, error) { return k.db.Webhook(k.ctx, k.t, "webhook") }},
	"outbox.Webhooks.UpdateWebhook": {call: func(k *kit) (any, error) {
		w := k.webhook("webhook", outbox.EveryEvent)
		w.Version, w.Enabled = 2, false
		return none(k.db.UpdateWebhook(k.ctx, k.t, w, k.event(audit.WebhookUpdated)))
	}},
	"outbox.Webhooks.DeleteWebhook": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteWebhook(k.ctx, k.t, "webhook", k.event(audit.WebhookDeleted)))
	}},
	"outbox.Webhooks.WebhookMessages": {call: func(k *kit) (any, error) { return k.db.WebhookMessages(k.ctx, k.t, "webhook", false, "", 1000) }},
	"outbox.Webhooks.ReplayWebhook":   {call: func(k *kit) (any, error) { return k.db.ReplayWebhook(k.ctx, k.t, "webhook", "", k.now) }},
	"outbox.Webhooks.DropDeadLetters": {call: func(k *kit) (any, error) { return k.db.DropDeadLetters(k.ctx, k.t, "webhook") }},

	"device.Store.BeginDevice": {call: func(k *kit) (any, error) { return none(k.device("another", "another user code", many)) }},
	"device.Store.Device":      {call: func(k *kit) (any, error) { return k.db.Device(k.ctx, k.t, hash("user code")) }},
}

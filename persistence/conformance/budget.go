package conformance

import (
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
)

// Budget checks how many statements each method of the hot paths costs. sent returns how many were sent so far, BEGIN
// and COMMIT among them.
func Budget(t *testing.T, db *persistence.DB, sent func() int) {
	k := newKit(t, db)
	k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
	_, err := k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, audit.Event{})
	k.must(err)
	old, s := k.session("old"), k.session("s")
	k.begin(old)
	hanging := k.grant("hanging")
	hanging.SessionID = "old"
	k.finish(nil, &hanging)
	i, z, g := k.interaction("h"), k.authorization("app"), k.grant("g")
	next := i
	next.Step, next.SessionID, g.SessionID = authorize.StepConsent, "s", "s"
	rotation := func(id string, from, to int64) error {
		a := k.token(newID(), id)
		_, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: from, Next: k.line(to), AccessToken: &a}, grace, k.revocation(id), audit.Event{})
		return err
	}
	for _, c := range []struct {
		says string
		most int
		call func() error
		want error
	}{
		{"Begin, with a session to touch", 1, func() error { return k.db.Begin(k.ctx, k.t, i, &old) }, nil},
		{"Subject", 1, func() error { _, err := k.db.Subject(k.ctx, k.t, "old", "app"); return err }, nil},
		{"SubjectOf", 1, func() error { _, err := k.db.SubjectOf(k.ctx, k.t, "alice", "app"); return err }, nil},
		{"Load", 1, func() error { _, err := k.db.Load(k.ctx, k.t, k.now, i.Hash); return err }, nil},
		{"PutData", 1, func() error { return k.db.PutData(k.ctx, k.t, k.now, i.Hash, nil) }, nil},
		{"Login, which ends a session", 1, func() error {
			rs, err := k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: next, Session: &s, Ended: "old", KeepNewest: 5,
				TokensUntil: k.at(time.Hour), Event: k.event(audit.LoggedIn)})
			k.same(len(rs), 1)
			return err
		}, nil},
		{"Finish, with consent, a grant and two events", 1, func() error {
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 2, Authorization: &z, Grant: &g, ClientID: "app", Touch: true,
				Events: []audit.Event{k.event(audit.Consented), k.event(audit.GrantIssued)}})
			return err
		}, nil},
		{"Finish at once, with a session and a token", 1, func() error {
			x, n, a := k.refreshable("direct"), k.session("direct"), k.token("direct", "direct")
			x.SessionID = "direct"
			merged := z // with what is on record
			merged.CreatedAt = k.at(-time.Hour)
			_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Authorization: &merged, Grant: &x, AccessToken: &a, Session: &n, KeepNewest: 5,
				TokensUntil: k.now, ClientID: "app", Events: []audit.Event{k.event(audit.GrantIssued)}})
			return err
		}, nil},
		{"Grant", 1, func() error { _, err := k.db.Grant(k.ctx, k.t, "g"); return err }, nil},
		{"RedeemCode, with both tokens", 1, func() error { return k.redeem(g) }, nil},
		{"RotateRefresh, with an opaque token", 1, func() error { return rotation("g", 1, 2) }, nil},
		{"RotateRefresh, repeated", 3, func() error { return rotation("g", 1, 2) }, nil},
		{"PutAccessToken", 1, func() error { return k.db.PutAccessToken(k.ctx, k.t, k.token("alone", "")) }, nil},
		{"Derive", 1, func() error { return k.derive("derived", "g") }, nil},
		{"AccessToken", 1, func() error { _, err := k.db.AccessToken(k.ctx, k.t, k.now, hash("alone")); return err }, nil},
		{"RevokeToken", 1, func() error {
			return k.db.RevokeToken(k.ctx, k.t, hash("alone"), k.now, tenant.Revocation{Token: "x", At: k.now, ExpiresAt: k.now}, k.event(audit.GrantRevoked))
		}, nil},
		{"RevokeGrant", 1, func() error {
			return k.db.RevokeGrant(k.ctx, k.t, "direct", k.now, k.revocation("direct"), k.event(audit.GrantRevoked))
		}, nil},
		{"PutGrant", 1, func() error { return k.db.PutGrant(k.ctx, k.t, k.refreshable("put"), nil, k.event(audit.GrantIssued)) }, nil},
		{"EndSession", 1, func() error {
			_, err := k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
			return err
		}, nil},
		{"Withdraw", 1, func() error {
			_, err := k.db.Withdraw(k.ctx, k.t, "alice", "app", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.now}, k.event(audit.GrantRevoked))
			return err
		}, nil},
		{"RedeemCode, replayed", 3, func() error { return k.redeem(g) }, grant.ErrReplayed},
		{"Push", 1, func() error { return k.db.Push(k.ctx, k.t, k.pushedRequest("u")) }, nil},
		{"Pushed", 1, func() error { _, err := k.db.Pushed(k.ctx, k.t, k.now, hash("u")); return err }, nil},
		{"Begin, of a pushed request", 1, func() error { return k.beginPushed("pushed", "u") }, nil},
		{"Finish, of a pushed request", 1, func() error { return k.finishPushed("pushed", "u", "of pushed") }, nil},
		{"BeginAuthentication", 1, func() error {
			return k.db.BeginAuthentication(k.ctx, k.t, k.authentication("b", decoupled.Identifying))
		}, nil},
		{"Acknowledge", 1, func() error { return k.db.Acknowledge(k.ctx, k.t, k.now, "b", time.Second, k.at(time.Hour)) }, nil},
		{"Poll", 1, func() error { _, err := k.poll("b"); return err }, nil},
		{"Settle, with a grant", 1, func() error { return k.granting("b") }, nil},
		{"RedeemAuthentication, with both tokens", 1, func() error {
			return k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(k.grant("b")))
		}, nil},
		{"ListSessions", 1, func() error { _, err := k.db.ListSessions(k.ctx, k.t, "alice", "", 9); return err }, nil},
		{"CountSessions", 1, func() error { _, _, err := k.db.CountSessions(k.ctx, k.t, "", k.now); return err }, nil},
		{"ListSubjects", 1, func() error { _, err := k.db.ListSubjects(k.ctx, k.t, "", k.now, 9); return err }, nil},
		{"PurgeSessions", 1, func() error { _, err := k.db.PurgeSessions(k.ctx, k.t, k.now, 9); return err }, nil},
		{"CountAuthorizations", 1, func() error { _, err := k.db.CountAuthorizations(k.ctx, k.t, "", "app", ""); return err }, nil},
		{"ListConsenting", 1, func() error { _, err := k.db.ListConsenting(k.ctx, k.t, "", 9); return err }, nil},
		{"ListConsented", 1, func() error { _, err := k.db.ListConsented(k.ctx, k.t, "", 9); return err }, nil},
		{"PutAuthorization", 1, func() error {
			return k.db.PutAuthorization(k.ctx, k.t, grant.Authorization{Subject: "gone", ClientID: "app", UpdatedAt: k.now}, k.event(audit.Consented))
		}, grant.ErrNotFound},
		{"Renounce", 1, func() error { _, err := k.renounce("nobody", "app", ""); return err }, nil},
		{"ListAuthorizations", 1, func() error { _, err := k.db.ListAuthorizations(k.ctx, k.t, "alice", "app", "", 9); return err }, nil},
		{"ListGrants", 1, func() error { _, err := k.db.ListGrants(k.ctx, k.t, k.now, "alice", "app", "", 9); return err }, nil},
		{"ManagedGrants", 1, func() error { _, err := k.db.ManagedGrants(k.ctx, k.t, k.now, "m"); return err }, nil},
		{"RevokeManaged", 1, func() error { _, err := k.revokeManaged("m", "app"); return err }, grant.ErrNotFound},
		{"ListRecords", 3, func() error { _, _, err := k.db.ListRecords(k.ctx, k.t, k.now, grant.Whose{}, 0, 9); return err }, nil},
		{"Amend", 1, func() error {
			alone := k.token("renamed", "")
			return k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Token: &alone, Event: k.event(audit.TokenChanged)})
		}, nil},
		{"DeriveAll", 1, func() error { return k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("batch"), nil) }, nil},
		{"Batch", 1, func() error { _, err := k.db.Batch(k.ctx, k.t, k.now, "batch"); return err }, nil},
		{"AmendSession", 1, func() error {
			return k.db.AmendSession(k.ctx, k.t, "gone", session.Amendment{UsedAt: k.now}, k.event(audit.SessionChanged))
		}, session.ErrNotFound},
		{"EndSessions", 1, func() error {
			_, err := k.db.EndSessions(k.ctx, k.t, "alice", "", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
			return err
		}, nil},
		{"Owe, two messages", 1, func() error { return k.db.Owe(k.ctx, k.t, k.message("m", ""), k.message("n", "")) }, nil},
		{"Owing", 1, func() error { _, err := k.db.Owing(k.ctx, k.now, "", 10); return err }, nil},
		{"Lease", 1, func() error { _, err := k.db.Lease(k.ctx, k.t, k.now, k.now, 10, nil); return err }, nil},
		{"PutOff", 1, func() error { return k.db.PutOff(k.ctx, k.t, "m", 1, k.now, "refused") }, nil},
		{"Delivered", 1, func() error { return k.db.Delivered(k.ctx, k.t, "m", 1) }, nil},
		{"PutWebhook", 1, func() error {
			return k.db.PutWebhook(k.ctx, k.t, k.webhook("w", outbox.EveryEvent), 9, k.event(audit.WebhookCreated))
		}, nil},
		{"Webhook", 1, func() error { _, err := k.db.Webhook(k.ctx, k.t, "w"); return err }, nil},
		{"Record, with a webhook", 1, func() error { return k.db.Record(k.ctx, k.t, k.event(audit.LoginFailed)) }, nil},
		{"SuspendWebhooks", 1, func() error {
			_, err := k.db.SuspendWebhooks(k.ctx, k.now, outbox.MostOwed, audit.WebhookSuspended)
			return err
		}, nil},
		{"BeginDevice", 1, func() error { return k.device("device", "code", many) }, nil},
		{"Device", 1, func() error { _, err := k.db.Device(k.ctx, k.t, hash("code")); return err }, nil},
		{"TakenNames", 1, func() error {
			_, err := k.db.TakenNames(k.ctx, k.t, []string{"name of bob", "name of carol"})
			return err
		}, nil},
		{"ImportAccounts", 1, func() error {
			return k.db.ImportAccounts(k.ctx, k.t, k.now, []account.Account{k.account("bob"), k.account("carol")}, k.event(audit.UsersImported))
		}, nil},
		{"Account", 1, func() error { _, err := k.db.Account(k.ctx, k.t, "alice"); return err }, nil},
		{"Client", 1, func() error { _, err := k.db.Client(k.ctx, k.t, "app"); return err }, nil},
		{"Changes", 1, func() error { _, _, err := k.db.Changes(k.ctx, k.now); return err }, nil},
		{"Snapshot", 6, func() error { _, _, err := k.db.Snapshot(k.ctx, k.t, k.now); return err }, nil},
	} {
		before := sent()
		err := c.call()
		if n := sent() - before; n > c.most {
			t.Errorf("%s: %d statements, at most %d", c.says, n, c.most)
		}
		k.is(err, c.want)
	}
}

package conformance

import (
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var accountIsolations = map[string]kept{
	"account.Factors.TOTP": {call: func(k *kit) (any, error) { return k.db.TOTP(k.ctx, k.t, "alice") }},
	"account.Factors.EnrolTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.EnrolTOTP(k.ctx, k.t, "enrolling", k.totp(time.Minute), k.event(audit.UserUpdated)))
	}},
	"account.Factors.ConfirmTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.ConfirmTOTP(k.ctx, k.t, "enrolling", k.now, k.now, 9, [][]byte{hash("recovery")}, k.event(audit.UserUpdated)))
	}},
	"account.Factors.UseTOTP": {call: func(k *kit) (any, error) { return none(k.db.UseTOTP(k.ctx, k.t, "alice", k.now, 9)) }},
	"account.Factors.UseRecoveryCode": {call: func(k *kit) (any, error) {
		return none(k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed)))
	}},
	"account.Factors.RemoveTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.RemoveTOTP(k.ctx, k.t, "alice", k.event(audit.UserUpdated)))
	}},
	"account.Factors.PutCode": {call: func(k *kit) (any, error) { return none(k.db.PutCode(k.ctx, k.t, k.code("another"))) }},
	"account.Factors.TryCode": {call: func(k *kit) (any, error) {
		return k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("code"), k.now, 5)
	}},
	"script.Store.PutVersion": {call: func(k *kit) (any, error) {
		return none(k.db.PutVersion(k.ctx, k.t, k.version("login", 2), nil, k.event(audit.ScriptChanged)))
	}},
	"script.Store.Version":  {call: func(k *kit) (any, error) { return k.db.Version(k.ctx, k.t, "login", 1) }},
	"script.Store.Versions": {call: func(k *kit) (any, error) { return k.db.Versions(k.ctx, k.t, "login", 0, 100) }},
	"script.Store.Scripts":  {call: func(k *kit) (any, error) { return k.db.Scripts(k.ctx, k.t) }},
	"script.Store.DeleteScript": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteScript(k.ctx, k.t, "login", k.event(audit.ScriptChanged)))
	}},
	"script.Store.PutSecret": {call: func(k *kit) (any, error) {
		return none(k.db.PutSecret(k.ctx, k.t, "key", []byte("new"), k.event(audit.ScriptSecretChanged)))
	}},
	"script.Store.Secret":  {call: func(k *kit) (any, error) { return k.db.Secret(k.ctx, k.t, "key") }},
	"script.Store.Secrets": {call: func(k *kit) (any, error) { return k.db.Secrets(k.ctx, k.t) }},
	"script.Store.DropSecret": {call: func(k *kit) (any, error) {
		return none(k.db.DropSecret(k.ctx, k.t, "key", k.event(audit.ScriptSecretChanged)))
	}},
	"script.Store.Log": {call: func(k *kit) (any, error) { return none(k.db.Log(k.ctx, k.t, k.lines("more"))) }},
	"script.Store.Entries": {call: func(k *kit) (any, error) {
		xs, err := k.db.Entries(k.ctx, k.t, "login", 0, 100)
		return unnumbered(xs), err
	}},
	"account.Store.Account":       {call: func(k *kit) (any, error) { return k.db.Account(k.ctx, k.t, "alice") }},
	"account.Store.AccountByName": {call: func(k *kit) (any, error) { return k.db.AccountByName(k.ctx, k.t, "name of alice") }},
	"account.Store.Accounts":      {call: func(k *kit) (any, error) { return k.db.Accounts(k.ctx, k.t, "", 1000) }},
	"account.Store.TakenNames": {call: func(k *kit) (any, error) {
		return k.db.TakenNames(k.ctx, k.t, []string{"name of alice", "name of bob"})
	}},
	"account.Store.ImportAccounts": {call: func(k *kit) (any, error) {
		return none(k.db.ImportAccounts(k.ctx, k.t, k.now, []account.Account{k.account("bob"), k.account("carol")}, k.event(audit.UsersImported)))
	}},
	"account.Store.CreateAccount": {call: func(k *kit) (any, error) {
		return none(k.db.CreateAccount(k.ctx, k.t, k.account("bob"), k.event(audit.UserCreated)))
	}},
	"account.Store.UpdateAccount": {call: func(k *kit) (any, error) {
		a := k.account("alice")
		a.Username = "renamed"
		return none(k.db.UpdateAccount(k.ctx, k.t, a, a.UpdatedAt, k.event(audit.UserUpdated)))
	}},
	"account.Store.DisableAccount": {call: func(k *kit) (any, error) {
		return none(k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserUpdated)))
	}},
	"account.Store.DeleteAccount": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserDeleted)))
	}},

	"registration.Store.Clients": {call: func(k *kit) (any, error) { return k.db.Clients(k.ctx, k.t, "", 1000) }},
	"registration.Store.CreateClient": {call: func(k *kit) (any, error) {
		return k.db.CreateClient(k.ctx, k.t, k.client("second"), 9, k.event(audit.ClientCreated))
	}},
	"registration.Store.UpdateClient": {call: func(k *kit) (any, error) {
		c := k.client("app")
		c.Name = "renamed"
		return none(k.db.UpdateClient(k.ctx, k.t, c, c.UpdatedAt, k.event(audit.ClientUpdated)))
	}},
	"registration.Store.DeleteClient": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteClient(k.ctx, k.t, "app", k.now, tenant.Revocation{ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.ClientDeleted)))
	}},

	"registration.InitialTokens.InitialToken": {call: func(k *kit) (any, error) {
		return k.db.InitialToken(k.ctx, k.t, k.now, hash("initial"))
	}},
	"registration.InitialTokens.InitialTokens": {call: func(k *kit) (any, error) { return k.db.InitialTokens(k.ctx, k.t) }},
	"registration.InitialTokens.PutInitialToken": {call: func(k *kit) (any, error) {
		return none(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("another", 1), 9, k.event(audit.InitialTokenCreated)))
	}},
	"registration.InitialTokens.DeleteInitialToken": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteInitialToken(k.ctx, k.t, "initial", k.event(audit.InitialTokenRevoked)))
	}},
	"registration.InitialTokens.CreateClientWith": {call: func(k *kit) (any, error) {
		return k.db.CreateClientWith(k.ctx, k.t, k.client("invited"), 9, hash("initial"), k.now, k.event(audit.ClientCreated))
	}},
	"registration.Granted.CreateClientBy": {call: func(k *kit) (any, error) {
		return k.db.CreateClientBy(k.ctx, k.t, k.client("granted"), 9, "grant", k.now, k.revocation("grant"), k.event(audit.ClientCreated))
	}},

	"registration.Numbers.NumberedClient": {call: func(k *kit) (any, error) { return k.db.NumberedClient(k.ctx, k.t, firstNumber) }},
	"registration.Numbers.NumberedClients": {call: func(k *kit) (any, error) {
		cs, total, err := k.db.NumberedClients(k.ctx, k.t, "", 0, 1000)
		return []any{cs, total}, err
	}},
	"registration.Numbers.CreateNumbered": {call: func(k *kit) (any, error) {
		return k.db.CreateNumbered(k.ctx, k.t, k.client(""), 9, k.event(audit.ClientCreated))
	}},

	"session.Register.ListSessions": {call: func(k *kit) (any, error) { return k.db.ListSessions(k.ctx, k.t, "", "", 1000) }},
	"session.Register.EndSessions": {call: func(k *kit) (any, error) {
		return k.db.EndSessions(k.ctx, k.t, "alice", "", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
	}},
	"session.Register.AmendSession": {call: func(k *kit) (any, error) {
		return none(k.db.AmendSession(k.ctx, k.t, "session", session.Amendment{UsedAt: k.at(time.Minute)}, k.event(audit.SessionChanged)))
	}},
	"session.Register.CountSessions": {call: func(k *kit) (any, error) {
		sessions, subjects, err := k.db.CountSessions(k.ctx, k.t, "", k.now)
		return []int64{sessions, subjects}, err
	}},
	"session.Register.ListSubjects":  {call: func(k *kit) (any, error) { return k.db.ListSubjects(k.ctx, k.t, "", k.now, 1000) }},
	"session.Register.PurgeSessions": {call: func(k *kit) (any, error) { return k.db.PurgeSessions(k.ctx, k.t, k.at(9999*time.Hour), 1000) }},
	"session.Store.Session":          {call: func(k *kit) (any, error) { return k.db.Session(k.ctx, k.t, "session") }},
	"session.Store.Sessions":         {call: func(k *kit) (any, error) { return k.db.Sessions(k.ctx, k.t, "alice") }},
	"session.Store.EndSession": {call: func(k *kit) (any, error) {
		return k.db.EndSession(k.ctx, k.t, "session", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
	}},
}

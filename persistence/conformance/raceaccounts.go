package conformance

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var accountRaces = map[string]raced{
	"account.Store.Account":        {why: onlyReads},
	"account.Store.AccountByName":  {why: onlyReads},
	"account.Store.Accounts":       {why: onlyReads},
	"account.Store.TakenNames":     {why: onlyReads},
	"account.Store.ImportAccounts": {race: raceImports},
	"account.Store.CreateAccount": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error { return k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)) }), account.ErrExists)
		k.same(len(k.events()), 1)
	}},
	"account.Store.UpdateAccount": {race: func(k *kit) { // all want one name
		for i := range callers {
			k.must(k.db.CreateAccount(k.ctx, k.t, k.account(strconv.Itoa(i)), audit.Event{}))
		}
		k.oneWins(crowd(func(i int) error {
			a := k.account(strconv.Itoa(i))
			a.Username = "wanted"
			return k.db.UpdateAccount(k.ctx, k.t, a, a.UpdatedAt, k.event(audit.UserUpdated))
		}), account.ErrExists)
	}},
	"account.Store.DisableAccount": {race: func(k *kit) { // any number may; enabled and disabled are never mixed
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		k.hangs("alice", true)
		k.win(crowd(func(int) error {
			r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
			return k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &r, k.event(audit.UserUpdated))
		}), callers)
		k.hangs("alice", false)
		k.same(len(k.journal()), 1)
	}},
	"account.Store.DeleteAccount": {race: func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
		k.oneWins(crowd(func(int) error {
			return k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserDeleted))
		}), account.ErrNotFound)
		k.same(len(k.events()), 1)
	}},

	"account.Factors.TOTP":            {why: onlyReads},
	"account.Factors.EnrolTOTP":       {race: raceToEnrol},
	"account.Factors.ConfirmTOTP":     {race: raceToConfirm},
	"account.Factors.UseTOTP":         {race: raceToUseTOTP},
	"account.Factors.UseRecoveryCode": {race: raceToRecover},
	"account.Factors.RemoveTOTP":      {race: raceToRemove},
	"account.Factors.PutCode":         {race: raceToSend},
	"account.Factors.TryCode":         {race: raceToTry},

	"script.Store.PutVersion":   {race: raceToPutVersion},
	"script.Store.Version":      {why: onlyReads},
	"script.Store.Versions":     {why: onlyReads},
	"script.Store.Scripts":      {why: onlyReads},
	"script.Store.DeleteScript": {race: raceToDeleteScript},
	"script.Store.PutSecret":    {race: raceToPutSecret},
	"script.Store.Secret":       {why: onlyReads},
	"script.Store.Secrets":      {why: onlyReads},
	"script.Store.DropSecret":   {race: raceToDropSecret},
	"script.Store.Log":          {why: newKey},
	"script.Store.Entries":      {why: onlyReads},

	"registration.Store.Clients": {why: onlyReads},
	"registration.Store.CreateClient": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error {
			_, err := k.db.CreateClient(k.ctx, k.t, k.client("one"), callers, k.event(audit.ClientCreated))
			return err
		}), registration.ErrExists)
		numbers := make([]int64, callers)
		k.win(crowd(func(i int) error { // up to the limit
			c, err := k.db.CreateClient(k.ctx, k.t, k.client(strconv.Itoa(i)), 10, k.event(audit.ClientCreated))
			numbers[i] = c.Number
			return err
		}), 9, registration.ErrFull)
		seen := map[int64]bool{}
		for _, n := range numbers {
			if n != 0 && seen[n] {
				k.Errorf("number %d is given twice", n)
			}
			seen[n] = true
		}
		k.same(len(k.events()), 10)
	}},
	"registration.Store.UpdateClient": {race: func(k *kit) {
		c, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 9, audit.Event{})
		k.must(err)
		k.oneWins(crowd(func(int) error { return k.db.UpdateClient(k.ctx, k.t, c, c.UpdatedAt, k.event(audit.ClientUpdated)) }), registration.ErrConflict)
	}},
	"registration.Store.DeleteClient": {race: func(k *kit) {
		_, err := k.db.CreateClient(k.ctx, k.t, k.client("a"), 1, audit.Event{})
		k.must(err)
		k.oneWins(crowd(func(int) error {
			return k.db.DeleteClient(k.ctx, k.t, "a", k.now, k.revocation(""), k.event(audit.ClientDeleted))
		}), registration.ErrNotFound)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("b"), 1, audit.Event{})
		k.is(err, nil)
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("c"), 1, audit.Event{})
		k.is(err, registration.ErrFull)
	}},

	"registration.InitialTokens.InitialToken":  {why: onlyReads},
	"registration.InitialTokens.InitialTokens": {why: onlyReads},
	"registration.InitialTokens.PutInitialToken": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error {
			return k.db.PutInitialToken(k.ctx, k.t, k.initialToken("a", 1), 9, k.event(audit.InitialTokenCreated))
		}), registration.ErrExists)
		k.same(len(k.events()), 1)
	}},
	"registration.InitialTokens.DeleteInitialToken": {race: func(k *kit) {
		k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("a", 1), 9, audit.Event{}))
		k.oneWins(crowd(func(int) error {
			return k.db.DeleteInitialToken(k.ctx, k.t, "a", k.event(audit.InitialTokenRevoked))
		}), registration.ErrNotFound)
		k.same(len(k.events()), 1)
	}},
	"registration.InitialTokens.CreateClientWith": {race: raceToRegister},
	"registration.Granted.CreateClientBy":         {race: raceToRegisterBy},

	"registration.Numbers.NumberedClient":  {why: onlyReads},
	"registration.Numbers.NumberedClients": {why: onlyReads},
	"registration.Numbers.CreateNumbered":  {race: createNumbered},

	"session.Register.ListSessions":  {why: onlyReads},
	"session.Register.EndSessions":   {race: raceEndSessions},
	"session.Register.AmendSession":  {race: raceAmendSession},
	"session.Register.CountSessions": {why: onlyReads},
	"session.Register.ListSubjects":  {why: onlyReads},
	"session.Register.PurgeSessions": {race: racePurge},

	"session.Store.Session":  {why: onlyReads},
	"session.Store.Sessions": {why: onlyReads},
	"session.Store.EndSession": {race: func(k *kit) {
		k.begin(k.session("s"))
		g := k.grant("g")
		g.SessionID = "s"
		k.finish(nil, &g)
		var told atomic.Int64
		k.oneWins(crowd(func(int) error {
			rs, err := k.db.EndSession(k.ctx, k.t, "s", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
			told.Add(int64(len(rs)))
			return err
		}), session.ErrNotFound)
		k.same(told.Load(), int64(1))
		k.same(len(k.events()), 1)
	}},
}

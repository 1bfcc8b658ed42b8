package conformance

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// raced is what happens when many call a method at once, or why nothing can.
type raced struct {
	why  string
	race func(*kit)
}

func (r raced) reason() (string, bool) { return r.why, r.race != nil }

const (
	onlyReads = "it only reads"
	newKey    = "what it records has a random key of its own"
)

var races = map[string]raced{
	"tenant.Directory.Find":     {why: onlyReads},
	"tenant.Directory.Snapshot": {why: onlyReads},
	"tenant.Directory.Client":   {why: onlyReads},
	"tenant.Directory.Changes":  {why: onlyReads},
	"tenant.Directory.Listen":   {why: onlyReads},

	"admin.Store.Tenant":                {why: onlyReads},
	"admin.Store.Tenants":               {why: onlyReads},
	"admin.Store.KeysDue":               {why: onlyReads},
	"admin.Store.FindTenants":           {why: onlyReads},
	"admin.Store.Revisions":             {why: onlyReads},
	"limit.UsageStore.PutUsage":         {race: raceUsage},
	"admin.Store.TokensIssued":          {why: onlyReads},
	"admin.Store.AllTokensIssued":       {why: onlyReads},
	"admin.Store.ActiveSubjects":        {why: onlyReads},
	"admin.Store.Aliases":               {why: onlyReads},
	"admin.Store.PutAlias":              {race: raceAliases},
	"admin.Store.DropAlias":             {race: raceAliases},
	"admin.Store.Revision":              {why: onlyReads},
	"admin.Store.Events":                {why: onlyReads},
	"admin.Access.Access":               {why: onlyReads},
	"admin.Access.Record":               {why: "an event has no key"},
	"admin.Access.PutRole":              putRole.race(),
	"admin.Access.DeleteRole":           deleteRole.race(),
	"admin.Access.PutServiceAccount":    putServiceAccount.race(),
	"admin.Access.DeleteServiceAccount": deleteServiceAccount.race(),
	"admin.Access.PutGrants":            putGrants.race(),
	"admin.Access.PutConsoleToken":      putConsoleToken.race(),
	"admin.Access.DropToken":            dropToken.race(),
	"admin.Access.PutOut":               putOut.race(),

	"admin.Uses.PutUses":       {race: raceUses},
	"admin.Trail.FindEvents":   {why: onlyReads},
	"admin.Trail.Seals":        {why: onlyReads},
	"admin.Trail.SealedEvents": {why: onlyReads},
	"admin.Trail.Unsealed":     {why: onlyReads},
	"admin.Answers.Answered":   {why: onlyReads},
	"admin.Answers.PutAnswer": {race: func(k *kit) {
		k.once("key", "request")
		k.win(crowd(func(i int) error {
			return k.db.PutAnswer(k.ctx, k.t, hash("key"), admin.Answer{Status: 200 + i, Body: []byte("x")})
		}), callers) // the first stays
		a := k.answered("key", k.now)
		k.must(k.db.PutAnswer(k.ctx, k.t, hash("key"), admin.Answer{Status: 999}))
		k.same(k.answered("key", k.now).Status, a.Status)
	}},
	"admin.Store.CreateTenant": {race: func(k *kit) {
		id := tenant.ID(newLabel())
		k.oneWins(crowd(func(int) error { return k.create(id) }), tenant.ErrExists)
	}},
	"admin.Store.UpdateTenant": {race: raceRevisions},
	"admin.Store.PutKeys": {race: func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		fresh := make([]keys.Key, callers)
		for i := range fresh {
			fresh[i], err = keys.Generate(keys.EdDSA, rand.Reader, k.now)
			k.must(err)
		}
		k.oneWins(crowd(func(i int) error {
			return k.db.PutKeys(k.ctx, k.t, r.Version, []keys.Key{fresh[i]}, k.now, k.event(audit.KeysRotated))
		}), tenant.ErrConflict)
		r, err = k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(len(r.Keys), 1)
	}},
	"admin.Store.PutToken": {race: func(k *kit) {
		before, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.win(crowd(func(i int) error {
			return k.db.PutToken(k.ctx, k.t, tenant.APIToken{ID: strconv.Itoa(i), Hash: hash("x"), CreatedAt: k.now}, k.event(audit.TokenCreated))
		}), callers)
		after, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(after.Version, before.Version+callers)
		k.same(len(after.Tokens), 1+callers)
	}},
	"admin.Store.MarkDeleted": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error { return k.markDeleted() }), tenant.ErrUnknown)
	}},
	"admin.Store.RestoreTenant": {race: func(k *kit) {
		k.must(k.markDeleted())
		k.oneWins(crowd(func(int) error { return k.restore(k.now) }), tenant.ErrUnknown)
	}},
	"admin.Store.RemoveDeleted": {race: func(k *kit) {
		k.must(k.markDeleted())
		k.oneWins(crowd(func(int) error { return k.removeDeleted() }), tenant.ErrUnknown)
		k.is(k.restore(k.now), tenant.ErrUnknown)
	}},
	"admin.Store.DeleteTenant": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error { return k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)) }), tenant.ErrUnknown)
	}},

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

	"admin.Numbers.NumberedTenants":            {why: onlyReads},
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

	"registration.Numbers.NumberedClient":  {why: onlyReads},
	"registration.Numbers.NumberedClients": {why: onlyReads},
	"registration.Numbers.CreateNumbered":  {race: createNumbered},

	"request.Store.Push":   {why: newKey},
	"request.Store.Pushed": {why: onlyReads},

	"decoupled.Store.Authentication":       {why: onlyReads},
	"decoupled.Store.Authentications":      {why: onlyReads},
	"decoupled.Store.BeginAuthentication":  {why: newKey},
	"decoupled.Store.Acknowledge":          {race: raceAcknowledge},
	"decoupled.Store.Settle":               {race: raceSettle},
	"decoupled.Store.DropAuthentication":   {race: raceDrop},
	"decoupled.Store.Poll":                 {race: racePoll},
	"decoupled.Store.RedeemAuthentication": {race: raceRedeemAuthentication},

	"session.Register.ListSessions":  {why: onlyReads},
	"session.Register.EndSessions":   {race: raceEndSessions},
	"session.Register.AmendSession":  {race: raceAmendSession},
	"grant.Register.ListGrants":      {why: onlyReads},
	"grant.Managed.ManagedGrants":    {why: onlyReads},
	"grant.Managed.RevokeManaged":    {race: raceRevokeManaged},
	"grant.Records.ListRecords":      {why: onlyReads},
	"grant.Records.NewestToken":      {why: onlyReads},
	"grant.Records.Batch":            {why: onlyReads},
	"grant.Records.Amend":            {race: raceAmend},
	"grant.Records.DeriveAll":        {race: raceDeriveAll},
	"grant.Ledger.GrantedScopes":     {why: onlyReads},
	"grant.Ledger.RevokeGrants":      {race: raceRevokeGrants},
	"grant.Ledger.ForgetScopes":      {race: raceForgetScopes},
	"session.Register.CountSessions": {why: onlyReads},
	"session.Register.ListSubjects":  {why: onlyReads},
	"session.Register.PurgeSessions": {race: racePurge},

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

// meetings are different methods that meet over the same thing.
var meetings = []promise{
	{"an interaction is either logged in or finished", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		errs := crowd(func(n int) (err error) {
			if n%2 == 0 {
				_, err = k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i})
			} else {
				_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1})
			}
			return err
		})
		k.oneWins(errs, authorize.ErrConflict, authorize.ErrNotFound)
	}},
	{"nothing comes of a session that ends while codes are given and redeemed in it", func(k *kit) {
		for round := range 5 {
			s := k.session("s" + strconv.Itoa(round))
			k.begin(s)
			crowd(func(n int) error {
				if n == callers/2 {
					_, err := k.db.EndSession(k.ctx, k.t, s.ID, k.at(time.Second), k.at(time.Hour), audit.Event{})
					k.is(err, nil)
					return nil
				}
				g := k.grant(s.ID + " grant " + strconv.Itoa(n))
				g.SessionID = s.ID
				_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Grant: &g, ClientID: strconv.Itoa(n), Touch: true})
				k.is(err, nil)
				_ = k.redeem(g) // which may win or lose
				return nil
			})
			for n := range callers {
				id := s.ID + " grant " + strconv.Itoa(n)
				g, err := k.db.Grant(k.ctx, k.t, id)
				if err == grant.ErrNotFound {
					continue // of the one who ended it
				}
				k.must(err)
				if g.RevokedAt.IsZero() && !g.Code.RedeemedAt.IsZero() {
					k.Errorf("%s was redeemed and stands", id)
				}
				if g.RevokedAt.IsZero() {
					k.is(k.redeem(*g), grant.ErrNotFound)
				}
			}
			_, err := k.db.Session(k.ctx, k.t, s.ID)
			k.is(err, session.ErrNotFound)
		}
	}},
	{"a grant that is revoked while it rotates stays revoked", func(k *kit) {
		id := k.refreshing(nil)
		crowd(func(n int) error {
			if n == callers/2 {
				k.is(k.db.RevokeGrant(k.ctx, k.t, id, k.now, k.revocation(id), audit.Event{}), nil)
				return nil
			}
			_, _ = k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(1)}, 0, k.revocation(id), audit.Event{})
			return nil
		})
		k.revoked(id)
	}},
}

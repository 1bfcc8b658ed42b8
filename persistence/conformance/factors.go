package conformance

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// totp returns a TOTP that was enrolled after a while.
func (k *kit) totp(after time.Duration) account.TOTP {
	return account.TOTP{Secret: []byte("a secret of " + mark(k.t)), EnrolledAt: k.at(after)}
}

// code returns a code that was sent to alice in an exchange.
func (k *kit) code(exchange string) account.OneTimeCode {
	return account.OneTimeCode{Exchange: hash(exchange), Subject: "alice", Hash: hash("code"), ExpiresAt: k.at(5 * time.Minute)}
}

// enrolled creates an account with a TOTP that is not confirmed, and its TOTP.
func (k *kit) enrolled(sub string) account.TOTP {
	k.Helper()
	k.must(k.db.CreateAccount(k.ctx, k.t, k.account(sub), audit.Event{}))
	f := k.totp(0)
	k.must(k.db.EnrolTOTP(k.ctx, k.t, sub, f, audit.Event{}))
	return f
}

// confirmed creates an account with a TOTP, a code of step 7 of which was used, and one recovery code.
func (k *kit) confirmed(sub string) account.TOTP {
	k.Helper()
	f := k.enrolled(sub)
	k.must(k.db.ConfirmTOTP(k.ctx, k.t, sub, f.EnrolledAt, k.now, 7, [][]byte{hash("recovery")}, audit.Event{}))
	return f
}

// factors gives the account alice a TOTP, another account one to be confirmed, and alice a code.
func (k *kit) factors() {
	k.Helper()
	k.must(k.db.EnrolTOTP(k.ctx, k.t, "alice", k.totp(0), audit.Event{}))
	k.must(k.db.ConfirmTOTP(k.ctx, k.t, "alice", k.now, k.now, 7, [][]byte{hash("recovery")}, audit.Event{}))
	k.enrolled("enrolling")
	k.must(k.db.PutCode(k.ctx, k.t, k.code("exchange")))
}

// codeStands reports whether a code of the exchange can be tried, without doing so.
func (k *kit) codeStands(sub, code string) bool {
	_, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), sub, hash(code), k.now, 0)
	return err == nil
}

// recovery returns n hashes of recovery codes.
func recovery(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = hash("recovery " + strconv.Itoa(i))
	}
	return out
}

var factors = []promise{
	{"a TOTP is read as it was enrolled, and counts once it is confirmed", func(k *kit) {
		_, err := k.db.TOTP(k.ctx, k.t, "alice")
		k.is(err, account.ErrNotFound)
		want := k.enrolled("alice")
		got, err := k.db.TOTP(k.ctx, k.t, "alice")
		k.must(err)
		k.same(*got, want)
		k.is(k.db.UseTOTP(k.ctx, k.t, "alice", want.EnrolledAt, 9), account.ErrReplayed)
		a, err := k.db.Account(k.ctx, k.t, "alice")
		k.must(err)
		k.same(a.HasTOTP, false)
		k.must(k.db.ConfirmTOTP(k.ctx, k.t, "alice", want.EnrolledAt, k.at(time.Minute), 7, recovery(10), k.event(audit.UserUpdated)))
		want.ConfirmedAt, want.UsedStep, want.Recovery = k.at(time.Minute), 7, 10
		got, err = k.db.TOTP(k.ctx, k.t, "alice")
		k.must(err)
		k.same(*got, want)
		a, err = k.db.AccountByName(k.ctx, k.t, "name of alice")
		k.must(err)
		k.same(a.HasTOTP, true)
		k.same(k.events(), []audit.Kind{audit.UserUpdated})
	}},
	{"one that is not confirmed gives way to a new one, which the first cannot confirm", func(k *kit) {
		first := k.enrolled("alice")
		second := k.totp(time.Minute)
		second.Secret = []byte("another")
		k.must(k.db.EnrolTOTP(k.ctx, k.t, "alice", second, k.event(audit.UserUpdated)))
		k.is(k.db.ConfirmTOTP(k.ctx, k.t, "alice", first.EnrolledAt, k.now, 7, recovery(1), k.event(audit.UserUpdated)), account.ErrConflict)
		got, err := k.db.TOTP(k.ctx, k.t, "alice")
		k.must(err)
		k.same(*got, second)
	}},
	{"one that is confirmed stays; there is none without an account", func(k *kit) {
		f := k.confirmed("alice")
		k.is(k.db.EnrolTOTP(k.ctx, k.t, "alice", k.totp(time.Minute), k.event(audit.UserUpdated)), account.ErrExists)
		k.is(k.db.ConfirmTOTP(k.ctx, k.t, "alice", f.EnrolledAt, k.now, 9, recovery(1), k.event(audit.UserUpdated)), account.ErrConflict)
		k.is(k.db.EnrolTOTP(k.ctx, k.t, "nobody", k.totp(0), k.event(audit.UserUpdated)), account.ErrNotFound)
		k.same(len(k.events()), 0)
	}},
	{"the code of a step is accepted once, and none of a step before", func(k *kit) {
		f := k.confirmed("alice")
		k.is(k.db.UseTOTP(k.ctx, k.t, "alice", f.EnrolledAt, 7), account.ErrReplayed)
		k.must(k.db.UseTOTP(k.ctx, k.t, "alice", f.EnrolledAt, 9))
		k.is(k.db.UseTOTP(k.ctx, k.t, "alice", f.EnrolledAt, 8), account.ErrReplayed)
		k.is(k.db.UseTOTP(k.ctx, k.t, "alice", k.at(time.Second), 10), account.ErrReplayed)
	}},
	{"a recovery code is accepted once, of its own account", func(k *kit) {
		k.confirmed("alice")
		k.confirmed("bob")
		k.must(k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed)))
		k.is(k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed)), account.ErrReplayed)
		f, err := k.db.TOTP(k.ctx, k.t, "bob")
		k.must(err)
		k.same(f.Recovery, 1)
		k.same(k.events(), []audit.Kind{audit.RecoveryCodeUsed})
	}},
	{"removing a TOTP, or its account, leaves nothing", func(k *kit) {
		k.confirmed("alice")
		k.must(k.db.RemoveTOTP(k.ctx, k.t, "alice", k.event(audit.UserUpdated)))
		k.is(k.db.RemoveTOTP(k.ctx, k.t, "alice", k.event(audit.UserUpdated)), account.ErrNotFound)
		k.is(k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed)), account.ErrReplayed)
		k.confirmed("bob")
		k.must(k.db.DeleteAccount(k.ctx, k.t, "bob", k.now, tenant.Revocation{Subject: "bob", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserDeleted)))
		_, err := k.db.TOTP(k.ctx, k.t, "bob")
		k.is(err, account.ErrNotFound)
	}},
	{"a code that was sent is right once, in its exchange, of its subject, in its time", func(k *kit) {
		k.must(k.db.PutCode(k.ctx, k.t, k.code("exchange")))
		try := func(exchange, sub, code string, after time.Duration) (bool, error) {
			return k.db.TryCode(k.ctx, k.t, hash(exchange), sub, hash(code), k.at(after), 3)
		}
		for _, c := range []struct{ exchange, sub string }{{"other", "alice"}, {"exchange", "bob"}} {
			_, err := try(c.exchange, c.sub, "code", 0)
			k.is(err, account.ErrReplayed)
		}
		_, err := try("exchange", "alice", "code", 5*time.Minute)
		k.is(err, account.ErrReplayed)
		right, err := try("exchange", "alice", "wrong", 0)
		k.must(err)
		k.same(right, false)
		right, err = try("exchange", "alice", "code", 0)
		k.must(err)
		k.same(right, true)
		_, err = try("exchange", "alice", "code", 0)
		k.is(err, account.ErrReplayed)
	}},
	{"after so many attempts no code is right, until another is sent", func(k *kit) {
		k.must(k.db.PutCode(k.ctx, k.t, k.code("exchange")))
		for range 3 {
			_, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("wrong"), k.now, 3)
			k.must(err)
		}
		_, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("code"), k.now, 3)
		k.is(err, account.ErrReplayed)
		second := k.code("exchange")
		second.Hash = hash("second")
		k.must(k.db.PutCode(k.ctx, k.t, second))
		right, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("code"), k.now, 3)
		k.must(err)
		k.same(right, false)
		right, err = k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("second"), k.now, 3)
		k.must(err)
		k.same(right, true)
	}},
}

// The last one stays, whole.
func raceToEnrol(k *kit) {
	k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), audit.Event{}))
	k.win(crowd(func(i int) error {
		f := k.totp(time.Duration(i) * time.Second)
		f.Secret = []byte(strconv.Itoa(i))
		return k.db.EnrolTOTP(k.ctx, k.t, "alice", f, k.event(audit.UserUpdated))
	}), callers)
	f, err := k.db.TOTP(k.ctx, k.t, "alice")
	k.must(err)
	k.same(strconv.Itoa(int(f.EnrolledAt.Sub(k.now)/time.Second)), string(f.Secret))
}

func raceToConfirm(k *kit) {
	f := k.enrolled("alice")
	k.oneWins(crowd(func(i int) error {
		return k.db.ConfirmTOTP(k.ctx, k.t, "alice", f.EnrolledAt, k.now, 7, [][]byte{hash(strconv.Itoa(i))}, k.event(audit.UserUpdated))
	}), account.ErrConflict)
	got, err := k.db.TOTP(k.ctx, k.t, "alice")
	k.must(err)
	k.same(got.Recovery, 1)
	k.same(len(k.events()), 1)
}

func raceToUseTOTP(k *kit) {
	f := k.confirmed("alice")
	k.oneWins(crowd(func(int) error { return k.db.UseTOTP(k.ctx, k.t, "alice", f.EnrolledAt, 9) }), account.ErrReplayed)
}

func raceToRecover(k *kit) {
	k.confirmed("alice")
	k.oneWins(crowd(func(int) error {
		return k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed))
	}), account.ErrReplayed)
	k.same(len(k.events()), 1)
}

func raceToRemove(k *kit) {
	k.confirmed("alice")
	k.oneWins(crowd(func(int) error { return k.db.RemoveTOTP(k.ctx, k.t, "alice", k.event(audit.UserUpdated)) }), account.ErrNotFound)
	k.same(len(k.events()), 1)
}

// The last one sent is the one that counts.
func raceToSend(k *kit) {
	k.win(crowd(func(i int) error {
		c := k.code("exchange")
		c.Hash = hash(strconv.Itoa(i))
		return k.db.PutCode(k.ctx, k.t, c)
	}), callers)
	rights := 0
	for i := range callers {
		if right, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash(strconv.Itoa(i)), k.now, 2*callers); err == nil && right {
			rights++
		}
	}
	k.same(rights, 1)
}

func raceToTry(k *kit) {
	k.must(k.db.PutCode(k.ctx, k.t, k.code("exchange")))
	var rights atomic.Int64
	k.oneWins(crowd(func(int) error {
		right, err := k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("code"), k.now, 5)
		if right {
			rights.Add(1)
		}
		return err
	}), account.ErrReplayed)
	k.same(rights.Load(), int64(1))
	k.must(k.db.PutCode(k.ctx, k.t, k.code("guessed"))) // of many guesses at once no more count than may
	var tried atomic.Int64
	for _, err := range crowd(func(i int) error {
		_, err := k.db.TryCode(k.ctx, k.t, hash("guessed"), "alice", hash(strconv.Itoa(i)), k.now, 5)
		return err
	}) {
		if err == nil {
			tried.Add(1)
		} else {
			k.is(err, account.ErrReplayed)
		}
	}
	k.same(tried.Load(), int64(5))
}

package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
)

var imports = []promise{
	{"accounts that are imported are read as they were given, a thousand at once, with one event", func(k *kit) {
		as := make([]account.Account, account.MaxImport)
		for i := range as {
			as[i] = k.account(fmt.Sprintf("%04d", i))
			as[i].Disabled = i%2 == 1
		}
		as[7].Username, as[7].Claims = "Älice \" ' \\ 🔑", map[string]json.RawMessage{"n": json.RawMessage(`1.50e+1`), "s": json.RawMessage(`"\u0000 \"ü\""`)}
		as[8].Username = ""
		k.must(k.db.ImportAccounts(k.ctx, k.t, k.now, as, k.event(audit.UsersImported)))
		got, err := k.db.Accounts(k.ctx, k.t, "", len(as)+1)
		k.must(err)
		k.same(got, as)
		one, err := k.db.AccountByName(k.ctx, k.t, account.Fold(as[7].Username))
		k.must(err)
		k.same(*one, as[7])
		k.same(k.events(), []audit.Kind{audit.UsersImported})
	}},
	{"an import with one name or subject that is taken, or twice in it, is ErrExists, and leaves nothing", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		named, same := k.account("named"), k.account("alice")
		named.Username, same.Username = "NAME OF ALICE", "another"
		twin := k.account("twin")
		twin.Username = "name of BOB"
		for _, last := range []account.Account{named, same, twin} {
			k.is(k.db.ImportAccounts(k.ctx, k.t, k.now, []account.Account{k.account("bob"), k.account("carol"), last}, k.event(audit.UsersImported)), account.ErrExists)
		}
		as, err := k.db.Accounts(k.ctx, k.t, "", 9)
		k.must(err)
		k.same(as, []account.Account{k.account("alice")})
		k.same(k.events(), []audit.Kind{audit.UserCreated})
	}},
	{"of folded names those that are taken are told, in order", func(k *kit) {
		for _, sub := range []string{"b", "a", "c"} {
			k.must(k.db.CreateAccount(k.ctx, k.t, k.account(sub), audit.Event{}))
		}
		many := []string{"name of c", "name of d", "name of a", "", "Name of b"}
		for i := range account.MaxImport - len(many) {
			many = append(many, "nobody "+strconv.Itoa(i))
		}
		names, err := k.db.TakenNames(k.ctx, k.t, many)
		k.must(err)
		k.same(names, []string{"name of a", "name of c"})
		names, err = k.db.TakenNames(k.ctx, k.t, nil)
		k.must(err)
		k.same(len(names), 0)
	}},
}

// raceImports has many import a batch of their own with two names in common, in either order.
func raceImports(k *kit) {
	errs := crowd(func(i int) error {
		as := []account.Account{k.account("a" + strconv.Itoa(i)), k.account("b" + strconv.Itoa(i)), k.account("c" + strconv.Itoa(i))}
		as[0].Username, as[2].Username = "wanted", "wanted too"
		if i%2 == 1 {
			as[0], as[2] = as[2], as[0]
		}
		return k.db.ImportAccounts(k.ctx, k.t, k.now, as, k.event(audit.UsersImported))
	})
	k.oneWins(errs, account.ErrExists)
	as, err := k.db.Accounts(k.ctx, k.t, "", 3*callers)
	k.must(err)
	k.same(len(as), 3)
	k.same(len(k.events()), 1)
}

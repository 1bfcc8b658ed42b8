package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
)

// A second process has a pool of its own on the same file, as a second Open has.

func TestProcessesStartAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "chancery.db")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				db, err := sqlite.Open(t.Context(), path, sqlite.Options{Sealer: sealer(t)})
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				a := account.Account{Subject: fmt.Sprint(i), CreatedAt: time.Now(), UpdatedAt: time.Now()}
				if err := db.CreateAccount(t.Context(), "t", a, audit.Event{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		as, err := open(t, path).Accounts(t.Context(), "t", "", 100)
		if err != nil || len(as) != 8 {
			t.Error(len(as), err)
		}
	}
}

func TestProcessesWriteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	dbs := []*persistence.DB{open(t, path), open(t, path)}
	now := time.Now()
	const n = 200
	for i := range n {
		g := grant.Grant{ID: fmt.Sprint(i), CreatedAt: now, ExpiresAt: now.Add(time.Hour), Code: &grant.CodeState{Hash: []byte("code"), ExpiresAt: now.Add(time.Hour)}}
		if err := dbs[i%2].PutGrant(t.Context(), "t", g, nil, audit.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	won := make([]int, n)
	var mu sync.Mutex
	for w := range 8 {
		wg.Go(func() {
			for i := range n {
				err := dbs[w%2].RedeemCode(t.Context(), "t", now, grant.Redemption{Grant: fmt.Sprint(i), CodeHash: []byte("code"), ExpiresAt: now.Add(time.Hour)},
					tenant.Revocation{Grant: fmt.Sprint(i), At: now, ExpiresAt: now.Add(time.Hour)}, audit.Event{At: now, Kind: audit.CodeReplayed})
				switch {
				case err == nil:
					mu.Lock()
					won[i]++
					mu.Unlock()
				case !errors.Is(err, grant.ErrReplayed):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, times := range won {
		if times != 1 {
			t.Errorf("code %d was redeemed %d times", i, times)
		}
	}
}

// What one process wrote, the other reads at once.
func TestAProcessSeesWhatAnotherWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	one, two := open(t, path), open(t, path)
	now := time.Now()
	for i := range 50 {
		a := account.Account{Subject: fmt.Sprint(i), CreatedAt: now, UpdatedAt: now}
		if err := one.CreateAccount(t.Context(), "t", a, audit.Event{}); err != nil {
			t.Fatal(err)
		}
		if _, err := two.Account(t.Context(), "t", a.Subject); err != nil {
			t.Error(err)
		}
	}
}

func TestOpeningAgainIsFast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space & ?", "chancery.db")
	open(t, path)
	best := time.Hour
	for range 5 {
		start := time.Now()
		open(t, path)
		best = min(best, time.Since(start))
	}
	if best > 50*time.Millisecond {
		t.Errorf("it takes %v", best)
	}
}

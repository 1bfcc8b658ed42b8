package persistence_test

import (
	"strings"
	"testing"

	"github.com/chancery-id/chancery/persistence"
)

func TestWhatFollowsAGuardDependsOnIt(t *testing.T) {
	db := twoTenants(t)
	for _, c := range []struct {
		says, text string
		wrong      bool
	}{
		{"a statement that asks for the guard may follow it", "DELETE FROM accounts WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard)", false},
		{"one that does not may not", "DELETE FROM accounts WHERE tenant_id = :t", true},
	} {
		t.Run(c.says, func(t *testing.T) {
			won, err := persistence.Effect(t.Context(), db, "a", "SELECT 1 AS one WHERE 1 = 2", c.text)
			if won || (err != nil) != c.wrong || c.wrong && !strings.Contains(err.Error(), "guard") {
				t.Errorf("won %v, %v", won, err)
			}
			if name(t, db, "a") != "of a" {
				t.Error("the account is gone")
			}
		})
	}
}

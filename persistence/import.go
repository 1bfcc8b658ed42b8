package persistence

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// importedRow is one of the accounts that putAccounts records. Claims are JSON in a text, so that they stay as they are.
type importedRow struct {
	Subject      string `json:"subject"`
	Username     string `json:"username"`
	Name         string `json:"-"` // folded
	Folded       any    `json:"folded"`
	PasswordHash string `json:"password_hash"`
	UserCodeHash string `json:"user_code_hash"`
	Disabled     bool   `json:"disabled"`
	Claims       string `json:"claims"`
}

// putAccounts records accounts, by dialect.
var putAccounts = [...]string{
	PostgreSQL: `INSERT INTO accounts (tenant_id, created_at, updated_at, subject, username, folded, password_hash, user_code_hash, disabled, claims)
		SELECT :t, ?, ?, j.subject, j.username, j.folded, j.password_hash, j.user_code_hash, j.disabled, CAST(j.claims AS json)
		FROM json_to_recordset(CAST(CAST(? AS text) AS json)) AS j (subject text, username text, folded text, password_hash text,
			user_code_hash text, disabled boolean, claims text)`,
	SQLite: `INSERT INTO accounts (tenant_id, created_at, updated_at, subject, username, folded, password_hash, user_code_hash, disabled, claims)
		SELECT :t, ?, ?, value ->> 'subject', value ->> 'username', value ->> 'folded', value ->> 'password_hash',
			value ->> 'user_code_hash', value ->> 'disabled', value ->> 'claims' FROM json_each(?)`,
}

// ImportAccounts implements account.Store.
func (db *DB) ImportAccounts(ctx context.Context, t tenant.ID, now time.Time, as []account.Account, ev audit.Event) error {
	e := db.effect(t)
	rows := make([]importedRow, len(as))
	for i, a := range as {
		c, err := json.Marshal(claims(a.Claims))
		if err != nil {
			return err
		}
		rows[i] = importedRow{a.Subject, a.Username, account.Fold(a.Username), folded(a.Username), a.PasswordHash, a.UserCodeHash, a.Disabled, string(c)}
	}
	// In one order, so that of two that have names in common one waits for the other, not each for each.
	slices.SortFunc(rows, func(a, b importedRow) int { return cmp.Compare(a.Name, b.Name) })
	e.then(putAccounts[db.engine.Dialect], cut(now), cut(now), e.json(rows))
	e.event(ev)
	_, _, err := e.run(ctx, "import accounts")
	return taken(err, account.ErrExists)
}

// TakenNames implements account.Store.
func (db *DB) TakenNames(ctx context.Context, t tenant.ID, folded []string) (names []string, err error) {
	err = db.do(ctx, reads, "find user names", func(ctx context.Context) error {
		names = nil
		return db.look(ctx, t).Model(&accountRow{}).Where("folded IN ?", folded).Order("folded").Pluck("folded", &names).Error
	})
	return names, err
}

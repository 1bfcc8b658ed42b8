package persistence_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// twoTenants returns a database in which the tenants a and b both have an account alice.
func twoTenants(t *testing.T) *persistence.DB {
	t.Helper()
	s, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{Sealer: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, id := range []tenant.ID{"a", "b"} {
		if err := db.CreateAccount(t.Context(), id, account.Account{Subject: "alice", Username: "of " + string(id), CreatedAt: time.Now(), UpdatedAt: time.Now()}, audit.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// name returns what the tenant's alice is called.
func name(t *testing.T, db *persistence.DB, id tenant.ID) string {
	t.Helper()
	a, err := db.Account(t.Context(), id, "alice")
	if err != nil {
		return err.Error()
	}
	return a.Username
}

// Each is done under a; b's account must be as before, and a's as said.
func TestNoStatementLeavesItsTenant(t *testing.T) {
	row := func(of string) *persistence.AccountRow {
		return &persistence.AccountRow{TenantID: of, Subject: "alice", Username: "changed"}
	}
	for _, c := range []struct {
		says string
		do   func(g *gorm.DB) error
		err  error
		a    string
	}{
		{"a query finds its own", func(g *gorm.DB) error {
			var rows []persistence.AccountRow
			err := g.Find(&rows).Error
			if len(rows) != 1 || rows[0].TenantID != "a" {
				return errors.New("found others")
			}
			return err
		}, nil, "of a"},
		{"a condition on another tenant finds nothing", func(g *gorm.DB) error {
			return g.Where("tenant_id = ?", "b").Take(&persistence.AccountRow{}).Error
		}, gorm.ErrRecordNotFound, "of a"},
		{"a top-level OR finds its own", func(g *gorm.DB) error {
			var rows []persistence.AccountRow
			err := g.Where("subject = ?", "none").Or("tenant_id = ?", "b").Or("1 = 1").Find(&rows).Error
			if len(rows) != 1 || rows[0].TenantID != "a" {
				return errors.New("found others")
			}
			return err
		}, nil, "of a"},
		{"an OR within a text finds its own", func(g *gorm.DB) error {
			var n int64
			err := g.Model(&persistence.AccountRow{}).Where("subject = 'none' OR 1 = 1").Count(&n).Error
			if n != 1 {
				return errors.New("counted others")
			}
			return err
		}, nil, "of a"},
		{"a row with a foreign key finds nothing", func(g *gorm.DB) error { return g.Take(row("b")).Error }, gorm.ErrRecordNotFound, "of a"},
		{"an update changes its own", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("subject = ?", "alice").Update("username", "changed").Error
		}, nil, "changed"},
		{"an update behind an OR changes its own", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("subject = ?", "none").Or("1 = 1").Update("username", "changed").Error
		}, nil, "changed"},
		{"an update of a foreign row changes nothing", func(g *gorm.DB) error { return g.Model(row("b")).Update("username", "changed").Error }, nil, "of a"},
		{"an update to another tenant is refused", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("subject = ?", "alice").Updates(map[string]any{"tenant_id": "b"}).Error
		}, persistence.ErrForeign, "of a"},
		{"so it is by the field's name", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("subject = ?", "alice").Update("TenantID", "b").Error
		}, persistence.ErrForeign, "of a"},
		{"and by a struct", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("subject = ?", "alice").Updates(persistence.AccountRow{TenantID: "b", Username: "x"}).Error
		}, persistence.ErrForeign, "of a"},
		{"and by an assignment of one's own", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Clauses(clause.Set{{Column: clause.Column{Name: "tenant_id"}, Value: "b"}}).Where("1 = 1").Update("username", "x").Error
		}, persistence.ErrNoModel, "of a"},
		{"saving a foreign row is refused", func(g *gorm.DB) error { return g.Save(row("b")).Error }, persistence.ErrForeign, "of a"},
		{"saving its own row saves it", func(g *gorm.DB) error {
			var r persistence.AccountRow
			err := g.Take(&r).Error
			r.Username = "changed"
			return errors.Join(err, g.Save(&r).Error)
		}, nil, "changed"},
		{"creating a foreign row is refused", func(g *gorm.DB) error { return g.Create(row("b")).Error }, persistence.ErrForeign, "of a"},
		{"creating among others is refused", func(g *gorm.DB) error {
			return g.Create([]*persistence.AccountRow{{Subject: "bob"}, row("b")}).Error
		}, persistence.ErrForeign, "of a"},
		{"creating from a map is refused", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Create(map[string]any{"subject": "x", "tenant_id": "b"}).Error
		}, persistence.ErrNoModel, "of a"},
		{"a conflict changes its own", func(g *gorm.DB) error {
			return g.Clauses(clause.OnConflict{UpdateAll: true}).Create(row("")).Error
		}, nil, "changed"},
		{"deleting all deletes its own", func(g *gorm.DB) error { return g.Where("1 = 1").Delete(&persistence.AccountRow{}).Error }, nil, "account: no such account"},
		{"deleting a foreign row deletes nothing", func(g *gorm.DB) error { return g.Delete(row("b")).Error }, nil, "of a"},
		{"a raw query is refused", func(g *gorm.DB) error {
			return g.Raw("SELECT * FROM accounts").Scan(&[]persistence.AccountRow{}).Error
		}, persistence.ErrNoModel, "of a"},
		{"so are raw rows", func(g *gorm.DB) error {
			rows, err := g.Raw("SELECT * FROM accounts").Rows()
			if err == nil {
				rows.Close()
			}
			return err
		}, persistence.ErrNoModel, "of a"},
		{"and a raw change", func(g *gorm.DB) error { return g.Exec("DELETE FROM accounts").Error }, persistence.ErrNoModel, "of a"},
		{"a table without a model is refused", func(g *gorm.DB) error {
			return g.Table("accounts").Find(&[]map[string]any{}).Error
		}, persistence.ErrNoModel, "of a"},
		{"a model on another table is refused", func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Table("sessions").Find(&[]persistence.AccountRow{}).Error
		}, persistence.ErrNoModel, "of a"},
		{"a model without a tenant is refused", func(g *gorm.DB) error {
			return g.Find(&[]struct{ Version int }{}).Error
		}, nil, "of a"},
		{"a join is refused", func(g *gorm.DB) error {
			return g.Joins("JOIN sessions s ON true").Find(&[]persistence.AccountRow{}).Error
		}, persistence.ErrNoModel, "of a"},
	} {
		t.Run(c.says, func(t *testing.T) {
			db := twoTenants(t)
			err := c.do(db.In(t.Context(), "a"))
			switch {
			case c.says == "a model without a tenant is refused":
				if err == nil {
					t.Error("it is not")
				}
			case !errors.Is(err, c.err) || c.err == nil && err != nil:
				t.Errorf("got error %v, want %v", err, c.err)
			}
			if got := name(t, db, "a"); got != c.a {
				t.Errorf("a's account is %q, want %q", got, c.a)
			}
			if got := name(t, db, "b"); got != "of b" {
				t.Errorf("b's account is %q", got)
			}
		})
	}
}

func TestAStatementWithoutATenantIsRefused(t *testing.T) {
	db := twoTenants(t)
	for says, do := range map[string]func(g *gorm.DB) error{
		"query":  func(g *gorm.DB) error { return g.Find(&[]persistence.AccountRow{}).Error },
		"create": func(g *gorm.DB) error { return g.Create(&persistence.AccountRow{TenantID: "a", Subject: "x"}).Error },
		"update": func(g *gorm.DB) error {
			return g.Model(&persistence.AccountRow{}).Where("1 = 1").Update("username", "x").Error
		},
		"delete": func(g *gorm.DB) error { return g.Where("1 = 1").Delete(&persistence.AccountRow{}).Error },
		"raw":    func(g *gorm.DB) error { return g.Exec("DELETE FROM accounts WHERE tenant_id = 'a'").Error },
	} {
		for _, g := range []*gorm.DB{db.Unscoped(t.Context()), db.In(t.Context(), "")} {
			if err := do(g); !errors.Is(err, persistence.ErrUnscoped) {
				t.Errorf("%s: %v", says, err)
			}
		}
	}
	if a, b := name(t, db, "a"), name(t, db, "b"); a != "of a" || b != "of b" {
		t.Errorf("the accounts are %q and %q", a, b)
	}
}

func TestStatementsOfOurOwn(t *testing.T) {
	for _, c := range []struct {
		says, text string
		args       []any
		postgres   string
		sqliteArgs []any
		wrong      bool
	}{
		{"are written for both engines", "SELECT a::text FROM grants WHERE tenant_id = :t AND id = ? AND x = :t", []any{"i"},
			"SELECT a::text FROM grants WHERE tenant_id = $1 AND id = $2 AND x = $1", []any{"t", "i", "t"}, false},
		{"need a tenant for each table", "SELECT 1 FROM grants g JOIN sessions s ON true WHERE g.tenant_id = :t", nil, "", nil, true},
		{"need one when they insert", "INSERT INTO grants (id) SELECT ?", []any{1}, "", nil, true},
		{"need one when they change", "UPDATE grants SET a = 1", nil, "", nil, true},
		{"need one when they delete", "DELETE FROM grants", nil, "", nil, true},
		{"need an argument for each question mark", "SELECT ?, ?", []any{1}, "", nil, true},
		{"need a question mark for each argument", "SELECT ?", []any{1, 2}, "", nil, true},
	} {
		t.Run(c.says, func(t *testing.T) {
			got, _, err := persistence.Write(persistence.PostgreSQL, "t", c.text, c.args...)
			if (err != nil) != c.wrong {
				t.Fatal(err)
			}
			if c.wrong {
				return
			}
			if got != c.postgres {
				t.Errorf("got %s", got)
			}
			got, args, err := persistence.Write(persistence.SQLite, "t", c.text, c.args...)
			if err != nil || strings.Count(got, "?") != len(args) || !cmp.Equal(args, c.sqliteArgs) {
				t.Errorf("%s %v %v", got, args, err)
			}
		})
	}
}
